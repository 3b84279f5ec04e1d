"""Tests of commands where a library is not installed, or a model is not there: one sentence, before the work."""

from __future__ import annotations

import pytest

from tests.cli.conftest import finish, start
from tests.reports.made_results import made_result
from xlbench.results import save


@pytest.mark.parametrize(
    ("module", "command", "said"),
    [
        ("jinja2", "report made.json --output a.html", "The HTML report needs jinja2, which is not installed: pip"),
        ("matplotlib", "leaderboard build made", "The site needs matplotlib, which is not installed: pip install"),
        ("accelerate", "train --init a --pairs made.json --output b", "Training needs accelerate, which is not"),
        ("torch", "average a b --output c", "torch is not installed, and this command needs it: install xlbench"),
        ("numba", "run --model hash --task demo", "numba is not installed, and this command needs it: install"),
    ],
)
def test_a_missing_library_is_one_sentence(folder, module, command, said):
    """There is no stack trace, and the sentence says what to install."""
    save(made_result(), folder / "made.json")
    (folder / "made").mkdir()
    outcome = finish(start(folder, *command.split(), setup=f"import sys; sys.modules['{module}'] = None"))
    assert (outcome.code, outcome.out) == (1, "")
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"xlbench: {said}")


def test_an_error_in_the_code_is_no_missing_library(folder):
    """A module of xlbench itself that is not there is shown with its stack trace."""
    process = start(folder, "models", setup="import sys; sys.modules['xlbench.models.kinds'] = None")
    out, err = process.communicate(timeout=180)
    assert out == ""
    assert "Traceback" in err


@pytest.mark.parametrize(
    "command", ["run --model owner/name --task demo", "average owner/name other --output c", "mine --model owner/name"]
)
def test_a_missing_model_without_a_network_is_one_sentence(folder, command):
    """The Hub's library retries nothing, and says nothing of its own."""
    (folder / "pairs.jsonl").write_text('{"id": "1", "queries": {"de": "a"}, "passages": {"de": "b"}}\n')
    more = ["--pairs", "pairs.jsonl", "--output", "mined.jsonl"] if command.startswith("mine") else []
    outcome = finish(start(folder, *command.split(), *more, HF_ENDPOINT="http://127.0.0.1:9", no_proxy="*"))
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("xlbench: owner/name is no folder here, and the model hub cannot be reached.")
