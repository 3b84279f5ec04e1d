"""evaluate: a task's collection and a model give a Result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pytest

import xlbench
from tests.conftest import integer_vector, random_collection, vector_scores
from tests.made_evaluation import evaluate
from tests.made_settings import keyed, named, names_of
from xlbench import catalogue, measures, models
from xlbench.catalogue import Task
from xlbench.collection import Collection, Judgement, Text
from xlbench.collection.strings import StoredStrings
from xlbench.engine.model_scores import score_collection
from xlbench.engine.search import rank
from xlbench.errors import EncoderError, TaskError, UsageError
from xlbench.measures.ranks import Judged, Ranking
from xlbench.measures.values import summarise
from xlbench.models.hash import HashEncoder
from xlbench.models.protocols import Model
from xlbench.reports.tables import all_tables
from xlbench.results import Result
from xlbench.results.from_ranking import matrices, pooled_ranks, references, score
from xlbench.results.record import decode, encode
from xlbench.settings import KINDS, Setting, settings

RETRIEVAL = ("AP", "R@1", "nDCG@10")
BIAS = ("RankDistance", "MaxRankNorm", "LPR", "OneTargetBias", "Share@3", "AWRF@3", "IrrelevantLoss", "ParallelLoss")
MEASURES = (*RETRIEVAL, *BIAS)


def task_in(*languages: str) -> Task:
    """A task of these languages; its files are not read."""
    return Task(
        name="made-up",
        title="Made up",
        version=3,
        reader="parallel",
        text="passage",
        source={},
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
    return evaluate(task_in("a", "b", "c"), without_cross(), models.load("hash"), kinds=KINDS, cache_dir=tmp_path)


def test_a_result_has_the_keys_that_other_tools_read(result):
    """The keys of a result, its model and its timing are those of its schema, and its values can be written as JSON."""
    keys = [f.name for f in fields(result) if f.name not in ("per_query", "ranking")]
    head = ["schema", "task", "task_version", "headline", "missing_languages", "unit", "n_clusters"]
    rest = ["queries", "summary", "intervals", "references", "matrices", "alignment", "environment", "timing", "sample"]
    assert keys == [*head, "data", "model", "values", *rest]
    assert [getattr(result, key) for key in head] == [2, "made-up", 3, "AP", [], "question", 5]
    assert result.model == {"name": "hash", "revision": result.model["revision"], "adapter": "hash", "arguments": {}}
    assert list(result.timing) == ["encode_s", "encoded_share", "search_s", "score_s"]
    assert min(result.timing.values()) >= 0
    assert {"xlbench", "python", "numpy", "torch", "encoder", "dimensions"} <= set(result.environment)
    assert Result(**decode(json.loads(encode(result)), "it")) == replace(result, per_query=(), ranking=None)


def test_a_setting_without_queries_has_0_queries_and_no_scores(result):
    """All settings asked for are counted; ``a`` and ``c`` share no question, so their pair has 0 queries, no scores."""
    assert named(result.queries) == {
        "a>a": 3, "b>b": 3, "c>c": 2,
        "a>b": 2, "a>c": 0, "b>a": 2, "b>c": 1, "c>a": 0, "c>b": 1,
        "a>*": 3, "b>*": 3, "c>*": 2,
    }  # fmt: skip
    assert list(result.values) == [name for name, n_queries in result.queries.items() if n_queries]


def test_scores_are_means_over_queries(result):
    """A score is the mean of the per-query values that are defined; their ids are the queries that have an answer."""
    by_setting = {scores.setting: scores for scores in result.per_query}
    assert list(by_setting) == list(result.values)
    assert by_setting[Setting("b", "a")].query == ("b:1", "b:2")
    for name, values in by_setting.items():
        assert list(result.values[name]) == list(values.values)
        for measure, score_ in result.values[name].items():
            defined = [value for value in values.values[measure].tolist() if value == value]
            assert len(defined) == result.queries[name] or measure in BIAS
            assert score_ == pytest.approx(sum(defined) / len(defined), rel=1e-15, abs=1e-15)


def test_bias_measures_are_in_the_multilingual_settings_only(result):
    """They are scores of the settings with all languages in the pool, and of no other."""
    for name, by_measure in result.values.items():
        assert tuple(by_measure) == (MEASURES if name.kind == "multi" else RETRIEVAL)
    assert {kind: tuple(result.summary[kind]) for kind in KINDS} == {
        "mono": RETRIEVAL, "cross": RETRIEVAL, "multi": MEASURES
    }  # fmt: skip


def test_the_summary_is_the_macro_mean():
    """Mono and multi: the mean over settings. Cross: over query languages of the mean over the other languages."""
    cross = {"a>b": 0.1, "b>a": 0.2, "b>c": 0.6, "c>b": 1.0}
    scores = {name: {"AP": value} for name, value in {"a>a": 0.5, "b>b": 1.0, **cross, "a>*": 0.25}.items()}
    scores["a>*"]["RankDistance"] = 7.0
    summary = summarise(keyed(scores))
    assert summary == {
        "mono": {"AP": 0.75},
        "cross": {"AP": pytest.approx((0.1 + (0.2 + 0.6) / 2 + 1.0) / 3, rel=1e-15)},
        "multi": {"AP": 0.25, "RankDistance": 7.0},
    }
    assert summary["cross"]["AP"] != pytest.approx(sum(cross.values()) / 4)


def test_the_summary_of_a_result_is_that_of_its_scores(result):
    """A result is summed up over the settings that have queries."""
    assert result.summary == summarise(result.values)
    means = [
        result.values[Setting.of("a>b")]["AP"],
        (result.values[Setting.of("b>a")]["AP"] + result.values[Setting.of("b>c")]["AP"]) / 2,
        result.values[Setting.of("c>b")]["AP"],
    ]
    assert result.summary["cross"]["AP"] == pytest.approx(sum(means) / 3, rel=1e-15)


def test_scores_have_intervals_around_them(result):
    """Each setting and kind has an interval for each of its measures, which holds the mean, unless it has one query."""
    of_each = {**result.values, **result.summary}
    defined = {
        (s.setting, measure): len(set(np.array(s.query)[np.isfinite(value)]))
        for s in result.per_query
        for measure, value in s.values.items()
    }
    assert {name: list(values) for name, values in result.intervals.items()} == {
        name: [measure for measure in values if defined.get((name, measure), 2) > 1] for name, values in of_each.items()
    }
    for name, by_measure in result.intervals.items():
        for measure, (low, high) in by_measure.items():
            assert low <= of_each[name][measure] + 1e-6
            assert high >= of_each[name][measure] - 1e-6


def test_measures_of_bias_have_references(result):
    """Each measure of bias in the summary has its perfect and its random value, means as the summary's are."""
    assert list(result.references) == list(BIAS)
    assert all(list(ends) == ["perfect", "random"] for name, ends in result.references.items() if name != "LPR")
    # Pairs of parallel passages in a pool of 8: 1 apart at best, (2 - 1)(8 + 1) / (2 + 1) at random.
    assert result.references["RankDistance"] == {"perfect": 1, "random": 3}
    assert result.references["MaxRankNorm"]["perfect"] == 100
    assert result.references["LPR"] == {"random": 0.5}
    assert result.references["OneTargetBias"] == {"perfect": 0, "random": 0}
    assert [result.references[name]["perfect"] for name in ("IrrelevantLoss", "ParallelLoss")] == [0, 0]


