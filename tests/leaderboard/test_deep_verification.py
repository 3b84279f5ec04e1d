"""Models of merged submissions are run again with a seed that nobody could choose, and what agrees is proposed."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.leaderboard.test_workflows import git
from xlbench.leaderboard.deep_records import load_outcomes, load_records
from xlbench.leaderboard.deep_sample import seed_of

ROOT = Path(__file__).parents[2]
HASH = Path("leaderboard/submissions/hash/demo")


@pytest.fixture
def tool(monkeypatch):
    """The tool of the workflow."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("deep_verification")


@pytest.fixture
def merged(tmp_path, made_once, monkeypatch):
    """A repository into which a submission was just merged."""
    folder = tmp_path / "repository"
    (folder / HASH).parent.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    shutil.copytree(made_once, folder / HASH)
    commit(folder, "merged")
    monkeypatch.chdir(folder)
    return folder


def commit(folder: Path, message: str) -> str:
    """A commit of all that is there, and its name."""
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def asked(tool, **words: str) -> dict[str, str]:
    """What a maintainer asks for."""
    return dict.fromkeys(tool.ASKED, "") | words


def test_the_seed_is_of_the_first_later_commit(tool, merged):
    """Until there is one nothing is due, and no later one takes its place: nobody can try several."""
    assert tool.later_commit(HASH) is None
    assert tool.choose(asked(tool)) is None
    later = commit(merged, "later")
    commit(merged, "latest")
    assert tool.later_commit(HASH) == later
    assert tool.choose(asked(tool)) == tool.Choice(HASH.as_posix(), "hash", (), 0.1, later)


def test_a_maintainer_may_name_a_submission_and_how(tool, merged):
    """Arguments are the maintainer's; what the nightly run is to leave alone is left to one."""
    later = commit(merged, "later")
    words = {"FOLDER": HASH.as_posix(), "MODEL": "hash", "ARGUMENTS": "a=1 b=2", "PASSAGES": "1"}
    assert tool.choose(asked(tool, **words)) == tool.Choice(HASH.as_posix(), "hash", ("a=1", "b=2"), 1.0, later)
    assert tool.choose(asked(tool, BY_HAND=HASH.as_posix())) is None
    with pytest.raises(SystemExit, match="is no submission that waits"):
        tool.choose(asked(tool, FOLDER="leaderboard/submissions/other/demo"))


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("hash", {}, "hash"),
        ("owner/name", {}, "owner/name"),
        ("owner/name", {"dtype": "float16"}, None),
        ("x.py:Class", {}, None),
        ("module:Class", {}, None),
        ("../x/y", {}, None),
        ("a folder", {}, None),
    ],
)
def test_what_runs_unattended_has_no_code_of_its_own(tool, name, arguments, expected):
    """Models of the Hub by their id and those that are built in, without arguments: some have code run."""
    assert tool.unattended(SimpleNamespace(model={"name": name, "arguments": arguments})) == expected


def test_what_agrees_is_proposed_and_nothing_that_was_changed(tool, merged, tmp_path, monkeypatch):
    """What the check left is held against the submission, the commit and the seed before it is recorded."""
    later = commit(merged, "later")
    monkeypatch.setattr("sys.argv", ["x", "choose", "--output", "choice.json"])
    tool.main()
    monkeypatch.setattr("sys.argv", ["x", "run", "choice.json", "--output", "outcome.json"])
    with pytest.raises(SystemExit, match="0"):
        tool.main()
    (outcome,) = load_outcomes(Path("outcome.json"))
    assert outcome.agrees
    changed = {
        "no sound submission has this digest": replace(outcome, digest="0" * 64),
        "Its ranks are not the model's.": replace(outcome, agrees=False, problems=("Its ranks are not the model's.",)),
        "model or task are not": replace(outcome, record=replace(outcome.record, model="other")),
        "the seed is not that": replace(outcome, record=replace(outcome.record, seed=1)),
        "the seed is not": replace(outcome, record=replace(outcome.record, commit="0" * 40)),
        "the sample, the slack or the tolerance": replace(outcome, record=replace(outcome.record, sample=1)),
        "the sample, the slack": replace(outcome, record=replace(outcome.record, tolerance=1.0)),
        "'''": replace(outcome, agrees=False, problems=("```\n@everybody",)),
    }
    said = tool.accept(changed.values())
    assert said.count("```") == 2
    assert len(said.splitlines()) == 2 + len(changed)
    for reason, line in zip(changed, said.splitlines()[1:], strict=False):
        assert f"not recorded: {reason}" in line
    assert load_records(tool.RECORDS) == {}
    said = tool.accept([outcome])
    seed = seed_of(outcome.digest, later)
    assert f"{HASH}: sample-verified; digest {outcome.digest}, commit {later}, seed {seed}, 200 queries" in said
    assert load_records(tool.RECORDS) == {outcome.digest: outcome.record}
    assert tool.choose(asked(tool)) is None
    assert json.loads(tool.RECORDS.read_text())[outcome.digest]["level"] == "sample-verified"
