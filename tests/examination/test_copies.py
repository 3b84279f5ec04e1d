"""Copies within and across languages, and what they do to judgements."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import random_collection
from tests.examination.test_odd_texts import ignore, made
from xlbench.collection import Collection
from xlbench.examination.copies import copies
from xlbench.examination.findings import Finding
from xlbench.examination.odd_texts import facts

REPEATED_QUERIES = "queries that their language has before"
REPEATED = "passages that their language has before"
ACROSS = "passages that another language has too"
UNJUDGED = "queries with an unjudged copy of a relevant passage"
ANSWER = "queries equal to a relevant passage"
PASSAGE = "queries equal to a passage that is not relevant to them"


def found(collection: Collection) -> dict[str, Finding]:
    """What is found about copies; no kind has two weights here."""
    languages = collection.languages
    of = [facts(texts, languages, ignore) for texts in (collection.queries, collection.passages)]
    return {finding.about: finding for finding in copies(collection, *of)}


def numbers(finding: Finding | None) -> dict[str, int]:
    """How many there are by language."""
    return {count.language: count.n for count in finding.counts} if finding else {}


@pytest.mark.parametrize("seed", range(8))
def test_the_numbers_are_those_of_a_count_text_by_text(seed):
    """Repeats, texts that two languages have, and unjudged copies are as many as a search pair by pair finds."""
    collection = random_collection(np.random.default_rng(seed), n_passages=12)
    languages, passages, pairs = collection.languages, collection.passages, collection.pairs
    by_language = {name: passages.text[passages.rows(code)] for code, name in enumerate(languages)}
    repeated = {name: len(texts) - len(set(texts)) for name, texts in by_language.items()}
    across = {
        name: sum(any(text in by_language[other] for other in languages if other != name) for text in texts)
        for name, texts in by_language.items()
    }
    relevant = {(int(query), int(passage)) for query, passage in zip(pairs.query, pairs.passage, strict=True)}
    unjudged = dict.fromkeys(languages, 0)
    for query in {query for query, _ in relevant}:
        unjudged[languages[collection.queries.language[query]]] += any(
            passages.text[copy] == passages.text[passage]
            and passages.language[copy] == passages.language[passage]
            and (query, copy) not in relevant
            for of, passage in relevant
            if of == query
            for copy in range(len(passages))
        )
    findings = found(collection)
    for about, expected in ((REPEATED, repeated), (ACROSS, across), (UNJUDGED, unjudged)):
        assert numbers(findings.get(about)) == {name: n for name, n in expected.items() if n}


def test_copies_are_named_with_what_they_are_copies_of():
    """Examples name both texts, by id."""
    collection = made(
        {"de:1": "wer?", "de:2": "WER?"},
        {"de:a": "Berlin", "de:b": "berlin ", "th:a": "Berlin", "de:c": "er"},
        {"de:1": "de:a", "de:2": "de:c"},
    )
    findings = found(collection)
    assert findings[REPEATED_QUERIES].counts[0].examples == ("de:1 = de:2",)
    assert findings[REPEATED].counts[0].examples == ("de:a = de:b",)
    assert {count.language: count.examples for count in findings[ACROSS].counts} == {
        "de": ("de:a = th:a", "de:b = th:a"),
        "th": ("th:a = de:a",),
    }
    assert findings[UNJUDGED].counts[0].examples == ("de:1",)


def test_a_copy_that_is_judged_does_no_harm():
    """There is no unjudged copy where all copies are relevant, and none in another language."""
    collection = made({"de:1": "wer?"}, {"de:a": "Berlin", "th:a": "Berlin"}, {"de:1": "de:a"})
    assert UNJUDGED not in found(collection)


def test_numbers_without_a_letter_are_no_copies_across_languages():
    """A year that stands alone in two languages is not a text that was not translated."""
    collection = made({"de:1": "wann?"}, {"de:a": "1966.", "th:a": "1966."}, {"de:1": "de:a"})
    assert ACROSS not in found(collection)


@pytest.mark.parametrize(("relevant", "about"), [("de:a", ANSWER), ("de:b", PASSAGE)])
def test_queries_that_are_passages_are_told_apart_by_relevance(relevant, about):
    """A query equal to a passage is trivial if that is relevant, and in vain if it is not."""
    collection = made({"de:1": "Wer ist da?"}, {"de:a": "wer ist da?", "de:b": "ich"}, {"de:1": relevant})
    assert {name: numbers(finding) for name, finding in found(collection).items()} == {about: {"de": 1}}


@pytest.mark.parametrize(("n_copied", "weight"), [(1, "note"), (5, "doubtful"), (50, "wrong")])
def test_the_more_is_not_translated_the_more_it_matters(n_copied, weight):
    """From one passage in twenty on, what another language has too is doubtful, from one half on it is wrong."""
    passages = {f"de:{i}": f"wort {i} hier" for i in range(100)}
    passages |= {f"th:{i}": f"wort {i} hier" if i < n_copied else f"คำ {i}" for i in range(100)}
    assert found(made({"de:1": "wer?"}, passages, {"de:1": "de:1"}))[ACROSS].weight == weight
