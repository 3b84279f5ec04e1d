"""Tests of ``xlbench report`` and ``xlbench verify``."""

from __future__ import annotations

import json
import math
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reports.made_results import made_result

from cli.conftest import write_task
from xlbench.results import save

RESULT = "results/hash/tiny.json"


def test_report_shows_the_tables_of_the_run_again(xlbench, task):
    """The tables and the headline of a result file, and of a folder with it: those that the run showed, and more."""
    shown = xlbench("run", "--model", "hash", "--task", task).out
    outcome = xlbench("report", RESULT)
    for table in shown.split("\n\n")[:-1]:
        assert table in outcome.out
    assert shown.splitlines()[-2] == outcome.out.splitlines()[-2]
    assert "preference: share of queries" in outcome.out
    assert xlbench("report", "results").out == outcome.out
    assert xlbench("report", RESULT, "results").out == outcome.out


def test_report_compares_several_results(xlbench, folder, task):
    """Of several results there are the tables of each, and a table a task with one row a model."""
    other = write_task(folder, name="other")
    xlbench("run", "--model", "hash", "--task", task, "--task", other)
    xlbench("run", "--model", "models.py:Counting", "--task", task, "--language", "de", "en")
    outcome = xlbench("report", "results")
    assert outcome.out.count("multilingual: queries of a language") == 3
    _, _, compared = outcome.out.rpartition("partial, without th\n\n")
    # Only equal versions of one task stand in one table.
    other_table, tiny_table = compared.strip().split("\n\n")
    assert other_table.splitlines()[0] == "other, version 1"
    title, header, _, *rows = tiny_table.splitlines()
    assert title == "tiny, version 1"
    assert re.split(r"\s{2,}", header.strip()) == ["model", "mono AP", "cross AP", "multi AP", "multi RankDistance"]
    assert [row.split("  ")[0] for row in rows] == ["hash", "owner/counting (partial: without th)"]
    assert xlbench("report", RESULT, "results/owner__counting/tiny.json").out.endswith(tiny_table + "\n\n")


@pytest.fixture
def two_models(folder):
    """Two results with all measures and per-query scores, in a folder; the first one's file."""
    for name, level in (("first", 0.4), ("second", 0.6)):
        save(made_result(name, level=level), folder / f"made/{name}/tiny.json")
    return "made/first/tiny.json"


BEGINNINGS = {
    "table": "tiny, summary: means over languages\n",
    "markdown": "**tiny, summary: means over languages**\n\n| measure",
    "latex": "% Needs \\usepackage{booktabs}",
    "csv": "model,revision,arguments,task,task_version,kind,setting,measure,value,low,high,n_queries,",
    "json": '[\n{"model": "first", ',
    "html": "<!doctype html>",
}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_report_has_six_formats(xlbench, folder, two_models, form):
    """Each is printed, or written to a file that is then named; both are the same bytes, and the same each time."""
    printed = xlbench("report", "made", "--format", form)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.lower().startswith(BEGINNINGS[form].lower())
    assert "second" in printed.out
    written = xlbench("report", "made", "--format", form, "--output", "report.out")
    assert (written.code, written.out) == (0, "Saved to report.out\n")
    assert (folder / "report.out").read_text(encoding="utf-8") == printed.out


def test_the_order_of_the_results_is_that_of_the_command(xlbench, two_models):
    """The first-named model is the one that others are tested against in LaTeX."""
    outcome = xlbench("report", "made/second/tiny.json", two_models, "--format", "latex")
    overview = outcome.out.partition(r"\end{table")[0]
    assert "than second: paired randomisation test" in overview
    assert [line.partition(" &")[0] for line in overview.splitlines() if line.endswith(r"\\")][2:] == [
        "second",
        "first",
    ]
    assert overview.count(r"$^{\ddagger}$") == 3


def test_latex_needs_no_per_query_scores(xlbench, folder, two_models):
    """Without the parquet files the tables have no marks; html says that they are missing."""
    for path in folder.rglob("*.parquet"):
        path.unlink()
    assert "ddagger" not in xlbench("report", "made", "--format", "latex").out
    outcome = xlbench("report", "made", "--format", "html")
    assert outcome.code == 1
    assert "tiny.queries.parquet cannot be read" in outcome.err


