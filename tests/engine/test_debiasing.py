"""Transforms: what they remove from vectors, and what a result says of them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import xlbench
from tests.conftest import embeddings
from xlbench.changes import parallel_text
from xlbench.collection import Collection, Text
from xlbench.engine.debiasing import fit
from xlbench.engine.vectors import Embeddings
from xlbench.errors import DataError, UnknownNameError
from xlbench.models.transform import Debiasing, Transform, parse

LANGUAGES = ("de", "en")


def collection(n: int = 40) -> Collection:
    """Texts of two languages; some are the same in both."""
    texts = [
        Text(f"{language}:{i}", language, f"{'' if i % 5 == 0 else language} text {i}")
        for language in LANGUAGES
        for i in range(n)
    ]
    return Collection.build(LANGUAGES, texts, texts, [])


def vector_of(text: str) -> np.ndarray:
    """A random vector with a part that each language has in common."""
    common = {"de": [3, 0], "en": [0, 2]}.get(text[:2], [1, 1])
    vector = np.append(np.random.default_rng([*text.encode()]).standard_normal(6), common).astype(np.float32)
    return vector / np.linalg.norm(vector)


def by_text(found: Embeddings) -> np.ndarray:
    """The vector of each text, ``[N, D]``."""
    return found.vectors[found.row]


@pytest.mark.parametrize(
    ("text", "transform"),
    [
        ("center", Transform("center")),
        ("lir:2", Transform("lir", 2)),
        ("shift:de", Transform("shift", source="de")),
    ],
)
def test_a_transform_prints_as_it_is_given(text, transform):
    """``center``, ``lir:K`` and ``shift:LANGUAGE`` are read and printed alike."""
    assert parse(text) == transform
    assert str(transform) == text


@pytest.mark.parametrize("text", ["", "centre", "lir", "lir:0", "lir:-1", "lir:x", "CENTER"])
def test_an_unknown_transform_is_refused(text):
    """The message names those that there are."""
    with pytest.raises(UnknownNameError, match=r"transform .*(center|lir:1)"):
        parse(text)


@pytest.mark.parametrize("name", ["center", "lir:1", "lir:3"])
def test_vectors_are_what_the_formula_leaves(name):
    """Each text's vector is without its language's mean, or its first right singular vectors, and of length 1."""
    texts = collection().passages
    found = embeddings(texts, vector_of)
    fitted = fit(parse(name), [(found, texts)], LANGUAGES)
    left = by_text(fitted.apply(found, texts, LANGUAGES))
    for code in range(2):
        mine = by_text(found)[texts.language == code].astype(np.float64)
        if name == "center":
            expected = mine - mine.mean(axis=0)
        else:
            components = np.linalg.svd(mine, full_matrices=False)[2][: int(name[-1])]
            expected = mine - mine @ components.T @ components
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(left[texts.language == code], expected, atol=2e-6)


def test_a_text_of_two_languages_gets_a_vector_in_each():
    """Equal texts had one vector, and what is removed depends on the language; the vectors are sorted by language."""
    texts = collection().passages
    found = embeddings(texts, vector_of)
    applied = fit(parse("center"), [(found, texts)], LANGUAGES).apply(found, texts, LANGUAGES)
    assert len(found.vectors) == 72
    assert len(applied.vectors) == 80
    assert sorted(applied.row[:40]) == list(range(40))
    assert sorted(applied.row[40:]) == list(range(40, 80))


def test_queries_and_passages_are_fitted_together():
    """The mean is over all parts, each text as often as it occurs."""
    both = collection()
    few = Collection.build(LANGUAGES, [Text(f"{language}:q", language, "q") for language in LANGUAGES], [], [])
    parts = [(embeddings(texts, vector_of), texts) for texts in (both.passages, few.queries)]
    fitted = fit(parse("center"), parts, LANGUAGES)
    stacked = np.concatenate([by_text(found)[texts.language == 0] for found, texts in parts])
    np.testing.assert_allclose(fitted.mean[0], stacked.mean(axis=0), atol=1e-6)


def test_a_vector_of_which_nothing_is_left_is_zero():
    """A language of one vector has nothing but its mean: no division by zero."""
    texts = Collection.build(["de"], [Text("de:1", "de", "a")], [], []).queries
    found = embeddings(texts, vector_of)
    left = fit(parse("center"), [(found, texts)], ("de",)).apply(found, texts, ["de"])
    assert left.vectors[:].tolist() == [[0.0] * 8]


def test_what_cannot_be_fitted_is_refused():
    """A language without texts, too few texts for the components, and a language that was not fitted are named."""
    texts = collection(3).passages
    found = embeddings(texts, vector_of)
    with pytest.raises(DataError, match="'fr' has 0 texts to fit center on"):
        fit(parse("center"), [(found, texts)], ("de", "en", "fr"))
    with pytest.raises(DataError, match=r"'de' has 3 texts to fit lir:3 on; expected more than 3"):
        fit(parse("lir:3"), [(found, texts)], LANGUAGES)
    only_de = fit(parse("center"), [(found, texts)], ("de",))
    with pytest.raises(DataError, match=r"fitted on de, but there are texts in 'en'"):
        only_de.apply(found, texts, LANGUAGES)


def test_a_result_says_what_was_fitted_on_what(tmp_path):
    """The model's name has the transform, and whether it saw the evaluated texts; a file is known by its checksum."""
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(b"{}")
    model = {"name": "m", "revision": "1", "adapter": "a", "arguments": {}}
    own = Debiasing(parse("center")).identity(model)
    assert own["name"] == "m+center-transductive"
    assert own["transform"] == {"method": "center", "fit_on": "the evaluated texts (transductive)"}
    other = Debiasing(parse("lir:1"), parallel_text(file)).identity(model)
    assert other["name"] == "m+lir:1"
    assert other["transform"]["fit_on"] == f"pairs.jsonl, sha256 {hashlib.sha256(b'{}').hexdigest()}"
    assert {**own, "name": "m", "transform": None} == {**model, "transform": None}


