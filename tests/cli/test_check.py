"""``xlbench check``: what it prints, how it exits, and what it says of data that cannot be read."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from tests.cli.conftest import write_task

THINGS = ("river", "bridge", "castle", "orchard", "harbour", "market", "tunnel", "garden", "library", "station")
DEEDS = ("opened", "burnt", "flooded", "moved", "sold", "painted", "closed", "rebuilt", "named", "measured")
N = len(THINGS) * len(DEEDS)
WriteTask = Callable[..., str]


def passage(i: int) -> str:
    """What answers the ``i``-th question."""
    thing, deed = list(product(THINGS, DEEDS))[i]
    return f"As all of the older people here remember well, the {thing} was {deed} in {1800 + i}."


def shuffled() -> list[int]:
    """The questions in a random order."""
    return random.Random(0).sample(range(N), N)


@pytest.fixture
def english(folder: Path) -> WriteTask:
    """Writes a task of 100 English questions; the passage beside each is the one that answers question ``order[i]``."""

    def write(name: str = "made", order: Sequence[int] = range(N)) -> str:
        data = folder / f"{name}-data.jsonl"
        with data.open("w", encoding="utf-8") as file:
            for i, (thing, deed) in enumerate(product(THINGS, DEEDS)):
                query = {"en": f"When was the {thing} of this town {deed}?"}
                print(json.dumps({"id": str(i), "queries": query, "passages": {"en": passage(order[i])}}), file=file)
        sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
        changes = {
            "source": {"url": None, "path": data.name, "sha256": {"en": sha256}},
            "sizes": {"en": {"queries": N, "passages": N}},
            "settings": ["mono"],
            "measures": ["AP"],
        }
        return str(write_task(folder, name=name, languages=("en",), **changes).relative_to(folder))

    return write


def test_sound_data_exits_with_0(xlbench, english):
    """Tables, and a last line that says that nothing makes numbers wrong."""
    ran = xlbench("check", english(), "--quiet")
    assert ran.code == 0
    assert "made: texts" in ran.out
    assert "made: ranks against chance" in ran.out
    assert ran.out.splitlines()[-1] == "made: nothing makes numbers wrong, 0 doubtful, 0 only to note."
    assert ran.err == ""


def test_shuffled_judgements_exit_with_1(xlbench, english):
    """Passages beside the wrong questions are found, first of all findings, with what to do."""
    ran = xlbench("check", english(order=shuffled()), "--model", "hash")
    assert ran.code == 1
    assert ran.out.count("wrong: settings at chance level: en>en.") == 1
    assert "read a few queries with their relevant" in ran.out
    assert ran.out.splitlines()[-1] == "made: 1 thing makes numbers wrong, 0 doubtful, 0 only to note."


def test_json_has_all_that_was_found(xlbench, english, folder):
    """The file has findings, sizes, and each setting with the models that were asked; the exit code is the same."""
    file = folder / "found.json"
    ran = xlbench(
        "check",
        english("sound"),
        english("broken", shuffled()),
        "--model",
        "hash",
        "--format",
        "json",
        "--output",
        file,
    )
    sound, broken = json.loads(file.read_text("utf-8"))
    assert ran.code == 1
    assert (sound["task"], sound["wrong"], broken["task"], broken["wrong"]) == ("sound", False, "broken", True)
    assert broken["findings"][0]["where"] == ["en>en"]
    assert sound["languages"][0]["n_passages"] == N
    assert sound["settings"][0]["verdict"] == "better than chance"
    assert sound["settings"][0]["models"][0]["model"] == "hash"
    assert sound["settings"][0]["models"][0]["standing"] > 0.9


def test_the_same_data_gives_the_same_bytes(xlbench, english):
    """Two runs print the same, whether vectors were there or not."""
    task = english()
    assert xlbench("check", task, "--quiet").out == xlbench("check", task, "--quiet").out


def test_a_file_has_what_would_be_printed(xlbench, english, folder):
    """With --output, the text goes to the file without colour."""
    task = english()
    printed = xlbench("check", task, "--quiet").out
    xlbench("check", task, "--quiet", "--output", folder / "found.txt")
    assert (folder / "found.txt").read_text("utf-8") == printed


def test_data_that_cannot_be_read_is_a_finding_and_does_not_keep_the_next_task_back(xlbench, english, folder):
    """A file that is cut off is said in its own words, and the task after it is examined."""
    cut = english("cut")
    data = folder / "cut-data.jsonl"
    data.write_bytes(data.read_bytes()[:-100])
    ran = xlbench("check", cut, english("whole"))
    assert ran.code == 1
    assert "wrong: the data cannot be read:" in ran.out
    assert "cut-data.jsonl" in ran.out
    assert "whole: nothing makes numbers wrong" in ran.out


def test_a_judgement_that_points_nowhere_is_a_finding(xlbench, folder):
    """A line of qrels that names a passage that is not there is said, with the id, and exits with 1."""
    (folder / "docs.jsonl").write_text('{"docid": "1#0", "title": "Rome", "text": "A town."}\n', encoding="utf-8")
    (folder / "topics.tsv").write_text("1\twhich town?\n", encoding="utf-8")
    (folder / "qrels.tsv").write_text("1\tQ0\t9#9\t1\n", encoding="utf-8")
    parts = {"passages": "docs.jsonl", "queries": "topics.tsv", "judgements": "qrels.tsv"}
    task = write_task(
        folder,
        languages=("en",),
        reader="miracl",
        text="title+text",
        source={part: {"url": None, "path": path, "sha256": None} for part, path in parts.items()},
        sizes={"en": {"queries": 1, "passages": 1}},
        settings=["mono"],
        measures=["AP"],
    )
    ran = xlbench("check", task)
    assert ran.code == 1
    assert "wrong: the data cannot be read:" in ran.out
    assert "9#9" in ran.out


def test_a_model_of_the_users_is_asked_across_languages(xlbench, task):
    """--model names a model for the settings that letters leave open, and its arguments are given to it."""
    ran = xlbench("check", task, "--model", "models.py:Counting", "--format", "json", "--quiet")
    models = {model["model"] for setting in json.loads(ran.out)[0]["settings"] for model in setting["models"]}
    assert ran.code == 0
    assert models <= {"hash", "owner/counting"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("xquod-r",), "Did you mean 'xquad-r'?"),
        (("demo", "--language", "fr"), "Unknown language 'fr'"),
        (("demo", "--setting", "both"), "'both' is not one of 'mono', 'cross', 'multi'"),
        (("demo", "--model-arg", "size=3"), "--model-arg needs --model"),
        (("demo", "--model", "hush"), "Did you mean 'hash'?"),
        ((), "Missing argument 'TASK...'"),
    ],
)
def test_a_misspelt_command_exits_with_2(xlbench, arguments, said):
    """What does not exist is said before any data is read."""
    ran = xlbench("check", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_a_setting_that_the_task_does_not_have_exits_with_2(xlbench, english):
    """A task without cross-lingual settings cannot be tested in them."""
    ran = xlbench("check", english(), "--setting", "cross")
    assert ran.code == 2
    assert "Task made has no such setting" in ran.err


def test_the_demo_is_sound_in_the_languages_that_the_default_model_knows(xlbench):
    """In German and Thai, use-multilingual finds the settings across languages to be better than chance."""
    ran = xlbench("check", "demo", "--language", "de", "th", "--quiet")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "demo: nothing makes numbers wrong, 0 doubtful, 0 only to note."
    assert "hash or use-multilingual" in ran.out