def test_other_files_in_a_folder_are_left_out(xlbench, folder, two_models):
    """A JSON file that is no result is named on standard error; given by itself it is refused."""
    (folder / "made/notes.json").write_text('{"a": 1}', encoding="utf-8")
    outcome = xlbench("report", "made", "--format", "csv")
    assert outcome.code == 0
    assert outcome.err == "Left out: made/notes.json is not a result of xlbench: it has no 'schema'.\n"
    assert {line.partition(",")[0] for line in outcome.out.splitlines()} == {"model", "first", "second"}
    outcome = xlbench("report", two_models, "made/notes.json")
    assert (outcome.code, outcome.out) == (1, "")
    assert "made/notes.json is not a result of xlbench" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--format", "html", "--paper"], "--paper has no html form"),
        (["--output", "made/second/tiny.json"], "--output made/second/tiny.json is one of the results"),
        (["--output", "made/second/tiny.queries.parquet"], "is one of the results"),
        (["--format", "pdf"], "'pdf' is not one of"),
    ],
)
def test_wrong_combinations_are_usage_errors(xlbench, folder, two_models, arguments, phrase):
    """They exit with 2 and write nothing."""
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    outcome = xlbench("report", "made", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert phrase in outcome.err
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_an_output_that_cannot_be_written_is_one_line(xlbench, two_models):
    """A folder that is not there is named, with no stack trace and nothing left behind."""
    outcome = xlbench("report", "made", "--output", "nowhere/report.txt")
    assert outcome.code == 1
    assert outcome.err.startswith("xlbench: nowhere/report.txt: No such file or directory")


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv", "json"])
def test_paper_sets_measured_beside_reported(xlbench, folder, form):
    """Results on the paper's tasks stand beside its numbers, in each format but html; other tasks are left aside."""
    save(made_result("mine", task="xquad-r"), folder / "made/mine/xquad-r.json")
    save(made_result("mine", task="demo"), folder / "made/mine/demo.json")
    outcome = xlbench("report", "made", "--paper", "--format", form)
    assert outcome.code == 0
    assert "reported" in outcome.out
    assert "measured" in outcome.out
    assert ".7977" in outcome.out
    assert "demo" not in outcome.out
    (folder / "made/mine/xquad-r.json").unlink()
    outcome = xlbench("report", "made", "--paper", "--format", form)
    assert (outcome.code, outcome.out) == (1, "")
    assert "The paper has xquad-r and mlqa-r, the results are of demo" in outcome.err


def test_verify_accepts_a_right_result(xlbench, task):
    """Full rankings scored by trec_eval agree with the result: exit code 0, a row a measure, one line that sums up."""
    xlbench("run", "--model", "hash", "--task", task, "--model-arg", "dimensions=16")
    outcome = xlbench("verify", RESULT, "--model", "hash", "--task", task)
    assert outcome.code == 0
    title, _, _, *rows, blank, summary = outcome.out.splitlines()
    assert title == "Largest difference to trec_eval"
    assert [row.split()[0] for row in rows] == ["AP", "AP@20", "R@1", "R@10", "nDCG@10", "RR@10", "RankDistance"]
    assert blank == ""
    # 12 settings of 6 queries each, but for the four whose queries are Thai and have 5.
    match = re.fullmatch(r"12 settings, 68 rankings: largest difference (\S+) \(.+, .+\)", summary)
    assert float(match[1]) <= 1e-12


def test_verify_takes_settings_by_name(xlbench, task):
    """Only the chosen settings are ranked; --quiet prints the line that sums up and nothing else."""
    xlbench("run", "--model", "hash", "--task", task)
    command = ["verify", RESULT, "--model", "hash", "--task", task, "--setting", "de>en", "th>*", "--quiet"]
    outcome = xlbench(*command)
    assert outcome.code == 0
    assert re.fullmatch(r"2 settings, 11 rankings: largest difference \S+ \(.+\)\n", outcome.out)
    assert outcome.err == ""


def test_verify_takes_a_partial_result(xlbench, task):
    """A result without some languages is verified on the pool that it has."""
    xlbench("run", "--model", "hash", "--task", task, "--language", "de", "th", "--setting", "multi")
    outcome = xlbench("verify", RESULT, "--model", "hash", "--task", task)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("2 settings, 11 rankings:")


def tamper_with_parquet(folder, measure, change):
    """Changes one measure's values in the parquet file."""
    path = folder / "results/hash/tiny.queries.parquet"
    table = pq.read_table(path)
    column = pa.array(change(table[measure].to_pylist()), pa.float64())
    pq.write_table(table.set_column(table.column_names.index(measure), measure, column), path)


@pytest.mark.parametrize(
    ("measure", "change", "difference"),
    [
        ("AP", lambda values: [values[0] - 1e-9, *values[1:]], "1.0e-09 (AP, de>de)"),
        ("R@10", lambda values: [*values[:20], values[20] + 0.25, *values[21:]], "2.5e-01 (R@10, de>en)"),
        ("RankDistance", lambda values: [*values[:-1], values[-1] + 1], "1.0e+00 (RankDistance, th>*)"),
        ("AP", lambda values: [*values[:9], None, *values[10:]], "inf (AP, en>en)"),
        ("AP", lambda values: [*values[:9], math.nan, *values[10:]], "inf (AP, en>en)"),
        ("AP", lambda values: [*[None] * 6, *values[6:]], "inf (AP, de>de)"),
    ],
    ids=["less", "more", "rank distance", "null", "nan", "a whole setting"],
)
def test_verify_finds_a_changed_value_in_the_parquet_file(xlbench, folder, task, measure, change, difference):
    """One value that is changed, gone or no number gives exit code 1, and the line names measure and setting."""
    xlbench("run", "--model", "hash", "--task", task)
    tamper_with_parquet(folder, measure, change)
    outcome = xlbench("verify", RESULT, "--model", "hash", "--task", task, "--quiet")
    assert outcome.code == 1
    assert outcome.out.endswith(f"largest difference {difference}\n")


def test_verify_finds_a_changed_mean_in_the_json_file(xlbench, folder, task):
    """A mean that is not that of the per-query scores gives exit code 1, although the summary was changed with it."""
    xlbench("run", "--model", "hash", "--task", task)
    record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    record["scores"]["en>en"]["R@10"] -= 0.3
    record["summary"]["mono"]["R@10"] -= 0.1
    (folder / RESULT).write_text(json.dumps(record), encoding="utf-8")
    outcome = xlbench("verify", RESULT, "--model", "hash", "--task", task)
    assert outcome.code == 1
    assert re.search(r"^R@10 +3\.0e-01 +en>en +\(mean\)$", outcome.out, re.MULTILINE)
    # A setting that was not chosen is not looked at.
    assert xlbench("verify", RESULT, "--model", "hash", "--task", task, "--setting", "de>de").code == 0


@pytest.mark.parametrize("part", ["scores", "summary"])
def test_a_summary_that_is_not_the_mean_of_the_scores_is_refused(xlbench, folder, task, part):
    """Who changes only a score or only the summary has no result any more."""
    xlbench("run", "--model", "hash", "--task", task)
    record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    record[part]["en>en" if part == "scores" else "mono"]["AP"] -= 0.3
    (folder / RESULT).write_text(json.dumps(record), encoding="utf-8")
    for command in (["verify", RESULT, "--model", "hash", "--task", task], ["report", RESULT]):
        outcome = xlbench(*command)
        assert outcome.code == 1
        assert f"{RESULT}: 'summary' is not the mean of 'scores'" in outcome.err


def test_verify_encodes_again_with_an_empty_cache(xlbench, folder, task):
    """With another cache folder verify does not depend on the vectors that the run stored."""
    xlbench("run", "--model", "hash", "--task", task)
    shutil.rmtree(folder / "cache")
    assert xlbench("verify", RESULT, "--model", "hash", "--task", task, "--cache-dir", "new").code == 0
    assert len(list((folder / "new").rglob("*.npy"))) == 6
