"""Tests of runs that are interrupted, killed, or made twice at once: no work is lost and no number changes."""

from __future__ import annotations

import os
import signal

import pytest

from tests.cli.conftest import calls, finish, start, wait_until, without_timing, write_task

# Two languages and two roles of less than 1,024 texts each: four shards, each one call of the encoder.
SHARDS = ["queries 6", "queries 5", "passages 6", "passages 6"]


@pytest.fixture
def command(folder):
    """A run of four shards."""
    task = write_task(folder / "task", languages=("de", "th"))
    return ["run", "--model", "models.py:Counting", "--task", task]


PROBE = " 2"
"""What a call ends with that encodes some stored texts again, to compare."""


def outputs(folder, place="results"):
    """The bytes of a run's parquet file, and its JSON without timing."""
    path = folder / place / "owner__counting/tiny.json"
    return path.with_name("tiny.queries.parquet").read_bytes(), without_timing(path)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_goes_on_from_the_kept_shards(xlbench, folder, command, monkeypatch, stop, code):
    """After Ctrl-C or kill -9 in a call of the encoder, only that call and those after it are made again."""
    log = folder / "calls"
    process = start(folder, *command, CALLS=str(log), HANG_AT="3")
    # A Ctrl-C while the interpreter clears up after a file would be lost.
    wait_until(lambda: log.with_name("calls.hangs").exists() or process.poll() is not None)
    process.send_signal(stop)
    stopped = finish(process)
    assert stopped.code == code
    assert calls(log) == SHARDS[:3]
    assert not (folder / "results/owner__counting/tiny.json").exists()
    if stop == signal.SIGINT:
        assert stopped.err.splitlines()[-1] == (
            "xlbench: Interrupted. What was encoded and downloaded is kept: run the same command again to go on."
        )

    log.unlink()
    monkeypatch.setenv("CALLS", str(log))
    assert xlbench(*command).code == 0
    assert [call for call in calls(log) if not call.endswith(PROBE)] == SHARDS[2:]
    assert xlbench(*command, "--output", "undisturbed", "--cache-dir", "other").code == 0
    assert outputs(folder) == outputs(folder, "undisturbed")


def test_a_run_that_is_killed_while_it_writes_leaves_whole_files_only(xlbench, folder, command):
    """A shard that was cut off is not taken for a whole one: it is encoded again, to the same bytes."""
    assert xlbench(*command).code == 0
    right = outputs(folder)
    for i, shard in enumerate(sorted((folder / "cache").rglob("*.npy"))):
        os.truncate(shard, [0, 60, 130, shard.stat().st_size - 1][i])
    assert xlbench(*command, "--force").code == 0
    assert outputs(folder) == right


def test_two_runs_at_once_on_one_cache_give_equal_results(folder, command):
    """Two processes that fill one cache at the same time both succeed, and neither harms the other's vectors."""
    log = folder / "calls"
    both = [start(folder, *command, "--output", place, CALLS=str(log), SLEEP="0.2") for place in ("a", "b")]
    assert [finish(process).code for process in both] == [0, 0]
    assert outputs(folder, "a") == outputs(folder, "b")
    assert len(list((folder / "cache").rglob("*.npy"))) == 4
    assert not list((folder / "cache").rglob(".*"))


def files_of(folder):
    """The bytes of all that a cache has of vectors and scores, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".npy", ".npz") and "counts" not in path.parts
    }


@pytest.mark.parametrize("model", ["Sparse", "Late"])
def test_sparse_and_token_vectors_go_on_after_kill_9(xlbench, folder, command, monkeypatch, model):
    """The shards that were kept are not encoded again, and all files are those of an undisturbed run."""
    log = folder / "calls"
    command[command.index("models.py:Counting")] = f"models.py:{model}"
    kill(folder, command, log, at=3)
    log.unlink()
    monkeypatch.setenv("CALLS", str(log))
    assert xlbench(*command).code == 0
    assert [call for call in calls(log) if not call.endswith(PROBE)] == SHARDS[2:]
    assert xlbench(*command, "--output", "undisturbed", "--cache-dir", "other").code == 0
    assert len(files_of(folder / "cache")) == 4
    assert files_of(folder / "cache") == files_of(folder / "other")
    of_both = [path.read_bytes() for path in sorted(folder.rglob("tiny.queries.parquet"))]
    assert len(of_both) == 2
    assert of_both[0] == of_both[1]


def test_the_scores_of_a_reranker_go_on_after_kill_9(xlbench, folder, monkeypatch):
    """Pairs that were scored are not scored again, and all files are those of an undisturbed run."""
    log = folder / "calls"
    task = write_task(folder / "task", languages=("de", "th"), lines=40)
    rerank = ["--rerank", "models.py:Judging", "--depth", "100"]
    command = ["run", "--model", "hash", "--task", task, *rerank]
    kill(folder, command, log, at=3)
    before = calls(log)
    log.unlink()
    monkeypatch.setenv("CALLS", str(log))
    assert xlbench(*command).code == 0
    again = [call for call in calls(log) if not call.endswith(PROBE)]
    log.unlink()
    assert xlbench(*command, "--output", "undisturbed", "--cache-dir", "other").code == 0
    assert len(before) == 3
    assert calls(log) == [*before[:2], *again]
    assert files_of(folder / "cache") == files_of(folder / "other")
    of_both = [path.read_bytes() for path in sorted(folder.rglob("tiny.queries.parquet"))]
    assert len(of_both) == 2
    assert of_both[0] == of_both[1]


def kill(folder, command, log, *, at):
    """Runs the command until a model's call of this number, and kills it in that."""
    process = start(folder, *command, CALLS=str(log), HANG_AT=str(at))
    wait_until(lambda: log.with_name("calls.hangs").exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    assert finish(process).code == -signal.SIGKILL
