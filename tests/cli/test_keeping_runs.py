"""``xlbench run --keep-run`` and ``--qrels``, and of a fusion."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import LANGUAGES, calls, without_timing, write_task
from xlbench.settings import Setting
from xlbench.trec.write import judgements_path, run_path

RESULT = Path("results/hash+dimensions=2/tiny.json")
RUNS = Path("results/hash+dimensions=2/tiny.runs")
SCORE = ("--per-query", "--format", "json", "--quiet")
# So few dimensions that many passages tie.
HASH = ("run", "--model", "hash", "--model-arg", "dimensions=2")


def lines(path: Path) -> list[list[str]]:
    """The columns of a run or of judgements."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [line.split(" ") for line in content.decode().splitlines()]


def test_score_gives_the_figures_of_a_result_again(xlbench, folder, task):
    """From run and judgements of each setting come the values and means that the result has, up to the cut-off."""
    assert xlbench(*HASH, "--task", task, "--keep-run", 20, "--qrels").code == 0
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    table = pq.read_table(RESULT.with_name("tiny.queries.parquet")).to_pylist()
    ties = 0
    for setting, means in result["scores"].items():
        names = [name for name in means if "@" in name]
        files = run_path(RESULT, Setting.of(setting)), judgements_path(RESULT, Setting.of(setting))
        outcome = xlbench("score", *files, "-m", *names, *SCORE)
        records = json.loads(outcome.out)
        totals = {found["measure"]: found["value"] for found in records if found["of"] == "total"}
        assert totals == pytest.approx({name: means[name] for name in names}, abs=1e-12)
        values = {(f["query"], f["measure"]): f["value"] for f in records if f["of"] == "query"}
        expected = {(row["query"], name): row[name] for row in table if row["setting"] == setting for name in names}
        assert values == pytest.approx(expected, abs=1e-12)
        scores = [(line[0], line[4]) for line in lines(files[0])]
        ties += len(scores) - len(set(scores))
    assert ties > 50


def test_measures_of_bias_need_the_languages_of_passages(xlbench, folder):
    """With the language map that --qrels writes, score gives a multilingual setting's Share@k again."""
    task = write_task(folder, measures=["AP", "Share@3"])
    xlbench(*HASH, "--task", task, "--keep-run", 3, "--qrels")
    scores = json.loads(RESULT.read_text(encoding="utf-8"))["scores"]
    for language in LANGUAGES:
        files = RUNS / f"multi.{language}.run.gz", RUNS / f"multi.{language}.qrels"
        outcome = xlbench("score", *files, "-m", "Share@3", "--language-map", RUNS / "languages.gz", *SCORE)
        [mean] = [found["value"] for found in json.loads(outcome.out) if found["of"] == "mean"]
        assert mean == pytest.approx(scores[f"{language}>*"]["Share@3"], abs=1e-12)


