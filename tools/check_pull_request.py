"""Checks the submissions that a pull request changes, for the workflow `leaderboard-check.yml`.

Writes `found.txt`, what was found, and `number.txt`, of which pull request; exits with 1 if a submission is not taken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path, PurePosixPath

_SUBMISSIONS = PurePosixPath("leaderboard/submissions")


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
    changed = changed_files(options.head, options.base)
    folders = submissions(changed)
    there = [options.head / folder for folder in folders if (options.head / folder).exists()]
    notes = [
        f"Removes {folder.name} of {folder.parent.name}." for folder in folders if not (options.head / folder).exists()
    ]
    others = [path for path in changed if not path.is_relative_to(_SUBMISSIONS)]
    if folders and others:
        notes.append(f"It changes {len(others)} files that are no submission; hand those in by themselves.")
    code = 0
    found = options.output / "found.txt"
    found.write_text("There is no submission to check.\n", encoding="utf-8")
    if there:
        found.write_text("The check itself failed; its log says why.\n", encoding="utf-8")
        command = [sys.executable, "-m", "xlbench", "leaderboard", "check", *map(str, there), "--quiet"]
        ran = subprocess.run([*command, "--output", str(found)], capture_output=True, text=True, check=False)
        code = ran.returncode
        print(ran.stdout, ran.stderr, sep="", end="")
    with found.open("a", encoding="utf-8") as file:
        file.writelines(f"{note}\n" for note in notes)
    sys.exit(code or int(bool(folders and others)))


def changed_files(head: Path, base: str) -> list[PurePosixPath]:
    """The files that differ between the commit where the branches parted and the pull request's last."""
    command = ["git", "-C", str(head), "diff", "--name-only", "--no-renames", "-z", f"{base}...HEAD"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="surrogateescape")
    return [PurePosixPath(name) for name in names.split("\0") if name]


def submissions(changed: list[PurePosixPath]) -> list[PurePosixPath]:
    """The folders of submissions that have changed files; a file that is in none stands for itself."""
    below = [path.relative_to(_SUBMISSIONS).parts for path in changed if path.is_relative_to(_SUBMISSIONS)]
    return sorted({_SUBMISSIONS.joinpath(*parts[:2]) for parts in below if parts[-1] != ".gitkeep"})


if __name__ == "__main__":
    main()
