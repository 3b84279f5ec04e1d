"""Queries as people type them: what each perturbation changes, and what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

import xlbench
from xlbench.changes import changed as model_with
from xlbench.collection import Collection
from xlbench.errors import DataError, MissingLibraryError, UnknownNameError
from xlbench.models import load
from xlbench.models.perturbation import METHODS, parse, share_changed

QUERIES = {
    "de:1": "Wo liegt die Stadt München heute",
    "el:1": "Πού βρίσκεται το Μόναχο σήμερα",
    "en:1": "Where is the city Munich today",
    "zh:1": "慕尼黑在哪里",
    "zh:2": "多瑙河",
}


def made(queries: dict[str, str] = QUERIES) -> Collection:
    """A collection of these queries, each answered by one passage in its language."""
    passages = {f"{id_}:p": f"Ein Satz über {id_}" for id_ in queries}
    return Collection.from_dicts(queries, passages, {id_: [f"{id_}:p"] for id_ in queries})


def changed(method: str, queries: dict[str, str] = QUERIES) -> dict[str, str]:
    """The texts of the queries by id, after a perturbation."""
    perturbed = parse(method).apply(made(queries))
    return dict(zip(perturbed.queries.ids, perturbed.queries.text, strict=True))


@pytest.mark.parametrize(
    ("method", "text", "expected"),
    [
        ("latin", "Где Мюнхен?", "Gde Myunkhen?"),
        ("latin", "München liegt „dort“ – việt", "München liegt „dort“ – việt"),
        ("latin", "慕尼黑 2024", "MuNiHei 2024"),
        ("lower", "ΠΟΥ İst", "που i̇st"),
        ("accents", "Πού, München, việt, ёлка", "Που, Munchen, viet, елка"),
        ("accents", "नमस्ते กี่ قَلَم", "नमस्ते กี่ قَلَم"),
        ("accents", "Straße, đi, Ø", "Straße, đi, Ø"),
    ],
)
def test_what_is_changed_and_what_stays(method, text, expected):
    """Marks that are letters to a reader stay, and so does Latin where other scripts are transliterated."""
    assert changed(method, {"de:1": text})["de:1"] == expected


def test_mixed_queries_are_half_english_and_switch_alike():
    """English ones stay, and those without an English translation; the other part is the query's own."""
    texts = changed("mixed")
    assert (texts["en:1"], texts["zh:2"]) == (QUERIES["en:1"], QUERIES["zh:2"])
    german, greek = texts["de:1"].split(), texts["el:1"].split()
    english = QUERIES["en:1"].split()
    begins = german[0] == english[0]
    assert (greek[0] == english[0]) == begins
    n = sum(word in english for word in german)
    assert 0 < n < len(german)
    own = QUERIES["de:1"].split()
    assert german == (english[:n] + own[n:] if begins else own[: len(own) - n] + english[len(english) - n :])
    assert texts["zh:1"] != QUERIES["zh:1"]
    assert changed("mixed") == texts


def test_mixed_queries_begin_in_either_language():
    """About half of them in English, and switch at other places."""
    asked = {f"{a}:{i}": " ".join(f"{a}{i}" for i in range(10)) for i in range(40) for a in ("de", "en")}
    texts = [text.split() for id_, text in changed("mixed", asked).items() if id_.startswith("de")]
    assert 10 < sum(words[0] == "en0" for words in texts) < 30
    assert {sum(word.startswith("en") for word in words) for words in texts} == {3, 4, 5, 6, 7}


def test_mixed_needs_english():
    """And says which languages there are."""
    with pytest.raises(DataError, match="mixes queries with 'en', in which there are none; the languages are de"):
        changed("mixed", {"de:1": "Wo?"})


def test_a_query_of_which_nothing_is_left_is_as_it_was():
    """Marks alone: every query needs text."""
    assert changed("accents", {"de:1": "\u0301"}) == {"de:1": "\u0301"}


@pytest.mark.parametrize("method", METHODS)
def test_ids_passages_and_judgements_stay(method):
    """So that results can be compared question by question."""
    plain = made()
    perturbed = parse(method).apply(plain)
    assert perturbed.queries.ids == plain.queries.ids
    assert perturbed.passages is plain.passages
    assert perturbed.pairs is plain.pairs


def test_the_share_of_changed_queries_is_by_language():
    """Half of the Chinese ones, if one alone has another text."""
    plain = made()
    assert share_changed(plain, parse("mixed").apply(plain)) == {"de": 1, "el": 1, "en": 0, "zh": 0.5}


def test_a_name_that_is_none_is_said():
    """With those that there are."""
    with pytest.raises(UnknownNameError, match="latin"):
        parse("latn")
    assert parse(None) is None


def test_a_library_that_is_missing_is_said(monkeypatch):
    """Before the work."""
    monkeypatch.setattr("xlbench.support.extras.find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'xlbench\[perturb\]'"):
        parse("latin")


def test_the_result_is_the_models_and_says_so():
    """Another name and the data of the task: the values are those of the changed texts, and tests are paired."""
    options = {"languages": ["de", "en", "zh"], "cache": None, "quiet": True}
    plain, latin = (xlbench.evaluate("hash", "demo", perturb=name, **options) for name in (None, "latin"))
    assert latin.model["name"] == "hash+latin-queries"
    assert latin.model["perturbation"]["method"] == "latin"
    assert latin.environment["queries_changed"] == {"de": 0, "en": 0, "zh": 1}
    assert latin.data == plain.data
    assert latin.value("de>*", "AP") == plain.value("de>*", "AP")
    assert latin.value("zh>zh", "AP") < plain.value("zh>zh", "AP")
    differences = xlbench.compare(plain, latin).differences
    assert all(np.isfinite(difference.p_adjusted) for difference in differences)


def test_the_identity_of_a_model_has_it_last():
    """Behind what is done to its vectors and lists."""
    model = model_with(load("hash"), {"perturb": "lower", "pool": "round-robin"})
    assert model.identity()["name"] == "hash+round-robin+lower-queries"