def test_losses_add_up_to_what_the_pool_costs(result):
    """In each language, and in the summary, the two losses are AP in mono less AP in the pool of all."""
    for a in "abc":
        lost = result.values[Setting(a, None)]["IrrelevantLoss"] + result.values[Setting(a, None)]["ParallelLoss"]
        assert lost == pytest.approx(
            result.values[Setting(a, a)]["AP"] - result.values[Setting(a, None)]["AP"], abs=1e-12
        )
    lost = result.summary["multi"]["IrrelevantLoss"] + result.summary["multi"]["ParallelLoss"]
    assert lost == pytest.approx(result.summary["mono"]["AP"] - result.summary["multi"]["AP"], abs=1e-12)


def test_matrices_have_the_cells_that_have_queries(result):
    """``a`` and ``c`` share no question: no one-target AP, and no first passage, if there is no query with both."""
    found = result.matrices["one_target"]
    assert {a: list(row) for a, row in found.items()} == {"a": ["a", "b"], "b": ["a", "b", "c"], "c": ["b", "c"]}
    assert list(result.matrices["first_language"]) == ["a", "b", "c"]
    for row in result.matrices["first_language"].values():
        assert sum(row.values()) == pytest.approx(1, abs=1e-12)


def complete(seed: int) -> Ranking:
    """The ranking of random vectors in a collection with one relevant passage in each of three languages."""
    rng = np.random.default_rng(seed)
    questions = [(str(i), language) for i in range(12) for language in "abc"]
    collection = Collection.build(
        "abc",
        [Text(f"{a}:{i}", a, f"{a}{i}?") for i, a in questions],
        [Text(f"{a}:p{i}", a, f"{a}{i}.") for i, a in questions],
        [Judgement(f"{a}:{i}", f"{b}:p{i}", 1) for i, a in questions for b in "abc"],
    )
    return rank(collection, vector_scores(collection, lambda text: rng.standard_normal(4).astype(np.float32)), depth=10)


