"""Ranking and Ranks: how many passages beat each relevant one, and the ranks that follow in any pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.collection import Collection
from xlbench.settings import Setting


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
        )


@dataclass(frozen=True)
class Best:
    """The ``k`` best passages of each query in the pool of all languages, best first."""

    passage: npt.NDArray[np.int64]
    """``[Nq, k]``, rows of passages; -1 where the pool has fewer, and for queries without a judged pair."""
    score: npt.NDArray[np.float32]
    """``[Nq, k]``."""


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
        )

    def _ranks(self, setting: Setting) -> tuple[Ranks, npt.NDArray[np.int64]]:
        """The ranks in one setting, and the row of ``above`` that each is from."""
        judged = self.judged
        pool = [judged.languages.index(language) for language in setting.pool]
        code = judged.languages.index(setting.query)
        asked = np.searchsorted(judged.query_language, [code, code + 1])
        first, last = np.searchsorted(judged.query, asked)
        rows = first + np.flatnonzero(np.isin(judged.passage_language[first:last], pool))
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


def tie_order(ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """The order in which equal scores rank, ``int64[N]``: the higher comes first, as in trec_eval (descending id)."""
    order = np.empty(len(ids), np.int64)
    order[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return order
