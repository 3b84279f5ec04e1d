"""Readers: one module for each published shape of data; each gives a Collection.

A reader module has ``FORMS``, the forms of passage text it can give, and
``read(files, *, text) -> Collection``, where ``files`` maps languages to paths.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from xlbench.collection import Collection

READERS = ("lareqa", "parallel")


def forms(reader: str) -> tuple[str, ...]:
    """The forms of passage text that a reader can give."""
    found: tuple[str, ...] = importlib.import_module(f"xlbench.readers.{reader}").FORMS
    return found


def read(reader: str, files: Mapping[str, Path], *, text: str) -> Collection:
    """The collection in these files, languages in the order of ``files``.

    Raises:
        DataError: if a file is not of the reader's shape.

    """
    collection: Collection = importlib.import_module(f"xlbench.readers.{reader}").read(files, text=text)
    return collection