@pytest.mark.parametrize("seed", range(3))
def test_the_diagonal_of_the_one_target_matrix_is_its_bias(seed):
    """On complete data OneTargetBias is the diagonal's mean less the others', and LPR the other matrix's diagonal."""
    ranking = complete(seed)
    wanted = settings(["multi"], "abc")
    scores = {s.setting: s.means() for s in score(ranking, wanted, MEASURES)}
    summary, found = summarise(scores)["multi"], matrices(pooled_ranks(ranking, wanted), ranking.judged.languages)
    table = {name: np.array([[rows[a][b] for b in "abc"] for a in "abc"]) for name, rows in found.items()}
    own = np.eye(3, dtype=bool)
    one_target = table["one_target"]
    assert summary["OneTargetBias"] == pytest.approx(one_target[own].mean() - one_target[~own].mean(), abs=1e-12)
    assert summary["LPR"] == pytest.approx(table["first_language"][own].mean(), abs=1e-12)
    np.testing.assert_allclose(table["first_language"].sum(axis=1), 1, rtol=0, atol=1e-12)


def test_a_bias_measure_that_one_language_lacks_is_left_out_for_all():
    """``c`` has no query with passages in two languages: RankDistance would be a mean over a part, the losses not."""
    texts = [Text(f"{a}:{i}", a, f"{a}{i}") for a in "abc" for i in range(2)]
    judged = [(f"{a}:{i}", f"{b}:{i}") for a in "ab" for b in "ab" for i in range(2)] + [("c:0", "c:0"), ("c:1", "c:1")]
    collection = Collection.build("abc", texts, texts, [Judgement(query, passage, 1) for query, passage in judged])
    ranking = rank(collection, vector_scores(collection, integer_vector), depth=3)
    wanted = settings(["multi"], "abc")
    defined = (*RETRIEVAL, "IrrelevantLoss", "ParallelLoss")
    found = score(ranking, wanted, MEASURES)
    assert [tuple(scores.values) for scores in found] == [defined] * 3
    assert list(
        references(pooled_ranks(ranking, wanted), summarise({s.setting: s.means() for s in found})["multi"])
    ) == list(defined[3:])
    assert [tuple(s.values) for s in score(ranking, wanted[:2], MEASURES)] == [MEASURES] * 2


def test_alignment_is_that_of_the_passages_vectors(result):
    """A result has the figures of ``align``: three parallel pairs, and languages without a common question left out."""
    assert result.alignment["n_parallel"] == 3
    assert {a: list(row) for a, row in result.alignment["bitext"].items()} == {"a": ["b"], "b": ["a", "c"], "c": ["b"]}


