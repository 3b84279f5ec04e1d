"""Tests of ``xlbench train sweep.yaml``: cells, what is skipped and resumed, and the table at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import finish, start
from tests.cli.test_train import pairs  # noqa: F401 (a fixture)
from tests.models.made_models import make_sentence_bert, one_thread

DOCS = Path(__file__).parents[2] / "docs/training.md"


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture
def documented(folder, task, pairs):  # noqa: F811
    """The sweep of the documentation, of a tiny model, in two steps and with two seeds."""
    make_sentence_bert(folder / "tiny")
    content = yaml.safe_load(DOCS.read_text(encoding="utf-8").partition("## Sweeps")[2].split("```")[1][4:])
    content |= {"models": ["tiny"], "tasks": [task], "seeds": [0, 1]}
    content["options"] |= {"pairs": pairs, "batch_size": 4, "steps": 2}
    return write(folder, content)


def write(folder, content):
    """A sweep in a file."""
    file = folder / "sweep.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


KILLED = """
import os
replace = os.replace
def replace_and_die(source, target):
    replace(source, target)
    if str(target).endswith("checkpoint-6"):
        os._exit(9)
os.replace = replace_and_die
"""
"""Ends the process without any clearing up, as a kill does, when a checkpoint of six steps is whole."""
ARMS = ["x-y", "hybrid-alpha-0.25", "hybrid-alpha-0.5", "curriculum"]


def test_the_documented_sweep_trains_and_evaluates_each_cell_once(xlbench, folder, documented):
    """Eight cells with their commands, one table with intervals over seeds; the second time nothing is done anew."""
    outcome = xlbench("train", documented, "--output", "trained", "--device", "cpu", "--quiet")
    assert outcome.code == 0, outcome.err
    names = [f"{arm}-seed{seed}" for seed in (0, 1) for arm in ARMS]
    assert [line.rpartition("/")[2] for line in outcome.out.splitlines() if "Saved to trained/" in line][::2] == names
    record = json.loads((folder / "trained/hybrid-alpha-0.25-seed1/training.json").read_text())
    assert record["run"]["recipe"]["stages"][0]["batches"] == {"mono": 0.25, "cross": 0.75}
    assert record["run"]["trainer"] == {"lr_scheduler_type": "cosine"}
    assert record["command"] == (
        "xlbench train --init tiny --pairs pairs.jsonl --recipe hybrid --alpha 0.25 --batch-size 4 --steps 2 --seed 1 "
        "--trainer-arg lr_scheduler_type=cosine"
    )
    assert {path.parent.name for path in folder.glob("trained/results/*/tiny.json")} == set(names)
    table = outcome.out.partition("tiny: means over seeds\n")[2]
    assert [line.split()[0] for line in table.splitlines()[2:6]] == ARMS
    assert "multilingual RankDistance" in table
    assert "tiny: differences from x-y, of models with the same seed" in outcome.out
    assert "t intervals over seeds" in outcome.out
    before = {path: path.stat().st_mtime_ns for path in folder.glob("trained/**/*") if path.is_file()}
    again = xlbench("train", documented, "--output", "trained", "--device", "cpu", "--quiet")
    assert again.out.count("Model already exists") == again.out.count("Result already exists") == 8
    assert again.out.partition("tiny: means")[2] == outcome.out.partition("tiny: means")[2]
    assert {path: path.stat().st_mtime_ns for path in folder.glob("trained/**/*") if path.is_file()} == before


def test_a_cell_that_was_killed_goes_on_and_gives_the_same_weights(xlbench, folder, task, pairs):  # noqa: F811
    """After its process ended in the middle, the same command resumes it; an undisturbed sweep has the same bytes."""
    make_sentence_bert(folder / "tiny")
    options = {"pairs": pairs, "batch_size": 4, "steps": 9, "save_every": 3}
    sweep = write(folder, {"models": ["tiny"], "tasks": [task], "options": options})
    command = ("train", sweep, "--device", "cpu", "--quiet", "--output")
    assert finish(start(folder, *command, "killed", setup=KILLED, OMP_NUM_THREADS="1")).code == 9
    assert (folder / "killed/tiny-seed0/checkpoint-6").is_dir()
    assert not (folder / "killed/tiny-seed0/modules.json").exists()
    assert xlbench(*command, "killed").code == 0
    assert xlbench(*command, "whole").code == 0
    killed, whole = (folder / name / "tiny-seed0/model.safetensors" for name in ("killed", "whole"))
    assert killed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"variants": [{"alhpa": 0.5}]}, 2, "sweep.yaml, line 9: 'alhpa' is no option of xlbench train here. Did you"),
        ({"options": {"batch-size": 4}}, 2, "'batch-size' is no option of xlbench train here. Did you mean 'batch_si"),
        ({"evaluation": {"limt": 4}}, 2, "'limt' is no option of xlbench run here. Did you mean 'limit'?"),
        ({"sedes": [1]}, 2, "sweep.yaml, line 8: Object contains unknown field `sedes`. Did you mean 'seeds'?"),
        ({"variants": [{}, {"alpha": 1.5}]}, 2, "lines 2 and 10: Invalid value for '--alpha': 1.5 is not in the range"),
        ({"variants": [{"recipe": "x-y", "alpha": 0.5}]}, 1, "lines 2 and 9: alpha is the share of monolingual"),
        ({"variants": [{"batch_size": [4, 40]}]}, 1, "lines 2 and 9: No language has more than 20 rows"),
        ({"variants": [{"name": "a"}, {"name": "a", "steps": 3}]}, 2, "lines 2 and 10: a-seed0 is trained already"),
        ({"variants": [{"symmetric": "yes"}]}, 2, "lines 2 and 9: symmetric is 'yes'; expected true or false"),
        ({"models": ["./absent"]}, 2, "line 2: Unknown model './absent'"),
        ({"tasks": ["demmo"]}, 2, "sweep.yaml, tasks: Unknown task 'demmo'. Did you mean 'demo'?"),
        ({"measures": ["APP"]}, 2, "Unknown measure 'APP'. Did you mean 'AP'?"),
        ({"options": {}}, 2, "line 2: no pairs are named"),
        (
            {"options": {"pairs": "pairs.jsonl", "steps": [2, 3]}},
            2,
            "steps takes one value: put the list into a variant",
        ),
    ],
)
def test_mistakes_are_said_before_anything_is_trained(xlbench, folder, task, pairs, changes, code, said):  # noqa: F811
    """Whatever is wrong is led to by file and line, and there is no folder."""
    make_sentence_bert(folder / "tiny")
    content = {"models": ["tiny"], "tasks": [task], "options": {"pairs": pairs, "batch_size": 4}}
    sweep = write(folder, content | changes)
    outcome = xlbench("train", sweep, "--output", "trained", "--device", "cpu", "--quiet", "--steps", "2")
    if "steps" in str(changes):
        outcome = xlbench("train", sweep, "--output", "trained", "--device", "cpu", "--quiet")
    assert (outcome.code, said in outcome.err) == (code, True), outcome.err
    assert not (folder / "trained").exists()


def test_options_beside_a_sweep_hold_for_all_and_contradict_nothing(xlbench, folder, task, pairs):  # noqa: F811
    """What the file says is refused beside it; so are a sweep over several processes, and no model at all."""
    sweep = write(folder, {"models": ["tiny"], "tasks": [task], "options": {"pairs": pairs}})
    outcome = xlbench("train", sweep, "--output", "trained", "--pairs", pairs)
    assert (outcome.code, f"--pairs is what {sweep} says" in outcome.err) == (2, True)
    missing = xlbench("train", "--output", "trained", "--pairs", pairs)
    assert (missing.code, "Missing option '--init', or a file of a sweep" in missing.err) == (2, True)
