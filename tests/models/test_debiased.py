"""Folders that `xlbench debias` writes: what is removed, how languages are found, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.training.made_pairs import write_pairs
from xlbench import models
from xlbench.catalogue.readers import read
from xlbench.engine.debiasing import fit
from xlbench.engine.model_scores import score_collection
from xlbench.errors import EncoderError
from xlbench.models.debiased import NUMBERS, SETTINGS, codes, removed
from xlbench.models.language_identifier import Identifier
from xlbench.models.transform import parse
from xlbench.training.debias import PlainModel, debias

GERMAN = ["Der Himmel über der Stadt ist heute grau.", "Wir fahren morgen mit dem Zug.", "Wo ist mein Schlüssel?"]
ENGLISH = ["The sky above the town is grey today.", "We take the train to the sea tomorrow.", "Where is my key?"]
SMALL = {"dimensions": 64}
RUSSIAN = "Сегодня небо над городом серое, и идёт дождь."


@pytest.fixture
def pairs(tmp_path):
    """A pair file of two languages."""
    both = zip(GERMAN, ENGLISH, strict=True)
    rows = [
        {"id": str(i), "queries": {"de": a, "en": b}, "passages": {"de": f"{a} Ja.", "en": f"{b} Yes."}}
        for i, (a, b) in enumerate(both)
    ]
    return write_pairs(tmp_path / "pairs.jsonl", rows)


def write(pairs, name="center", model="hash"):
    """The folder of a debiased model."""
    folder = pairs.parent / "debiased"
    arguments = SMALL if model == "hash" else {}
    debias(PlainModel(model, arguments), parse(name), fit_on=pairs, output=folder, cache_dir=pairs.parent / "cache")
    return folder


@pytest.mark.parametrize("name", ["center", "lir:1", "lir:2"])
def test_vectors_are_those_of_the_transform_with_declared_languages(pairs, name):
    """Where languages are found right, nothing is lost against declaring them."""
    folder = write(pairs, name)
    collection = read("parallel", dict.fromkeys(("de", "en"), pairs), text="passage")
    scores = score_collection(collection, models.load("hash", arguments=SMALL), cache_dir=pairs.parent / "cache")
    fitted = fit(
        parse(name), [(scores.queries, collection.queries), (scores.passages, collection.passages)], ("de", "en")
    )
    declared = fitted.apply(scores.passages, collection.passages, collection.languages)
    found = models.load(str(folder)).encoder.encode_passages(list(collection.passages.text))
    np.testing.assert_allclose(found, declared.vectors[declared.row], atol=1e-6)


def test_a_text_in_another_language_loses_what_all_have_in_common(pairs):
    """Of a Russian text, the mean over all texts is subtracted."""
    model, plain = models.load(str(write(pairs))), models.load("hash", arguments=SMALL)
    collection = read("parallel", dict.fromkeys(("de", "en"), pairs), text="passage")
    texts = [*collection.queries.text, *collection.passages.text]
    expected = removed(plain.encoder.encode_queries([RUSSIAN]), mean=plain.encoder.encode_queries(texts).mean(axis=0))
    np.testing.assert_allclose(model.encoder.encode_queries([RUSSIAN]), expected, atol=1e-6)


def test_the_vector_of_a_text_does_not_depend_on_what_is_beside_it(pairs):
    """Texts of several languages in one call give what each gives alone."""
    encoder = models.load(str(write(pairs, "lir:1"))).encoder
    texts = [ENGLISH[0], RUSSIAN, GERMAN[0], ENGLISH[1]]
    together = encoder.encode_queries(texts)
    np.testing.assert_allclose(together, np.concatenate([encoder.encode_queries([text]) for text in texts]), atol=1e-6)


def test_a_folder_is_a_model_of_its_own(pairs):
    """Its name is the folder's, and its revision changes with what is removed; the same input gives the same bytes."""
    first = write(pairs)
    files = {path.name: path.read_bytes() for path in first.iterdir()}
    model = models.load(str(first))
    assert (model.adapter, model.encoder.name) == ("debiased", "debiased")
    assert {"py3langid", "langcodes"} <= set(model.provenance())
    assert set(files) == {SETTINGS, NUMBERS, "README.md"}
    first.rename(first.with_name("first"))
    assert {path.name: path.read_bytes() for path in write(pairs).iterdir()} == files
    (first / NUMBERS).rename(first / "other.npz")
    assert models.load(str(first)).revision != model.revision


def test_a_models_folder_is_copied_and_its_prompts_are_kept(pairs, tmp_path):
    """A sentence-transformers folder is within the new one, which needs the old one no more."""
    from tests.models.made_models import make_sentence_bert, one_thread

    source = make_sentence_bert(tmp_path / "tiny", prompts={"query": "query: ", "passage": "passage: "})
    with one_thread():
        folder = write(pairs, model=str(source))
        expected = models.load(str(source)).encoder.encode_queries(["one two"])
        source.rename(tmp_path / "gone")
        model = models.load(str(folder))
        found = model.encoder.encode_queries(["one two"])
    assert model.provenance()["query_prompt"] == "query: "
    assert found.shape == expected.shape
    assert (folder / "model" / "modules.json").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"built_in": "evil.py:Class"}, "names the model 'evil.py:Class'; expected one of"),
        ({"built_in": "owner/name"}, "names the model 'owner/name'"),
        ({"arguments": {"trust_remote_code": True}}, "wants to run code"),
        ({"languages": "de"}, "is not what `xlbench debias` writes"),
        ({"more": 1}, "is not what `xlbench debias` writes"),
    ],
)
def test_settings_that_were_changed_run_nothing(pairs, changes, message):
    """A folder names no code: neither a class, nor a model elsewhere, nor a model's own code."""
    path = write(pairs) / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")
    with pytest.raises(EncoderError, match=message):
        models.load(str(path.parent))


@pytest.mark.parametrize("damage", ["gone", "cut", "rows", "nan", "pickle"])
def test_damaged_numbers_are_refused(pairs, damage):
    """Numbers that are missing, cut off, of another shape, not finite or pickled are not used."""
    path = write(pairs) / NUMBERS
    with np.load(path) as numbers:
        mean, components = numbers["mean"], numbers["components"]
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        wrong = {"rows": mean[:1], "nan": np.full_like(mean, np.nan), "pickle": np.array([{}])}[damage]
        np.savez(path, mean=wrong, components=components)
    with pytest.raises(EncoderError, match=NUMBERS):
        models.load(str(path.parent)).encoder.encode_queries(["x"])


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (["de", "xx"], "'xx' cannot be identified"),
        (["zho_Hans", "zh-TW"], "cannot be told apart"),
    ],
)
def test_languages_that_cannot_be_told_are_refused(languages, message):
    """One that the identifier does not know, and two that are one to it."""
    with pytest.raises(EncoderError, match=message):
        codes(Identifier(), languages)


@pytest.mark.parametrize("model", ["bm25", "conftest:Missing", "debiased"])
def test_what_cannot_be_put_into_a_folder_is_refused(pairs, model):
    """A scorer has no vectors, a class is code of the user's, and what is debiased is so already."""
    given = str(write(pairs)) if model == "debiased" else model
    with pytest.raises(EncoderError):
        debias(
            PlainModel(given, {}),
            parse("center"),
            fit_on=pairs,
            output=pairs.parent / "new",
            cache_dir=pairs.parent / "c",
        )
    assert not (pairs.parent / "new").exists()
    assert not list(pairs.parent.glob(".new*"))
