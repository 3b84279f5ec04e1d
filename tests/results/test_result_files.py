"""Tests of results: the JSON and parquet files, their way back, and the files that are refused."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xlbench
from tests.made_settings import keyed, settings_of
from tests.reports.made_results import made_result
from xlbench.collection.clusters import question_of
from xlbench.errors import ResultError
from xlbench.measures.values import QueryValues, summarise
from xlbench.reports.picture import picture
from xlbench.reports.tables import all_tables, headline
from xlbench.results import (
    SCHEMA,
    Result,
    load,
    load_per_query,
    load_whole,
    parquet_path,
    path_of,
    result_files,
    save,
)
from xlbench.settings import Setting

PER_QUERY = (
    QueryValues(Setting.of("de>de"), ("de:q2", "de:q10"), {"AP": np.array([1.0, 1 / 3]), "R@1": np.array([1.0, 0.0])}),
    QueryValues(Setting.of("de>th"), ("de:q2",), {"AP": np.array([0.1]), "R@1": np.array([0.0])}),
    QueryValues(
        Setting.of("de>*"),
        ("de:q2", "de:ü"),
        {"AP": np.array([0.5, 0.25]), "R@1": np.array([0.0, 0.0]), "RankDistance": np.array([7.0, 1e6]),
         "LPR": np.array([np.nan, 1.0])},
    ),
)  # fmt: skip
SCORES = {
    "de>de": {"AP": 2 / 3, "R@1": 0.5},
    "de>th": {"AP": 0.1, "R@1": 0.0},
    "de>*": {"AP": 0.375, "R@1": 0.0, "RankDistance": 500_003.5, "LPR": 1.0},
}
VALUES = keyed(SCORES)
SUMMARY = summarise(VALUES)
MORE = {
    "intervals": {
        name: {m: [v - 0.1, v + 0.1] for m, v in values.items()} for name, values in {**SCORES, **SUMMARY}.items()
    },
    "references": {"RankDistance": {"perfect": 1.0, "random": 9.5}, "LPR": {"random": 0.5}},
    "matrices": {"first_language": {"de": {"de": 0.5, "th": 0.5}}, "one_target": {"de": {"de": 0.5, "th": 0.25}}},
    "alignment": {"parallel_cosine": 0.5, "random_cosine": None, "bitext": {"de": {"th": 0.25}, "th": {"de": 1.0}}},
}
"""What a result has beside its scores."""


def result(**changes: object) -> Result:
    """A small result; ``changes`` replace its fields."""
    return replace(
        Result(
            schema=SCHEMA,
            task="tiny",
            task_version=1,
            headline="AP",
            missing_languages=["en"],
            unit="question",
            n_clusters=40,
            data={"queries": "1", "passages": "2", "judgements": "3"},
            model={"name": "größe", "revision": "1", "adapter": "hash", "arguments": {"dimensions": 64}},
            values=VALUES,
            queries=keyed({"de>de": 2, "de>th": 1, "th>de": 0, "de>*": 2}),
            summary=SUMMARY,
            **MORE | {"intervals": keyed(MORE["intervals"])},
            environment={"python": "3"},
            timing={"encode_s": 1.5},
            per_query=PER_QUERY,
        ),
        **changes,
    )


def test_the_summary_is_the_macro_mean_over_the_settings_of_a_kind():
    """Each setting counts once, whatever its number of queries; kinds come in the order mono, cross, multi."""
    scores = {
        "a>*": {"AP": 0.5, "RankDistance": 3.0},
        "a>a": {"AP": 1.0},
        "b>b": {"AP": 0.5},
        "b>*": {"AP": 0.25, "RankDistance": 5.0},
    }
    found = summarise(keyed(scores))
    assert found == {"mono": {"AP": 0.75}, "multi": {"AP": 0.375, "RankDistance": 4.0}}
    assert list(found) == ["mono", "multi"]


def test_the_summary_of_cross_is_a_mean_over_query_languages():
    """A query language with fewer pairs counts as much as the others; with all pairs it is the plain mean."""
    ragged = {"a>b": {"AP": 0.0}, "a>c": {"AP": 0.5}, "b>a": {"AP": 1.0}}
    assert summarise(keyed(ragged)) == {"cross": {"AP": (0.25 + 1.0) / 2}}
    values = {f"{a}>{b}": {"AP": i / 8} for i, (a, b) in enumerate(["ab", "ac", "ba", "bc", "ca", "cb"])}
    assert summarise(keyed(values))["cross"]["AP"] == pytest.approx(
        np.mean([v["AP"] for v in values.values()]), abs=1e-15
    )


@pytest.mark.parametrize(
    ("model", "folder"),
    [("hash", "hash"), ("owner/name", "owner__name"), ("pkg.mod:Class", "pkg.mod_Class")],
)
def test_a_result_lies_in_a_folder_named_by_the_model(model, folder):
    """The characters that a folder's name cannot have are replaced."""
    assert path_of(Path("results"), model, "xquad-r") == Path("results") / folder / "xquad-r.json"


