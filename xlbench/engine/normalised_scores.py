"""Scores that are normalised, query by query, within each language: of a pool whose languages are scored apart.

z-score: (s - mean) / standard deviation; min-max: (s - min) / (max - min); over the query's scores of all passages of
the passage's language, equal passages counted as often as they occur. Where all scores are equal they become 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.combinations import Combinations
from xlbench.engine.scores import TILE_PASSAGES, TILE_QUERIES, Scores, buffer, shard_rows_of
from xlbench.models.pooling import Pooling

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NormalisedScores:
    """The scores of a model, normalised; equal passages of two languages are two."""

    scores: Scores
    columns: IntArray
    """``[n]``, the model's own distinct passage of each."""
    language: IntArray
    """``[n]``."""
    least: VectorArray
    """``[n_queries, L]``, what is subtracted."""
    scale: VectorArray
    """``[n_queries, L]``, what is multiplied by then."""
    query: IntArray
    passage: IntArray

    @classmethod
    def of(cls, collection: Collection, scores: Scores, pooling: Pooling) -> NormalisedScores:
        """The normalised scores; all scores are computed once to know their means, or their least and greatest."""
        language = collection.passages.language.astype(np.int64)
        distinct = Combinations.of(language, scores.passage)
        columns, of_column = scores.passage[distinct.first], language[distinct.first]
        copies = np.bincount(distinct.row, minlength=len(distinct.first))
        n_languages = len(collection.languages)
        parts = _Parts(scores, columns, of_column, copies, n_languages)
        least, width = parts.moments() if pooling.method == "z-score" else parts.ends()
        scale = np.divide(1, width, out=np.zeros_like(width), where=width > 0)
        return cls(
            scores,
            columns,
            of_column,
            least=least.astype(np.float32),
            scale=scale.astype(np.float32),
            query=scores.query,
            passage=distinct.row,
        )

    @property
    def shard_rows(self) -> int:
        """As the model's own."""
        return shard_rows_of(self.scores)

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        return self.scores.n_queries

    @property
    def n_passages(self) -> int:
        """How many distinct passages there are."""
        return len(self.columns)

    def select(self, passages: IntArray) -> NormalisedScores:
        """The scores of some of the passages; what they are normalised by stays."""
        kept = self.columns[passages]
        return replace(
            self,
            scores=self.scores.select(kept),
            columns=np.arange(len(kept)),
            language=self.language[passages],
            passage=np.zeros(0, np.int64),
        )

    def prepare(self, passages: slice | IntArray) -> tuple[Any, IntArray]:
        """What the model needs of them, and their languages."""
        return self.scores.prepare(self.columns[passages]), self.language[passages]

    def tiles(self, queries: IntArray, prepared: tuple[Any, IntArray], out: VectorArray) -> VectorArray:
        """The model's scores, normalised where they are."""
        of_model, language = prepared
        tiles_of = self.scores.tiles(queries, of_model, out)
        least, scale = self.least[queries], self.scale[queries]
        for number, tile in enumerate(tiles_of):
            code = language[number * TILE_PASSAGES : (number + 1) * TILE_PASSAGES]
            part = tile[: len(queries), : len(code)]
            np.subtract(part, least[:, code], out=part)
            np.multiply(part, scale[:, code], out=part)
        return tiles_of


@dataclass(frozen=True)
class _Parts:
    """All scores, some queries and the passages of one language at a time."""

    scores: Scores
    columns: IntArray
    language: IntArray
    copies: IntArray
    n_languages: int

    def moments(self) -> tuple[DoubleArray, DoubleArray]:
        """Mean and standard deviation of each query in each language, ``float64[n_queries, L]``."""
        n_passages = np.bincount(self.language, weights=self.copies, minlength=self.n_languages)
        total, squares = np.zeros((2, self.scores.n_queries, self.n_languages))
        for queries, code, copies, scores in self._each():
            total[queries, code] += scores @ copies
            squares[queries, code] += (scores * scores) @ copies
        mean = total / np.maximum(n_passages, 1)
        variance = squares / np.maximum(n_passages, 1) - mean * mean
        # Of equal scores it is rounding that is left.
        return mean, np.sqrt(np.where(variance > 1e-12 * mean * mean, variance, 0))

    def ends(self) -> tuple[DoubleArray, DoubleArray]:
        """The least score of each query in each language, and how much more the greatest is."""
        least = np.full((self.scores.n_queries, self.n_languages), np.inf)
        most = np.full_like(least, -np.inf)
        for queries, code, _, scores in self._each():
            least[queries, code] = np.minimum(least[queries, code], scores.min(axis=1))
            most[queries, code] = np.maximum(most[queries, code], scores.max(axis=1))
        known = least <= most
        return np.where(known, least, 0), np.where(known, most - np.where(known, least, 0), 0)

    def _each(self) -> Iterator[tuple[slice, int, DoubleArray, DoubleArray]]:
        """Queries, language, copies of each passage, and scores ``[q, p]``."""
        rows = shard_rows_of(self.scores)
        out = buffer(min(len(self.columns), rows))
        for first in range(0, len(self.columns), rows):
            shard = slice(first, min(first + rows, len(self.columns)))
            prepared = self.scores.prepare(self.columns[shard])
            language, copies = self.language[shard], self.copies[shard].astype(np.float64)
            spans = np.searchsorted(language, np.arange(self.n_languages + 1))
            for start in range(0, self.scores.n_queries, TILE_QUERIES):
                queries = np.arange(start, min(start + TILE_QUERIES, self.scores.n_queries))
                tiles = self.scores.tiles(queries, prepared, out)
                lines = tiles.transpose(1, 0, 2).reshape(TILE_QUERIES, -1)[: len(queries)]
                for code in range(self.n_languages):
                    mine = slice(spans[code], spans[code + 1])
                    if mine.start < mine.stop:
                        scores = lines[:, mine].astype(np.float64)
                        yield slice(start, start + len(queries)), code, copies[mine], scores
