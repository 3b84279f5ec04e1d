"""Runs the models of merged submissions again, for the workflow `leaderboard-deep.yml`.

`choose` takes the submissions that wait, those first that would rank first, and whose commit has a later one on the
branch; `run` checks one with its model; `accept` adds what agrees to the records, after it has computed again all that
does not need the model. The seed follows from the submission's digest and the first commit after the one that brought
it in: its submitter did not know it, and nobody can try several.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from xlbench.errors import SubmissionError
from xlbench.leaderboard.board import BoardRow
from xlbench.leaderboard.checks import Checked
from xlbench.leaderboard.deep_records import (
    DeepRecord,
    Outcome,
    levels,
    load_outcomes,
    load_records,
    save_records,
)
from xlbench.leaderboard.deep_sample import seed_of
from xlbench.leaderboard.pool import Options, check_all
from xlbench.leaderboard.rounding import SHARES
from xlbench.leaderboard.waiting import Waiting, waiting
from xlbench.reports.cells import one_line

SUBMISSIONS = Path("leaderboard/submissions")
RECORDS = Path("leaderboard/deep-verified.json")
SAMPLE = 200
ASKED = ("FOLDER", "MODEL", "ARGUMENTS", "PASSAGES", "BY_HAND")
"""Variables of the environment: what a maintainer asks for, and folders that are left to one."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_BUILT_IN = {"hash", "bm25", "use-multilingual"}
_OF_THE_POOL = {"bm25"}
"""Models to which a part of the passages would give other scores: they are checked with all of them."""


@dataclass(frozen=True)
class Choice:
    """A submission to check, and how."""

    folder: str
    model: str
    arguments: tuple[str, ...]
    passages: float
    commit: str

    def command(self, outcome: Path) -> list[str]:
        """The check, whose arguments the maintainers gave; nothing of a submission is among them but its name."""
        given = [word for argument in self.arguments for word in ("--model-arg", argument)]
        return [
            sys.executable, "-m", "xlbench", "leaderboard", "check", self.folder, "--deep", "--model", self.model,
            *given, "--passages", str(self.passages), "--sample", str(SAMPLE), "--commit", self.commit,
            "--outcome", str(outcome), "--quiet",
        ]  # fmt: skip


