"""Tests of ``xlbench verify``."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.cli.conftest import calls, write_task

RESULT = "results/hash/tiny.json"


def test_verify_accepts_a_right_result(xlbench, task):
    """Full rankings scored by trec_eval agree with the result: exit code 0, a row a measure, one line that sums up."""
    xlbench("run", "--model", "hash", "--task", task, "--model-arg", "dimensions=16")
    outcome = xlbench("verify", RESULT.replace("hash/", "hash+dimensions=16/"), "--model", "hash", "--task", task)
    assert outcome.code == 0
    assert re.search(r"\d+ of \d+ vectors came from the store; \d+ of them were encoded again", outcome.err)
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


def test_verify_encodes_again_with_an_empty_cache(xlbench, folder, task):
    """With another cache folder verify does not depend on the vectors that the run stored."""
    xlbench("run", "--model", "hash", "--task", task)
    shutil.rmtree(folder / "cache")
    assert xlbench("verify", RESULT, "--model", "hash", "--task", task, "--cache-dir", "new").code == 0
    assert len(list((folder / "new").rglob("*.npy"))) == 6


def test_verify_finds_a_changed_interval_in_the_json_file(xlbench, folder, task):
    """An interval that is not that of the per-query scores gives exit code 1; a last decimal may differ."""
    xlbench("run", "--model", "hash", "--task", task)
    record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    verify = ("verify", RESULT, "--model", "hash", "--task", task)
    for change, code in ((1e-6, 0), (0.01, 1)):
        record["intervals"]["en>en"]["AP"][1] += change
        (folder / RESULT).write_text(json.dumps(record), encoding="utf-8")
        outcome = xlbench(*verify)
        assert outcome.code == code
    assert re.search(r"^AP +1\.0e-02 +en>en +\(interval\)$", outcome.out, re.MULTILINE)


def with_a_line_in_german_only(task):
    """The task with one more question, which exists in German alone."""
    record = yaml.safe_load(task.read_text(encoding="utf-8"))
    data = task.with_name(record["source"]["path"])
    line = {"id": "alone", "queries": {"de": "wer ist allein?"}, "passages": {"de": "er ist allein."}}
    data.write_text(data.read_text(encoding="utf-8") + json.dumps(line) + "\n", encoding="utf-8")
    checksum = hashlib.sha256(data.read_bytes()).hexdigest()
    record["source"]["sha256"] = dict.fromkeys(record["languages"], checksum)
    record["sizes"]["de"] = {role: n + 1 for role, n in record["sizes"]["de"].items()}
    task.write_text(yaml.safe_dump(record), encoding="utf-8")
    return task


def test_verify_finds_a_changed_mean_of_a_measure_that_some_query_lacks(xlbench, folder):
    """Where a query has relevant passages in one language only, RankDistance is the mean over the others."""
    task = with_a_line_in_german_only(write_task(folder))
    xlbench("run", "--model", "hash", "--task", task)
    verify = ("verify", RESULT, "--model", "hash", "--task", task, "--quiet")
    assert xlbench(*verify).code == 0
    record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    record["scores"]["de>*"]["RankDistance"] += 3
    record["summary"]["multi"]["RankDistance"] += 1
    (folder / RESULT).write_text(json.dumps(record), encoding="utf-8")
    outcome = xlbench(*verify)
    assert outcome.code == 1
    assert outcome.out.endswith("largest difference 3.0e+00 (RankDistance, de>*)\n")


def test_verify_takes_a_folder_of_ones_own_data(xlbench, folder):
    """As run does, which needs no task file of it."""
    for language in ("de", "en"):
        (folder / "own" / language / "qrels").mkdir(parents=True)
        for name, key in (("corpus", "text"), ("queries", "text")):
            lines = (json.dumps({"_id": str(i), key: f"{language} {name} {i}"}) for i in range(3))
            (folder / "own" / language / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        rows = "".join(f"{i}\t{i}\t1\n" for i in range(3))
        header = "query-id\tcorpus-id\tscore\n"
        (folder / "own" / language / "qrels" / "test.tsv").write_text(header + rows, encoding="utf-8")
    assert xlbench("run", "--model", "hash", "--task", "own", "--quiet").code == 0
    outcome = xlbench("verify", "results/hash/own.json", "--model", "hash", "--task", "own", "--quiet")
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    "options", [["--depth", "3"], ["--depth", "2", "--among", "language"], ["--depth", "30", "--pool", "round-robin"]]
)
def test_verify_takes_a_reranked_result(xlbench, folder, task, monkeypatch, options):
    """Its pairs' scores come from the store but for a probe; a changed value is found."""
    rerank = ["--rerank", "models.py:Judging"]
    assert xlbench("run", "--model", "hash", "--task", task, *rerank, *options).code == 0
    (path,) = (folder / "results").rglob("tiny.json")
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    verify = ["verify", path, "--model", "hash", "--task", task, "--quiet"]
    outcome = xlbench(*verify, *rerank)
    assert outcome.code == 0, outcome.out
    assert outcome.out.startswith("12 settings, 68 rankings: largest difference ")
    assert calls(folder / "calls") == ["pairs 2"]
    table = pq.read_table(path.with_name("tiny.queries.parquet"))
    values = table["AP"].to_pylist()
    column = pa.array([*values[:-1], values[-1] - 0.25], pa.float64())
    changed = table.set_column(table.column_names.index("AP"), "AP", column)
    pq.write_table(changed, path.with_name("tiny.queries.parquet"))
    assert xlbench(*verify, *rerank).code == 1


def test_verify_says_which_reranker_is_missing_or_too_many(xlbench, folder, task):
    """A reranked result without --rerank, with another reranker, and a plain result with one."""
    xlbench("run", "--model", "hash", "--task", task, "--rerank", "models.py:Judging", "--depth", "3")
    xlbench("run", "--model", "hash", "--task", task)
    reranked = next(path for path in (folder / "results").rglob("tiny.json") if "judging" in str(path))
    (folder / "others.py").write_text((folder / "models.py").read_text().replace('revision = "1"', 'revision = "2"'))
    for path, rerank, code, said in (
        (reranked, [], 2, "is of the reranker owner/judging: name it with --rerank too."),
        (reranked, ["--rerank", "others.py:Judging"], 1, "with the revision 1, but others.py:Judging has the revision"),
        (folder / RESULT, ["--rerank", "models.py:Judging"], 2, "is of no reranker: leave --rerank models.py:Judging"),
    ):
        outcome = xlbench("verify", path, "--model", "hash", "--task", task, *rerank)
        assert (outcome.code, said in outcome.err) == (code, True), outcome.err
