"""Task: what a task file says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xlbench.catalogue.readers.hub_tables import DatasetTable
from xlbench.catalogue.sources import Source
from xlbench.settings import Kind

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Sizes:
    """How many texts a language has."""

    queries: int
    passages: int
    counted: bool = True
    """Whether someone has counted them; if not, the figures say only whether there are any."""


@dataclass(frozen=True)
class Task:
    """What a task file says; its keys are the fields."""

    name: str
    title: str
    version: int
    """Goes up when a number could change."""
    reader: str
    text: str
    """The form of a passage: ``sentence``, ``sentence+context``, ..."""
    source: Mapping[str, Source]
    """By part, as the reader names its parts; equal ones if one file has them all."""
    sizes: Mapping[str, Sizes]
    languages: tuple[str, ...]
    settings: tuple[Kind, ...]
    measures: tuple[str, ...]
    headline: str
    """The measure that sums up a result."""
    licence: str
    citation: str
    file: Path
    """The task file itself; not a key."""
    instruction: str = ""
    """A sentence on what queries ask for, for models that take one; a key that may be left out."""
    tables: Mapping[str, DatasetTable] = field(default_factory=dict)
    """By part, of a task that `datasets` reads, which has no files; in the file they are the source."""

    @property
    def is_pinned(self) -> bool:
        """Whether its data cannot change: each file has a checksum, and each table a revision."""
        return all(checksums for source in self.source.values() for checksums in source.checksums.values())

    @property
    def passages(self) -> Source | None:
        """Where the passages are, which may be the files of all parts; None of a task that `datasets` reads."""
        return self.source.get("passages") or next(iter(self.source.values()), None)

    @property
    def commit(self) -> str | None:
        """The commit that the passages are pinned to; None if they are pinned by nothing but checksums."""
        if self.tables:
            return self.tables.get("passages", next(iter(self.tables.values()))).revision
        commit = _COMMIT.search((self.passages.url if self.passages else None) or "")
        return commit[0] if commit else None
