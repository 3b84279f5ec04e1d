"""Ranking and Ranks: how many passages beat each relevant one, and the ranks that follow in any pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xlbench.collection import Clusters, Collection
from xlbench.collection.clusters import question_of
from xlbench.settings import Setting

_T = TypeVar("_T", np.float32, np.int32)


@dataclass(frozen=True)
class Ranks:
    """The ranks of the relevant passages of ``m`` queries in one setting; ``n`` ranks in all.

    A query without a relevant passage in the pool is not in the setting.
    """

    query: npt.NDArray[np.int32]
    """``[m]``, row of the query in the collection, ascending."""
    starts: npt.NDArray[np.int64]
    """``[m + 1]``: query ``i`` owns rows ``starts[i]:starts[i + 1]``, never empty."""
    rank: npt.NDArray[np.int64]
    """``[n]``, 1-based, ascending within a query."""
    gain: npt.NDArray[np.int16]
    """``[n]``, at least 1."""
    language: npt.NDArray[np.int16]
    """``[n]``, language of the relevant passage."""

    def __len__(self) -> int:
        return len(self.query)

    @property
    def n_relevant(self) -> npt.NDArray[np.int64]:
        """``[m]``, how many relevant passages each query has."""
        return np.diff(self.starts)

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """``[n]``, which of the ``m`` queries each rank belongs to."""
        return np.repeat(np.arange(len(self)), self.n_relevant)

    @property
    def position(self) -> npt.NDArray[np.int64]:
        """``[n]``: 1 for the first relevant passage of each query, 2 for the second, and so on."""
        return np.arange(len(self.rank)) - np.repeat(self.starts[:-1], self.n_relevant) + 1


@dataclass(frozen=True)
class Lists:
    """The best passages of every query in the pool of all languages, and which queries are translations."""

    passage: npt.NDArray[np.int32]
    """``[Nq, k]``, rows of passages, best first; -1 where the pool has fewer, and for queries without a judged pair."""
    translated: npt.NDArray[np.int64]
    """``[Nq, L]``, row of the same question in each language; -1 where there is none."""

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

    def translations(self, queries: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """The row of each query's question in each language, ``int64[len(queries), L]``; -1 where there is none."""
        return self.translated[queries]


@dataclass(frozen=True)
class PooledRanks:
    """The ranks of one language's queries in the pool of all languages, with what tells languages apart there."""

    ranks: Ranks
    asked: int
    """Language of the queries."""
    n_passages: npt.NDArray[np.int64]
    """``[L]``, passages in the pool by language."""
    above_own: npt.NDArray[np.int64]
    """``[n]``, how many passages in the language of the queries beat each relevant passage."""
    top: npt.NDArray[np.int16]
    """``[m, k]``, languages of the ``k`` best passages, best first; -1 where the pool has fewer."""
    lists: Lists | None = None
    """The best passages of these and all other queries; None where they are not known, as in evidence."""


