"""Many submissions are checked in processes of their own, and none can harm the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leaderboard.made_submissions import ask_for_memory, edit, edit_counts
from xlbench.leaderboard.pool import Options, check_all
from xlbench.leaderboard.submission import Submission

ONE = Options(jobs=1)


def name_of(submission: Submission) -> str:
    """What a test extracts."""
    return f"{submission.manifest.model} {len(submission.result.per_query)}"


def crash(submission: Submission) -> str:
    """Ends the process, as a library that crashes would."""
    if submission.manifest.submitter == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return "alive"


def variant(submission: Path, name: str, **manifest: object) -> Path:
    """A copy as a variant of the model."""
    other = submission.parent.with_name(f"hash--{name}")
    shutil.copytree(submission.parent, other)
    edit(other / "demo" / "manifest.json", lambda record: record.update(manifest))
    return other / "demo"


def test_submissions_come_in_order_with_what_was_extracted(submission):
    """Each is checked, and what a function takes of a sound one comes back from its process."""
    other = variant(submission, "other")
    edit(other / "result.json", lambda record: record["model"]["arguments"].update(dimensions=1024))
    (first, second) = check_all([submission.parents[1]], extract=name_of, options=ONE)
    assert (first.folder, second.folder) == (submission, other)
    assert (first.extracted, second.extracted) == ("hash 132", "hash 132")
    assert (first.problems, second.problems) == ((), ())
    assert (first.notes, second.notes) == (
        (),
        (f"It has the very same ranks as {submission}; the history says which came first.",),
    )


def test_two_submissions_of_one_model_revision_are_refused(submission):
    """The second is named with the first, whichever other numbers it has."""
    other = variant(submission, "other")
    edit(other / "result.json", lambda record: record["timing"].update(encode_s=0.1))
    first, second = check_all([submission.parents[1]], extract=name_of, options=ONE)
    assert first.problems == ()
    assert second.problems == (f"It is of the same model, revision and arguments as {submission}: keep one of them.",)
    assert (second.level, second.extracted) == ("reported", None)


def test_a_submission_that_is_there_already_is_known(submission):
    """What is checked by itself is held against those beside it, which are not checked."""
    other = variant(submission, "other")
    edit_counts(submission, lambda counts, table: counts.fill(0))  # It is not recomputed.
    (found,) = check_all([other], options=ONE)
    assert found.problems == (f"It is of the same model, revision and arguments as {submission}: keep one of them.",)
    edit(submission / "result.json", lambda record: record["model"]["arguments"].update(dimensions=8))
    (found,) = check_all([other], options=ONE)
    assert found.problems == ()


def test_a_name_that_looks_like_another_is_refused(submission):
    """The model that is there keeps its name, whether it is checked in the same call or stands beside."""
    taken = submission.parents[1] / "l1b" / "demo"
    other = submission.parents[1] / "lIb" / "demo"
    for folder in (taken, other):
        shutil.copytree(submission, folder)
        for name in ("manifest.json", "result.json"):
            edit(folder / name, lambda record, name=folder.parent.name: rename(record, name))
    shutil.rmtree(submission.parent)
    (found,) = check_all([other], options=ONE)
    assert found.problems == ("Its name looks like 'l1b', which was submitted before: choose another.",)
    assert [len(each.problems) for each in check_all([submission.parents[1]], options=ONE)] == [0, 1]


def rename(record: dict, name: str) -> None:
    """Gives the model of a manifest or a result another name."""
    if isinstance(record["model"], str):
        record["model"] = name
    else:
        record["model"]["name"] = name


def test_a_crash_is_told_from_the_others(submission):
    """A submission that ends its process is refused; those that were checked at that moment are not."""
    folders = [submission, *(variant(submission, f"v{i}", submitter="crash" if i == 0 else "x") for i in range(2))]
    for i, folder in enumerate(folders):
        edit(folder / "result.json", lambda record, i=i: record["model"]["arguments"].update(dimensions=i))
    found = list(check_all([submission.parents[1]], extract=crash, options=ONE))
    assert [checked.extracted for checked in found] == ["alive", None, "alive"]
    assert "takes more memory or time than it may" in found[1].problems[0]
    assert [bool(checked.problems) for checked in found] == [False, True, False]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say how much is in use")
def test_a_page_that_asks_for_gigabytes_does_not_get_them(submission):
    """What a file says of itself within, where no footer has it, is bounded by what its process may have."""
    ask_for_memory(submission, 1_500_000_000)
    (found,) = check_all([submission], options=ONE)
    assert "asks for more memory than there is for it" in found.problems[0]


LIMITED = """
import sys
from pathlib import Path
import xlbench.leaderboard.pool as pool
pool._CPU_SECONDS = 4  # To import takes more than one on a busy machine.
pool.limit(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("work", "ends"),
    [("while True: pass", -signal.SIGXCPU), ("bytearray(1 << 33)", 1), ("bytearray(1 << 27)", 0)],
    ids=["time", "memory", "little"],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not say how much is in use")
def test_a_process_is_bounded(submission, work, ends):
    """It ends after so many seconds of work, and gets no more memory than the task's submissions need."""
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED + work, submission], capture_output=True, text=True, check=False
    )
    assert ran.returncode == ends
    assert ("MemoryError" in ran.stderr) == (ends == 1)


def test_nothing_is_checked_where_there_is_nothing(tmp_path):
    """An empty folder has no submissions."""
    assert list(check_all([tmp_path], options=ONE)) == []
