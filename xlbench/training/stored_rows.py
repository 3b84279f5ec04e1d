"""The rows of a pair file that does not fit into memory: its lines are in an Arrow file, which is mapped into memory.

Beside them are arrays with a number for each line: which languages its queries and passages are in, and what stands for
its ``passage_id``. What a plan needs follows from these; the texts of a row are read when a batch has it.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, overload

import numpy as np

from xlbench.arrays import BoolArray, RowArray
from xlbench.catalogue.readers.parallel import Line
from xlbench.errors import DataError
from xlbench.training.links import NumberArray, link_number
from xlbench.training.pair_lines import PairLine, PairRow, no_rows, repeated

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_LINES = 8192
_FORMAT = 1
"""Of the files in a folder; raised when they change."""
_MOST_LANGUAGES = 64
_ARRAYS = ("id", "passage", "queries", "passages")
"""``uint64`` by line: what stands for the ids of line and passage, and a bit for each language of its texts."""


class StoredRows(Sequence[PairRow]):
    """The rows in a folder that ``of`` made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.languages: tuple[str, ...] = tuple(json.loads((folder / "languages.json").read_text(encoding="utf-8")))
        self._line: RowArray = np.load(folder / "rows.npy", mmap_mode="r")
        self._shared: RowArray = np.load(folder / "shared.npy", mmap_mode="r")
        self._shared_passage: NumberArray = np.load(folder / "shared_passage.npy", mmap_mode="r")

    @classmethod
    def of(cls, lines: Iterable[PairLine], folder: Path, *, source: str) -> StoredRows:
        """The rows of these lines, which are written to a folder that is named so, unless it is there.

        Raises:
            DataError: with file and line, as for a file in memory.

        """
        folder = folder.with_name(f"{folder.name}-{_FORMAT}")
        if not folder.is_dir():
            partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
            partial.mkdir(parents=True)
            try:
                _write(lines, partial)
                _join(partial, source)
                os.replace(partial, folder)  # noqa: PTH105 (a folder)
            except OSError:
                if not folder.is_dir():  # Another process was not faster.
                    raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return cls(folder)

    def __reduce__(self) -> Any:
        return StoredRows, (self._folder,)

    def __len__(self) -> int:
        return len(self._line)

    @overload
    def __getitem__(self, index: int) -> PairRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[PairRow]: ...
    def __getitem__(self, index: int | slice) -> PairRow | list[PairRow]:
        if isinstance(index, slice):
            return [self._row(i) for i in range(*index.indices(len(self)))]
        return self._row(range(len(self))[index])

    def __iter__(self) -> Iterator[PairRow]:
        return map(self._row, range(len(self)))

    def presence(self, languages: Sequence[str]) -> tuple[BoolArray, BoolArray]:
        """``[rows, languages]`` twice: which queries and passages are in these languages."""
        both: list[BoolArray] = []
        for name in ("queries", "passages"):
            there: BoolArray = np.zeros((len(self), len(languages)), np.bool_)
            bits = _mapped(self._folder, name)
            for start in range(0, len(self), BATCH_LINES):
                here = bits[self._line[start : start + BATCH_LINES]]
                for column, language in enumerate(languages):
                    if language in self.languages:
                        bit = np.uint64(1 << self.languages.index(language))
                        there[start : start + BATCH_LINES, column] = (here & bit) > 0
            both.append(there)
        return both[0], both[1]

    def _row(self, i: int) -> PairRow:
        number = int(self._line[i])
        line = self._lines[number]
        passages: dict[str, str] = {}
        for other in self._with_passage(line.line.passage_id) or [number]:
            of = line.line if other == number else self._lines[other].line
            if of.passage_id == line.line.passage_id:
                passages |= of.passages
        return line.row(passages)

    def _with_passage(self, passage_id: str) -> list[int]:
        """The lines whose passage has this id, if there are several."""
        number = np.uint64(link_number(passage_id))
        first = int(np.searchsorted(self._shared_passage, number, "left"))
        last = int(np.searchsorted(self._shared_passage, number, "right"))
        shared: list[int] = self._shared[first:last].tolist()
        return shared

    @cached_property
    def _lines(self) -> _Lines:
        return _Lines(self._folder / "lines.arrow")


