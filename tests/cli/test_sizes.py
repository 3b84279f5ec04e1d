"""Tests of ``xlbench sizes``."""

from __future__ import annotations

import json

COMMAND = ["sizes", "--model", "hash", "--task", "demo", "--language", "de", "en", "--quiet"]


def test_the_table_has_bytes_and_values(xlbench):
    """A row a size, the whole vectors first."""
    outcome = xlbench(*COMMAND, "--dimensions", "64", "--quantize", "int8", "binary")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "hash on demo: the size of vectors (partial: without ar, el, es, 6 more languages)"
    assert lines[1].split() == [
        "vectors", "bytes", "a", "passage", "mono", "AP", "cross", "AP", "multi", "AP", "multi", "RankDistance"
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[3:9]] == ["1024d", "64d", "int8", "binary", "64d-int8", "64d-binary"]


def test_json_has_a_record_for_each_mean(xlbench, folder):
    """With the test against the whole vectors; the suffix of the file says the format, and none may contradict it."""
    outcome = xlbench(*COMMAND, "--dimensions", "64", "--output", "sizes.json")
    assert outcome.out == "Saved to sizes.json\n"
    assert xlbench(*COMMAND, "--dimensions", "64", "--format", "latex", "--output", "sizes.json").code == 2
    records = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
    assert {record["vectors"] for record in records} == {"1024d", "64d"}
    assert all((record["p_adjusted"] is None) == (record["vectors"] == "1024d") for record in records)


def test_a_run_of_one_size_verifies(xlbench, folder):
    """Full rankings of the same compressed vectors, scored by trec_eval."""
    options = ["--dimensions", "64", "--quantize", "int8-passages", "--pool", "round-robin"]
    run = xlbench("run", "--model", "hash", "--task", "demo", "--language", "de", "en", *options, "--quiet")
    assert run.code == 0
    [result] = folder.glob("results/*/demo.json")
    outcome = xlbench("verify", str(result), "--model", "hash", "--quiet")
    assert outcome.code == 0, outcome.err
