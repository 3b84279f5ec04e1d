"""Tests of MTEB's result files: what is written for MTEB, and what is read beside our own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.reports.made_results import made_result
from xlbench.collection.sample import Sample
from xlbench.errors import ResultError
from xlbench.reports.mteb import beside, read, write
from xlbench.settings import Setting


def result(task="xquad", name="owner/model", **changes):
    """A result with MTEB's main measure: .25 in German, .5 in English, .75 from German to English, .1 in the pool."""
    values = {("de", "de"): 0.25, ("en", "en"): 0.5, ("en", "de"): 0.75, ("de", "en"): 0.8, ("de", None): 0.1}
    by_setting = {Setting(*ends): {"nDCG@10": value, "AP": 0.3, "R@100": 1.0} for ends, value in values.items()}
    return replace(made_result(name, task=task), values=by_setting, **changes)


def test_a_result_is_written_as_mteb_stores_one(tmp_path):
    """Model and revision are folders; single languages are subsets; a measure that MTEB lacks is left out."""
    (path,) = write([result()], tmp_path)
    assert path == tmp_path / "owner__model/r1/XQuADRetrieval.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record == {
        "dataset_revision": "7d30520c717524000f0d9d2f9c10a069acd9d285",
        "task_name": "XQuADRetrieval",
        "mteb_version": None,
        "scores": {
            "validation": [
                {"ndcg_at_10": value, "recall_at_100": 1.0, "main_score": value, "hf_subset": code, "languages": [full]}
                for code, full, value in [("de", "deu-Latn", 0.25), ("en", "eng-Latn", 0.5)]
            ]
        },
        "evaluation_time": None,
        "kg_co2_emissions": None,
    }


def test_a_subset_of_belebele_names_the_language_of_the_passages_first(tmp_path):
    """Questions in English about passages in German are MTEB's deu_Latn-eng_Latn."""
    (path,) = write([result("belebele")], tmp_path)
    entries = json.loads(path.read_text(encoding="utf-8"))["scores"]["test"]
    assert {entry["hf_subset"]: (entry["main_score"], entry["languages"]) for entry in entries} == {
        "deu_Latn-deu_Latn": (0.25, ["deu-Latn", "deu-Latn"]),
        "eng_Latn-eng_Latn": (0.5, ["eng-Latn", "eng-Latn"]),
        "deu_Latn-eng_Latn": (0.75, ["deu-Latn", "eng-Latn"]),
        "eng_Latn-deu_Latn": (0.8, ["eng-Latn", "deu-Latn"]),
    }


def test_the_time_is_that_of_a_run_that_encoded_all(tmp_path):
    """Where vectors were stored before, there is no time of an evaluation."""
    times = {"encode_s": 2.0, "search_s": 1.0, "score_s": 0.5}
    for share, expected in [(1.0, 3.5), (0.5, None)]:
        (path,) = write([result(timing=times | {"encoded_share": share})], tmp_path)
        assert json.loads(path.read_text(encoding="utf-8"))["evaluation_time"] == expected


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result("demo")], "MTEB has no task that is as demo is"),
        ([result(sample=Sample(2, 2, 1190, 5, 240))], "is of a part"),
        (
            [result(), result(model={**result().model, "arguments": {"a": 1}})],
            "Two of these results would have one file",
        ),
        ([replace(result(), values=made_result().values)], "has no ndcg_at_10"),
    ],
)
def test_what_mteb_has_no_place_for_is_refused(tmp_path, results, expected):
    """Nothing is written then."""
    with pytest.raises(ResultError, match=expected):
        write(results, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def reported(tmp_path):
    """A folder with a file of MTEB's that has NaN, and one of a task that xlbench does not have."""
    folder = tmp_path / "results/other__model/abc"
    folder.mkdir(parents=True)
    entry = {"ndcg_at_10": 0.4, "nauc": float("nan"), "main_score": 0.4, "hf_subset": "de", "languages": ["deu-Latn"]}
    record = {"task_name": "XQuADRetrieval", "scores": {"validation": [entry, entry | {"hf_subset": "th"}]}}
    (folder / "XQuADRetrieval.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "STS22.json").write_text("{}", encoding="utf-8")
    return tmp_path / "results"


def test_what_is_reported_stands_beside_our_own(reported):
    """A row says that it is reported, and only subsets that all rows have are set side by side."""
    rows, left_out = read(reported)
    assert left_out == 1
    (table,) = beside([result(), result("demo")], rows)
    assert table.title == "XQuADRetrieval, ndcg_at_10"
    assert table.header == ("model", "de")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["owner/model", ".250"],
        ["other/model (reported)", ".400"],
    ]
    assert [row[1].best for row in table.rows] == [False, True]
    assert "2 of 3 subsets are not shown" in table.note


def test_a_model_is_named_as_its_file_of_metadata_says(reported):
    """Folders are names only where there is no such file."""
    (reported / "other__model/abc/model_meta.json").write_text('{"name": "other/model-v2"}', encoding="utf-8")
    assert [each.model for each in read(reported)[0]] == ["other/model-v2"]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"task_name": "x", "scores": {"test": []}}',
        '{"task_name": "x", "scores": {"validation": [{"hf_subset": "de", "ndcg_at_10": 7}]}}',
    ],
)
def test_a_file_of_another_form_is_named(reported, content):
    """Whatever is in it, it is a sentence with the file."""
    (reported / "other__model/abc/XQuADRetrieval.json").write_text(content, encoding="utf-8")
    with pytest.raises(ResultError, match=r"XQuADRetrieval.json is no result of MTEB 1.11 or later"):
        read(reported)


def test_a_folder_without_such_files_is_refused(tmp_path):
    """What was expected is named."""
    with pytest.raises(ResultError, match="There is no folder"):
        read(tmp_path / "none")
    with pytest.raises(ResultError, match=r"has no file of XQuADRetrieval.json"):
        read(tmp_path)