@pytest.mark.real_data
def test_references_of_xquad_r(real_data, tmp_path):
    """On XQuAD-R a perfect RankDistance is 10 and a random one 10,845.8; a fair LPR is 1/11, and PEER is refused."""
    task = catalogue.load("xquad-r")
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=real_data, cache_dir=tmp_path)
    model = models.load("hash", arguments={"dimensions": 16})
    found = evaluate(task, collection, model, kinds=["multi"], cache_dir=tmp_path)
    assert found.task_version == 2
    assert list(found.references) == [name for name in task.measures if measures.of_bias(name)] != []
    assert found.references["RankDistance"]["perfect"] == 10
    assert round(found.references["RankDistance"]["random"], 1) == 10_845.8
    assert found.references["MaxRankNorm"]["perfect"] == pytest.approx(100)
    assert found.references["LPR"] == pytest.approx({"random": 1 / 11})
    assert found.references["OneTargetBias"] == {"perfect": 0, "random": 0}
    for row in found.matrices["first_language"].values():
        assert list(row) == list(task.languages)
        assert sum(row.values()) == pytest.approx(1)
    own = [found.matrices["one_target"][a][a] for a in task.languages]
    other = [found.matrices["one_target"][a][b] for a in task.languages for b in task.languages if a != b]
    assert found.summary["multi"]["OneTargetBias"] == pytest.approx(np.mean(own) - np.mean(other), abs=1e-12)
    assert found.alignment["bitext_accuracy"] < 0.1
    with pytest.raises(TaskError, match="PEER is then the same for every ranking"):
        catalogue.read_collection(
            replace(task, measures=(*task.measures, "PEER@10")),
            languages=["th", "tr"],
            data_dir=real_data,
            cache_dir=tmp_path,
        )


@pytest.mark.real_data
def test_bm25_on_miracl_yoruba_is_pyserinis(real_data, tmp_path):
    """With white space between terms, BM25 has Pyserini's nDCG@10 .4059 within .0007, and its R@100 .7325.

    Pyserini's regressions for MIRACL v1.0, Yoruba, dev; Lucene rounds lengths of passages to a byte. The passages
    stay on disk.
    """
    task = catalogue.load("miracl-anserini")
    collection = catalogue.read_collection(task, languages=["yo"], data_dir=real_data, cache_dir=tmp_path)
    assert (len(collection.queries), len(collection.passages), len(collection.pairs)) == (119, 49_043, 144)
    assert isinstance(collection.passages.text, StoredStrings)
    model = models.load("bm25", arguments={"tokenizer": "whitespace"})
    found = evaluate(task, collection, model, kinds=["mono"], cache_dir=tmp_path)
    assert found.values[Setting.of("yo>yo")]["nDCG@10"] == pytest.approx(0.4059, abs=0.0007)
    assert found.values[Setting.of("yo>yo")]["R@100"] == pytest.approx(0.7325, abs=0.00005)
    assert (named(found.queries), len(found.missing_languages)) == ({"yo>yo": 119}, 17)


def test_the_time_of_encoding_says_how_much_was_encoded(tmp_path):
    """All texts in the first run, and none in the next, whose vectors are there: its time is no speed of the model."""
    task = task_in("a", "b", "c")
    shares = [
        evaluate(task, without_cross(), models.load("hash"), kinds=["mono"], cache_dir=tmp_path).timing["encoded_share"]
        for _ in range(2)
    ]
    assert shares == [1, 0]


def test_languages_that_were_left_out_are_named(tmp_path):
    """A collection in some of the task's languages gives a result that says which are missing."""
    task = task_in("x", "a", "b", "c", "y")
    found = evaluate(task, without_cross(), models.load("hash"), kinds=["mono"], cache_dir=tmp_path)
    assert found.missing_languages == ["x", "y"]
    assert names_of(found.queries) == ["a>a", "b>b", "c>c"]
    assert list(found.summary) == ["mono"]