def test_a_run_has_the_best_passages_in_trec_evals_order(xlbench, folder, task):
    """K lines a query, ranked from 1, by descending score and then id, with nine digits and a tag."""
    xlbench(*HASH, "--task", task, "--keep-run", 4)
    assert sorted(path.name for path in RUNS.iterdir()) == sorted(
        [f"mono.{a}.run.gz" for a in LANGUAGES]
        + [f"cross.{a}.{b}.run.gz" for a in LANGUAGES for b in LANGUAGES if a != b]
        + [f"multi.{a}.run.gz" for a in LANGUAGES]
    )
    for name, languages in (("cross.th.de", {"de"}), ("mono.en", {"en"}), ("multi.de", set(LANGUAGES))):
        found = lines(RUNS / f"{name}.run.gz")
        assert len(found) == 4 * (5 if name == "cross.th.de" else 6)
        assert {line[2].partition(":")[0] for line in found} <= languages
        assert {(line[1], line[5]) for line in found} == {("Q0", "hash")}
        assert [int(line[3]) for line in found] == [*range(1, 5)] * (len(found) // 4)
        order = [(line[0], -np.float32(line[4]), [-ord(letter) for letter in line[2]]) for line in found]
        assert order == sorted(order)
        assert all(line[4] == f"{float(np.float32(line[4])):.9g}" for line in found)
    assert lines(RUNS / "mono.en.run.gz")[0][0] == "en:0"


def test_a_run_may_be_longer_than_the_pool(xlbench, folder, task):
    """With fewer passages than K all of them are in the run."""
    xlbench(*HASH, "--task", task, "--keep-run", 1000)
    assert len(lines(RUNS / "mono.de.run.gz")) == 6 * 6
    assert len(lines(RUNS / "multi.de.run.gz")) == 6 * 18


def test_runs_change_nothing_else_and_are_equal_bytes(xlbench, folder, task):
    """The result but for its record of them, and its parquet files, are those of a run without; twice is the same."""
    for name, options in (("a", ()), ("b", ("--keep-run", 5, "--qrels")), ("c", ("--keep-run", 5, "--qrels"))):
        xlbench(*HASH, "--task", task, "--output", name, *options)
    plain, kept, again = (folder / name / "hash+dimensions=2" for name in "abc")
    records = [without_timing(of / "tiny.json") for of in (plain, kept, again)]
    assert records[1] == records[2]
    assert records[1]["environment"].pop("runs") == {"best": 5, "judgements": True}
    assert records[0] == records[1]
    for file in plain.glob("*.parquet"):
        assert (kept / file.name).read_bytes() == file.read_bytes()
    assert len(list((kept / "tiny.runs").iterdir())) == 2 * 12 + 1
    for file in (kept / "tiny.runs").iterdir():
        assert (again / "tiny.runs" / file.name).read_bytes() == file.read_bytes()


def test_a_result_without_the_runs_is_not_there(xlbench, folder, task):
    """Runs that were not written, of another length, or gone, are made; with them the result is there."""

    def said(*options: object) -> str:
        return xlbench(*HASH, "--task", task, "--quiet", *options).out.splitlines()[-1]

    there, saved = f"Result already exists: {RESULT} (--force runs it again)", f"Saved to {RESULT}"
    assert said() == saved
    assert said("--keep-run", 3) == f"{saved}, runs to {RUNS}"
    assert said("--keep-run", 3) == there
    assert said() == there
    assert said("--keep-run", 4).startswith(saved)
    assert said("--keep-run", 4, "--qrels").startswith(saved)
    (RUNS / "cross.de.en.qrels").unlink()
    assert said("--keep-run", 4, "--qrels").startswith(saved)
    assert said("--qrels").startswith(saved)
    assert not list(RUNS.glob("*.run.gz"))
    assert said("--qrels") == there


def test_a_new_result_has_no_old_runs(xlbench, folder, task):
    """Who runs it again without runs has none of the result that was replaced; other files stay."""
    xlbench(*HASH, "--task", task, "--keep-run", 3, "--qrels")
    (RUNS / "mine.txt").write_text("mine", encoding="utf-8")
    xlbench(*HASH, "--task", task, "--force")
    assert [path.name for path in RUNS.iterdir()] == ["mine.txt"]
    (RUNS / "mine.txt").unlink()
    xlbench(*HASH, "--task", task, "--force")
    assert not RUNS.exists()


def test_one_kind_of_setting_has_runs_of_its_own(xlbench, folder, task):
    """In the multilingual settings alone only these are kept and written."""
    for kind, n_lines in (("multi", 6 * 7), ("mono", 6 * 6)):
        xlbench(*HASH, "--task", task, "--setting", kind, "--output", kind, "--keep-run", 7)
        runs = folder / kind / "hash+dimensions=2/tiny.runs"
        assert sorted(path.name for path in runs.iterdir()) == [f"{kind}.{a}.run.gz" for a in LANGUAGES]
        assert len(lines(runs / f"{kind}.de.run.gz")) == n_lines


def test_an_id_with_white_space_is_refused_before_anything_is_encoded(xlbench, folder, task):
    """In a TREC file it would be two columns; without runs it is no matter."""
    data = (folder / task).with_suffix(".jsonl")
    before = hashlib.sha256(data.read_bytes()).hexdigest()
    data.write_text(data.read_text(encoding="utf-8").replace('"id": "3"', '"id": "3 b"'), encoding="utf-8")
    described = (folder / task).read_text(encoding="utf-8")
    after = hashlib.sha256(data.read_bytes()).hexdigest()
    (folder / task).write_text(described.replace(before, after), encoding="utf-8")
    outcome = xlbench(*HASH, "--task", task, "--qrels")
    assert outcome.code == 1
    assert "The id of the query 'de:3 b' has white space, which separates the columns of TREC files" in outcome.err
    assert not (folder / "cache").exists()
    assert xlbench(*HASH, "--task", task).code == 0


def test_more_than_memory_allows_is_refused_before_anything_is_encoded(xlbench, folder, task, monkeypatch):
    """The message says how much it would be, and which K would do."""
    monkeypatch.setattr("xlbench.engine.ranking.memory_bytes", lambda: 2000)
    outcome = xlbench(*HASH, "--task", task, "--keep-run", 5)
    assert outcome.code == 1
    # 17 queries, 3 languages, 8 bytes a place: 408 bytes for each of K.
    assert "The 5 best passages of 17 queries in 3 pools take 0.0 GB of memory" in outcome.err
    assert "Keep 2 with --keep-run, or choose fewer languages" in outcome.err
    assert not (folder / "cache").exists()
    assert xlbench(*HASH, "--task", task, "--keep-run", 2).code == 0


FUSION = ("--model", "fusion:bm25+models.py:Counting", "--model-arg", "A.tokenizer=whitespace", "k=10")
FUSED = Path("results/fusion_bm25+owner__counting+A.tokenizer=whitespace+k=10/tiny.json")


def test_a_fusion_is_evaluated_verified_and_found_again(xlbench, folder, task, monkeypatch):
    """It takes the vectors that its model's own run stored, its runs score as its result says, and verify agrees."""
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    xlbench("run", "--model", "models.py:Counting", "--task", task)
    n_calls = len(calls(folder / "calls"))
    outcome = xlbench("run", *FUSION, "--task", task, "--keep-run", 6, "--qrels")
    assert (outcome.code, calls(folder / "calls")[n_calls:]) == (0, ["queries 2"] * 2 + ["passages 2"] * 2)
    assert outcome.out.splitlines()[-1] == f"Saved to {FUSED}, runs to {FUSED.with_name('tiny.runs')}"
    record = json.loads(FUSED.read_text(encoding="utf-8"))
    assert record["model"]["arguments"] == {"method": "rrf", "k": 10, "weight": 0.5, "A.tokenizer": "whitespace"}
    for setting in ("de>de", "th>en", "en>*"):
        files = run_path(FUSED, Setting.of(setting)), judgements_path(FUSED, Setting.of(setting))
        records = json.loads(xlbench("score", *files, "-m", "R@1", "--format", "json").out)
        assert records[0]["value"] == pytest.approx(record["scores"][setting]["R@1"], abs=1e-12)
    verified = xlbench("verify", FUSED, "--model", "fusion:bm25+models.py:Counting", "--task", task, "--quiet")
    assert verified.code == 0
    assert verified.out.startswith("12 settings, 68 rankings")
    assert "Result already exists" in xlbench("run", *FUSION, "--task", task, "--keep-run", 6, "--qrels").out


def test_a_fusion_has_no_vectors_to_transform(xlbench, task):
    """As of a scorer, the message says what to do."""
    outcome = xlbench("run", "--model", "fusion:bm25+hash", "--task", task, "--transform", "center")
    assert outcome.code == 1
    assert "fusion:bm25+hash does not give one dense vector" in outcome.err


def test_a_fusion_leaves_out_the_losses(xlbench, folder):
    """They divide up what one ranking loses, and a fusion has two."""
    task = write_task(folder, measures=["AP", "LPR", "IrrelevantLoss", "ParallelLoss"])
    outcome = xlbench("run", "--model", "fusion:bm25+hash", "--task", task, "--quiet")
    assert "Left out: IrrelevantLoss, ParallelLoss, which divide up what one ranking loses.\n" in outcome.out
