"""Suites: tasks that are evaluated together, and the value of each that the suite's table has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec

from xlbench import catalogue
from xlbench.errors import TaskError
from xlbench.settings import Kind, Setting

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class SuiteEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A task, and its value: the mean of a measure over the settings of a kind."""

    task: _Text
    kind: Kind
    measure: _Text
    passages: _Text = "*"
    """Which languages of the passages count; ``eng-*`` is all that begin so."""

    @property
    def column(self) -> str:
        """What a table calls it."""
        of = "" if self.passages == "*" else f" in {self.passages}"
        return f"{self.task}, {self.kind}{of}: {self.measure}"

    def has(self, setting: Setting) -> bool:
        """Whether a setting counts."""
        return setting.kind == self.kind and fnmatchcase(setting.passages or "", self.passages)


class Suite(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The keys of a suite's file."""

    name: _Text
    title: _Text
    tasks: Annotated[tuple[SuiteEntry, ...], msgspec.Meta(min_length=1)]
    citation: str
    lacks: Mapping[str, str] = {}
    """What the benchmark of this name has and the suite does not, and why."""


def names() -> list[str]:
    """The names of the suites that come with xlbench."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def load(name: str) -> Suite:
    """The suite of this name.

    Raises:
        TaskError: if its file breaks the rules of suites.

    """
    path = _folder() / f"{name}.yaml"
    try:
        return msgspec.convert(catalogue.parse(path), Suite)
    except msgspec.ValidationError as error:
        raise TaskError(f"{path}: {error}.") from error


def expanded(given: Iterable[str]) -> tuple[list[str], list[Suite]]:
    """The tasks, each once, where a suite stands for its own; and the suites."""
    suites = {name: load(name) for name in given if name in names()}
    tasks = [
        task for name in given for task in ([entry.task for entry in suites[name].tasks] if name in suites else [name])
    ]
    return list(dict.fromkeys(tasks)), list(suites.values())


def _folder() -> Path:
    return catalogue.registry() / "suites"
