"""Which languages the rows have, and what batches they can therefore be in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbench.arrays import BoolArray, FloatArray
from xlbench.training.recipes import Kind

_CHUNK = 65_536
"""Rows whose pairs of languages are counted at a time, so that memory stays small."""


@dataclass(frozen=True)
class Presence:
    """Which languages each row has."""

    languages: tuple[str, ...]
    queries: BoolArray
    """``[rows, languages]``"""
    passages: BoolArray
    """``[rows, languages]``"""

    def __len__(self) -> int:
        return len(self.queries)

    def only(self, languages: tuple[str, ...] | None) -> Presence:
        """The same rows in these languages only."""
        if languages is None:
            return self
        kept = np.array([language in languages for language in self.languages])
        return Presence(self.languages, self.queries & kept, self.passages & kept)

    def uses_of_pairs(self, uses: FloatArray | None = None) -> FloatArray:
        """``[languages, languages]``: rows with a query in one language and a passage in the other, by their uses."""
        total: FloatArray = np.zeros((len(self.languages),) * 2)
        for start in range(0, len(self), _CHUNK):
            here = slice(start, start + _CHUNK)
            queries = self.queries[here] * (1.0 if uses is None else uses[here, None])
            total += queries.T @ self.passages[here].astype(np.float64)
        return total

    def having(self, kind: Kind) -> BoolArray:
        """Which rows can be in such a batch: ``[rows, languages]`` for mono, ``[rows, 1]`` for others."""
        both: BoolArray = self.queries & self.passages
        if kind == "mono":
            return both
        if kind == "mixed":
            return np.reshape(both.any(axis=1), (-1, 1))
        n_queries, n_passages = self.queries.sum(axis=1), self.passages.sum(axis=1)
        same = (n_queries == 1) & (n_passages == 1) & both.any(axis=1)
        crossing: BoolArray = np.reshape((n_queries > 0) & (n_passages > 0) & ~same, (-1, 1))
        return crossing
