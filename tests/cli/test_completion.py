"""Tests of ``xlbench completion``, and of what a shell completes."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import finish, start
from xlbench import catalogue


def completed(folder, words: str) -> list[str]:
    """What bash is given for a line that ends where the cursor is."""
    given = words.split(" ")
    environment = {"_XLBENCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(given) - 1)}
    return finish(start(folder, **environment)).out.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("xlbench comp", ["plain,compare", "plain,completion"]),
        ("xlbench run --task mlqa", ["plain,mlqa-r", "plain,mlqa-r-context", "plain,mlqa-r-paragraph"]),
        ("xlbench run --task demo xquad-r-c", ["plain,xquad-r-context"]),
        (
            "xlbench run --task mlqa-r --language ",
            [f"plain,{code}" for code in ["ar", "de", "en", "es", "hi", "vi", "zh"]],
        ),
        ("xlbench run --task mlqa-r --language de e", ["plain,en", "plain,es"]),
        ("xlbench run --model ha", ["plain,hash"]),
        ("xlbench run --model ./fol", ["file,./fol"]),
        ("xlbench run --task my.ya", ["file,my.ya"]),
        ("xlbench tasks mlqa-r-c", ["plain,mlqa-r-context"]),
        ("xlbench check beir-nf", ["plain,beir-nfcorpus"]),
        ("xlbench verify --model use", ["plain,use-multilingual"]),
        ("xlbench run --language de --lim", ["plain,--limit"]),
    ],
)
def test_names_are_completed(folder, words, expected):
    """Commands, options, tasks, models, and languages of the tasks that are named; files where no name fits."""
    assert completed(folder, words) == expected


def test_without_a_task_the_languages_are_those_of_all_or_of_the_usual_ones(folder):
    """A command that takes some tasks unless others are named offers their languages; an unknown task offers none."""
    languages = {code for name in catalogue.names() for code in catalogue.load(name).languages}
    assert completed(folder, "xlbench fetch --language ") == [f"plain,{code}" for code in sorted(languages)]
    usual = sorted(catalogue.load("xquad-r").languages)
    assert completed(folder, "xlbench run --language ") == [f"plain,{code}" for code in usual]
    assert completed(folder, "xlbench run --task no.yaml --language ") == [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(xlbench, shell):
    """The script asks xlbench what fits."""
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash is here, whose version click asks for")
    outcome = xlbench("completion", shell)
    assert outcome.code == 0
    assert f"_XLBENCH_COMPLETE={shell}_complete" in outcome.out
    assert xlbench("completion", "csh").code == 2
