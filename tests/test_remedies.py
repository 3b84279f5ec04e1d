"""Remedies: each row has the values of the model that it names, and is tested against one index."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import xlbench
from xlbench.changes import debiasing, parallel_text
from xlbench.errors import EncoderError, UsageError
from xlbench.job import Job
from xlbench.models import load, pooling
from xlbench.remedies import NONE, Remedies, remedies

LANGUAGES = ("de", "en", "es")


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Remedies:
    """The remedies of the hash baseline on the built-in collection."""
    job = Job.of("demo", languages=LANGUAGES)
    folder = tmp_path_factory.mktemp("cache")
    return remedies(load("hash"), job, job.read(data_dir=None, cache_dir=None), cache_dir=folder)


def test_one_index_comes_first_and_all_others_are_tested_against_it(found):
    """Transforms, lists made one, normalised scores and a fusion."""
    names = [remedy.name for remedy in found.remedies]
    assert names == [NONE, "center", "center, round-robin", "lir:1", "shift", "round-robin", "balanced:10", "own-first",
                     "z-score", "min-max", "fusion with bm25"]  # fmt: skip
    assert found.comparison.baseline == NONE
    assert list(found.comparison.others) == names[1:]
    assert found.comparison.n_tests == 10 * 15


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (NONE, {}),
        ("center", {"transform": "center"}),
        ("lir:1", {"transform": "lir:1"}),
        ("shift", {"transform": "shift:en"}),
        ("round-robin", {"pool": "round-robin"}),
        ("center, round-robin", {"transform": "center", "pool": "round-robin"}),
        ("balanced:10", {"pool": "balanced:10"}),
        ("own-first", {"pool": "own-first"}),
        ("z-score", {"pool": "z-score"}),
        ("min-max", {"pool": "min-max"}),
    ],
)
def test_a_row_is_what_evaluate_gives(found, name, options):
    """The same values in mono and in the pool, and the same name of the model, from the same options."""
    remedy = next(remedy for remedy in found.remedies if remedy.name == name)
    alone = xlbench.evaluate("hash", "demo", languages=LANGUAGES, cache=None, quiet=True, **options)
    for kind, measure in (("mono", "AP"), ("multi", "AP"), ("multi", "RankDistance")):
        assert remedy.result.value(kind, measure) == pytest.approx(alone.value(kind, measure), abs=1e-12)
    assert remedy.result.model["name"] == alone.model["name"]


def test_the_fusion_is_that_of_the_command_line(found):
    """fusion:hash+bm25."""
    alone = xlbench.evaluate("fusion:hash+bm25", "demo", languages=LANGUAGES, cache=None, quiet=True)
    assert found.remedies[-1].result.value("multi", "AP") == pytest.approx(alone.value("multi", "AP"), abs=1e-12)


def test_every_remedy_has_every_measure(found):
    """Where an answer is in all languages, where it is in one, consistency, and the four kinds of first passage."""
    expected = {"AP", "nDCG@20", "R@20", "TLR@20", "OwnTargetAP", "OtherTargetAP", "RankDistance", "RBO@10",
                "FirstOwnRelevant", "FirstOtherRelevant", "FirstOwnIrrelevant", "FirstOtherIrrelevant"}  # fmt: skip
    assert all(set(remedy.result.summary["multi"]) == expected for remedy in found.remedies)


def test_own_first_has_the_monolingual_value_for_an_answer_in_the_querys_language(found):
    """Then the pool of all languages begins with the list of the query's."""
    own = next(remedy.result for remedy in found.remedies if remedy.name == "own-first")
    assert own.value("multi", "OwnTargetAP") == pytest.approx(own.value("mono", "AP"), abs=1e-12)


