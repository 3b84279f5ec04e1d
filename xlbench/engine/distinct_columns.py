"""DistinctColumns: the distinct passages of a collection as the engine counts them, and their further copies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xlbench.arrays import IntArray
from xlbench.collection import Collection
from xlbench.engine.scores import TILE_PASSAGES, Scores


@dataclass(frozen=True)
class DistinctColumns:
    """The distinct passages in the order of their first copy, hence sorted by its language; and the other copies."""

    bounds: IntArray
    """``[L + 1]``: the first copies in language ``l`` are the columns ``bounds[l]:bounds[l + 1]``."""
    order: IntArray
    """``[U]``, tie order of each first copy."""
    copies: IntArray
    """``[C, 3]``: column, language and tie order of each further copy, sorted by column."""
    first: int = 0
    """The first column of the shard."""
    last: int = 0
    """The column after the shard's last."""

    @classmethod
    def of(cls, collection: Collection, scores: Scores) -> DistinctColumns:
        """The distinct passages that a collection's scores have a column for."""
        order = collection.passages.tie_order
        first_copy = np.empty(scores.n_passages, np.int64)
        first_copy[scores.passage[::-1]] = np.arange(len(scores.passage))[::-1]  # Of several the first is written last.
        is_further = np.ones(len(scores.passage), bool)
        is_further[first_copy] = False
        further = np.flatnonzero(is_further)
        further = further[np.argsort(scores.passage[further], kind="stable")]
        language = collection.passages.language
        return cls(
            bounds=np.searchsorted(language[first_copy], np.arange(len(collection.languages) + 1)).astype(np.int64),
            order=order[first_copy],
            copies=np.stack([scores.passage[further], language[further], order[further]], axis=1).astype(np.int64),
            last=scores.n_passages,
        )

    def spans(self) -> IntArray:
        """The runs of columns of one language in one tile: tile, language, first and last column, ``int64[S, 4]``."""
        runs = []
        for language, (start, stop) in enumerate(pairwise(self.bounds.tolist())):
            edges = [start, *range((start // TILE_PASSAGES + 1) * TILE_PASSAGES, stop, TILE_PASSAGES), stop]
            runs += [(first // TILE_PASSAGES, language, first, last) for first, last in pairwise(edges) if first < last]
        return np.array(runs, dtype=np.int64).reshape(-1, 4)

    def shard(self, first: int, last: int) -> DistinctColumns:
        """The columns ``first:last``, counted from 0 in ``bounds`` and ``copies``."""
        copies = self.copies[slice(*np.searchsorted(self.copies[:, 0], [first, last]))]
        return DistinctColumns(
            bounds=np.clip(self.bounds, first, last) - first,
            order=self.order[first:last],
            copies=copies - np.array([first, 0, 0]),
            first=first,
            last=last,
        )
