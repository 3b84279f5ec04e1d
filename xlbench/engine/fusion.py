"""Scores of a fusion: two models' scores of all passages of a pool, made comparable and added, query by query.

Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009), with the rank of a passage in the pool by either model:

    weight / (k + rank_A) + (1 - weight) / (k + rank_B)

Rankings are whole, not cut off, for measures such as RankDistance ask for every rank. Passages with equal scores of a
model share the last of their ranks, so that those which BM25 does not find, all of them with a score of 0, get next to
nothing from it, as where its list ends with what it finds.

Interpolation, with the least and the greatest score of the pool's passages for the query:

    weight * (A - min A) / (max A - min A) + (1 - weight) * (B - min B) / (max B - min B)

with 0 for a model whose scores are all equal. Ranks, minima and maxima are those of the pool: the fused score of a
query and a passage is one in the pool of all languages, and another one in the pool of the passage's language. Hence a
fusion has two rankings: one for multilingual settings, and one for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.combinations import Combinations
from xlbench.engine.scores import TILE_PASSAGES, TILE_QUERIES, Scores, buffer
from xlbench.errors import EncoderError
from xlbench.models.fused import Fusion
from xlbench.support.machine import memory_bytes

DoubleArray = npt.NDArray[np.float64]

_BUFFERS = 3  # Of a tile of queries with all passages: one for each model, and one for the fused scores.


def alone(scores: Scores) -> Scores:
    """The scores in pools of one language: others than those in the pool of all languages for a fusion only."""
    return scores.in_languages() if isinstance(scores, FusedScores) else scores


@dataclass(frozen=True)
class FusedScores:
    """The scores of a fusion in the pool of all passages, or in the pools of each language.

    To rank passages, all of a pool must be at hand: the scores of a tile of queries with all passages are in memory.
    """

    fusion: Fusion
    parts: tuple[_Part, _Part]
    bounds: IntArray
    """``[P + 1]``: the pools are the distinct passages ``bounds[p]:bounds[p + 1]``."""
    languages: IntArray
    """``[L + 1]``: the bounds of the languages."""
    copies: IntArray
    """``[U]``, how many equal passages each of all distinct passages stands for."""
    columns: IntArray
    """``[n]``, those of all distinct passages that scores are asked of."""
    query: IntArray
    passage: IntArray

    @classmethod
    def of(cls, collection: Collection, scores: Sequence[Scores], fusion: Fusion) -> FusedScores:
        """The fused scores in the pool of all passages.

        Raises:
            EncoderError: if there are more passages than memory allows.

        """
        first, second = scores
        query = Combinations.of(first.query, second.query)
        language = collection.passages.language
        passage = Combinations.of(language.astype(np.int64), first.passage, second.passage)
        copies = np.bincount(passage.row, minlength=len(passage.first))
        n_bytes = _BUFFERS * TILE_QUERIES * 4 * len(copies)
        if n_bytes > memory_bytes() / 2:
            raise EncoderError(
                f"{fusion.name} keeps the scores of {TILE_QUERIES} queries with all {len(copies):,} distinct passages "
                f"in memory, {n_bytes / 1e9:.1f} GB; expected at most half of the {memory_bytes() / 1e9:.1f} GB of "
                "this machine. Choose fewer languages with --language."
            )
        parts = [_Part(of, of.query[query.first], of.passage[passage.first]) for of in scores]
        edges = np.searchsorted(language[passage.first], np.arange(len(collection.languages) + 1))
        return cls(
            fusion=fusion,
            parts=(parts[0], parts[1]),
            bounds=np.array([0, len(copies)]),
            languages=edges.astype(np.int64),
            copies=copies,
            columns=np.arange(len(copies)),
            query=query.row,
            passage=passage.row,
        )

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        return len(self.parts[0].query)

    @property
    def n_passages(self) -> int:
        """How many distinct passages scores are asked of."""
        return len(self.columns)

    def in_languages(self) -> FusedScores:
        """The scores in the pools of each language; these themselves if there is but one."""
        pools = np.unique(self.languages)
        return self if np.array_equal(pools, self.bounds) else replace(self, bounds=pools)

    def select(self, passages: IntArray) -> FusedScores:
        """The scores of some of the passages; the pools stay as they are."""
        return replace(self, columns=self.columns[passages], passage=np.zeros(0, np.int64))

    def prepare(self, passages: slice | IntArray) -> IntArray:
        """Which of all passages they are."""
        return self.columns[passages]

    def tiles(self, queries: IntArray, prepared: IntArray, out: VectorArray) -> VectorArray:
        """The fused scores, from whole rows of either model's."""
        of_parts = [part.tiles(queries) for part in self.parts]
        weights = self.fusion.weight, 1 - self.fusion.weight
        n_tiles = -(-len(prepared) // TILE_PASSAGES)

        def fuse(query: int) -> None:
            fused = sum(
                weight * self._standing(tiles[:, query].ravel()[part.passage])
                for weight, tiles, part in zip(weights, of_parts, self.parts, strict=True)
            )
            line = np.zeros(n_tiles * TILE_PASSAGES, np.float32)
            line[: len(prepared)] = np.asarray(fused)[prepared]
            out[:n_tiles, query] = line.reshape(n_tiles, TILE_PASSAGES)

        with ThreadPoolExecutor() as threads:
            list(threads.map(fuse, range(len(queries))))
        return out[:n_tiles]

    def _standing(self, scores: VectorArray) -> DoubleArray:
        """What one model's scores of all distinct passages add to the fused ones, ``[U]``."""
        of_pool: Callable[[VectorArray, IntArray], DoubleArray]
        of_pool = self._reciprocal if self.fusion.method == "rrf" else _scaled
        pools = [slice(first, last) for first, last in pairwise(self.bounds.tolist())]
        return np.concatenate([of_pool(scores[pool], self.copies[pool]) for pool in pools])

    def _reciprocal(self, scores: VectorArray, copies: IntArray) -> DoubleArray:
        return 1 / (self.fusion.k + ranks(scores, copies))


def ranks(scores: VectorArray, copies: IntArray) -> IntArray:
    """The rank of each distinct passage, how many passages have its score or a higher one: ``int64[U]``."""
    order = np.argsort(scores)[::-1]
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    ranks_of = np.empty(len(scores), np.int64)
    ranks_of[order] = np.repeat(np.cumsum(copies[order])[ends], np.diff(ends, prepend=-1))
    return ranks_of


def _scaled(scores: VectorArray, copies: IntArray) -> DoubleArray:
    """From 0 for the least score to 1 for the greatest, however many passages have it."""
    del copies
    least, greatest = float(scores.min()), float(scores.max())
    return (scores.astype(np.float64) - least) / ((greatest - least) or 1.0)


@dataclass(frozen=True)
class _Part:
    """The scores of one of the models."""

    scores: Scores
    query: IntArray
    """``[n_queries]``, the model's own distinct query."""
    passage: IntArray
    """``[U]``, the model's own distinct passage."""

    @cached_property
    def _everything(self) -> Any:
        return self.scores.prepare(slice(0, self.scores.n_passages))

    def tiles(self, queries: IntArray) -> VectorArray:
        """The scores of a tile of queries and all of the model's passages."""
        return self.scores.tiles(self.query[queries], self._everything, buffer(self.scores.n_passages))
