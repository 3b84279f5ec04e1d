"""Tests of a part of a collection that is drawn for a first look."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import random_collection
from xlbench.collection import Collection, Sample, drawn


def made(n_clusters: int = 6, each: int = 4, more: int = 40) -> Collection:
    """Questions of clusters in two languages, a passage for each, and passages that answer nothing."""
    questions = {f"q{i}": f"article {i // each}" for i in range(n_clusters * each)}
    languages = ("de", "en")
    queries = {f"{a}:{q}": f"{a} what is {q}?" for a in languages for q in questions}
    passages = {f"{a}:p{q}": f"{a} it is {q}." for a in languages for q in questions}
    passages |= {f"{a}:o{i}": f"{a} other {i}." for a in languages for i in range(more)}
    judgements = {query: [f"{a}:p{query.partition(':')[2]}" for a in languages] for query in queries}
    clusters = {query: questions[query.partition(":")[2]] for query in queries}
    return Collection.from_dicts(queries, passages, judgements, clusters=clusters, unit="article")


@pytest.mark.parametrize(("limit", "n"), [(4, 4), (7, 4), (8, 8), (23, 20), (24, 24), (1000, 24)])
def test_whole_clusters_are_drawn_up_to_the_limit(limit, n):
    """A cluster has all of its questions in all languages, or none."""
    whole, part = made(), drawn(made(), limit)
    assert part.sample is not None
    assert (part.sample.limit, part.sample.n_questions, part.sample.of_questions) == (limit, n, 24)
    assert part.sample.is_partial == (n < 24)
    assert len(part.queries) == 2 * n
    chosen = set(part.clusters.of_query)
    expected = [id_ for id_, of_it in zip(whole.queries.ids, whole.clusters.of_query, strict=True) if of_it in chosen]
    assert list(part.queries.ids) == expected
    assert len(chosen) == n // 4


def test_a_limit_below_every_cluster_draws_the_smallest():
    """There is always something to look at."""
    whole = made(n_clusters=3)
    assert len(drawn(whole, 1).queries) == 2 * 4


def test_the_judgements_are_those_of_the_whole():
    """Each drawn query keeps its relevant passages with their gains, by id."""
    rng = np.random.default_rng(3)
    whole = random_collection(rng, n_queries=12)
    part = drawn(whole, 5)

    def judged(collection):
        pairs = collection.pairs
        return {
            (collection.queries.ids[q], collection.passages.ids[p], int(g))
            for q, p, g in zip(pairs.query, pairs.passage, pairs.gain, strict=True)
        }

    kept = set(part.queries.ids)
    assert judged(part) == {pair for pair in judged(whole) if pair[0] in kept}
    assert part.pairs.query.dtype == whole.pairs.query.dtype
    assert part.pairs.passage.dtype == whole.pairs.passage.dtype


def test_the_pool_shrinks_as_much_as_the_questions():
    """A language keeps the relevant passages, and others up to the share of questions that are drawn."""
    part = drawn(made(more=48), 8)
    # A third of 24 + 48 passages a language, of which 8 are relevant.
    assert [len(part.passages.ids[part.passages.rows(i)]) for i in range(2)] == [24, 24]
    assert part.sample == Sample(8, 8, 24, 48, 144)
    assert str(part.sample) == "8 of 24 questions, 48 of 144 passages"


def test_the_same_limit_draws_the_same():
    """What is drawn follows from the collection alone."""
    assert drawn(made(), 8).checksums == drawn(made(), 8).checksums != drawn(made(), 12).checksums


def test_a_language_without_a_drawn_question_has_passages_still():
    """Where each language has questions of its own, a small part has questions in few of them."""
    queries = {f"{a}:{a}{i}": f"{a} {i}?" for a in ("de", "en") for i in range(9)}
    passages = {f"{a}:p{i}": f"{a} {i}." for a in ("de", "en") for i in range(9)}
    whole = Collection.from_dicts(queries, passages, {query: [f"{query[:2]}:p{query[-1]}"] for query in queries})
    part = drawn(whole, 1)
    assert len(part.queries) == 1
    assert len(part.asked) == 1
    assert part.pooled == ("de", "en")
