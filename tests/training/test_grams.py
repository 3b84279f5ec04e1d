"""N-grams: what counts as the same text, and which share of a text another one has."""

from __future__ import annotations

import numpy as np
import pytest

from xlbench.collection.same_text import plain
from xlbench.training import grams
from xlbench.training.grams import BYTES, Grams, Index


def grams_of(text: str) -> set[bytes]:
    """The n-grams of a text, one after the other."""
    content = text.encode()
    starts = [len(text[:i].encode()) for i in range(len(text))]
    return {content[start : start + BYTES] for start in starts if start + BYTES <= len(content)}


def texts(n: int, seed: int) -> list[str]:
    """Texts of words that many have in common, in several scripts; some too short for an n-gram."""
    rng = np.random.default_rng(seed)
    words = ["the", "quick", "brown", "fuchs", "läuft", "über", "длинный", "текст", "天気がいい", "कमल", "fields"]
    return [" ".join(rng.choice(words, size=rng.integers(0, 12))) for _ in range(n)]


def shares(here: list[str], there: list[str]) -> dict[tuple[int, int], float]:
    """The share of each text's n-grams that another text has, by way of the index."""
    index = Index.of(here)
    first, second, share = index.shared(*index.lookup(Grams.of(there)))
    return {(int(a), int(b)): float(s) for a, b, s in zip(first, second, share, strict=True)}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Who  won,\tthe «Super Bowl»?", "who won the super bowl"),
        ("Ｗｉｄｅ ﬁne", "wide fine"),
        ("STRASSE Straße", "strasse strasse"),
        ("किताब।", "किताब"),
        ("東京(とうきょう)", "東京 とうきょう"),
        ("?! …", ""),
    ],
)
def test_plain_text_is_letters_marks_and_digits(text, same):
    """Case, punctuation, white space and the form of letters do not count; vowel signs do."""
    assert plain(text) == same


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_those_of_sets(seed):
    """The index gives for each pair of texts what sets of n-grams give."""
    here, there = texts(30, seed), texts(40, seed + 100)
    expected = {
        (i, j): len(both) / len(grams_of(a))
        for i, a in enumerate(here)
        for j, b in enumerate(there)
        if (both := grams_of(a) & grams_of(b))
    }
    assert shares(here, there) == pytest.approx(expected)


def test_the_index_counts_different_grams(monkeypatch):
    """A text's n-grams are counted once each, also over several chunks of texts."""
    monkeypatch.setattr(grams, "AT_ONCE", 7)
    some = texts(30, 0)
    assert Index.of(some).n_grams.tolist() == [len(grams_of(text)) for text in some]


def test_no_gram_reaches_from_one_text_into_the_next():
    """Two halves of a text are not the text."""
    text = "abcdefghijklmnopqrstuvwxyz"
    assert shares([text[:15], text[15:]], [text]) == {}
    assert shares([text], [text[:20], text[20:]]) == {(0, 0): pytest.approx(5 / 11)}


def test_what_many_texts_have_does_not_count(monkeypatch):
    """An n-gram that more texts have than COMMON allows, here or there, is left out."""
    monkeypatch.setattr(grams, "COMMON", 3)
    phrase = "choose insert and then header"
    assert len(shares([phrase] * 3, [phrase] * 3)) == 9
    assert shares([phrase] * 4, [phrase]) == {}
    assert shares([phrase], [phrase] * 4) == {}


@pytest.mark.parametrize(("here", "there"), [([], ["a"]), (["a"], []), ([], []), ([""], [""])])
def test_nothing_shares_nothing(here, there):
    """Where there is no text, or none long enough, no pair is found."""
    assert shares(here, there) == {}
