"""Pair files: parallel questions and passages to train on, as the reader ``parallel`` reads them to evaluate.

A line may also have ``"negatives": {language: [text, ...]}``: passages in that language that do not answer the
question, the hardest first, and ``"scores": {"passages": {language: number}, "negatives": {language: [number, ...]}}``:
how well another model says that they answer. ``xlbench mine`` writes both.
"""

from __future__ import annotations

import bisect
import gzip
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from xlbench.arrays import BoolArray
from xlbench.catalogue.readers.parallel import records
from xlbench.errors import DataError
from xlbench.support.files import whole
from xlbench.training.dataset_rows import HUB, dataset_records, is_table
from xlbench.training.pair_lines import PairLine, PairRow, no_rows, repeated
from xlbench.training.stored_rows import StoredRows

STORED_FROM = 2**29
"""Bytes of a pair file whose texts do not stay in memory."""


@dataclass(frozen=True)
class PairFile:
    """What a pair file holds."""

    path: Path
    sha256: str
    """Of the file as it lies there, packed or not; of the rows where they come from the Hub."""
    rows: Sequence[PairRow]
    """In the order of the file. Lines without a query are no rows."""
    languages: tuple[str, ...]
    """Those of queries and passages, sorted."""

    def presence(self, languages: Sequence[str]) -> tuple[BoolArray, BoolArray]:
        """``[rows, languages]`` twice: which queries and passages are in these languages."""
        if isinstance(self.rows, StoredRows):
            return self.rows.presence(languages)
        shape = (len(self.rows), len(languages))
        queries, passages = (
            np.fromiter((language in texts for texts in by_row for language in languages), np.bool_).reshape(shape)
            for by_row in ([row.queries for row in self.rows], [row.passages for row in self.rows])
        )
        return queries, passages


def rows_of(files: Sequence[PairFile]) -> Sequence[PairRow]:
    """The rows of files, one file after the other."""
    if len(files) == 1:
        return files[0].rows
    if any(isinstance(file.rows, StoredRows) for file in files):
        return _Chained([file.rows for file in files])
    return tuple(row for file in files for row in file.rows)


class _Chained(Sequence[PairRow]):
    """Rows that are read when they are asked for, one part after the other."""

    def __init__(self, parts: Sequence[Sequence[PairRow]]) -> None:
        self._parts = parts
        self._ends = list(itertools.accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> PairRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[PairRow]: ...
    def __getitem__(self, index: int | slice) -> PairRow | list[PairRow]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        part = bisect.bisect_right(self._ends, i)
        return self._parts[part][i - self._ends[part]]


def read_pairs(source: Path | str, *, store: Path | None = None, least: int | None = None) -> PairFile:
    """The rows of a pair file, JSON lines, plain or gzip, or what ``dataset_rows`` reads; equal texts are one object.

    Rows that name the same ``passage_id`` each have all passages that any line has for it. Of JSON lines of ``least``
    bytes or more, by default ``STORED_FROM``, the texts are kept below the folder ``store``, if there is one.

    Raises:
        DataError: with file and line, if a line is of another shape, an id occurs twice or a text is empty; or if
            nothing in the file can be trained on.

    """
    path = Path(source)
    if (
        store is not None
        and not is_table(str(source))
        and path.stat().st_size >= (STORED_FROM if least is None else least)
    ):
        sha256 = checksum(path)
        lines = (PairLine.of(record, where) for where, record in records(path))
        stored = StoredRows.of(lines, store / "pairs" / sha256, source=str(source))
        return PairFile(path, sha256=sha256, rows=stored, languages=tuple(sorted(stored.languages)))
    return _read(source)


def _read(source: Path | str) -> PairFile:
    """The rows of a pair file, in memory."""
    passages: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    seen: set[str] = set()
    asked: list[PairLine] = []
    digest = hashlib.sha256()
    for where, record in _records(source, digest):
        line = PairLine.of(record, where).with_equal_texts(texts)
        if line.line.id in seen:
            raise repeated(line)
        seen.add(line.line.id)
        line.line.new_passages(passages.setdefault(line.line.passage_id, {}))
        if line.line.queries:
            asked.append(line)
    rows = tuple(line.row(passages[line.line.passage_id]) for line in asked)
    if not rows:
        raise no_rows(source)
    languages = {language for row in rows for language in (*row.queries, *row.passages)}
    on_hub = isinstance(source, str) and source.startswith(HUB)
    sha256 = digest.hexdigest() if on_hub else checksum(Path(source))
    return PairFile(Path(source), sha256=sha256, rows=rows, languages=tuple(sorted(languages)))


def _records(source: Path | str, digest: Any) -> Iterator[tuple[str, Any]]:
    """Where each row is, and what it says; the digest is updated by what comes from the Hub, where no file is."""
    if not is_table(str(source)):
        yield from records(Path(source))
        return
    for where, record in dataset_records(str(source)):
        digest.update(json.dumps(record, sort_keys=True).encode())
        yield where, record


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Writes rows as JSON lines, packed if the name ends in ``.gz``; the file appears whole. Returns how many.

    Raises:
        DataError: if there is none; then there is no file.

    """
    n_rows = 0
    with whole(path) as temporary, temporary.open("wb") as file:
        # No name and no date in the head: the same rows are the same bytes.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for row in rows:
            packed.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            n_rows += 1
        if packed is not file:
            packed.close()
        if not n_rows:
            raise DataError(f"There is no row to write to {path}: no text with letters was read.")
    return n_rows


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
