"""Tests of several models in one run: as options, and as a sweep in a file."""

from __future__ import annotations

import json

import pytest
import yaml


@pytest.fixture
def sweep(folder, task):
    """A sweep of two models, one with arguments, in two variants."""
    models = ["hash", {"model": "hash", "arguments": {"dimensions": 8}, "variants": [{"pool": "round-robin"}]}]
    file = folder / "sweep.yaml"
    file.write_text(yaml.safe_dump({"models": models, "tasks": [task], "variants": [{}, {"transform": "center"}]}))
    return file


def test_a_sweep_evaluates_every_combination_and_skips_what_exists(xlbench, folder, sweep, task):
    """Each cell has a result with the command that gives it alone, and one table ends the run."""
    planned = xlbench("run", sweep, "--dry-run")
    assert planned.out.endswith("3 results: 0 exist, 3 to run.\n")
    assert not (folder / "results").exists()
    outcome = xlbench("run", sweep)
    assert outcome.code == 0, outcome.err
    files = {path.parent.name: path for path in folder.glob("results/*/tiny.json")}
    assert files.keys() == {"hash", "hash+center-transductive", "hash+round-robin+dimensions=8"}
    command = json.loads(files["hash+round-robin+dimensions=8"].read_text())["environment"]["command"]
    assert command == f"xlbench run --model hash --task {task} --model-arg dimensions=8 --pool round-robin"
    table = outcome.out.partition("All results\n")[2].splitlines()
    assert [line.split()[:2] for line in table[2:5]] == [
        ["tiny", "hash"],
        ["tiny", "hash+center-transductive"],
        ["tiny", "hash+round-robin"],
    ]
    files["hash"].unlink()
    again = xlbench("run", sweep, "--quiet")
    assert again.out.count("Result already exists") == 2
    assert again.out.count("Saved to") == 1


def test_what_is_wrong_with_a_cell_is_said_before_any_is_evaluated(xlbench, folder, sweep):
    """A model that does not load is named with its line, and the models before it are not evaluated."""
    sweep.write_text(sweep.read_text().replace("round-robin", "square"))
    outcome = xlbench("run", sweep)
    assert outcome.code == 2
    assert f"{sweep}, lines 3 and 7: Unknown pooling 'square'" in outcome.err
    assert not (folder / "results").exists()


def test_two_models_with_one_result_are_refused(xlbench, sweep):
    """The same model twice would be evaluated once."""
    sweep.write_text(sweep.read_text().replace("dimensions: 8", "{}").replace("arguments:\n    {}", "arguments: {}"))
    sweep.write_text(sweep.read_text().replace("pool: round-robin", "pool: one"))
    outcome = xlbench("run", sweep)
    assert outcome.code == 2
    assert "tiny.json would be the result of two models" in outcome.err


def test_what_a_sweep_says_is_no_option_beside_it(xlbench, sweep):
    """Models, tasks and variants stand in the file alone."""
    outcome = xlbench("run", sweep, "--pool", "round-robin")
    assert outcome.code == 2
    assert f"--pool is what {sweep} says" in outcome.err


def test_several_models_end_with_one_table(xlbench, task):
    """Two models on a task are two results, and a name is of one model."""
    outcome = xlbench("run", "--model", "hash", "models.py:Counting", "--task", task)
    assert outcome.code == 0
    assert [line.split()[1] for line in outcome.out.partition("All results\n")[2].splitlines()[2:4]] == [
        "hash",
        "owner/counting",
    ]
    named = xlbench("run", "--model", "hash", "bm25", "--name", "mine", "--task", task)
    assert named.code == 2
    assert "--name names one model; 2 are given: hash, bm25" in named.err
