"""What runs on a pull request of a stranger, and what it may do."""

from __future__ import annotations

import json
import os
import re
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


@pytest.mark.parametrize("name", ["leaderboard-check", "leaderboard-comment", "leaderboard-page", "leaderboard-deep"])
def test_no_workflow_puts_a_stranger_s_words_into_a_command(name):
    """Commands take what comes from an event through the environment, and no workflow runs on pull_request_target."""
    found = workflow(name)
    assert "pull_request_target" not in found[True]
    for job in found["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}|", step.get("uses", ""))


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_every_workflow_ends_and_runs_actions_that_stay_the_same(path):
    """Each job has a timeout, and each action the commit that was looked at, with its version beside it."""
    found = workflow(path.stem)
    assert all(job["timeout-minutes"] <= 60 for job in found["jobs"].values())
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", each) for each in used)


def test_strangers_weights_run_without_rights():
    """The job that runs a model may read and nothing else; the one that proposes a record runs no model."""
    found = workflow("leaderboard-deep")
    assert set(found[True]) == {"schedule", "workflow_dispatch"}
    assert found["permissions"] == {"contents": "read"}
    check, propose = found["jobs"]["check"], found["jobs"]["propose"]
    assert "permissions" not in check
    assert check["steps"][0]["with"]["persist-credentials"] is False
    assert "secrets" not in json.dumps(found, default=str)
    assert "github.token" not in json.dumps(check)
    assert not [step for step in propose["steps"] if " run " in step.get("run", "")]
    for job in (check, propose):
        assert job["steps"][0]["with"]["ref"] == "main"


def test_the_comment_may_write_to_pull_requests_only():
    """It runs after the check, on what that left, and checks out no code."""
    found = workflow("leaderboard-comment")
    assert list(found[True]) == ["workflow_run"]
    assert found["permissions"] == {"actions": "read", "pull-requests": "write"}
    uses = [step["uses"].partition("@")[0] for step in found["jobs"]["comment"]["steps"] if "uses" in step]
    assert uses == ["actions/download-artifact"]


GH = """#!/bin/sh
case $1-$2 in
pr-view) echo abc ;;
api-*) cat changed ;;
*) echo "$@" >> commented ;;
esac
"""


@pytest.mark.parametrize("changed", [".github/workflows/leaderboard-check.yml", "README.md", "leaderboard-x"])
def test_a_pull_request_cannot_dictate_the_comment_on_itself(tmp_path, changed):
    """It runs its own form of the check; what that says is repeated only where it changed nothing but the board."""
    run = workflow("leaderboard-comment")["jobs"]["comment"]["steps"][1]["run"]
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "number.txt").write_text("7\n")
    (tmp_path / "found" / "found.txt").write_text("1 of 1 submissions can be taken.")
    (tmp_path / "changed").write_text(f'"leaderboard/submissions/hash/demo/ranks.parquet"\n"{changed}"\n')
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HEAD": "abc", "GH_REPO": "owner/xlbench"}
    subprocess.run(["bash", "-e", "-c", run], cwd=tmp_path, env=environment, check=True)
    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert "It changes more than submissions" in comment
    assert "can be taken" not in comment


def test_a_comment_cannot_leave_its_block_of_code(tmp_path):
    """Backticks and control characters of what the check left are gone before it is put into a comment."""
    run = workflow("leaderboard-comment")["jobs"]["comment"]["steps"][1]["run"]
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "number.txt").write_text("7\n")
    (tmp_path / "found" / "found.txt").write_text("```\n@everybody \x1b[31m<b>\n" + "x" * 100_000)
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HEAD": "abc", "GH_REPO": "owner/xlbench"}
    (tmp_path / "changed").write_text('"leaderboard/submissions/hash/demo/ranks.parquet"\n')
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
    """A clone in which a pull request adds a submission; another model has one."""
    folder = tmp_path / "head"
    (folder / "leaderboard" / "submissions").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    rival = shutil.copytree(made_once, folder / "leaderboard" / "submissions" / "rival" / "demo")
    edit(rival / "manifest.json", lambda record: record.update(model="rival"))
    edit(rival / "result.json", lambda record: record["model"].update(name="rival"))
    (folder / "leaderboard" / "deep-verified.json").write_text("{}")
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


def board(head: Path) -> Path:
    """The folder of submissions."""
    return head / "leaderboard" / "submissions"


def test_the_submissions_of_a_pull_request_are_checked(head):
    """What it adds is in the comment, with the row that it makes, and what is worth a look."""
    code, found = checked(head)
    assert code == 0
    assert "1 of 1 submissions can be taken." in found
    assert ".194" in found
    assert "It has the very same ranks as " in found


