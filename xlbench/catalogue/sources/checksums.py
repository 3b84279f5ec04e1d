"""Checksums of files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from xlbench.errors import DataError

ALGORITHMS = {"sha256": 64, "md5": 32}
"""How many hexadecimal digits each has; md5 where nothing better is published."""


class Checksum(NamedTuple):
    """What a file's bytes must add up to."""

    algorithm: str
    digits: str


def check(path: Path, expected: Checksum) -> None:
    """Compares a file's checksum with the one expected.

    Raises:
        DataError: if they differ.

    """
    with path.open("rb") as file:
        digits = hashlib.file_digest(file, lambda: hashlib.new(expected.algorithm, usedforsecurity=False)).hexdigest()
    if digits != expected.digits:
        raise DataError(
            f"{path} is not the file that the task was made with: its {expected.algorithm} is {digits}, expected "
            f"{expected.digits}. Delete it and run again to download it, or point --data-dir at an unaltered copy."
        )
