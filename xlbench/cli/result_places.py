"""Where a result is: a file, a folder of a model's results, or the leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.site import SUBMISSIONS
from xlbench.errors import ResultError, SubmissionError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from xlbench.results import Result

LEADERBOARD = "leaderboard:"


class ResultPlace(click.Path):
    """A path that exists, or a name with one of the prefixes: ``leaderboard:NAME``, ``mteb:FOLDER``."""

    def __init__(self, *prefixes: str) -> None:
        super().__init__(exists=True, path_type=Path)
        self.prefixes = prefixes or (LEADERBOARD,)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; that of a name with the prefix is the name."""
        return Path(value) if str(value).startswith(self.prefixes) else super().convert(value, param, ctx)


@dataclass(frozen=True)
class Placed:
    """A result with its values of single queries, and what it is called in messages."""

    name: str
    result: Result
    files: tuple[Path, ...]
    """None of the leaderboard's, which are never written to."""


def results_of_one_task(places: Sequence[Path], *, task: str | None) -> list[Placed]:
    """The result at each place, all of one task: the one that is named, or the only one that all places have.

    Raises:
        ResultError: if a place has no result of the task, or several.
        UsageError: if the places have several tasks in common, and none is named.

    """
    if task is None and all(place.is_file() for place in places):
        # Files say by themselves what they are of, and a comparison says what differs.
        return [_of_file(place) for place in places]
    by_task = [_by_task(place) for place in places]
    common = [name for name in by_task[0] if all(name in known for known in by_task)]
    for place, known in zip(places, by_task, strict=True):
        if task is not None and task not in known:
            raise ResultError(f"{place} has no result of {task}; it has {', '.join(known) or 'none'}.")
    if not common:
        held = "; ".join(f"{place} has {', '.join(known)}" for place, known in zip(places, by_task, strict=True))
        raise ResultError(f"There is no task of which all places have a result: {held}.")
    if task is None and len(common) > 1:
        raise UsageError(f"All places have results of {', '.join(common)}: choose one with --task.")
    chosen = task or common[0]
    return [_placed(place, known[chosen]) for place, known in zip(places, by_task, strict=True)]


def of_leaderboard(place: Path) -> list[Placed]:
    """The results of a model of the leaderboard, one a task.

    Raises:
        SubmissionError: if one is not sound.
        UnknownNameError: if the leaderboard has no such model.

    """
    return [_placed(place, folder) for folder in _submissions(str(place).removeprefix(LEADERBOARD)).values()]


def _by_task(place: Path) -> Mapping[str, Path]:
    """The file, or the folder of a submission, of each task that a place has."""
    from xlbench.results import load

    if str(place).startswith(LEADERBOARD):
        return _submissions(str(place).removeprefix(LEADERBOARD))
    if place.is_file():
        return {load(place).task: place}
    of_task: dict[str, list[tuple[Path, bool]]] = {}
    for path in sorted(place.rglob("*.json")):
        try:
            result = load(path)
        except ResultError as error:
            click.echo(f"Left out: {error}", err=True)
            continue
        of_task.setdefault(result.task, []).append((path, result.sample is not None))
    if not of_task:
        raise ResultError(f"{place} has no result files; expected OUTPUT/<model>/<task>.json.")
    return {task: _only(place, task, paths) for task, paths in of_task.items()}


def _only(place: Path, task: str, paths: Sequence[tuple[Path, bool]]) -> Path:
    """The one result of a task; a whole one is meant where there is a part too."""
    meant = [path for path, is_part in paths if not is_part] or [path for path, _ in paths]
    if len(meant) > 1:
        raise ResultError(f"{place} has several results of {task}: give one of {', '.join(map(str, meant))}.")
    return meant[0]


def _submissions(name: str) -> Mapping[str, Path]:
    """The folders of a model's submissions by task."""
    if not SUBMISSIONS.is_dir():
        raise ResultError(f"There is no folder {SUBMISSIONS} here: run this in a clone of the repository.")
    models = sorted(folder.name for folder in SUBMISSIONS.iterdir() if folder.is_dir())
    if name not in models:
        raise UnknownNameError("model of the leaderboard", name, models)
    return {folder.name: folder for folder in sorted((SUBMISSIONS / name).iterdir()) if folder.is_dir()}


def _placed(place: Path, path: Path) -> Placed:
    if not str(place).startswith(LEADERBOARD):
        return _of_file(path)
    from xlbench.leaderboard.checks import Checker

    checked = Checker().check(path, extract=lambda submission: submission.result)
    if checked.extracted is None:
        raise SubmissionError(f"{path} is not sound: {' '.join(checked.problems)}")
    return Placed(str(place), checked.extracted, ())


def _of_file(path: Path) -> Placed:
    from xlbench.results import load_whole, parquet_path

    return Placed(str(path), load_whole(path), (path, parquet_path(path)))
