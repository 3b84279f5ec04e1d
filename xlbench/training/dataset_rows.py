"""Rows of pair files through Hugging Face's ``datasets``: parquet files, and data sets and files on the Hub.

They have the form of JSON lines: columns ``id``, ``queries`` and ``passages``, structs by language, and perhaps
``passage_id`` and ``negatives``. A language that is null is one that the row lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xlbench.catalogue.readers import hub_tables

HUB = "hf://datasets/"
_READERS = {".parquet": "parquet", ".jsonl": "json", ".jsonl.gz": "json", ".json": "json", ".arrow": "arrow"}


def is_table(source: str) -> bool:
    """Whether ``datasets`` reads it: a parquet file, or what is on the Hub."""
    return source.startswith("hf://") or source.endswith(".parquet")


def dataset_records(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each row is, and what it has.

    ``source`` is a parquet file, a file on the Hub (``hf://datasets/OWNER/NAME@REVISION/PATH``; the revision may be
    left out) or a data set there (``hf://datasets/OWNER/NAME``), whose split ``train`` is read.

    Raises:
        DataError: if it cannot be loaded.

    """
    for i, row in enumerate(_loaded(source), 1):
        yield f"{source}, row {i:,}", {name: value for name, value in _whole(row).items() if value is not None}


def _loaded(source: str) -> Any:
    advice = f". Expected a parquet file, or {HUB}OWNER/NAME, perhaps with @REVISION and the path of a file."
    reader = next((reader for suffix, reader in _READERS.items() if source.endswith(suffix)), None)
    if reader is not None:
        return hub_tables.load(reader, data_files=source, split="train", where=source, advice=advice)
    name, _, revision = source.removeprefix(HUB).strip("/").partition("@")
    return hub_tables.load(name, split="train", revision=revision or None, where=source, advice=advice)


def _whole(value: Any) -> Any:
    """The same without entries of structs that are null."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items() if part is not None}
    return value
