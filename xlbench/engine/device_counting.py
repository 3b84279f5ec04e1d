"""Counts on the device that encodes: what the compiled loops count, in plain torch, tile by tile.

Scores never leave the device. Tiles have one fixed shape here too, so that a score depends on its two vectors alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlbench.arrays import IntArray, VectorArray
from xlbench.engine.counted_tiles import Counts
from xlbench.engine.distinct_columns import DistinctColumns
from xlbench.engine.judged_groups import JudgedGroups
from xlbench.engine.scores import VectorScores, full_precision, padded
from xlbench.errors import EncoderError
from xlbench.measures.ranks import ALL, ASKED, OWN
from xlbench.support.ahead import ahead
from xlbench.support.checkpoint import Checkpoint

_SHAPES = {"cuda": (2048, 1 << 15), "mps": (1024, 1 << 13)}
"""Queries and passages in a tile, by kind of device: its scores and keys take 0.8 GB and 0.1 GB."""
DEVICES = tuple(_SHAPES)
"""The kinds of device that count what they encode."""
_OTHER_SHAPE = (256, 1 << 12)
_FREE = -1
"""The tie order of a place that no passage has taken."""


def order_keys(scores: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Integers that are greater where ``counting.beats`` says that a passage ranks before another, ``int64``.

    The upper half sorts as the float32 score does, the lower half is the tie order, from -1. ``scores`` is changed.
    """
    bits = scores.add_(0.0).view(torch.int32)  # Turns -0.0 into 0.0, which it ties with.
    return _ascending(bits).to(torch.int64) * (1 << 32) + order


