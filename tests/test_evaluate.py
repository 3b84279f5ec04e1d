"""evaluate: a task's collection and a model give a Result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pytest
from conftest import random_collection

from xlbench import encoders
from xlbench.collection import Collection, Judgement, Text
from xlbench.encoders import Model
from xlbench.encoders.hashing import HashEncoder
from xlbench.errors import EncoderError
from xlbench.evaluate import embed_collection, evaluate, score
from xlbench.ranks import Ranking
from xlbench.results import Result, summarise
from xlbench.settings import KINDS, settings
from xlbench.sources import Source
from xlbench.tasks import Task

MEASURES = ("AP", "R@1", "nDCG@10", "RankDistance")


def task_in(*languages: str) -> Task:
    """A task of these languages; its files are not read."""
    return Task(
        name="made-up",
        title="Made up",
        version=3,
        reader="parallel",
        text="passage",
        source=Source(url=None, path="none", sha256={}),
        sizes={},
        languages=languages,
        settings=KINDS,
        measures=MEASURES,
        headline="AP",
        licence="CC0",
        citation="none",
        file=Path("made-up.yaml"),
    )


def without_cross() -> Collection:
    """Like MLQA-R: ``a`` and ``b`` share two questions, ``b`` and ``c`` one, ``a`` and ``c`` none."""
    questions = {"1": "ab", "2": "ab", "3": "bc", "4": "a", "5": "c"}
    words = {"1": "one red", "2": "two green", "3": "three blue", "4": "four", "5": "five"}
    of = [(id_, language) for id_, languages in questions.items() for language in languages]
    return Collection.build(
        ["a", "b", "c"],
        [Text(f"{language}:{id_}", language, f"{words[id_]}?") for id_, language in of],
        [Text(f"{language}:p{id_}", language, f"{words[id_]} {language}.") for id_, language in of],
        [Judgement(f"{a}:{id_}", f"{b}:p{id_}", 1) for id_, a in of for b in questions[id_]],
    )


@pytest.fixture
def result(tmp_path) -> Result:
    """The result of the hash encoder on a collection without all pairs of languages."""
    return evaluate(task_in("a", "b", "c"), without_cross(), encoders.load("hash"), kinds=KINDS, cache_dir=tmp_path)


def test_a_result_has_the_keys_that_other_tools_read(result):
    """The keys of a result, its model and its timing are those of its schema, and its values can be written as JSON."""
    keys = [f.name for f in fields(result) if f.name != "per_query"]
    head = ["schema", "task", "task_version", "headline", "missing_languages"]
    assert keys == [*head, "model", "scores", "queries", "summary", "environment", "timing"]
    assert [getattr(result, key) for key in head] == [1, "made-up", 3, "AP", []]
    assert result.model == {"name": "hash", "revision": result.model["revision"], "adapter": "hash", "arguments": {}}
    assert list(result.timing) == ["encode_s", "search_s", "score_s"]
    assert min(result.timing.values()) >= 0
    assert {"xlbench", "python", "numpy", "torch", "encoder", "dimensions"} <= set(result.environment)
    record = {key: getattr(result, key) for key in keys}
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_setting_without_queries_has_0_queries_and_no_scores(result):
    """All settings asked for are counted; ``a`` and ``c`` share no question, so their pair has 0 queries, no scores."""
    assert result.queries == {
        "a>a": 3, "b>b": 3, "c>c": 2,
        "a>b": 2, "a>c": 0, "b>a": 2, "b>c": 1, "c>a": 0, "c>b": 1,
        "a>*": 3, "b>*": 3, "c>*": 2,
    }  # fmt: skip
    assert list(result.scores) == [name for name, n_queries in result.queries.items() if n_queries]


def test_scores_are_means_over_queries(result):
    """A score is the mean of the setting's per-query values; their ids are the queries that have an answer there."""
    by_setting = {scores.setting: scores for scores in result.per_query}
    assert list(by_setting) == list(result.scores)
    assert by_setting["b>a"].query == ("b:1", "b:2")
    for name, values in by_setting.items():
        assert list(result.scores[name]) == list(values.values)
        for measure, score_ in result.scores[name].items():
            assert score_ == pytest.approx(sum(values.values[measure]) / result.queries[name], rel=1e-15)


def test_bias_measures_are_in_the_multilingual_settings_only(result):
    """RankDistance is a score of the settings with all languages in the pool, and of no other."""
    for name, by_measure in result.scores.items():
        assert tuple(by_measure) == (MEASURES if name.endswith("*") else MEASURES[:-1])
    assert {kind: tuple(result.summary[kind]) for kind in KINDS} == {
        "mono": MEASURES[:-1], "cross": MEASURES[:-1], "multi": MEASURES
    }  # fmt: skip