class _Lines:
    """The lines of an Arrow file, which is mapped into memory."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))

    def __getitem__(self, number: int) -> PairLine:
        batch, place = divmod(number, BATCH_LINES)
        content: pa.RecordBatch = self._reader.get_batch(batch)
        return _line_of(json.loads(content.column(0)[place].as_py()))


def _content(of: PairLine) -> list[Any]:
    """What is stored of a line."""
    line = of.line
    texts = [line.queries, line.passages, of.negatives]
    return [line.id, line.passage_id, line.is_shared, *texts, of.passage_scores, of.negative_scores, line.where]


def _line_of(content: list[Any]) -> PairLine:
    id_, passage_id, is_shared, queries, passages, negatives, passage_scores, negative_scores, where = content
    return PairLine(
        Line(id_, passage_id, queries, passages, is_shared, passage_id, "", where),
        {language: tuple(texts) for language, texts in negatives.items()},
        passage_scores,
        {language: tuple(scores) for language, scores in negative_scores.items()},
    )


def _write(lines: Iterable[PairLine], folder: Path) -> None:
    """Writes the lines and the arrays, batch after batch."""
    import pyarrow as pa

    schema = pa.schema([("line", pa.large_binary())])
    codes: dict[str, int] = {}
    with (
        pa.OSFile(str(folder / "lines.arrow"), "wb") as file,
        pa.ipc.new_file(file, schema) as writer,
        _Files([folder / name for name in _ARRAYS]) as arrays,
    ):
        waiting = iter(lines)
        while batch := list(islice(waiting, BATCH_LINES)):
            texts = [json.dumps(_content(line)).encode() for line in batch]
            writer.write_batch(pa.record_batch([pa.array(texts, pa.large_binary())], schema=schema))
            numbers = [
                (
                    link_number(of.line.id),
                    link_number(of.line.passage_id),
                    _bits(of.line.queries, codes),
                    _bits(of.line.passages, codes),
                )
                for of in batch
            ]
            if len(codes) > _MOST_LANGUAGES:
                raise DataError(f"{batch[-1].line.where} is in the 65th language; expected {_MOST_LANGUAGES} at most.")
            for array, column in zip(arrays, np.array(numbers, np.uint64).T, strict=True):
                np.ascontiguousarray(column).tofile(array)
    (folder / "languages.json").write_text(json.dumps(list(codes)), encoding="utf-8")


def _bits(languages: Iterable[str], codes: dict[str, int]) -> int:
    """A bit for each language; new ones get the next."""
    bits = 0
    for language in languages:
        bits |= 1 << codes.setdefault(language, len(codes))
    return bits if len(codes) <= _MOST_LANGUAGES else 0


def _join(folder: Path, source: str) -> None:
    """Has lines with one ``passage_id`` have all its passages; refuses ids that occur twice, and files without rows."""
    if not (folder / "id").stat().st_size:
        raise no_rows(source)
    lines = _Lines(folder / "lines.arrow")
    for first, second in _repeats(_mapped(folder, "id")):
        if lines[first].line.id == lines[second].line.id:
            raise repeated(lines[second])
    rows = np.flatnonzero(_mapped(folder, "queries")).astype(np.int32)
    if not len(rows):
        raise no_rows(source)
    passage = _mapped(folder, "passage")
    order = np.argsort(passage, kind="stable").astype(np.int32)
    equal = passage[order[1:]] == passage[order[:-1]]
    is_shared = np.concatenate([[False], equal]) | np.concatenate([equal, [False]])
    shared: RowArray = order[is_shared]
    numbers: NumberArray = passage[shared]
    known: dict[str, dict[str, str]] = {}
    last = None
    for line, number in zip(shared.tolist(), numbers.tolist(), strict=True):
        known, last = known if number == last else {}, number
        of = lines[line].line
        of.new_passages(known.setdefault(of.passage_id, {}))
    if len(shared):
        starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
        bits = _mapped(folder, "passages", mode="r+")
        joined = np.bitwise_or.reduceat(bits[shared], starts)
        bits[shared] = np.repeat(joined, np.diff([*starts, len(shared)]))
        bits.flush()
    for name, array in (("rows", rows), ("shared", shared), ("shared_passage", numbers)):
        np.save(folder / f"{name}.npy", array)


def _repeats(numbers: NumberArray) -> Iterator[tuple[int, int]]:
    """The places of numbers that occur again, and where they do."""
    order = np.argsort(numbers, kind="stable")
    again = np.flatnonzero(numbers[order[1:]] == numbers[order[:-1]])
    return ((int(order[i]), int(order[i + 1])) for i in again)


def _mapped(folder: Path, name: str, *, mode: Any = "r") -> Any:
    return np.memmap(folder / name, np.uint64, mode)


class _Files:
    """Several files that are written at once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files: list[IO[bytes]] = [path.open("wb") for path in paths]

    def __enter__(self) -> list[IO[bytes]]:
        return self._files

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()
