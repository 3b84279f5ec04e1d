"""Tests of the options that commands share."""

from __future__ import annotations

import json
import shutil

import click
import pytest

from tests.cli.conftest import finish, start, write_task
from xlbench.cli.options import default_cache_dir, model_arguments


@pytest.mark.parametrize(
    "languages",
    [
        ["--language", "de", "en"],
        ["--language", "de", "--language", "en"],
        ["--language=de", "--language", "en"],
        ["--language", "en", "de", "--quiet"],
        ["--language", "de,en"],
        ["--language", "de,", "en"],
    ],
)
def test_an_option_takes_several_values_or_is_repeated(xlbench, folder, task, languages):
    """``--language de en`` and ``--language de --language en`` are the same run."""
    assert xlbench("run", "--model", "hash", "--task", task, *languages).code == 0
    result = json.loads((folder / "results/hash/tiny.json").read_text(encoding="utf-8"))
    assert result["missing_languages"] == ["th"]


def test_values_do_not_depend_on_what_lies_in_the_folder(xlbench, folder, task):
    """A folder of a language's name makes no argument of a value."""
    (folder / "en").mkdir()
    for dimensions in ("16", "32"):
        assert xlbench("run", "--model", "hash", "--task", task, "--model-arg", f"dimensions={dimensions}").code == 0
    paths = [str(folder / f"results/hash+dimensions={dimensions}/tiny.json") for dimensions in (16, 32)]
    outcome = xlbench("compare", *paths, "--language", "de", "en")
    assert outcome.code == 0
    assert "queries in de, en" in outcome.out
    assert xlbench("compare", "--language", "de", "en", "--", *paths).out == outcome.out
    swallowed = xlbench("check", "--language", "de", task)
    assert swallowed.code == 2
    assert "put TASK... before the options, or after --" in swallowed.err


def test_a_single_option_takes_no_second_value(xlbench, task):
    """Two values after an option that takes one are a usage error, not silently dropped."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--name", "mine", "other")
    assert outcome.code == 2
    assert "File 'other' does not exist" in outcome.err


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("k=3", 3),
        ("k=0.5", 0.5),
        ("k=true", True),
        ("k=null", None),
        ("k=[1, 2]", [1, 2]),
        ("k=mean", "mean"),
        ("k=query: ", "query: "),
        ("k=a=b", "a=b"),
        ("k=", ""),
        ('k="3"', "3"),
    ],
)
def test_a_model_argument_is_json_or_else_text(pair, value):
    """A value that is JSON is taken as such, any other as text; only the first ``=`` separates."""
    found = model_arguments([pair])["k"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["dimensions"], "'dimensions' is not KEY=VALUE."),
        (["=3"], "'=3' is not KEY=VALUE."),
        (["a b=3"], "'a b=3' is not KEY=VALUE."),
        (["k=1", "k=2"], "'k' is given twice."),
    ],
)
def test_a_model_argument_that_is_none_is_a_usage_error(pairs, message):
    """An argument without key or value, or given twice, is refused."""
    with pytest.raises(click.BadParameter) as error:
        model_arguments(pairs)
    assert error.value.message == message
    assert error.value.exit_code == 2


def test_model_arguments_reach_the_model_and_the_result(xlbench, folder, task):
    """Several arguments after one --model-arg are typed, given to the class and kept in the result."""
    model = ["--model", "models.py:Faulty", "--model-arg", "fault=no", "level=2"]
    assert xlbench("run", *model, "--task", task).code == 0
    result = json.loads((folder / "results/faulty+fault=no+level=2/tiny.json").read_text(encoding="utf-8"))
    assert result["model"]["adapter"] == "class"
    assert result["model"]["arguments"] == {"fault": "no", "level": 2}


@pytest.mark.parametrize("way", ["--data-dir", "XLBENCH_DATA"])
def test_data_is_looked_up_in_the_data_folder(xlbench, folder, monkeypatch, way):
    """Files are found below --data-dir or XLBENCH_DATA by the task's path; without either they are missing."""
    task = write_task(folder / "task")
    (folder / "data").mkdir()
    shutil.move(task.with_suffix(".jsonl"), folder / "data/tiny.jsonl")
    command = ["run", "--model", "hash", "--task", task, "--quiet"]
    missing = xlbench(*command)
    assert missing.code == 1
    assert "tiny.jsonl was not found in" in missing.err
    if way == "XLBENCH_DATA":
        monkeypatch.setenv("XLBENCH_DATA", str(folder / "data"))
        assert xlbench(*command).code == 0
    else:
        assert xlbench(*command, "--data-dir", folder / "data").code == 0


def test_the_cache_is_where_the_option_or_the_environment_says(xlbench, folder, task):
    """--cache-dir goes before XLBENCH_CACHE, which goes before the user's cache folder."""
    xlbench("run", "--model", "hash", "--task", task, "--cache-dir", "here")
    assert (folder / "here/vectors").is_dir()
    assert not (folder / "cache").exists()
    xlbench("run", "--model", "hash", "--task", task, "--force")
    assert (folder / "cache/vectors").is_dir()


def test_without_a_choice_the_cache_is_the_users(folder, monkeypatch):
    """The user's cache folder has one for xlbench."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    assert default_cache_dir(None).name == "xlbench"
    assert default_cache_dir(folder) == folder


SAME = """
import numpy as np

class Same:
    name = "same"
    revision = "1"

    def encode_queries(self, texts):
        return np.ones((len(texts), 3), np.float32)

    encode_passages = encode_queries
"""


def test_what_is_logged_is_chosen(folder, task):
    """--log-level info says what was done and how long it took, error leaves warnings out; without it they are said."""
    (folder / "same.py").write_text(SAME, encoding="utf-8")
    said = {}
    for level in ("info", "error", None):
        chosen = () if level is None else ("--log-level", level)
        run = ("run", "--model", "same.py:Same", "--task", task, "--quiet", "--force")
        said[level] = finish(start(folder, *chosen, *run)).err
    assert "INFO xlbench: same on tiny: {'encode_s'" in said["info"]
    assert "WARNING xlbench: same:" in said["info"]
    assert said["error"] == ""
    assert said[None].startswith("same:")
    assert finish(start(folder, "--log-level", "loud", "models")).code == 2
