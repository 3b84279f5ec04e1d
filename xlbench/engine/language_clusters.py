"""How far vectors lie by language: what a text's nearest neighbours are, whatever anyone asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbench.arrays import BoolArray, FloatArray, IntArray, VectorArray
from xlbench.collection import Texts
from xlbench.engine.alignment import variance_share
from xlbench.engine.vectors import Embeddings, Vectors

_COLUMNS_AT_ONCE = 8192
_ROWS_AT_ONCE = 1024
_SPREAD_OF = 20_000
"""How many texts are drawn to divide up the variance, whose value hardly depends on it."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest texts of a sample of texts."""

    language: IntArray
    """``[S]``, of the sampled texts."""
    own: FloatArray
    """``[S]``, the share of their nearest texts that are in their language."""
    expected: FloatArray
    """``[S]``, the share of all other texts that are: what it would be if language did not matter."""


@dataclass(frozen=True)
class LanguageClusters:
    """Distinct texts of each language, with their vectors; equal texts of a language are one."""

    vectors: Vectors
    row: IntArray
    """``[P]``, which vector each text has."""
    language: IntArray
    """``[P]``, non-decreasing."""

    @classmethod
    def of(cls, texts: Texts, embeddings: Embeddings) -> LanguageClusters:
        """Those of a collection's passages."""
        n_vectors = max(len(embeddings.vectors), 1)
        keys = np.unique(texts.language.astype(np.int64) * n_vectors + embeddings.row)
        return cls(embeddings.vectors, keys % n_vectors, keys // n_vectors)

    def variance(self, known: BoolArray) -> float:
        """The share of the variance of the vectors, scaled to length 1, that languages explain (eta squared).

        Of a sample of the texts whose language, an index into ``known``, is known. By chance it is
        (languages - 1) / (texts - 1).
        """
        drawn = _drawn(np.flatnonzero(known[self.language]), _SPREAD_OF)
        return variance_share(_unit(self.vectors[self.row[drawn]]), self.language[drawn])

    def neighbours(self, known: BoolArray, *, k: int, sample: int) -> Neighbours:
        """The languages of the k nearest others, by cosine, of a sample of the texts whose language is known."""
        drawn = _drawn(np.flatnonzero(known[self.language]), sample)
        nearest = self._best(_unit(self.vectors[self.row[drawn]]), k, itself=drawn)
        mine = self.language[drawn]
        sizes = np.bincount(self.language)
        return Neighbours(
            mine,
            (self.language[nearest] == mine[:, None]).mean(axis=1),
            (sizes[mine] - 1) / (len(self.language) - 1),
        )

    def first(self, queries: VectorArray, k: int) -> IntArray:
        """The languages of the k passages with the highest scores for each query, ``[Q, k]``, in no order."""
        return self.language[self._best(queries, k)]

    def _best(self, wanted: VectorArray, k: int, *, itself: IntArray | None = None) -> IntArray:
        """``[m, k]``, texts with the highest inner products, or cosines of all but the text ``itself``."""
        best = np.empty((len(wanted), k), np.int64)
        for first in range(0, len(wanted), _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            score, place = np.zeros((len(wanted[rows]), 0), np.float32), np.zeros((len(wanted[rows]), 0), np.int64)
            for start in range(0, len(self.row), _COLUMNS_AT_ONCE):
                columns = np.arange(start, min(start + _COLUMNS_AT_ONCE, len(self.row)))
                vectors = self.vectors[self.row[columns]]
                scores = wanted[rows] @ (vectors if itself is None else _unit(vectors)).T
                if itself is not None:
                    scores[itself[rows, None] == columns] = -np.inf
                score = np.concatenate([score, scores], axis=1)
                place = np.concatenate([place, np.broadcast_to(columns, scores.shape)], axis=1)
                kept = np.argpartition(-score, min(k, score.shape[1]) - 1, axis=1)[:, :k]
                score, place = np.take_along_axis(score, kept, axis=1), np.take_along_axis(place, kept, axis=1)
            best[rows] = place
        return best


def _drawn(rows: IntArray, size: int) -> IntArray:
    """At most so many of the rows, the same whenever they are the same."""
    if len(rows) <= size:
        return rows
    drawn: IntArray = np.sort(np.random.default_rng(0).choice(rows, size, replace=False))
    return drawn


def _unit(vectors: VectorArray) -> VectorArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: VectorArray = (vectors / np.where(length > 0, length, 1)).astype(np.float32, copy=False)
    return unit