def test_a_pull_request_with_a_wrong_submission_fails(head):
    """The comment says which number does not follow."""
    edit(board(head) / "hash" / "demo" / "result.json", lambda record: record["references"]["LPR"].update(random=0.5))
    code, found = checked(head)
    assert code == 1
    assert "random LPR: 0.5 is claimed" in found


def test_a_pull_request_that_leaves_submissions_alone_passes(head):
    """One that changes something else has nothing to check."""
    shutil.rmtree(board(head) / "hash")
    (head / "leaderboard" / "README.md").write_text("More.")
    (head / "README.md").write_text("Other.")
    assert checked(head) == (0, "There is no submission to check.\n")


def replace_ranks(head: Path) -> None:
    (board(head) / "rival" / "demo" / "ranks.parquet").write_bytes(b"PAR1")


def change_records_only(head: Path) -> None:
    shutil.rmtree(board(head) / "hash")
    (head / "leaderboard" / "deep-verified.json").write_text('{"x": {}}')


def add_to_a_rival(head: Path) -> None:
    shutil.move(board(head) / "hash" / "demo", board(head) / "rival" / "xquad-r")


def add_a_variant_of_a_rival(head: Path) -> None:
    shutil.move(board(head) / "hash", board(head) / "rival--better")


def make_the_folder_a_link(head: Path) -> None:
    shutil.move(board(head), head / "elsewhere")
    board(head).symlink_to("../elsewhere")


def make_the_board_a_link(head: Path) -> None:
    shutil.move(head / "leaderboard", head / "elsewhere")
    (head / "leaderboard").symlink_to("elsewhere")


def add_a_dangling_link(head: Path) -> None:
    (board(head) / "x\n1 of 1 submissions can be taken.").symlink_to("nowhere")


def link_evidence(head: Path) -> None:
    path = board(head) / "hash" / "demo" / "ranks.parquet"
    path.unlink()
    path.symlink_to("../../rival/demo/ranks.parquet")


def name_without_utf8(head: Path) -> None:
    (Path(os.fsdecode(os.fsencode(board(head)) + b"/\xff\xfe"))).write_text("x")


def two_models(head: Path) -> None:
    shutil.copytree(board(head) / "hash", board(head) / "other")


def two_models_by_case(head: Path) -> None:
    shutil.copytree(board(head) / "hash", board(head) / "HASH")


def run_anything(head: Path) -> None:
    (board(head) / "hash" / "demo" / "result.json").chmod(0o755)


REQUESTS = [
    (replace_ranks, "It changes 'leaderboard/submissions/rival/demo/ranks.parquet', which is there already."),
    (lambda head: shutil.rmtree(board(head) / "rival"), "It removes 'leaderboard/submissions/rival/demo/m"),
    (change_records_only, "It changes 'leaderboard/deep-verified.json', which is the maintainers'."),
    (add_to_a_rival, "The model 'rival' has submissions already"),
    (add_a_variant_of_a_rival, "The model 'rival' has submissions already"),
    (make_the_folder_a_link, "It changes 'leaderboard/submissions', which is no file of a submission."),
    (make_the_board_a_link, "It changes 'leaderboard', which is no file of a submission."),
    (add_a_dangling_link, r"submissions/x\n1 of 1 submissions can be taken.', which is no file of a submission."),
    (link_evidence, "It adds 'leaderboard/submissions/hash/demo/ranks.parquet' as a link."),
    (name_without_utf8, r"It changes 'leaderboard/submissions/\\xff\\xfe', which is no file of a submission."),
    (two_models, "It has submissions of 2 models; expected those of one."),
    (two_models_by_case, "It has submissions of 2 models; expected those of one."),
    (run_anything, "It adds 'leaderboard/submissions/hash/demo/result.json' as an executable file."),
    (lambda head: (head / "README.md").write_text("Other."), "It changes 'README.md', which is no f"),
    (lambda head: (board(head) / "hash" / "notes.txt").write_text("x"), "'leaderboard/submissions/hash/notes.txt'"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "reason"), REQUESTS)
def test_a_pull_request_may_add_submissions_of_one_model_and_nothing_else(head, spoil, reason):
    """The comment has the reason, each on a line of its own, and no line that the request wrote."""
    spoil(head)
    code, found = checked(head)
    assert code == 1
    assert reason in found
    assert all(
        line.startswith(("A pull request may add", "- It ", "- The model ", "- And ")) for line in found.splitlines()
    )
    assert found.isascii()