def test_the_parquet_file_lies_beside_the_json_file():
    """A dot in a task's name is part of the name."""
    assert parquet_path(Path("r/tiny-1.2.json")) == Path("r/tiny-1.2.queries.parquet")


def test_a_saved_result_comes_back_equal(tmp_path):
    """Saving and loading change nothing; the per-query scores come back bit for bit, in their order."""
    path = tmp_path / "new/tiny.json"
    save(result(), path)
    assert load(path) == result(per_query=())
    for found, expected in zip(load_per_query(path), PER_QUERY, strict=True):
        assert (found.setting, found.query) == (expected.setting, expected.query)
        assert list(found.values) == list(expected.values)
        for measure, values in expected.values.items():
            np.testing.assert_array_equal(found.values[measure], values)


def test_a_whole_result_has_its_per_query_scores(tmp_path):
    """It is loaded with the scores from the parquet file, whose means over defined values are those of the JSON."""
    path = tmp_path / "tiny.json"
    save(result(), path)
    found = load_whole(path)
    assert found == result()
    assert [str(s.setting) for s in found.per_query] == ["de>de", "de>th", "de>*"]
    assert {s.setting: s.means() for s in found.per_query} == VALUES


@pytest.mark.parametrize(
    ("per_query", "message"),
    [
        (PER_QUERY[:2], "lacks settings that tiny.json has"),
        ((*PER_QUERY[:2], replace(PER_QUERY[2], values=PER_QUERY[0].values)), "same queries and scores in 'de>*'"),
        ((replace(PER_QUERY[0], values={**PER_QUERY[0].values, "AP": np.array([1.0, 0.3])}), *PER_QUERY[1:]),
         "same queries and scores in 'de>de'"),
    ],
)  # fmt: skip
def test_files_of_two_runs_are_no_whole_result(tmp_path, per_query, message):
    """A parquet file with other means, measures or settings than the JSON file is a ResultError."""
    path = tmp_path / "tiny.json"
    save(result(per_query=per_query), path)
    with pytest.raises(ResultError) as error:
        load_whole(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("query", "question"), [("de:q1", "q1"), ("zh-Hans:a:b", "a:b"), ("q1", "q1"), ("de:", "de:"), (":q", "q")]
)
def test_the_question_of_a_query_is_its_id_without_the_language(query, question):
    """What stands before the first colon is the language; an id without one is a question of its own."""
    assert question_of(query) == question


def test_the_json_file_has_the_fields_in_order_and_no_per_query_scores(tmp_path):
    """Other tools read these keys; text stays readable."""
    save(result(), tmp_path / "tiny.json")
    text = (tmp_path / "tiny.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == [
        "schema", "task", "task_version", "headline", "missing_languages", "unit", "n_clusters", "data", "model",
        "scores", "queries", "summary", "intervals", "references", "matrices", "alignment", "environment", "timing",
    ]  # fmt: skip
    assert '"größe"' in text
    assert text.endswith("}\n")