def main() -> None:
    """Runs a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    choose_ = commands.add_parser("choose", help="write the submission to check, if there is one")
    choose_.add_argument("--output", type=Path, required=True)
    run_ = commands.add_parser("run", help="check it with its model")
    run_.add_argument("choice", type=Path)
    run_.add_argument("--output", type=Path, required=True)
    accept_ = commands.add_parser("accept", help="add it to the records if it agrees")
    accept_.add_argument("outcome", type=Path)
    options = parser.parse_args()
    if options.command == "choose":
        asked = {name: os.environ.get(name, "").strip() for name in ASKED}
        chosen = choose(asked)
        if chosen:
            options.output.write_text(json.dumps(asdict(chosen)), encoding="utf-8")
        print(chosen or "No submission can be checked now.")
    elif options.command == "run":
        choice = json.loads(options.choice.read_text(encoding="utf-8"))
        chosen = Choice(**{**choice, "arguments": tuple(choice["arguments"])})
        # That it does not agree is an outcome, and published as one.
        subprocess.run(chosen.command(options.output), check=False)
        sys.exit(0 if options.output.is_file() else 1)
    else:
        print(accept(load_outcomes(options.outcome)), end="")


def choose(asked: dict[str, str]) -> Choice | None:
    """The submission that a maintainer asks for, else the first that waits, is due and runs without arguments."""
    queue = in_order()
    if asked["FOLDER"]:
        queue = [each for each in queue if each.folder == Path(asked["FOLDER"])]
        if not queue:
            raise SystemExit(f"{asked['FOLDER']!r:.200} is no submission that waits: `xlbench leaderboard queue`.")
    for each in queue:
        if not asked["FOLDER"] and each.folder.as_posix() in asked["BY_HAND"].split():
            continue
        model = asked["MODEL"] if asked["FOLDER"] else unattended(each.standing.row)
        commit = later_commit(each.folder)
        if model and commit:
            whole = model in _OF_THE_POOL or "transform" in each.standing.row.model
            return Choice(
                folder=each.folder.as_posix(),
                model=model,
                arguments=tuple(asked["ARGUMENTS"].split()) if asked["FOLDER"] else (),
                passages=float(asked["PASSAGES"] or (1.0 if whole else 0.1)),
                commit=commit,
            )
    return None


def in_order() -> list[Waiting]:
    """What waits, as `xlbench leaderboard queue` shows it."""
    return waiting(_checked())


def unattended(row: BoardRow) -> str | None:
    """The name of a model that may be run without a maintainer's look: built in, or of the Hub, without arguments.

    The code that runs is xlbench's and its libraries'; any other, and what has arguments, a maintainer starts by hand.
    """
    name = str(row.model["name"])
    known = name in _BUILT_IN or _HUB_ID.fullmatch(name)
    return name if known and not row.model["arguments"] and not row.model.get("transform") else None


def later_commit(folder: Path) -> str | None:
    """The first commit of the branch after the one that last changed a folder; None if there is none yet."""
    taken = _git("log", "--first-parent", "--max-count=1", "--format=%H", "HEAD", "--", folder.as_posix())
    after = _git("rev-list", "--first-parent", "--reverse", f"{taken}..HEAD").split() if taken else []
    return after[0] if after else None


def accept(outcomes: Iterable[Outcome]) -> str:
    """Adds what agrees to the records; says what was added and what was not, for a pull request.

    The check ran strangers' weights, and what it left is not trusted further than it must be: whether the ranks agree.
    """
    folders = {each.digest: each.folder for each in _checked() if not each.problems}
    records, lines = load_records(RECORDS), []
    for outcome in outcomes:
        record, folder = outcome.record, folders.get(outcome.digest)
        reasons = list(_reasons(outcome, folder))
        if not reasons:
            records[outcome.digest] = record
        verdict = f"not recorded: {' '.join(reasons)}" if reasons else record.level
        lines.append(
            f"{folder}: {verdict}; digest {outcome.digest}, commit {record.commit}, seed {record.seed}, "
            f"{record.sample} queries, {record.passages:g} of the other passages, slack {record.slack:.2f}"
        )
    save_records(records, RECORDS)
    # As plain text in a block of code, which no backtick can end.
    text = "".join(f"{one_line(line)[:2000]}\n" for line in lines).replace("`", "'")
    return f"```\n{text}```\n"


def _reasons(outcome: Outcome, folder: Path | None) -> Iterator[str]:
    """Why an outcome is not put on record, a sentence each."""
    record = outcome.record
    if folder is None:
        yield "no sound submission has this digest."
        return
    said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if not outcome.agrees or outcome.problems:
        yield " ".join(outcome.problems) or "it does not agree."
    if (record.model, record.task) != (said["model"], said["task"]):
        yield "model or task are not those of the submission."
    if record.commit != later_commit(folder) or record.seed != seed_of(outcome.digest, record.commit):
        yield "the seed is not that of the first commit after the submission."
    if not (_is_whole_enough(record) and 0 <= record.slack < 1e9 and 0 < record.tolerance <= max(SHARES.values())):
        yield "the sample, the slack or the tolerance are not those of such a check."


def _is_whole_enough(record: DeepRecord) -> bool:
    return record.sample >= SAMPLE and 0.1 <= record.passages <= 1


def _checked() -> list[Checked[BoardRow]]:
    options = Options(levels(load_records(RECORDS)))
    return list(check_all([SUBMISSIONS], extract=BoardRow.of, options=options))


def _git(*arguments: str) -> str:
    command = ["git", "-C", ".", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


if __name__ == "__main__":
    try:
        main()
    except SubmissionError as error:
        sys.exit(str(error))