def scores_and_orders(keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The scores, ``float32``, and the tie orders, ``int64``, that keys were made of."""
    order = ((keys + 1) & 0xFFFFFFFF) - 1
    return _ascending(((keys - order) >> 32).to(torch.int32)).view(torch.float32), order


def _ascending(bits: torch.Tensor) -> torch.Tensor:
    """A float's bits as an integer that sorts as the float does, or the other way round."""
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def count_on_device(
    scores: VectorScores,
    pairs: JudgedGroups,
    columns: DistinctColumns,
    totals: Counts,
    *,
    file: Path | None,
    tell: Callable[..., None],
) -> None:
    """Fills in the counts on the device of the scores.

    Many passages are counted shard by shard, and what is counted is kept in the file. ``tell`` is told how many are
    done.

    Raises:
        EncoderError: if the device has not the memory.

    """
    counts, arrays = _DeviceCounts(scores, pairs, columns, totals), totals.arrays
    in_one_shard = scores.n_passages <= counts.shard_rows
    saved = Checkpoint(file, counts.own, columns.order, columns.copies) if file and not in_one_shard else None
    done = saved.load(arrays) if saved else 0
    if done:
        counts.take_up()
        tell(done, stored=True)

    def prepared(first: int) -> tuple[int, torch.Tensor]:
        return first, counts.prepared(scores.passages.vectors[slice(first, first + counts.shard_rows)])

    for first, vectors in ahead(prepared, range(done, scores.n_passages, counts.shard_rows)):
        counts.add(vectors, first)
        last = min(first + counts.shard_rows, scores.n_passages)
        if saved and saved.is_due:
            counts.read()
            saved.save(arrays, done=last)
        tell(last - first)
    counts.read()
    if saved:
        saved.remove()


@dataclass(frozen=True)
class _GroupTile:
    """A tile of groups."""

    first: int
    n_groups: int
    pairs: slice
    row: IntArray
    """The row of the tile that each of its pairs has."""
    places: list[tuple[torch.Tensor | None, torch.Tensor]]
    """The rows that have a first pair, a second, and so on, None for all, and which pairs these are."""


@dataclass(frozen=True)
class _PassageTile:
    """A tile of distinct passages, and the further copies of these."""

    first: int
    distinct: torch.Tensor | None
    """``[n]``, which column of the product each passage is, None where each is its own."""
    order: torch.Tensor
    """``[n]``, tie order."""
    runs: list[tuple[int, int, int]]
    """Each language with its first and its last passage, exclusive."""


class _DeviceCounts:
    """What is counted on a device; shard after shard is added to it."""

    def __init__(
        self,
        scores: VectorScores,
        pairs: JudgedGroups,
        columns: DistinctColumns,
        totals: Counts,
    ) -> None:
        """Nothing counted yet; ``totals`` are those that it is read into."""
        self._device = torch.device(scores.device or "cpu")
        self._shape = _SHAPES.get(self._device.type, _OTHER_SHAPE)
        arrays = totals.arrays
        self._pairs, self._columns, self._arrays, self._slots = pairs, columns, arrays, totals.slots
        with self._computing():
            self._queries = self._moved(padded(scores.queries.vectors[pairs.query], self._shape[0]))
            self._tile = torch.empty(self._shape, dtype=torch.float32, device=self._device)
            self._above = torch.zeros(arrays["above"].shape, dtype=torch.int32, device=self._device)
            self._languages = None if totals.languages is None else self._on(totals.languages)
            free = order_keys(torch.tensor(-np.inf, dtype=torch.float32, device="cpu"), torch.tensor(_FREE))
            shape = arrays["best_order"].shape
            self._best = torch.full(shape, int(free), dtype=torch.int64, device=self._device)
            self._group_tiles = [self._group_tile(at) for at in range(0, len(pairs.query), self._shape[0])]
            self._own = self._own_scores(scores)
            self._own_keys = order_keys(self._own.clone(), self._on(pairs.order))

    @property
    def own(self) -> VectorArray:
        """``[Nr]``, the score of each pair."""
        return self._own.cpu().numpy()

    @property
    def shard_rows(self) -> int:
        """How many distinct passages are best added at a time."""
        return 2 * self._shape[1]

    def take_up(self) -> None:
        """Goes on from what is in the arrays."""
        with self._computing():
            score, order = (torch.from_numpy(self._arrays[name].copy()) for name in ("best_score", "best_order"))
            self._best.copy_(order_keys(score, order.to(torch.int64)))
            self._above.copy_(torch.from_numpy(self._arrays["above"]))

    def read(self) -> None:
        """Writes what is counted to the arrays."""
        with self._computing():
            score, order = scores_and_orders(self._best.cpu())
            for name, part in (("above", self._above.cpu()), ("best_score", score), ("best_order", order)):
                self._arrays[name][...] = part.numpy()

    def prepared(self, vectors: VectorArray) -> torch.Tensor:
        """The vectors of distinct passages as ``add`` takes them, where the device can fetch them while it computes."""
        return self._fetched(padded(vectors, self._shape[1]))

    def add(self, prepared: torch.Tensor, first: int) -> None:
        """Adds a shard of passages, of which the distinct ones begin with the passage ``first``."""
        with self._computing():
            moved = self._moved(prepared)
            for start in range(0, len(moved), self._shape[1]):
                tile = self._passage_tile(first + start)
                for group in self._group_tiles:
                    self._count(group, moved[start : start + self._shape[1]], tile)

    def _count(self, group: _GroupTile, vectors: torch.Tensor, tile: _PassageTile) -> None:
        """Adds a tile: of each pair's row, the columns of each language whose keys are greater than the pair's."""
        scores = self._product(group, vectors)
        # A text ties with itself by definition, however the product rounds: a pair has one score wherever it is met.
        column = self._pairs.column[group.pairs] - tile.first
        met = np.flatnonzero((column >= 0) & (column < len(vectors)))
        scores[self._on(group.row[met]), self._on(column[met])] = self._own[self._on(group.pairs.start + met)]
        keys = order_keys(scores if tile.distinct is None else scores[:, tile.distinct], tile.order)
        for rows, pairs in group.places:
            beats = (keys if rows is None else keys[rows]) > self._own_keys[pairs, None]
            for language, start, stop in tile.runs:
                self._add(pairs, language, beats[:, start:stop].sum(dim=1, dtype=torch.int32))
        if self._best.shape[2]:
            self._keep_best(group, keys, tile)

    def _add(self, pairs: torch.Tensor, language: int, n_above: torch.Tensor) -> None:
        """Adds how many passages of a language are above some pairs."""
        if self._languages is None:
            self._above[pairs, language] += n_above
            return
        own, asked = self._languages[:, pairs]
        for column, counted in ((OWN, n_above * (own == language)), (ASKED, n_above * (asked == language))):
            self._above[pairs, column] += counted
        self._above[pairs, ALL] += n_above

    def _keep_best(self, group: _GroupTile, keys: torch.Tensor, tile: _PassageTile) -> None:
        """Puts the passages of a tile among the best of each group, where they belong there; no two keys are equal."""
        n_places = self._best.shape[2]
        for language, start, stop in tile.runs if self._slots.any() else [(0, 0, keys.shape[1])]:
            best = self._best[group.first : group.first + group.n_groups, self._slots[language]]
            some = keys[:, start:stop].topk(min(n_places, stop - start), dim=1).values
            best.copy_(torch.cat([best, some], dim=1).topk(n_places, dim=1).values)

    def _product(self, group: _GroupTile, vectors: torch.Tensor) -> torch.Tensor:
        """The scores of a tile, ``float32[queries, passages]``, in memory that the next product takes."""
        queries = self._queries[group.first : group.first + self._shape[0]]
        return torch.mm(queries, vectors.T, out=self._tile)[: group.n_groups]

    def _own_scores(self, scores: VectorScores) -> torch.Tensor:
        """The score of each pair, ``float32[Nr]``, from tiles of the shape that all have."""
        width = self._shape[1]
        judged, column = np.unique(self._pairs.column, return_inverse=True)
        vectors = scores.passages.vectors[judged]
        own = torch.empty(len(column), dtype=torch.float32, device=self._device)
        for group in self._group_tiles:
            columns, at = np.unique(column[group.pairs], return_inverse=True)
            for start in range(0, len(columns), width):
                product = self._product(group, self._moved(padded(vectors[columns[start : start + width]], width)))
                mine = np.flatnonzero((at >= start) & (at < start + width))
                own[self._on(group.pairs.start + mine)] = product[self._on(group.row[mine]), self._on(at[mine] - start)]
        return own

    def _group_tile(self, first: int) -> _GroupTile:
        starts = self._pairs.starts[first : first + self._shape[0] + 1]
        n_pairs = np.diff(starts)
        places = []
        for place in range(n_pairs.max(initial=0)):
            rows = np.flatnonzero(n_pairs > place)
            places.append((None if len(rows) == len(n_pairs) else self._on(rows), self._on(starts[rows] + place)))
        pairs = slice(int(starts[0]), int(starts[-1]))
        return _GroupTile(first, len(n_pairs), pairs, np.repeat(np.arange(len(n_pairs)), n_pairs), places)

    def _passage_tile(self, first: int) -> _PassageTile:
        bounds, order, copies = self._columns.bounds, self._columns.order, self._columns.copies
        columns = np.arange(first, min(first + self._shape[1], len(order)))
        copies = copies[slice(*np.searchsorted(copies[:, 0], [first, first + self._shape[1]]))]
        language = np.append(np.searchsorted(bounds, columns, "right") - 1, copies[:, 1])
        by_language = np.argsort(language, kind="stable")
        distinct = np.append(columns - first, copies[:, 0] - first)[by_language]
        edges = [*np.flatnonzero(np.diff(language[by_language], prepend=-1)).tolist(), len(language)]
        return _PassageTile(
            first,
            None if np.array_equal(distinct, np.arange(self._shape[1])) else self._on(distinct),
            self._on(np.append(order[columns], copies[:, 2])[by_language]),
            [(int(language[by_language[start]]), start, stop) for start, stop in pairwise(edges)],
        )

    def _on(self, array: npt.NDArray[Any]) -> torch.Tensor:
        return self._moved(self._fetched(torch.from_numpy(np.ascontiguousarray(array))))

    def _fetched(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory() if self._device.type == "cuda" else tensor

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._device, non_blocking=True)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Computes in float32, and turns a device that runs out of memory into a sentence."""
        try:
            with full_precision(), torch.inference_mode():
                yield
        except RuntimeError as error:
            if "out of memory" not in str(error):
                raise
            raise EncoderError(
                f"Counting ran out of memory on {self._device}: {str(error).splitlines()[0]} What was encoded is "
                "kept. End other programs on the device, or evaluate fewer languages at a time."
            ) from error
