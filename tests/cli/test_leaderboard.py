"""Tests of ``xlbench submit``, ``xlbench leaderboard check`` and ``xlbench leaderboard show``."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import start
from tests.leaderboard.made_submissions import ANSWERS, edit, made
from xlbench.leaderboard.deep_sample import seed_of

SUBMISSIONS = Path("leaderboard/submissions")
HASH = SUBMISSIONS / "hash" / "demo"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A sound submission with the result that it was made of; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    made(folder)
    return folder


@pytest.fixture
def result(folder, made_once):
    """The result of ``hash`` on ``demo``."""
    shutil.copytree(made_once / "results", folder / "results")
    return "results/hash/demo.json"


@pytest.fixture
def submission(folder, made_once):
    """A sound submission of ``hash`` on ``demo``, where the commands look for it."""
    shutil.copytree(made_once / "submissions", folder / SUBMISSIONS)
    return HASH


def test_a_result_becomes_a_row_of_the_leaderboard(xlbench, folder):
    """What `run` writes is submitted, checked and shown, with commands that each name the next."""
    (folder / "answers.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    assert xlbench("run", "--model", "hash", "--task", "demo", "--quiet").code == 0
    submitted = xlbench("submit", "results/hash/demo.json", "--manifest", "answers.json")
    assert (submitted.code, submitted.err) == (0, "")
    assert submitted.out.startswith(f"Saved to {HASH}\n")
    assert f"xlbench leaderboard check {HASH}\n" in submitted.out
    checked = xlbench("leaderboard", "check", HASH, "--quiet", "--jobs", 1)
    assert (checked.code, checked.err) == (0, "")
    title, header, _, row, *_, last = checked.out.splitlines()
    assert title == "Submissions whose numbers follow from their evidence"
    assert header.split()[:3] == ["model", "task,", "version"]
    assert row.split() == ["hash", "demo", "2", "AP", ".194", ".056", ".028", "1,068", "verified"]
    assert last == "1 of 1 submissions can be taken."
    shown = xlbench("leaderboard", "show", "--quiet", "--jobs", 1)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[0] == "demo, version 2"
    assert "hash" in shown.out
    assert "verified" in shown.out


def test_a_submission_that_is_not_sound_is_refused(xlbench, folder, submission):
    """The sentence names the measure, the setting and both numbers; the exit code is 1; a comment says the same."""
    other = folder / SUBMISSIONS / "hash--other" / "demo"
    shutil.copytree(submission, other)
    edit(other / "manifest.json", lambda record: record.update(submitter="`@all` | x"))
    edit(other / "result.json", lambda record: record["references"]["LPR"].update(random=0.5))
    outcome = xlbench("leaderboard", "check", "--format", "markdown", "--output", "comment.md", "--quiet", "--jobs", 1)
    assert (outcome.code, outcome.out) == (1, "Saved to comment.md\n")
    comment = (folder / "comment.md").read_text(encoding="utf-8")
    assert "| hash--other/demo | random LPR: 0.5 is claimed, and the evidence gives 0.0909" in comment
    assert comment.endswith("1 of 2 submissions can be taken.\n")
    shown = xlbench("leaderboard", "show", "--quiet", "--jobs", 1)
    assert shown.code == 0
    assert shown.err.startswith("Left out: leaderboard/submissions/hash--other/demo: random LPR: 0.5 is claimed")


def test_hostile_names_do_not_reach_the_terminal(xlbench, folder, submission):
    """Names of folders and files with line breaks and escape codes are shown without them."""
    (folder / SUBMISSIONS / "x\x1b[31m\n").mkdir()
    (folder / submission / "y\x1b[31m\n").write_text("")
    outcome = xlbench("leaderboard", "check", "--quiet", "--jobs", 1)
    assert outcome.code == 1
    assert "\x1b" not in outcome.out + outcome.err
    assert outcome.out.endswith("0 of 2 submissions can be taken.\n")


def test_ranks_are_compared_with_those_of_the_model(xlbench, folder, submission):
    """With --deep the model gives them again; what agrees is put on record, and shown as such from then on."""
    command = ("leaderboard", "check", submission, "--quiet", "--jobs", 1)
    outcome = xlbench(*command, "--deep", "--model", "hash", "--sample", 20, "--seed", 7, "--record")
    assert (outcome.code, outcome.err) == (0, "")
    assert "20 of 704 queries (seed 7) have the ranks that the model gives." in outcome.out
    assert outcome.out.endswith("1 added to leaderboard/deep-verified.json\n")
    (record,) = json.loads((folder / "leaderboard/deep-verified.json").read_text()).values()
    assert record == {
        "model": "hash", "task": "demo", "sample": 20, "seed": 7, "tolerance": 3e-4,
        "slack": record["slack"], "xlbench_version": record["xlbench_version"],
        "passages": 1.0, "level": "deep-verified", "commit": "",
    }  # fmt: skip
    assert 0 <= record["slack"] < 1
    assert "deep-verified" in xlbench(*command).out
    edit(submission / "result.json", lambda result: result["timing"].update(encode_s=0.5))
    assert "deep-verified" not in xlbench(*command).out


def test_a_part_of_the_passages_is_a_level_of_its_own(xlbench, folder, submission):
    """It is told apart in what is printed, on record and in the table; what was found is written for others as well."""
    command = ("leaderboard", "check", submission, "--quiet", "--jobs", 1)
    deep = ("--deep", "--model", "hash", "--sample", 20, "--passages", 0.1, "--commit", "a" * 40)
    outcome = xlbench(*command, *deep, "--record", "--outcome", folder / "outcome.json")
    assert outcome.code == 0
    (written,) = json.loads((folder / "outcome.json").read_text())
    (digest,) = json.loads((folder / "leaderboard/deep-verified.json").read_text())
    seed = seed_of(digest, "a" * 40)
    assert f"20 of 704 queries (seed {seed} by commit aaaaaaaaaaaa), looked at with " in outcome.out
    assert "The languages of the best passages and the alignment were not compared." in outcome.out
    assert (written["digest"], written["agrees"], written["problems"]) == (digest, True, [])
    kept = {name: written["record"][name] for name in ("level", "passages", "commit", "seed")}
    assert kept == {"level": "sample-verified", "passages": 0.1, "commit": "a" * 40, "seed": seed}
    assert "sample-verified" in xlbench(*command).out


def test_what_does_not_agree_is_written_as_well(xlbench, folder, submission):
    """The reason stands in the outcome, and nothing is recorded."""
    edit(submission / "result.json", lambda result: result["alignment"].update(bitext_accuracy=0.9))
    outcome = xlbench(
        "leaderboard", "check", submission, "--quiet", "--jobs", 1, "--deep", "--model", "hash", "--sample", 5,
        "--record", "--outcome", folder / "outcome.json",
    )  # fmt: skip
    assert outcome.code == 1
    (written,) = json.loads((folder / "outcome.json").read_text())
    assert written["agrees"] is False
    assert written["problems"][0].startswith("bitext_accuracy of the alignment is said to be 0.9")
    assert json.loads((folder / "leaderboard/deep-verified.json").read_text()) == {}


def test_arguments_of_a_submission_are_not_passed_to_a_model(xlbench, submission):
    """They could have it run code; the maintainer is told what to type if they are harmless."""
    edit(
        submission / "result.json", lambda record: record["model"]["arguments"].update(trust_remote_code=True, x="a b")
    )
    outcome = xlbench(
        "leaderboard", "check", submission, "--quiet", "--jobs", 1, "--deep", "--model", "hash", "--record"
    )
    assert outcome.code == 1
    assert "Nothing of a submission is passed on: if they are harmless, give " in outcome.err
    assert outcome.err.endswith("--model-arg trust_remote_code=true 'x=a b'\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--deep"], "--deep and --model go together"),
        (["--model", "hash"], "--deep and --model go together"),
        (["--record"], "--record needs --deep"),
        (["--outcome", "x.json"], "--outcome needs --deep"),
        (["--commit", "a" * 40], "--commit needs --deep"),
        (["--commit", "main"], "'main' is no commit: expected all 40 hexadecimal digits"),
        (
            ["--deep", "--model", "hash", "--commit", "a" * 40, "--seed", 1],
            "--commit and --seed exclude each other",
        ),
        (["--sample", "0"], "'--sample'"),
        (["--tolerance", "nan"], "'--tolerance'"),
        (["nothing"], "'nothing' does not exist"),
    ],
)
def test_options_that_do_not_fit_are_a_usage_error(xlbench, submission, options, message):
    """Exit code 2 and a sentence, before anything is checked."""
    outcome = xlbench("leaderboard", "check", *options)
    assert outcome.code == 2
    assert message in outcome.err


def test_no_submissions_are_said(xlbench, folder):
    """An empty folder is not taken for one in which all is right, nor one that is not there."""
    assert "There are no submissions in leaderboard/submissions; expected" in xlbench("leaderboard", "check").err
    (folder / SUBMISSIONS).mkdir(parents=True)
    for command in ("check", "show"):
        outcome = xlbench("leaderboard", command, SUBMISSIONS)
        assert outcome.code == 1
        assert "There are no submissions in leaderboard/submissions; expected" in outcome.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--sort", "rankdistance"], 2, "Unknown measure 'rankdistance'. Did you mean 'RankDistance'?"),
        (["--task", "xquad"], 2, "Unknown task 'xquad'. Known: demo."),
        (["--sort", "RankDistance", "--setting", "mono"], 0, ""),
    ],
)
def test_what_the_leaderboard_is_sorted_by(xlbench, submission, options, code, message):
    """A measure or task that it does not have is a usage error; a measure of bias has one kind of setting."""
    outcome = xlbench("leaderboard", "show", "--quiet", "--jobs", 1, *options)
    assert outcome.code == code
    assert message in outcome.err


def test_what_the_manifest_lacks_is_named(xlbench, folder, result):
    """Without a terminal the keys are listed, and a file to fill in is written, but never over one that is there."""
    first = xlbench("submit", result)
    assert first.code == 2
    assert "licence: The model's licence, such as Apache-2.0\n" in first.err
    assert first.err.endswith("manifest.json has been written: fill it in, and give it as --manifest.\n")
    edit(folder / "manifest.json", lambda record: record.update(licence="MIT"))
    second = xlbench("submit", result, "--manifest", "manifest.json")
    assert second.code == 2
    assert "licence" not in second.err
    assert second.err.endswith("Say them in manifest.json.\n")
    assert "Say them in manifest.json and give it as --manifest." in xlbench("submit", result).err
    (folder / "manifest.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    assert xlbench("submit", result, "--manifest", "manifest.json").code == 0


def test_results_of_two_models_are_not_submitted_together(xlbench, folder, result):
    """A manifest is of one model."""
    shutil.copytree(folder / "results/hash", folder / "results/other")
    edit(folder / "results/other/demo.json", lambda record: record["model"].update(name="other"))
    outcome = xlbench("submit", result, "results/other/demo.json")
    assert outcome.code == 2
    assert "The results are of hash and other: submit one model at a time." in outcome.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a pseudo-terminal")
def test_a_terminal_is_asked_for_what_is_missing(folder, result):
    """Each key is asked for, again if the answer is none, and what was said is kept in the file that was named."""
    answers = [
        "http://example.org", "https://example.org", "MIT", "118M", "118,000,000", "de en", "much", "maybe", "no", "Me",
    ]  # fmt: skip
    master, slave = pty.openpty()
    process = start(folder, "submit", result, "--manifest", "answers.json", setup=_on_terminal(os.ttyname(slave)))
    os.write(master, "".join(f"{answer}\n" for answer in answers).encode())
    process.communicate(timeout=120)
    os.close(slave)
    os.close(master)
    assert process.returncode == 0
    said = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert said == {
        "link": "https://example.org", "licence": "MIT", "parameters": 118_000_000, "languages": ["de", "en"],
        "training_data": "much", "trained_on_evaluation_data": "no", "submitter": "Me",
    }  # fmt: skip
    manifest = json.loads((folder / HASH / "manifest.json").read_text(encoding="utf-8"))
    assert {name: manifest[name] for name in said} == said


def _on_terminal(name: str) -> str:
    """Python that has a process use this terminal."""
    return f"import os\nterminal = os.open({name!r}, os.O_RDWR)\nfor i in (0, 1, 2): os.dup2(terminal, i)\n"
