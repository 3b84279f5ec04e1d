"""Best: the best passages of each query in some pools, and those of larger pools that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xlbench.collection.clusters import question_of

_T = TypeVar("_T", np.float32, np.int32)


@dataclass(frozen=True)
class Top:
    """The ``k`` best passages of ``m`` queries in one pool, best first."""

    passage: npt.NDArray[np.int64]
    """``[m, k]``, rows of passages; -1 where the pool has fewer, and for queries without a judged pair."""
    score: npt.NDArray[np.float32]
    """``[m, k]``; -inf where there is no passage."""


@dataclass(frozen=True)
class Best:
    """The best passages of each query in some pools, from which those in larger pools follow."""

    pools: tuple[tuple[int, ...], ...]
    """The languages of each of the ``S`` pools."""
    row: npt.NDArray[np.int64]
    """``[Nq]``, which of the ``G`` rows each query has; -1 for queries without a judged pair."""
    score: npt.NDArray[np.float32]
    """``[G, S, k]``, best first; -inf where the pool has fewer."""
    order: npt.NDArray[np.int32]
    """``[G, S, k]``, tie order of the passage; -1 where the pool has fewer."""
    passage_at: npt.NDArray[np.int64]
    """``[Np + 1]``, the passage of each tie order; -1 in the last place."""

    def top(self, pool: tuple[int, ...], queries: npt.NDArray[np.int64], depth: int) -> Top:
        """The ``depth`` best passages of some queries in the pool of these languages, which are ascending.

        They are those that were kept for the pool, or else the best of those that were kept for its languages.
        """
        slots = [self.pools.index(pool)] if pool in self.pools else [self.pools.index((code,)) for code in pool]
        rows, width = self.row[queries], min(self.score.shape[2], depth)
        known = rows >= 0
        shape = (len(rows), max(depth, len(slots) * width))
        score, order = np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int32)
        for i, slot in enumerate(slots):
            places = slice(i * width, (i + 1) * width)
            score[known, places] = self.score[rows[known], slot, :width]
            order[known, places] = self.order[rows[known], slot, :width]
        if len(slots) > 1:
            merged = np.lexsort((-order, -score))[:, :depth]
            score, order = np.take_along_axis(score, merged, axis=1), np.take_along_axis(order, merged, axis=1)
        return Top(passage=self.passage_at[order[:, :depth]], score=score[:, :depth])

    def and_those(self, other: Best) -> Best:
        """These and those of other pools, of the same queries."""
        width = max(self.score.shape[2], other.score.shape[2])
        return replace(
            self,
            pools=self.pools + other.pools,
            score=np.concatenate([_widened(best.score, width, -np.inf) for best in (self, other)], axis=1),
            order=np.concatenate([_widened(best.order, width, -1) for best in (self, other)], axis=1),
        )


def _widened(places: npt.NDArray[_T], width: int, free: float) -> npt.NDArray[_T]:
    """With free places at the end, ``[G, S, width]``."""
    return np.pad(places, ((0, 0), (0, 0), (0, width - places.shape[2])), constant_values=free)


@dataclass(frozen=True)
class Lists:
    """The best passages of every query in the pool of all languages, and which queries are translations."""

    passage: npt.NDArray[np.int32]
    """``[Nq, k]``, rows of passages, best first; -1 where the pool has fewer, and for queries without a judged pair."""
    translated: npt.NDArray[np.int64]
    """``[Nq, L]``, row of the same question in each language; -1 where there is none."""
    n_tokens: npt.NDArray[np.int32] | None = None
    """``[Nq, k]``, tokens of each of these passages; None but where answers are looked for in them."""

    @classmethod
    def of(
        cls,
        passage: npt.NDArray[np.int32],
        queries: Sequence[str],
        language: npt.NDArray[np.integer[Any]],
        languages: Sequence[str],
    ) -> Lists:
        """The lists of these passages, of queries in languages; ids ``de:1`` and ``en:1`` are of one question."""
        names = [
            question_of(query) if query.startswith(f"{languages[code]}:") else f"{query}\n{row}"
            for row, (query, code) in enumerate(zip(queries, language.tolist(), strict=True))
        ]
        question = np.unique(names, return_inverse=True)[1]
        of_question = np.full((int(question.max(initial=-1)) + 1, len(languages)), -1)
        of_question[question, language] = np.arange(len(question))
        return cls(passage, of_question[question])

    def cut(self, depth: int) -> Lists:
        """The first ``depth`` passages of each list."""
        n_tokens = None if self.n_tokens is None else self.n_tokens[:, :depth]
        return replace(self, passage=self.passage[:, :depth], n_tokens=n_tokens)

    def translations(self, queries: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """The row of each query's question in each language, ``int64[len(queries), L]``; -1 where there is none."""
        return self.translated[queries]
