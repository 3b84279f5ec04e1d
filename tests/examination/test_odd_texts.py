"""Facts about texts: lengths, letters, checksums, and what is odd."""

from __future__ import annotations

import numpy as np
import pytest

from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.examination.odd_texts import TextFacts, facts, odd_texts

LANGUAGES = ("de", "th")


def ignore(*, texts: int, characters: int, stored: bool) -> None:
    """Shows no progress."""


def known(texts: Texts) -> TextFacts:
    """The facts about texts of these languages."""
    return facts(texts, LANGUAGES, ignore)


def made(queries: dict[str, str], passages: dict[str, str], relevant: dict[str, str]) -> Collection:
    """A collection; the language is the id up to the colon."""
    return Collection.build(
        LANGUAGES,
        [Text(id_, id_.split(":")[0], text) for id_, text in queries.items()],
        [Text(id_, id_.split(":")[0], text) for id_, text in passages.items()],
        [Judgement(query, passage, 1) for query, passage in relevant.items()],
    )


def found(collection: Collection) -> dict[str, tuple[str, dict[str, int]]]:
    """What is odd: the weight, and the number of texts by language."""
    findings = odd_texts(collection, known(collection.queries), known(collection.passages))
    return {f.about: (f.weight, {count.language: count.n for count in f.counts}) for f in findings}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Straße  nach\tRom ", "STRASSE NACH ROM", True),
        ("ﬁne Ｔｅｘｔ", "fine text", True),
        ("e\u0301t\u0301", "\u00e9t\u0301", True),
        ("etage", "étage", False),
        ("a b", "ab", False),
        ("sie kommt", "sie kommt.", True),
    ],
)
def test_checksums_pass_over_case_spaces_and_unicode_form(one, other, equal):
    """Two texts have one checksum if they differ in case, white space and Unicode form only."""
    texts = Texts(("de:1", "de:2"), (one, other), np.zeros(2, np.int16))
    checksum = known(texts).checksum
    assert (checksum[0] == checksum[1]) == equal


def test_lengths_are_characters_and_digits_are_no_letters():
    """Length counts characters, and a text of digits and signs has no letter in any script."""
    texts = Texts(tuple("abcd"), ("né 1", "1,5 % ...", "١٢٣", "ไทย"), np.zeros(4, np.int16))
    assert known(texts).length.tolist() == [4, 9, 3, 3]
    assert known(texts).has_letter.tolist() == [True, False, False, True]


def test_progress_is_told_of_each_text_once():
    """The display is told of as many texts as there are."""
    told = []
    texts = Texts(tuple(map(str, range(25_000))), ("x",) * 25_000, np.zeros(25_000, np.int16))
    facts(texts, ("de",), lambda *, texts, characters, stored: told.append(texts))
    assert told == [10_000, 10_000, 5_000]


def test_what_is_odd_is_counted_by_language():
    """Queries without a relevant passage and texts without a letter are counted where they are."""
    collection = made(
        {"de:1": "wer?", "de:2": "wo?", "th:1": "???", "th:2": "ใคร"},
        {"de:a": "er", "de:b": "2.", "th:a": "เขา", "th:b": "..."},
        {"de:1": "de:b", "th:1": "th:a"},
    )
    assert found(collection) == {
        "queries without a relevant passage": ("note", {"de": 1, "th": 1}),
        "queries without a letter": ("doubtful", {"th": 1}),
        "queries with a relevant passage that has no letter": ("doubtful", {"de": 1}),
        "passages without a letter": ("note", {"de": 1, "th": 1}),
    }


def test_a_few_texts_without_a_letter_are_a_note_only():
    """Below one query in a hundred, texts without a letter are not doubtful."""
    queries = {f"de:{i}": "wer?" if i else "?" for i in range(200)}
    collection = made(queries, {"de:a": "er"}, dict.fromkeys(queries, "de:a"))
    assert found(collection) == {"queries without a letter": ("note", {"de": 1})}


@pytest.mark.parametrize(
    ("usual", "long", "enormous"), [(10, 10_000, False), (10, 10_001, True), (600, 11_000, False), (600, 12_500, True)]
)
def test_a_text_is_enormous_by_itself_and_beside_the_others(usual, long, enormous):
    """A text is enormous beyond 10,000 characters and 20 times the median of its language."""
    passages = {f"de:{i}": "x" * usual for i in range(9)} | {"de:9": "x" * long, "th:1": "ยาว"}
    collection = made({"de:1": "wer?"}, passages, {"de:1": "de:1"})
    assert found(collection) == ({"enormous texts": ("note", {"de": 1})} if enormous else {})


def test_a_sound_collection_has_nothing_odd():
    """Nothing is found where each query has a relevant passage and each text a letter."""
    assert found(made({"de:1": "wer?"}, {"de:a": "er", "th:a": "เขา"}, {"de:1": "de:a"})) == {}
