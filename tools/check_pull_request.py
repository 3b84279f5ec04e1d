"""Checks what a pull request changes, for the workflow `leaderboard-check.yml`.

A pull request may add submissions of one model, each a new folder of three plain files, and nothing else beside them.
What else it does is refused with the reason. Writes `found.txt`, what was found, and `number.txt`, of which pull
request; exits with 1 if anything is not taken.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BOARD = b"leaderboard/"
_SUBMISSIONS = b"leaderboard/submissions"
_RECORDS = b"leaderboard/deep-verified.json"
_FILE = re.compile(
    rb"leaderboard/submissions/([A-Za-z0-9_][A-Za-z0-9_.-]{0,199})/([a-z0-9][a-z0-9-]{0,99})/"
    rb"(?:manifest\.json|result\.json|ranks\.parquet)"
)
_PLAIN = "100644"
_KINDS = {"120000": "a link", "160000": "a submodule", "100755": "an executable file"}
_SHOWN = 10


@dataclass(frozen=True)
class Change:
    """What a pull request does to one path."""

    status: str
    """A letter of `git diff`: A for added, M for modified, D for deleted, T for another kind of file."""
    mode: str
    """Of the new file, as git has it."""
    path: bytes


@dataclass(frozen=True)
class Request:
    """A pull request: the submissions that it adds, and why it is refused."""

    folders: tuple[str, ...]
    """Relative to the repository; plain letters."""
    reasons: tuple[str, ...]


def main() -> None:
    """Runs the check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("head", type=Path, help="checkout of the pull request, with its history")
    parser.add_argument("base", help="commit of the branch that it is to go into")
    parser.add_argument("--number", type=int, required=True, help="of the pull request")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "number.txt").write_text(f"{options.number}\n", encoding="utf-8")
    found = options.output / "found.txt"
    request = examined(changes(options.head, options.base), known_models(options.head, options.base))
    code = 0
    found.write_text("There is no submission to check.\n", encoding="utf-8")
    if request.folders and not request.reasons:
        found.write_text("The check itself failed; its log says why.\n", encoding="utf-8")
        paths = [str(options.head / folder) for folder in request.folders]
        command = [sys.executable, "-m", "xlbench", "leaderboard", "check", *paths, "--quiet", "--output", str(found)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        code = ran.returncode
        print(ran.stdout, ran.stderr, sep="", end="")
    elif request.reasons:
        rule = "A pull request may add submissions of one model, and nothing else. This one is not checked:\n"
        found.write_text(rule + "".join(f"- {reason}\n" for reason in request.reasons), encoding="utf-8")
    sys.exit(code or int(bool(request.reasons)))


def changes(head: Path, base: str) -> list[Change]:
    """What differs between the commit where the branches parted and the pull request's last."""
    fields = _git(head, "diff", "--raw", "--no-renames", "--no-abbrev", "-z", f"{base}...HEAD").split(b"\0")
    metas = [meta.decode("ascii").split() for meta in fields[:-1:2]]
    return [Change(meta[4][0], meta[1], path) for meta, path in zip(metas, fields[1::2], strict=False)]


def known_models(head: Path, base: str) -> set[bytes]:
    """The models that have submissions where the branches parted, by the names of their folders without a variant."""
    parted = _git(head, "merge-base", base, "HEAD").strip().decode("ascii")
    names = _git(head, "ls-tree", "-r", "-z", "--name-only", parted, "--", _SUBMISSIONS.decode()).split(b"\0")
    return {model_of(match) for name in names if (match := _FILE.fullmatch(name))}


def model_of(match: re.Match[bytes]) -> bytes:
    """The model of a file of a submission; a variant is one of the model."""
    return match[1].partition(b"--")[0]


def examined(changed: list[Change], known: set[bytes]) -> Request:
    """What a request adds, and why it is refused; nothing to say of one that leaves submissions and records alone."""
    board = [change for change in changed if _is_of_the_board(change.path)]
    if not board:
        return Request((), ())
    reasons = [f"It {said}." for change in changed if (said := _refused(change))]
    matches = [match for change in changed if (match := _FILE.fullmatch(change.path))]
    models = sorted({model_of(match) for match in matches})
    if len(models) > 1:
        reasons.append(f"It has submissions of {len(models)} models; expected those of one.")
    if known & set(models):
        reasons.append(
            f"The model {models[0].decode()!r} has submissions already, and a request may not add to another's: a "
            "maintainer who knows the submitter takes it by hand."
        )
    if len(reasons) > _SHOWN:
        reasons[_SHOWN:] = [f"And {len(reasons) - _SHOWN} more."]
    folders = sorted({b"/".join([_SUBMISSIONS, match[1], match[2]]).decode("ascii") for match in matches})
    return Request(tuple(folders), tuple(reasons))


def _is_of_the_board(path: bytes) -> bool:
    # The folder itself may have become a link; what keeps it in git says nothing.
    part = path == _SUBMISSIONS or path.startswith(_SUBMISSIONS + b"/") or _BOARD.startswith(path + b"/")
    return path == _RECORDS or (part and path != _SUBMISSIONS + b"/.gitkeep")


def _refused(change: Change) -> str | None:
    """What a change does that no request may; None if it adds a file of a submission."""
    name = shown(change.path)
    if change.path == _RECORDS:
        return f"changes {name}, which is the maintainers'"
    if not _FILE.fullmatch(change.path):
        return f"changes {name}, which is no file of a submission"
    if change.status != "A":
        return f"{ {'D': 'removes', 'M': 'changes'}.get(change.status, 'replaces') } {name}, which is there already"
    if change.mode != _PLAIN:
        return f"adds {name} as {_KINDS.get(change.mode, 'no plain file')}"
    return None


def shown(path: bytes) -> str:
    """A path on one line, in ASCII, and not too long, whatever bytes it has."""
    text = ascii(path.decode("utf-8", "backslashreplace"))
    return text if len(text) <= 120 else f"{text[:117]}..."


def _git(head: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(head), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


if __name__ == "__main__":
    main()
