"""Counting tile by tile: in the thread that made the tile while it is in that core's cache, where scores allow that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlbench.arrays import IntArray, VectorArray
from xlbench.engine.counting import count_copies, count_first, keep_best
from xlbench.engine.scores import TILE_PASSAGES, Scores, buffer
from xlbench.measures.ranks import SUMS, sums_of

# 256 x 2,048 scores stay in the second cache, or near it, and a call of Python costs little beside their product.
PART_ROWS = 4 * TILE_PASSAGES


@dataclass(frozen=True)
class Counts:
    """What is counted, of groups of pairs with one query; it is added to in place."""

    above: npt.NDArray[np.int32]
    """``[Nr, L]``, or the sums ``[Nr, 3]``."""
    best_score: VectorArray
    """``[G, S, k]`` for ``S`` pools, -inf where no passage is yet."""
    best_order: npt.NDArray[np.int32]
    """``[G, S, k]``, tie order of the passage, -1 where none is yet."""
    slots: IntArray
    """``[L]``, the pool of each language's passages."""
    languages: IntArray | None
    """``[2, Nr]``, the languages of each pair's passage and query, if ``above`` has sums; else None."""

    @classmethod
    def start(
        cls, n_pairs: int, places: tuple[int, int, int], slots: IntArray, *, languages: IntArray | None
    ) -> Counts:
        """Nothing counted yet; ``places`` is the shape of the best passages."""
        score, order = np.full(places, -np.inf, np.float32), np.full(places, -1, np.int32)
        columns = len(slots) if languages is None else len(SUMS)
        return cls(np.zeros((n_pairs, columns), np.int32), score, order, slots, languages)

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Those that are added to by name, as a checkpoint keeps them."""
        return {name: getattr(self, name) for name in ("above", "best_score", "best_order")}


@dataclass(frozen=True)
class Part:
    """Some columns, and the pairs that are compared with them, as the compiled loops take them; see ``counting``."""

    prepared: Any
    """By the scores."""
    pairs: tuple[IntArray, IntArray, IntArray, VectorArray]
    columns: tuple[IntArray, IntArray]
    copies: IntArray

    def count(self, tiles: VectorArray, start: int, groups: tuple[int, int], counts: Counts) -> None:
        """Adds what the tiles of the groups from ``start`` on have for some of these groups."""
        if counts.languages is None:
            self._count(tiles, start, groups, self.pairs, counts.above)
        else:
            # By language for these groups alone.
            starts, column, order, own = self.pairs
            mine = slice(starts[groups[0]], starts[groups[1]])
            some = starts[groups[0] : groups[1] + 1] - mine.start, column[mine], order[mine], own[mine]
            table = np.zeros((mine.stop - mine.start, len(counts.slots)), np.int32)
            self._count(tiles, start - groups[0], (0, groups[1] - groups[0]), some, table)
            counts.above[mine] += sums_of(table, *counts.languages[:, mine])
        if counts.best_score.shape[2]:
            best = counts.best_score, counts.best_order, counts.slots
            keep_best(tiles, start, groups, self.columns, self.copies, best)

    def _count(
        self, tiles: VectorArray, start: int, groups: tuple[int, int], pairs: Any, above: npt.NDArray[np.int32]
    ) -> None:
        count_first(tiles, start, groups, pairs, self.columns, above)
        if len(self.copies):
            count_copies(tiles, start, groups, pairs, self.copies, above)


def count_warm(
    threads: ThreadPoolExecutor,
    scores: Scores,
    parts: Sequence[Part],
    queries: IntArray,
    groups: Sequence[tuple[int, int]],
    counts: Counts,
) -> Iterator[None]:
    """Counts all groups in all parts; a thread makes a tile of groups and counts it. Yields as often as a tile is done.

    ``queries`` are those of all groups. Neighbours in turn are other groups, so that threads seldom wait to add to the
    counts of the same ones.
    """
    rooms: list[VectorArray] = []
    locks = {start: Lock() for start, _ in groups}

    def count(item: tuple[Part, tuple[int, int]]) -> None:
        part, (start, stop) = item
        try:
            room = rooms.pop()
        except IndexError:  # The first tile of a thread.
            room = buffer(PART_ROWS)
        tiles = scores.tiles(queries[start:stop], part.prepared, room)
        with locks[start]:
            part.count(tiles, start, (start, stop), counts)
        rooms.append(room)

    for _ in threads.map(count, [(part, some) for part in parts for some in groups]):
        yield


def count_shared(
    threads: ThreadPoolExecutor, tiles: VectorArray, part: Part, groups: tuple[int, int], counts: Counts
) -> None:
    """Counts groups in tiles that are made; each thread takes some of the groups."""
    shares = np.linspace(*groups, 2 * torch.get_num_threads() + 1).astype(np.int64).tolist()
    list(threads.map(lambda *some: part.count(tiles, groups[0], some, counts), shares[:-1], shares[1:]))