def test_the_parquet_file_has_a_row_a_setting_and_query(tmp_path):
    """A measure that a setting does not have is null there, and one that is not defined for a query too."""
    save(result(), tmp_path / "tiny.json")
    table = pq.read_table(tmp_path / "tiny.queries.parquet")
    assert table.schema.names == ["setting", "query", "cluster", "AP", "R@1", "RankDistance", "LPR"]
    assert all(table.schema.field(name).type == pa.float64() for name in table.schema.names[3:])
    assert table["query"].to_pylist() == ["de:q2", "de:q10", "de:q2", "de:q2", "de:ü"]
    assert table["RankDistance"].to_pylist() == [None, None, None, 7.0, 1e6]
    assert table["LPR"].to_pylist() == [None, None, None, None, 1.0]


def test_equal_results_are_equal_bytes(tmp_path):
    """Saving the same result twice gives the same files, and leaves no others."""
    for name in ("a", "b", "b"):
        save(result(), tmp_path / name / "tiny.json")
    names = ["tiny.json", "tiny.queries.parquet"]
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_result_whose_parquet_file_cannot_be_written_has_no_json_file(tmp_path):
    """The JSON file marks a whole result: it is written last, and nothing half-written stays."""
    path = tmp_path / "tiny.json"
    parquet_path(path).mkdir()
    with pytest.raises(IsADirectoryError):
        save(result(), path)
    assert list(tmp_path.iterdir()) == [parquet_path(path)]


def test_a_result_is_of_a_run_with_its_model_version_and_settings():
    """Another model, argument, version or list of settings makes another run."""
    run = {"task_version": 1, "model": result().model, "settings": settings_of("de>de", "de>th", "th>de", "de>*")}
    assert result().is_of(**run)
    assert not result().is_of(**run | {"task_version": 2})
    assert not result().is_of(**run | {"model": {**result().model, "arguments": {}}})
    assert not result().is_of(**run | {"settings": settings_of("de>de")})


