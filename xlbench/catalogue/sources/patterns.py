"""Names of files with ``*`` in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that match a pattern, in which ``*`` stands for anything but ``/``; docs-2 comes before docs-10."""
    expression = re.compile("[^/]*".join(map(re.escape, pattern.split("*"))))
    return sorted((name for name in names if expression.fullmatch(name)), key=_natural)


def files(path: Path) -> list[Path]:
    """The files that a path with or without ``*`` in its name stands for, in the same order."""
    if "*" not in path.name:
        return [path] if path.is_file() else []
    folder = path.parent
    names = [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
    return [folder / name for name in matching(path.name, names)]


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split("([0-9]+)", name)]
