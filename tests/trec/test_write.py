"""Runs and judgements beside a result: trec_eval gives the result's values again from them."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import random_collection
from tests.made_evaluation import evaluate
from xlbench import catalogue, models
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.measures import get
from xlbench.measures.oracle import trec_scores
from xlbench.results import Result
from xlbench.settings import KINDS, Setting
from xlbench.trec.read import read_judgements, read_languages, read_run
from xlbench.trec.write import Kept, check_ids, judgements_path, languages_path, run_path, runs_are_there, save_runs

MEASURES = ("AP@20", "nDCG@10", "R@20", "RR@10", "P@5", "AP@5")


def made(path: Path, collection: Collection, *, model: str = "hash", **arguments: object) -> Result:
    """A result with runs of 20 passages; the parquet files and the JSON are not written."""
    task = replace(catalogue.load("demo"), measures=MEASURES, languages=collection.languages)
    loaded = models.load(model, arguments=arguments)
    result = evaluate(task, collection, loaded, kinds=KINDS, cache_dir=path.parent / "cache", keep=20)
    save_runs(path, result, collection, kept=Kept(20, judgements=True), advance=lambda **done: None)
    return result


@pytest.mark.parametrize(
    ("model", "arguments"),
    [("hash", {"dimensions": 2}), ("hash", {}), ("fusion:hash+bm25", {"B.tokenizer": "whitespace", "weight": 0.7})],
)
def test_trec_eval_gives_the_values_again(tmp_path, model, arguments):
    """Graded gains, equal passages, ids that are not ASCII and queries without an answer: all values are the same."""
    collection = random_collection(np.random.default_rng(8), n_queries=25, n_passages=60)
    path = tmp_path / "made.json"
    result = made(path, collection, model=model, **arguments)
    assert {scores.setting for scores in result.per_query} == {name for name, n in result.queries.items() if n}
    for scores in result.per_query:
        run, qrels = read_run(run_path(path, scores.setting)), read_judgements(judgements_path(path, scores.setting))
        assert tuple(qrels) == scores.query == tuple(run.rows)
        ranked = {query: {id_: -float(i) for i, id_ in enumerate(run.ranking(query))} for query in qrels}
        assert {len(ranking) for ranking in ranked.values()} == {20}
        found = trec_scores(qrels, ranked, [get(name) for name in MEASURES])
        for name, values in scores.values.items():
            assert [found[query][name] for query in scores.query] == pytest.approx(values.tolist(), abs=1e-12)
    named = zip(collection.passages.ids, collection.passages.language.tolist(), strict=True)
    assert read_languages(languages_path(path)) == {id_: collection.languages[code] for id_, code in named}


def test_scores_are_the_same_float32_again(tmp_path):
    """What is read back as single precision is the score that ranked, to the last bit."""
    rng = np.random.default_rng(9)
    words = ["".join(rng.choice(list("abcd"), size=30)) for _ in range(50)]
    texts = [Text(f"de:{i}", "de", word) for i, word in enumerate(words)]
    collection = Collection.build(["de"], texts, texts, [Judgement(text.id, text.id, 1) for text in texts])
    path = tmp_path / "made.json"
    best = made(path, collection).ranking.best
    packed = run_path(path, Setting.of("de>*")).read_bytes()
    assert packed[3:8] == bytes(5), "neither a name nor a time is in the file"
    content = gzip.decompress(packed).decode()
    read = np.array([line.split()[4] for line in content.splitlines()], np.float64).astype(np.float32)
    expected = best.top((0,), np.arange(50), 20).score
    assert np.array_equal(read, expected.ravel())
    assert len(np.unique(read)) > 100


def test_a_setting_without_queries_has_no_files(tmp_path):
    """``b`` has no relevant passage for any query of ``a``: nothing is written for the pair, and nothing is missing."""
    texts = [Text(f"{language}:{i}", language, f"{language} {i}") for language in "ab" for i in range(3)]
    collection = Collection.build("ab", texts, texts, [Judgement(text.id, text.id, 1) for text in texts])
    path = tmp_path / "made.json"
    result = made(path, collection)
    assert result.queries[Setting.of("a>b")] == 0
    assert not run_path(path, Setting.of("a>b")).exists()
    kept = Kept(20, judgements=True)
    said = replace(result, environment={**result.environment, **kept.record()})
    assert runs_are_there(path, said, kept)
    assert not runs_are_there(path, result, kept)
    assert not runs_are_there(path, said, Kept(10, judgements=True))
    run_path(path, Setting.of("b>*")).unlink()
    assert not runs_are_there(path, said, kept)


@pytest.mark.parametrize("id_", ["a b", "a\tb", "a\nb", "a\0b", " a"])
@pytest.mark.parametrize("role", ["query", "passage"])
def test_ids_of_two_columns_are_refused(id_, role):
    """White space within an id would be a column's end, and a NUL an id's; a non-breaking space is neither."""
    for name, sound in ((id_, False), ("a\u00a0b", True)):
        query, passage = (Text(name if role == which else "x", "de", "text") for which in ("query", "passage"))
        collection = Collection.build(["de"], [query], [passage], [])
        if sound:
            check_ids(collection)
        else:
            with pytest.raises(DataError, match=f"The id of the {role} .* has white space"):
                check_ids(collection)
