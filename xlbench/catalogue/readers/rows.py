"""Records from lines of JSON, plain, gzip or in a zip archive, from rows of parquet, and from tables with tabs."""

from __future__ import annotations

import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.fields import Growth, decode, lines, lines_of, text_of
from xlbench.errors import DataError, shown

_BATCH = 8192
# A damaged archive may claim to be encrypted, or packed by a method that is not known.
_DAMAGED = (zipfile.BadZipFile, OSError, ValueError, RuntimeError, lzma.LZMAError)


def records(path: Path, inside: str) -> Iterator[tuple[str, Any]]:
    """Where each record is, and the record; of a zip archive, those in its file that is named ``inside``.

    Raises:
        DataError: if the file is damaged or cut off, or of another form than its name says.

    """
    if path.suffix == ".parquet":
        yield from _rows(path)
        return
    for where, _, line in _lines(path, inside):
        yield where, decode(line, where)


def columns(path: Path, inside: str, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where each row of a table with tabs is, and its columns, of which the first row names as many as ``names``.

    Raises:
        DataError: if the file is damaged or cut off, or a row has more or fewer columns.

    """
    for where, is_first, line in _lines(path, inside):
        cells = tuple(text_of(line, where).split("\t"))
        if len(cells) != len(names):
            raise DataError(
                f"{where} has {len(cells)} columns: {shown(' | '.join(cells))}; expected {len(names)}, with tabs "
                f"between: {', '.join(names)}."
            )
        if not is_first:
            yield where, cells
        elif cells != names:
            raise DataError(
                f"{where} is {shown(' | '.join(cells))}; expected the names of columns: {', '.join(names)}."
            )


def _lines(path: Path, inside: str) -> Iterator[tuple[str, bool, bytes]]:
    """Where each line is, whether it is the first of its file, and the line."""
    if path.suffix != ".zip":
        for number, line in lines(path):
            yield f"{path}, line {number:,}", number == 1, line
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if f"/{name}".endswith(f"/{inside}")]
            if len(members) != 1:
                raise DataError(f"{path} has {len(members)} files {inside}; expected one.")
            with archive.open(members[0]) as file:
                for number, line in lines_of(file, f"{path}, {members[0]}"):
                    yield f"{path}, {members[0]}, line {number:,}", number == 1, line
    except _DAMAGED as error:
        raise DataError(f"{path} is no whole zip archive ({error}): copy or download it again.") from error


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number, growth = 0, Growth(path)
    try:
        # A text that is repeated stays one until it is known how large all are together.
        with pq.ParquetFile(path) as file:
            texts = [column.path for column in map(file.schema.column, range(len(file.schema)))
                     if column.physical_type == "BYTE_ARRAY" and "." not in column.path]  # fmt: skip
            groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
            Growth(path).add(sum(group.total_byte_size for group in groups))
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                growth.add(sum(map(_unpacked_bytes, batch.columns)))
                plain = [each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in batch]
                for row in pa.RecordBatch.from_arrays(plain, names=batch.schema.names).to_pylist():
                    number += 1
                    yield f"{path}, row {number:,}", row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is no whole parquet file after row {number:,} ({error}): copy or download it again."
        ) from error


def _unpacked_bytes(column: Any) -> int:
    """How much memory a column takes when each of its texts is a text of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    return int(pc.sum(pc.binary_length(column.dictionary).cast(pa.int64()).take(column.indices)).as_py() or 0)