def test_scoring_needs_only_counts():
    """Perfect counts give 1 in every measure and the smallest RankDistance, n - 1, if there are parallel passages."""
    collection = without_cross()
    # Each language has at most one relevant passage a query: nothing beats it but those of languages before.
    language = collection.passages.language[collection.pairs.passage]
    above = np.zeros((len(collection.pairs), 3), np.int32)
    for i, query in enumerate(collection.pairs.query):
        above[i, language[(collection.pairs.query == query) & (language < language[i])]] = 1
    for scores in score(
        Ranking(Judged.of(collection), above, np.empty((len(collection.queries), 0), np.int16)),
        settings(KINDS, collection.languages),
        (*RETRIEVAL, "RankDistance"),
    ):
        n_relevant = np.array([2 if query[2] in "123" else 1 for query in scores.query])
        for measure, values in scores.values.items():
            multi = scores.setting.kind == "multi"
            distance = np.where(n_relevant > 1, n_relevant - 1, np.nan)
            expected = {"RankDistance": distance, "R@1": 1 / n_relevant if multi else 1}.get(measure, 1)
            assert values == pytest.approx(np.broadcast_to(expected, values.shape), nan_ok=True)


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
    """Texts that repeat, within a language or across, are encoded once; a second run encodes some again to compare."""
    collection = random_collection(np.random.default_rng(2))
    encoder = RecordingEncoder()
    task = task_in(*collection.languages)
    first = evaluate(task, collection, Model(encoder, "class", {}), kinds=KINDS, cache_dir=tmp_path)
    distinct = {("query", t) for t in collection.queries.text} | {("passage", t) for t in collection.passages.text}
    assert sorted(encoder.given) == sorted(distinct)
    again = RecordingEncoder()
    second = evaluate(task, collection, Model(again, "class", {}), kinds=KINDS, cache_dir=tmp_path)
    assert 0 < len(again.given) <= 16
    assert (second.values, second.queries, second.environment) == (first.values, first.queries, first.environment)


def test_progress_is_told_of_all_texts(tmp_path):
    """The texts and characters that are reported as done sum to those announced, and are marked as stored next time."""
    announced, done = [], []

    @contextmanager
    def progress(_doing: str, /, *, n_texts: int, n_characters: int) -> Iterator:
        announced.append((n_texts, n_characters))
        yield lambda **step: done.append(step)

    for stored in (False, True):
        done.clear()
        score_collection(without_cross(), models.load("hash"), cache_dir=tmp_path, progress=progress)
        assert (sum(step["texts"] for step in done), sum(step["characters"] for step in done)) == announced[-1]
        assert {step["stored"] for step in done} == {stored}


@pytest.mark.parametrize("dimensions", [(8, 9), (64, 16)])
def test_queries_and_passages_of_different_dimensions_are_refused(tmp_path, dimensions):
    """A model whose query and passage vectors cannot be multiplied is an EncoderError that shows both dimensions."""
    model = Model(RecordingEncoder(dimensions), "class", {})
    with pytest.raises(EncoderError, match=f"{dimensions[0]} dimensions for queries and {dimensions[1]} for passages"):
        score_collection(without_cross(), model, cache_dir=tmp_path)


def test_one_language_and_one_kind_may_be_named_alone():
    """A text stands for a list of one, and is not taken apart into letters."""
    result = xlbench.evaluate("hash", "demo", languages="de", settings="mono", cache=None, quiet=True)
    assert [*map(str, result.queries)] == ["de>de"]


def test_a_limit_below_one_is_refused():
    """In Python as on the command line."""
    with pytest.raises(UsageError, match="limit is 0; expected 1 question at least"):
        xlbench.evaluate("hash", "demo", limit=0, cache=None, quiet=True)


def test_a_task_with_a_measure_of_lists_has_its_matrix(tmp_path):
    """By language of the query and of its translation, symmetric, and the mean of its rows is the measure's."""
    task = replace(catalogue.load("demo"), measures=("AP", "RBO@5"))
    result = xlbench.evaluate("hash", task, languages=["de", "en", "th"], cache=None, quiet=True)
    matrix = result.matrices["consistency"]
    assert {name: list(row) for name, row in matrix.items()} == {
        "de": ["en", "th"],
        "en": ["de", "th"],
        "th": ["de", "en"],
    }
    assert matrix["de"]["th"] == pytest.approx(matrix["th"]["de"])
    rows = [sum(row.values()) / 2 for row in matrix.values()]
    assert sum(rows) / 3 == pytest.approx(result.value("multi", "RBO@5"))
    (table,) = (table for table in all_tables(result) if "consistency" in table.title)
    assert table.rows[0][2].value == matrix["de"]["en"]
    assert Result.load(result.save(tmp_path)).matrices == result.matrices