def test_the_summary_is_the_macro_mean():
    """Mono and multi: the mean over settings. Cross: over query languages of the mean over the other languages."""
    cross = {"a>b": 0.1, "b>a": 0.2, "b>c": 0.6, "c>b": 1.0}
    scores = {name: {"AP": value} for name, value in {"a>a": 0.5, "b>b": 1.0, **cross, "a>*": 0.25}.items()}
    scores["a>*"]["RankDistance"] = 7.0
    summary = summarise(scores)
    assert summary == {
        "mono": {"AP": 0.75},
        "cross": {"AP": pytest.approx((0.1 + (0.2 + 0.6) / 2 + 1.0) / 3, rel=1e-15)},
        "multi": {"AP": 0.25, "RankDistance": 7.0},
    }
    assert summary["cross"]["AP"] != pytest.approx(sum(cross.values()) / 4)


def test_the_summary_of_a_result_is_that_of_its_scores(result):
    """A result is summed up over the settings that have queries."""
    assert result.summary == summarise(result.scores)
    means = [
        result.scores["a>b"]["AP"],
        (result.scores["b>a"]["AP"] + result.scores["b>c"]["AP"]) / 2,
        result.scores["c>b"]["AP"],
    ]
    assert result.summary["cross"]["AP"] == pytest.approx(sum(means) / 3, rel=1e-15)


def test_languages_that_were_left_out_are_named(tmp_path):
    """A collection in some of the task's languages gives a result that says which are missing."""
    task = task_in("x", "a", "b", "c", "y")
    found = evaluate(task, without_cross(), encoders.load("hash"), kinds=["mono"], cache_dir=tmp_path)
    assert found.missing_languages == ["x", "y"]
    assert list(found.queries) == ["a>a", "b>b", "c>c"]
    assert list(found.summary) == ["mono"]


def test_scoring_needs_only_counts():
    """Perfect counts give 1 in every measure and the smallest RankDistance, n - 1."""
    collection = without_cross()
    # Each language has at most one relevant passage a query: nothing beats it but those of languages before.
    language = collection.passages.language[collection.pairs.passage]
    above = np.zeros((len(collection.pairs), 3), np.int32)
    for i, query in enumerate(collection.pairs.query):
        above[i, language[(collection.pairs.query == query) & (language < language[i])]] = 1
    for scores in score(Ranking(collection, above), settings(KINDS, collection.languages), MEASURES):
        n_relevant = np.array([2 if query[2] in "123" else 1 for query in scores.query])
        for measure, values in scores.values.items():
            multi = scores.setting.endswith("*")
            expected = {"RankDistance": n_relevant - 1, "R@1": 1 / n_relevant if multi else 1}.get(measure, 1)
            assert values == pytest.approx(np.broadcast_to(expected, values.shape))


@dataclass
class RecordingEncoder(HashEncoder):
    """The hash encoder, with a list of the texts it was given."""

    dimensions: tuple[int, int] = (64, 64)
    given: list[tuple[str, str]] = field(default_factory=list)

    def encode_queries(self, texts):
        self.given += [("query", text) for text in texts]
        return HashEncoder(dimensions=self.dimensions[0]).encode_queries(texts)

    def encode_passages(self, texts):
        self.given += [("passage", text) for text in texts]
        return HashEncoder(dimensions=self.dimensions[1]).encode_passages(texts)


def test_each_distinct_text_of_a_role_is_encoded_once_for_all_settings(tmp_path):
    """Texts that repeat, within a language or across, are encoded once, and a second run encodes none."""
    collection = random_collection(np.random.default_rng(2))
    encoder = RecordingEncoder()
    task = task_in(*collection.languages)
    first = evaluate(task, collection, Model(encoder, "class", {}), kinds=KINDS, cache_dir=tmp_path)
    distinct = {("query", t) for t in collection.queries.text} | {("passage", t) for t in collection.passages.text}
    assert sorted(encoder.given) == sorted(distinct)
    again = RecordingEncoder()
    second = evaluate(task, collection, Model(again, "class", {}), kinds=KINDS, cache_dir=tmp_path)
    assert again.given == []
    assert (second.scores, second.queries, second.environment) == (first.scores, first.queries, first.environment)


def test_progress_is_told_of_all_texts(tmp_path):
    """The texts and characters that are reported as done sum to those announced, and are marked as stored next time."""
    announced, done = [], []

    @contextmanager
    def progress(*, n_texts: int, n_characters: int) -> Iterator:
        announced.append((n_texts, n_characters))
        yield lambda **step: done.append(step)

    for stored in (False, True):
        done.clear()
        embed_collection(without_cross(), encoders.load("hash"), cache_dir=tmp_path, progress=progress)
        assert (sum(step["texts"] for step in done), sum(step["characters"] for step in done)) == announced[-1]
        assert {step["stored"] for step in done} == {stored}


@pytest.mark.parametrize("dimensions", [(8, 9), (64, 16)])
def test_queries_and_passages_of_different_dimensions_are_refused(tmp_path, dimensions):
    """A model whose query and passage vectors cannot be multiplied is an EncoderError that shows both dimensions."""
    model = Model(RecordingEncoder(dimensions), "class", {})
    with pytest.raises(EncoderError, match=f"{dimensions[0]} dimensions for queries and {dimensions[1]} for passages"):
        embed_collection(without_cross(), model, cache_dir=tmp_path)
