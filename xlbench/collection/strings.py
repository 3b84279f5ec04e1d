"""Strings on disk: a file of ids and texts that is read batch by batch, so that a collection need not fit in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from xlbench.errors import DataError
from xlbench.support.files import whole

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 8192
_BATCHES_KEPT = 4


def store(records: Iterable[tuple[str, str]], path: Path) -> None:
    """Writes ids and texts to an Arrow file, which appears whole or not at all.

    Raises:
        DataError: for a text that is empty or that is no Unicode.

    """
    import pyarrow as pa

    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = iter(records)
    with (
        whole(path) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, schema, options=options) as writer,
    ):
        while batch := list(islice(rows, BATCH_ROWS)):
            writer.write_batch(pa.record_batch([_column(batch, 0), _column(batch, 1)], schema=schema))


def _column(batch: Sequence[tuple[str, str]], which: int) -> pa.Array:
    import pyarrow as pa

    for id_, text in batch:
        if not text or text.isspace():
            raise DataError(f"The text of {id_!r} is empty: every query and passage needs text.")
    try:
        return pa.array([record[which] for record in batch], pa.string())
    except UnicodeEncodeError as error:
        bad = next(record[0] for record in batch if any("\ud800" <= letter <= "\udfff" for letter in record[which]))
        raise DataError(f"{bad!r} has half of a surrogate pair in its id or text, which is no Unicode.") from error


class StoredStrings(Sequence[str]):
    """The ids or the texts of files that ``store`` wrote, one file after the other; a few batches are in memory."""

    def __init__(self, files: Sequence[Path], column: str) -> None:
        self._column = column
        batches = [(file, batch) for file in files for batch in range(_n_batches(file))]
        lengths = [len(self._read(*at)) if last else BATCH_ROWS for at, last in _with_last(batches)]
        self._batches = batches
        self._starts = np.cumsum([0, *lengths])
        self._kept: OrderedDict[int, list[str]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(islice(self._from(index.start or 0), len(range(*index.indices(len(self))))))
        row = range(len(self))[index]
        batch = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._batch(batch)[row - int(self._starts[batch])]

    def __iter__(self) -> Iterator[str]:
        return self._from(0)

    @property
    def tie_order(self) -> npt.NDArray[np.int64]:
        """``[N]``, the place of each string among all, sorted by code point.

        Raises:
            DataError: if a string occurs twice.

        """
        place = self._place
        if self.first_repeat is not None:
            raise DataError(f"The id {self.first_repeat!r} occurs twice: ids are unique over all languages.")
        return place

    @property
    def first_repeat(self) -> str | None:
        """The first string that occurs twice; None if none does."""
        place = self._place
        if not len(place) or int(place.max()) + 1 == len(place):
            return None
        repeated = np.bincount(place)[place] > 1
        return self[int(repeated.argmax())]

    @cached_property
    def _place(self) -> npt.NDArray[np.int64]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not len(self):
            return np.zeros(0, np.int64)
        strings = pa.concat_arrays([self._read(*at).cast(pa.large_string()) for at in self._batches])
        # Arrow compares bytes, which for UTF-8 is the order of code points. Equal strings get one place.
        place: npt.NDArray[np.int64] = pc.rank(strings, tiebreaker="dense").to_numpy().astype(np.int64) - 1
        return place

    def _from(self, row: int) -> Iterator[str]:
        first = int(np.searchsorted(self._starts, row, side="right")) - 1
        for batch in range(first, len(self._batches)):
            strings = self._batch(batch)
            yield from strings[row - int(self._starts[batch]) :] if batch == first else strings

    def _batch(self, batch: int) -> list[str]:
        if batch not in self._kept:
            self._kept[batch] = self._read(*self._batches[batch]).to_pylist()
            while len(self._kept) > _BATCHES_KEPT:
                self._kept.popitem(last=False)
        return self._kept[batch]

    def _read(self, file: Path, batch: int) -> pa.StringArray:
        # Not mapped: pages of a mapped file count as this process's memory until the system takes them back.
        with _reader(file) as reader:
            return reader.get_batch(batch).column(self._column)


@contextmanager
def _reader(file: Path) -> Iterator[pa.RecordBatchFileReader]:
    import pyarrow as pa

    with pa.OSFile(str(file), "rb") as opened, pa.ipc.open_file(opened) as reader:
        yield reader


def _n_batches(file: Path) -> int:
    with _reader(file) as reader:
        return int(reader.num_record_batches)


def _with_last(batches: Sequence[tuple[Path, int]]) -> Iterator[tuple[tuple[Path, int], bool]]:
    """Each batch, and whether it is the last of its file, which alone may be short."""
    for i, at in enumerate(batches):
        yield at, i + 1 == len(batches) or batches[i + 1][0] != at[0]