@dataclass(frozen=True)
class Judged:
    """What is judged, without texts: the queries, and the language of each relevant passage."""

    languages: tuple[str, ...]
    query_ids: Sequence[str]
    """``[Nq]``."""
    query_language: npt.NDArray[np.int16]
    """``[Nq]``, index into ``languages``; non-decreasing."""
    query: npt.NDArray[np.int32]
    """``[Nr]``, row of the query of each judged pair; non-decreasing."""
    passage_ids: Sequence[str]
    """``[Nr]``, id of the pair's passage."""
    passage_language: npt.NDArray[np.int16]
    """``[Nr]``, language of the pair's passage."""
    gain: npt.NDArray[np.int16]
    """``[Nr]``, at least 1."""
    n_passages: npt.NDArray[np.int64]
    """``[L]``, passages of each language, judged or not."""
    clusters: Clusters
    """Of the queries."""

    @classmethod
    def of(cls, collection: Collection) -> Judged:
        """What is judged in a collection."""
        language = collection.passages.language
        return cls(
            languages=collection.languages,
            query_ids=collection.queries.ids,
            query_language=collection.queries.language,
            query=collection.pairs.query,
            passage_ids=[collection.passages.ids[row] for row in collection.pairs.passage.tolist()],
            passage_language=language[collection.pairs.passage],
            gain=collection.pairs.gain,
            n_passages=np.bincount(language, minlength=len(collection.languages)),
            clusters=collection.clusters,
        )

    @property
    def everything(self) -> tuple[int, ...]:
        """The pool of all languages that have passages."""
        return tuple(np.flatnonzero(self.n_passages).tolist())

    def pool(self, setting: Setting) -> tuple[int, ...]:
        """The languages of a setting's pool that have passages, ascending."""
        if setting.passages is None:
            return self.everything
        code = self.languages.index(setting.passages)
        return (code,) if self.n_passages[code] else ()

    def rows(self, setting: Setting) -> npt.NDArray[np.int64]:
        """The judged pairs of a setting, ascending."""
        code = self.languages.index(setting.query)
        first, last = np.searchsorted(self.query, np.searchsorted(self.query_language, [code, code + 1]))
        rows: npt.NDArray[np.int64] = first + np.flatnonzero(
            np.isin(self.passage_language[first:last], self.pool(setting))
        )
        return rows


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
class Ranking:
    """For each judged pair and language, how many passages of the language beat the pair's passage for its query.

    The table determines the rank of every relevant passage in any pool of languages. It is additive over shards of
    passages.
    """

    judged: Judged
    above: npt.NDArray[np.int32]
    """``[Nr, L]``."""
    top: npt.NDArray[np.int16]
    """``[Nq, k]``, languages of the ``k`` best passages of each query in the pool of all languages, best first.

    -1 where the pool has fewer, and for queries without a judged pair; ``k`` is 0 if only the counts were asked for.
    """
    best: Best | None = None
    """The best passages themselves; None if they were not asked for."""
    lists: Lists | None = None
    """The passages whose languages are in ``top``; None where they are not known."""
    alone: npt.NDArray[np.int32] | None = None
    """``[Nr]``, how many passages of its own language beat the pair's passage in the pool of that language alone.

    None where that is what ``above`` says: the score of a query and a passage depends on the pool in a fusion only.
    """

    def with_alone(self, other: Ranking) -> Ranking:
        """This ranking in the pool of all languages, and another one, of the same queries, in pools of one language."""
        own = other.above[np.arange(len(other.above)), self.judged.passage_language]
        best = self.best.and_those(other.best) if self.best and other.best else self.best
        return replace(self, alone=own, best=best)

    def with_places(self, depth: int, *, keep_best: bool) -> Ranking:
        """With no more than the ``depth`` first languages and passages of each query."""
        lists = replace(self.lists, passage=self.lists.passage[:, :depth]) if self.lists and depth else None
        return replace(self, top=self.top[:, :depth], best=self.best if keep_best else None, lists=lists)

    def ranks(self, setting: Setting) -> Ranks:
        """The ranks in one setting."""
        return self._ranks(setting)[0]

    def pooled(self, setting: Setting) -> PooledRanks:
        """The ranks in a multilingual setting, with the counts and the best passages that measures of bias need."""
        ranks, rows = self._ranks(setting)
        asked = self.judged.languages.index(setting.query)
        return PooledRanks(
            ranks=ranks,
            asked=asked,
            n_passages=self.judged.n_passages,
            above_own=self.above[rows, asked].astype(np.int64),
            top=self.top[ranks.query],
            lists=self.lists,
        )

    def _ranks(self, setting: Setting) -> tuple[Ranks, npt.NDArray[np.int64]]:
        """The ranks in one setting, and the row of ``above`` that each is from."""
        judged = self.judged
        rows, pool = judged.rows(setting), judged.pool(setting)
        if self.alone is not None and len(pool) == 1:
            rank = 1 + self.alone[rows].astype(np.int64)
        else:
            rank = 1 + np.take(self.above, rows, axis=0)[:, pool].sum(axis=1, dtype=np.int64)

        order = np.lexsort((rank, judged.query[rows]))
        rows, rank = rows[order], rank[order]
        query, starts = np.unique(judged.query[rows], return_index=True)
        ranks = Ranks(
            query=query,
            starts=np.append(starts, len(rows)).astype(np.int64),
            rank=rank,
            gain=judged.gain[rows],
            language=judged.passage_language[rows],
        )
        return ranks, rows