def test_shift_moves_each_language_by_its_mean_difference_to_the_source():
    """Vectors of the source keep their direction; the others lose the mean of the differences of parallel texts."""
    texts = collection().passages
    before = embeddings(texts, vector_of)
    fitted = fit(Transform("shift", source="en"), [(before, texts)], LANGUAGES)
    vectors, found = by_text(before), by_text(fitted.apply(before, texts, LANGUAGES))
    de, en = texts.language == 0, texts.language == 1
    assert np.allclose(found[en], vectors[en], atol=1e-6)
    moved = vectors[de] - (vectors[de] - vectors[en]).mean(axis=0)
    assert np.allclose(found[de], moved / np.linalg.norm(moved, axis=1, keepdims=True), atol=1e-6)


def test_shift_without_a_text_in_the_source_is_refused():
    """The message names the languages that there are."""
    texts = collection().passages
    with pytest.raises(DataError, match="'fr', but the texts that it is fitted on are in de, en"):
        fit(Transform("shift", source="fr"), [(embeddings(texts, vector_of), texts)], LANGUAGES)


@pytest.mark.parametrize(
    ("name", "side", "suffix", "stated"),
    [
        ("center", None, "+center-transductive", {}),
        ("center", "both", "+center-transductive", {}),
        ("center", "passages", "+center-passages-transductive", {"side": "passages"}),
        ("shift", None, "+shift:en-transductive", {}),
        ("shift", "both", "+shift:en-both-transductive", {"side": "both"}),
    ],
)
def test_a_side_that_is_not_the_usual_one_is_said(name, side, suffix, stated):
    """center changes both, shift passages; a result of another side has another name."""
    model = Debiasing(parse(name), of=side).identity({"name": "m"})
    assert model["name"] == f"m{suffix}"
    assert {key: value for key, value in model["transform"].items() if key == "side"} == stated


@pytest.mark.parametrize(
    "options", [{"transform": "shift:en", "side": "both"}, {"transform": "center", "side": "passages"}]
)
def test_a_result_of_another_side_is_read_back_and_verifies(tmp_path, options):
    """It says whose vectors were changed, and its reader knows that."""
    found = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True, **options)
    assert found.model["transform"]["side"] == options["side"]
    assert xlbench.load_result(found.save(tmp_path)) == found


def test_an_unknown_side_is_refused():
    """Rather than to change nothing."""
    with pytest.raises(UnknownNameError, match="queries"):
        Debiasing(Transform("center"), of="querys")