def test_transforms_can_be_fitted_on_parallel_text(tmp_path):
    """As `xlbench run --fit-on` does it, and the model's name says no more that it is transductive."""
    file = tmp_path / "pairs.jsonl"
    lines = ({language: f"{language} text {i}" for language in LANGUAGES} for i in range(30))
    file.write_text(
        "".join(f"{json.dumps({'id': str(i), 'queries': line, 'passages': line})}\n" for i, line in enumerate(lines)),
        encoding="utf-8",
    )
    job = Job.of("demo", languages=LANGUAGES)
    collection = job.read(data_dir=None, cache_dir=None)
    found = remedies(load("hash"), job, collection, fit_on=parallel_text(file))
    center = next(remedy.result for remedy in found.remedies if remedy.name == "center")
    alone = xlbench.evaluate(
        "hash", "demo", languages=LANGUAGES, transform="center", fit_on=file, cache=None, quiet=True
    )
    assert center.value("multi", "AP") == pytest.approx(alone.value("multi", "AP"), abs=1e-12)
    assert center.model == alone.model


def test_a_model_without_vectors_has_no_transforms():
    """bm25 has lists of each language and normalised scores; why it has no more is said."""
    job = Job.of("demo", languages=LANGUAGES)
    found = remedies(load("bm25"), job, job.read(data_dir=None, cache_dir=None))
    assert [remedy.name for remedy in found.remedies][1:] == [
        "round-robin", "balanced:10", "own-first", "z-score", "min-max"
    ]  # fmt: skip
    assert any("no vectors" in reason for reason in found.left_out)


def test_what_is_a_remedy_already_is_refused():
    """A debiased, a pooled or a fused model."""
    job = Job.of("demo", languages=LANGUAGES)
    collection = job.read(data_dir=None, cache_dir=None)
    plain = load("hash")
    for model in (
        replace(plain, debiasing=debiasing("center")),
        replace(plain, pooling=pooling.parse("z-score")),
        load("fusion:hash+bm25"),
    ):
        with pytest.raises(UsageError, match="name the plain model"):
            remedies(model, job, collection)


def test_passages_in_one_language_are_refused():
    """There is no mixed index to mend."""
    job = Job.of("demo", languages=["de"])
    with pytest.raises(UsageError, match="two languages or more"):
        remedies(load("hash"), job, job.read(data_dir=None, cache_dir=None))


def test_a_fusion_cannot_be_pooled():
    """Its scores depend on the pool that they are fused in."""
    with pytest.raises(EncoderError, match="depend on the pool"):
        xlbench.evaluate("fusion:hash+bm25", "demo", languages=LANGUAGES, pool="round-robin", cache=None, quiet=True)


def test_a_language_with_one_text_leaves_out_what_cannot_be_fitted():
    """Of one's own index; all other remedies are there, and the reason."""
    texts = {f"{a}:{i}": f"{a} text {i}" for a in ("de", "en") for i in range(4)}
    asked = {f"{a}:q{i}": f"{a} {i}" for a in ("de", "en") for i in range(4)}
    judged = {query: [f"{'en' if query.endswith('3') else query[:2]}:{query[-1]}"] for query in asked}
    collection = xlbench.Collection.from_dicts(asked, texts | {"fr:1": "fr one"}, judged)
    tried = remedies(load("hash"), Job.of(collection), collection)
    assert "lir:1" not in [remedy.name for remedy in tried.remedies]
    assert "center" in [remedy.name for remedy in tried.remedies]
    assert tried.left_out[0].startswith("lir:1: 'fr' has 1 texts to fit")


def test_a_language_without_passages_leaves_out_shift():
    """Queries alone cannot say where its passages would lie."""
    texts = {f"{a}:{i}": f"{a} text {i}" for a in ("de", "en") for i in range(4)}
    asked = {f"fr:q{i}": f"fr {i}" for i in range(4)}
    collection = xlbench.Collection.from_dicts(asked, texts, {query: [f"de:{query[-1]}"] for query in asked})
    tried = remedies(load("hash"), Job.of(collection), collection)
    assert "shift" not in [remedy.name for remedy in tried.remedies]
    assert tried.left_out[0].startswith("shift:en: 'fr' has 0 texts to fit")
