"""Tests of ``xlbench report`` and ``xlbench verify``."""

from __future__ import annotations

import json
import math
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import write_task

RESULT = "results/hash/tiny.json"


def test_report_shows_the_tables_of_the_run_again(xlbench, task):
    """The tables and the headline of a result file, and of a folder with it alone, are those that the run showed."""
    shown = xlbench("run", "--model", "hash", "--task", task).out.splitlines()[:-1]
    assert xlbench("report", RESULT).out.splitlines() == [*shown, ""]
    assert xlbench("report", "results").out.splitlines() == [*shown, ""]


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