def record(**changes: object) -> dict[str, object]:
    """The JSON object of a small result; ``changes`` replace its keys, or remove them if they are None."""
    found = {
        "unit": "question", "n_clusters": 3, "data": {"queries": "1", "passages": "2", "judgements": "3"},
        "schema": 2, "task": "tiny", "task_version": 1, "headline": "AP", "missing_languages": [],
        "model": {"name": "m", "revision": "1", "adapter": "hash", "arguments": {}},
        "scores": SCORES, "queries": {"de>de": 2, "de>th": 1, "de>*": 2}, "summary": SUMMARY,
        **MORE, "environment": {}, "timing": {},
    }  # fmt: skip
    return {key: value for key, value in (found | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ("{'schema': 1}", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no 'schema'"),
        ("null", "has no 'schema'"),
        ({"scores": {}}, "has no 'schema'"),
        ({"schema": 1}, "has schema 1, but this xlbench reads schema 2"),
        ({"schema": "1"}, "has schema '1'"),
        (record(more=1), "unknown field `more`"),
        (record(timing=None), "missing required field `timing`"),
        (record(task=3), "Expected `str`, got `int` - at `$.task`"),
        (record(task_version="1"), "Expected `int`, got `str` - at `$.task_version`"),
        (record(model=[]), "Expected `object`, got `array` - at `$.model`"),
        (record(model={"name": "m"}), "missing required field `revision`"),
        (record(model=record()["model"] | {"arguments": []}), "Expected `object`, got `array` - at `$.arguments`"),
        (record(model=record()["model"] | {"name": None}), "Expected `str`, got `null` - at `$.name`"),
        (record(model=record()["model"] | {"name": " "}), "Expected a name: text that is not empty"),
        (record(model=record()["model"] | {"name": "\ud800"}), "Expected a name: text that is not empty"),
        (record(missing_languages=[1]), "Expected `str`, got `int` - at `$.missing_languages[0]`"),
        (record(queries=record()["queries"] | {"de>de": "2"}), "Expected `int`, got `str` - at `$.queries[...]`"),
        (record(queries=record()["queries"] | {"de>de": -2}), "Expected `int` >= 0 - at `$.queries[...]`"),
        (record(queries=record()["queries"] | {"de>de": 0}), "'queries' of 'de>de' is 0"),
        (record(schema=True), "has schema True"),
        (
            record(summary=SUMMARY | {"mono": {"AP": 10**400, "R@1": 0.5}}),
            "Number out of range - at `$.summary[...][...]`",
        ),
        (record(scores={"de>de": 0.5}), "Expected `object`, got `float` - at `$.scores[...]`"),
        (record(scores={"de>de": {"AP": "high"}}), "Expected `float`, got `str` - at `$.scores[...][...]`"),
        (record(scores={"de>de": {"AP": float("nan")}}), "Expected `float` >= -1e+308 - at `$.scores[...][...]`"),
        (record(summary={"mono": 1}), "Expected `object`, got `int` - at `$.summary[...]`"),
        (record(headline="nDCG@10"), "'scores' do not fit 'queries' and 'headline'"),
        (record(queries={"de>de": 2, "de>th": 1}), "'scores' do not fit 'queries' and 'headline'"),
        (record(scores=SCORES | {"th>th": {"AP": 0.5}}), "'scores' do not fit 'queries' and 'headline'"),
        (record(summary={}), "'summary' is not the mean of 'scores'"),
        (record(summary=SUMMARY | {"multi": SCORES["de>de"]}), "'summary' is not the mean of 'scores'"),
        (record(intervals=MORE["intervals"] | {"x>x": {"AP": [1, 2]}}), "'intervals' has settings, kinds or measures"),
        (record(intervals=MORE["intervals"] | {"mono": {"P": [1, 2]}}), "'intervals' has settings, kinds or measures"),
        (record(unit=""), "at `$.unit`"),
        (record(n_clusters=-1), "at `$.n_clusters`"),
        (record(data={"queries": "1"}), "missing required field `passages`"),
        (record(intervals={"mono": {"AP": [0.5]}}), "Expected `array` of length 2, got 1 - at `$.intervals"),
        (
            record(intervals=MORE["intervals"] | {"mono": {"AP": [0.5, 0.4], "R@1": [0, 1]}}),
            "lower end is above its upper end",
        ),
        (record(references={"LPR": 0.5}), "Expected `object`, got `float` - at `$.references[...]`"),
        (record(references={"LPR": {"perfect": 0.5}}), "missing required field `random` - at `$.references[...]`"),
        (
            record(references={"PEER@3": {"perfect": 1, "random": 0.5}}),
            "'references' has a measure that 'summary' lacks",
        ),
        (record(matrices={}), "missing required field `first_language` - at `$.matrices`"),
        (
            record(matrices={"first_language": {}, "one_target": {"de": 0.5}}),
            "got `float` - at `$.matrices.one_target[...]`",
        ),
        (record(alignment={"bitext": {"de": {"th": "much"}}}), "got `str` - at `$.alignment[...][...][...]`"),
        (record(alignment={"parallel_cosine": {}}), "'alignment' of 'parallel_cosine' is {}; expected a matrix"),
        (record(alignment={"bitext": 0.5}), "'alignment' of 'bitext' is 0.5; expected a matrix"),
        (record(timing={"encode_s": "long"}), "Expected `float`, got `str` - at `$.timing[...]`"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "json",
)
def test_a_file_that_is_no_result_is_refused(tmp_path, content, message):
    """A file that is no JSON, of another schema, or not consistent is named with what is wrong."""
    path = tmp_path / "r.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(ResultError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_a_result_file_that_does_not_exist_is_refused(tmp_path):
    """The message says where result files are."""
    with pytest.raises(ResultError, match=r"OUTPUT/<model>/<task>\.json"):
        load(tmp_path / "r.json")


@pytest.mark.parametrize(
    "columns",
    [
        None,
        b"PAR1 but no more",
        {"query": ["a"], "cluster": ["a"], "AP": [1.0]},
        {"setting": ["de>de"], "query": ["a"], "cluster": ["a"], "AP": ["high"]},
        {"setting": ["de>de"], "query": ["a"], "cluster": ["a"], "AP": ["0.5"]},
    ],
    ids=["missing", "damaged", "no column of settings", "text for a number", "a number as text"],
)
def test_per_query_scores_that_cannot_be_read_are_refused(tmp_path, columns):
    """A parquet file that is missing, damaged or of another shape is named."""
    file = tmp_path / "r.queries.parquet"
    if isinstance(columns, bytes):
        file.write_bytes(columns)
    elif columns:
        pq.write_table(pa.table(columns), file)
    with pytest.raises(ResultError, match=r"r\.queries\.parquet cannot be read"):
        load_per_query(tmp_path / "r.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from(["AP", "de>de", "de>*", ""]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["AP", "de>de", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(data=st.data())
def test_any_json_is_a_result_that_can_be_shown_or_refused(tmp_path, data):
    """A result with any value in any place is refused with a ResultError, or all its tables can be made."""
    changed: object = copy.deepcopy(record())
    place = data.draw(st.sampled_from([(), *_places(changed)]))
    value = data.draw(JSON)
    if place:
        inner = changed
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
    else:
        changed = value
    path = tmp_path / "r.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    try:
        found = load(path)
    except ResultError:
        return
    all_tables(found)
    headline(found)
    picture(found, width=80)


def test_a_reference_that_is_null_is_left_out_of_the_picture(tmp_path):
    """As of a measure that has no perfect value; the other end is still there."""
    changed = record()
    changed["references"]["RankDistance"]["perfect"] = None
    (tmp_path / "r.json").write_text(json.dumps(changed), encoding="utf-8")
    shown = "\n".join(picture(load(tmp_path / "r.json"), width=80))
    assert "random" in shown
    assert "perfect" not in shown


def _places(value: object, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The ways to every value within a JSON object."""
    if not isinstance(value, dict):
        return []
    return [place for key in value for place in [(*above, key), *_places(value[key], (*above, key))]]


def test_what_earlier_versions_called_perfect_of_a_share_is_not_read(tmp_path):
    """An even-handed LPR is not a perfect one: the reader says which is wanted."""
    file = tmp_path / "old.json"
    file.write_text(json.dumps(record(references={"LPR": {"perfect": 0.5, "random": 0.5}})), encoding="utf-8")
    assert load(file).references == {"LPR": {"random": 0.5}}


def test_means_are_what_trackers_take():
    """`means` has each mean once, as a float, under a name that MLflow allows (its rule, mlflow.utils.validation)."""
    result = made_result()
    means = result.means()
    assert means["multi/AP"] == result.summary["multi"]["AP"]
    assert means["mono/R_10"] == result.summary["mono"]["R@10"]
    assert len(means) == sum(len(by_measure) for by_measure in result.summary.values())
    assert all(re.fullmatch(r"[/\w.\- :]+", name) for name in means)
    assert {type(value) for value in means.values()} == {float}


def test_scores_written_in_parts_are_read_as_written(tmp_path, monkeypatch):
    """However many settings are in memory at a time, the file has the same rows."""
    result = xlbench.evaluate("hash", "demo", cache=None, quiet=True)
    whole = result.save(tmp_path / "whole")
    monkeypatch.setattr(result_files, "_ROWS_AT_ONCE", 100)
    parts = result.save(tmp_path / "parts")
    one, other = (pq.ParquetFile(parquet_path(path)) for path in (whole, parts))
    assert (one.num_row_groups, other.num_row_groups > 1) == (1, True)
    assert one.read().equals(other.read())
