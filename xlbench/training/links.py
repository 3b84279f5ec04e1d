"""Which rows share a text: one rule for the mask of the loss, for validation, and for the mining of negatives.

Rows are linked by one passage id, and by any text that is the same by its letters and digits (``same_text``). Whoever
is linked to one of them belongs to them too. A text without letters, such as the "???" of a translation that failed,
links nothing.
"""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from xlbench.arrays import RowArray
from xlbench.collection.same_text import plain
from xlbench.errors import TrainingError, shown

MOST = 0.1
"""The largest share of a file's rows that one group may have."""
_FEW = 20
"""Rows of a group that are never too many."""
AT_ONCE = 2**21
"""Keys that are in memory before they go to files."""
_PARTS = 64
NumberArray = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Linkable:
    """What a row may share with others."""

    passage: Hashable
    """The identity of its passage."""
    texts: tuple[str, ...]


def link_key(text: str) -> str:
    """What two texts have in common just if they link their rows; empty for a text without letters."""
    key = plain(text)
    return key if any(map(str.isalpha, key)) else ""


def link_number(key: str) -> int:
    """64 bits that stand for a key. Of 600 million keys, two have the same with a probability of .01."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def groups(rows: Iterable[Linkable]) -> RowArray:
    """``[rows]``: the number of each row's group, one for all that are linked, in the order of their first rows."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = 0
    with Keys() as keys:
        for row in rows:
            # No text has the sign before the passage.
            keys.add(n, link_number(f"\0{row.passage!r}"))
            for key in filter(None, map(link_key, row.texts)):
                keys.add(n, link_number(key))
            n += 1
        edges = [_edges(*part) for part in keys.parts()]
    starts, ends = (np.concatenate(side) if side else np.zeros(0, np.int32) for side in zip(*edges, strict=True))
    graph = coo_matrix((np.ones(len(starts), np.bool_), (starts, ends)), shape=(n, n))
    label: RowArray = connected_components(graph, directed=False)[1]
    return label.astype(np.int32, copy=False)


class Keys:
    """Numbers of keys with the rows that have them, of which many are in files: part after part is in memory."""

    def __init__(self) -> None:
        self._rows, self._numbers = array("i"), array("Q")
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, row: int, number: int) -> None:
        """Adds a key of a row."""
        self._rows.append(row)
        self._numbers.append(number)
        if len(self._rows) == AT_ONCE:
            self._write()

    def parts(self) -> Iterator[tuple[RowArray, NumberArray]]:
        """The rows and the numbers, those with equal numbers in one part."""
        if self._folder is None:
            yield np.frombuffer(self._rows, np.int32), np.frombuffer(self._numbers, np.uint64)
            return
        self._write()
        for part in range(_PARTS):
            rows, numbers = self._files(part)
            if rows.exists():
                yield np.fromfile(rows, np.int32), np.fromfile(numbers, np.uint64)

    def _write(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="xlbench-")
        rows, numbers = np.frombuffer(self._rows, np.int32), np.frombuffer(self._numbers, np.uint64)
        part = numbers % np.uint64(_PARTS)
        for each in np.unique(part).tolist():
            for file, values in zip(self._files(each), (rows[part == each], numbers[part == each]), strict=True):
                with file.open("ab") as opened:
                    values.tofile(opened)
        self._rows, self._numbers = array("i"), array("Q")

    def _files(self, part: int) -> tuple[Path, Path]:
        folder = Path(self._folder.name if self._folder else "")
        return folder / f"{part}.rows", folder / f"{part}.numbers"


def _edges(rows: RowArray, numbers: NumberArray) -> tuple[RowArray, RowArray]:
    """Pairs of rows that have a number in common, by which all that have it are connected."""
    order = np.argsort(numbers, kind="stable")
    same = numbers[order[1:]] == numbers[order[:-1]]
    return rows[order[:-1][same]], rows[order[1:][same]]


def check_groups(group: RowArray, row: Callable[[int], Linkable], where: object) -> None:
    """Refuses a file of which one group has more than a tenth of the rows; ``row`` gives what each may share.

    Raises:
        TrainingError: naming the text that most of these rows have.

    """
    sizes = np.bincount(group) if len(group) else np.zeros(1, np.int64)
    most = int(sizes.max())
    if most <= max(_FEW, MOST * len(group)):
        return
    counts: Counter[str] = Counter()
    for i in np.flatnonzero(group == sizes.argmax()).tolist():
        counts.update({key for text in row(i).texts if (key := link_key(text))})
    text, n = counts.most_common(1)[0] if counts else ("", most)
    raise TrainingError(
        f"{where}: {most:,} of {len(group):,} rows are linked by texts that they share, such as {shown(text)} in {n:,} "
        f"of them, and linked rows are no negatives of each other; expected {MOST:.0%} at most. If the text stands for "
        "one that is missing, leave its language out of these rows."
    )
