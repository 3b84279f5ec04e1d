"""What runs on a pull request of a stranger, and what it may do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.leaderboard.made_submissions import edit

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
TOOL = ROOT / "tools" / "check_pull_request.py"


def workflow(name: str) -> dict:
    """A workflow; YAML takes the key ``on`` for a truth value."""
    return yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))


def test_a_pull_request_is_checked_without_rights():
    """What looks at a stranger's files may read and nothing else, has no secrets, and runs the base branch's code."""
    found = workflow("leaderboard-check")
    assert list(found[True]) == ["pull_request"]
    assert found["permissions"] == {"contents": "read"}
    assert "permissions" not in found["jobs"]["check"]
    base, head, *_ = found["jobs"]["check"]["steps"]
    assert "base.sha" in base["with"]["ref"]
    assert "path" not in base["with"]
    assert head["with"]["path"] == "head"
    assert "secrets" not in json.dumps(found, default=str)


@pytest.mark.parametrize("name", ["leaderboard-check", "leaderboard-comment", "leaderboard-page"])
def test_no_workflow_puts_a_stranger_s_words_into_a_command(name):
    """Commands take what comes from an event through the environment, and no workflow runs on pull_request_target."""
    found = workflow(name)
    assert "pull_request_target" not in found[True]
    for job in found["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert step.get("uses", "actions/").startswith("actions/")


def test_the_comment_may_write_to_pull_requests_only():
    """It runs after the check, on what that left, and checks out no code."""
    found = workflow("leaderboard-comment")
    assert list(found[True]) == ["workflow_run"]
    assert found["permissions"] == {"actions": "read", "pull-requests": "write"}
    uses = [step["uses"].partition("@")[0] for step in found["jobs"]["comment"]["steps"] if "uses" in step]
    assert uses == ["actions/download-artifact"]


def test_a_comment_cannot_leave_its_block_of_code(tmp_path):
    """Backticks and control characters of what the check left are gone before it is put into a comment."""
    run = workflow("leaderboard-comment")["jobs"]["comment"]["steps"][1]["run"]
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "number.txt").write_text("7\n")
    (tmp_path / "found" / "found.txt").write_text("```\n@everybody \x1b[31m<b>\n" + "x" * 100_000)
    (tmp_path / "gh").write_text('#!/bin/sh\n[ "$2" = view ] && echo abc || echo "$@" >> commented\n')
    (tmp_path / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HEAD": "abc"}
    subprocess.run(["bash", "-e", "-c", run], cwd=tmp_path, env=environment, check=True)
    lines = (tmp_path / "comment.md").read_text(encoding="utf-8").splitlines()
    assert lines.count("```") == 2
    assert (lines[1], lines[-1]) == ("```", "```")
    assert lines[2:4] == ["'''", "@everybody [31m<b>"]
    assert sum(map(len, lines)) < 61_000
    assert (tmp_path / "commented").read_text().startswith("pr comment 7 --body-file comment.md")
    (tmp_path / "found" / "number.txt").write_text("7; rm -rf /")
    ran = subprocess.run(["bash", "-e", "-c", run], cwd=tmp_path, env=environment, check=False, capture_output=True)
    assert (ran.returncode, ran.stdout) == (1, b"No number of a pull request.\n")


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints, as nobody in particular."""
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def head(tmp_path, made_once):
    """A clone in which a pull request adds a submission."""
    folder = tmp_path / "head"
    (folder / "leaderboard" / "submissions").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "leaderboard" / "submissions" / ".gitkeep").write_text("")
    (folder / "README.md").write_text("Read me.")
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "base")
    git(folder, "tag", "base")
    shutil.copytree(made_once, folder / "leaderboard" / "submissions" / "hash" / "demo")
    return folder


def checked(head: Path) -> tuple[int, str]:
    """The exit code, and what is to be commented."""
    git(head, "add", "--all")
    git(head, "commit", "-q", "-m", "head")
    command = [sys.executable, str(TOOL), "head", "base", "--number", "7", "--output", "found"]
    ran = subprocess.run(command, cwd=head.parent, check=False, capture_output=True, text=True)
    assert "Traceback" not in ran.stderr
    assert (head.parent / "found" / "number.txt").read_text() == "7\n"
    return ran.returncode, (head.parent / "found" / "found.txt").read_text(encoding="utf-8")


def test_the_submissions_of_a_pull_request_are_checked(head):
    """What it adds is in the comment, with the row that it makes."""
    code, found = checked(head)
    assert code == 0
    assert "1 of 1 submissions can be taken." in found
    assert ".194" in found


def test_a_pull_request_with_a_wrong_submission_fails(head):
    """The comment says which number does not follow, that it removes another, and that it changes other files."""
    demo = head / "leaderboard" / "submissions" / "hash" / "demo"
    edit(demo / "result.json", lambda record: record["references"]["LPR"].update(random=0.5))
    (head / "leaderboard" / "deep-verified.json").write_text("{}")
    code, found = checked(head)
    assert code == 1
    assert "random LPR: 0.5 is claimed" in found
    assert "It changes 1 files that are no submission; hand those in by themselves." in found


def test_a_pull_request_without_submissions_passes(head):
    """One that changes something else, or removes a submission, has nothing to check."""
    shutil.rmtree(head / "leaderboard" / "submissions" / "hash")
    (head / "leaderboard" / "README.md").write_text("More.")
    assert checked(head) == (0, "There is no submission to check.\n")
