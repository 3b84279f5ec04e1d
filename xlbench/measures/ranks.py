"""Ranking and Ranks: how many passages beat each relevant one, and the ranks that follow in any pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.collection import Clusters, Collection
from xlbench.errors import DataError
from xlbench.measures.best import Best, Lists
from xlbench.settings import Setting

SUMS = OWN, ASKED, ALL = range(3)
"""The columns of a table of sums: of the passage's language, of the query's language, of all."""


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
class RanksInEach:
    """The ranks of one language's queries in the pools of single languages, one pool after the other."""

    ranks: Ranks
    """A query once for each pool with a relevant passage of it; ``query`` is ascending within a pool."""
    bounds: npt.NDArray[np.int64]
    """``[L + 1]``: the pool of language ``l`` has the queries ``bounds[l]:bounds[l + 1]`` of these."""


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
    computed: dict[str, npt.NDArray[Any]] = field(default_factory=dict, compare=False, repr=False)
    """What several measures need of them, by name, once it is computed."""


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
class Ranking:
    """For each judged pair and language, how many passages of the language beat the pair's passage for its query.

    The table determines the rank of every relevant passage in any pool of languages. It is additive over shards of
    passages.
    """

    judged: Judged
    above: npt.NDArray[np.int32]
    """``[Nr, L]``, or ``[Nr, 3]`` if it has sums."""
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
    has_sums: bool = False
    """Whether ``above`` has the columns ``OWN``, ``ASKED`` and ``ALL``, which are all that settings and measures need.

    With many languages the whole table is larger than all else.
    """

    @property
    def table(self) -> npt.NDArray[np.int32]:
        """``[Nr, L]``, for what needs each language.

        Raises:
            DataError: if there are sums only.

        """
        if self.has_sums:
            raise DataError(
                f"Of {len(self.judged.languages)} languages the counts are kept as sums: what this needs is how many "
                "passages of each language are above. Choose fewer languages."
            )
        return self.above

    @cached_property
    def own(self) -> npt.NDArray[np.int32]:
        """``[Nr]``, how many passages in the language of each pair's passage beat it."""
        if self.has_sums:
            return self.above[:, OWN]
        return self.above[np.arange(len(self.above)), self.judged.passage_language]

    @cached_property
    def asked(self) -> npt.NDArray[np.int32]:
        """``[Nr]``, how many passages in the language of each pair's query beat its passage."""
        if self.has_sums:
            return self.above[:, ASKED]
        return self.above[np.arange(len(self.above)), self.judged.query_language[self.judged.query]]

    @cached_property
    def of_all(self) -> npt.NDArray[np.int64]:
        """``[Nr]``, how many passages of all languages beat the passage of each pair."""
        return self.above[:, ALL].astype(np.int64) if self.has_sums else self.above.sum(axis=1, dtype=np.int64)

    def with_alone(self, other: Ranking) -> Ranking:
        """This ranking in the pool of all languages, and another one, of the same queries, in pools of one language."""
        best = self.best.and_those(other.best) if self.best and other.best else self.best
        return replace(self, alone=other.own, best=best)

    def with_places(self, depth: int, *, keep_best: bool) -> Ranking:
        """With no more than the ``depth`` first languages and passages of each query."""
        lists = self.lists.cut(depth) if self.lists and depth else None
        return replace(self, top=self.top[:, :depth], best=self.best if keep_best else None, lists=lists)

    def ranks(self, setting: Setting) -> Ranks:
        """The ranks in one setting."""
        return self._ranks(setting)[0]

    def in_each(self, language: str) -> RanksInEach:
        """The ranks of one language's queries in the pool of each language alone, for all measures at once."""
        judged = self.judged
        code = judged.languages.index(language)
        first, last = np.searchsorted(judged.query, np.searchsorted(judged.query_language, [code, code + 1]))
        query, passages = judged.query[first:last], judged.passage_language[first:last]
        own = (self.own if self.alone is None else self.alone)[first:last]
        order = np.lexsort((own, query, passages))
        query, passages = query[order], passages[order]
        starts = np.flatnonzero((np.diff(query, prepend=-1) != 0) | (np.diff(passages, prepend=-1) != 0))
        ranks = Ranks(
            query=query[starts],
            starts=np.append(starts, len(order)).astype(np.int64),
            rank=1 + own[order].astype(np.int64),
            gain=judged.gain[first:last][order],
            language=passages,
        )
        return RanksInEach(ranks, np.searchsorted(passages[starts], np.arange(len(judged.languages) + 1)))

    def pooled(self, setting: Setting) -> PooledRanks:
        """The ranks in a multilingual setting, with the counts and the best passages that measures of bias need."""
        ranks, rows = self._ranks(setting)
        asked = self.judged.languages.index(setting.query)
        return PooledRanks(
            ranks=ranks,
            asked=asked,
            n_passages=self.judged.n_passages,
            above_own=self.asked[rows].astype(np.int64),
            top=self.top[ranks.query],
            lists=self.lists,
        )

    def _ranks(self, setting: Setting) -> tuple[Ranks, npt.NDArray[np.int64]]:
        """The ranks in one setting, and the row of ``above`` that each is from."""
        judged = self.judged
        rows, pool = judged.rows(setting), judged.pool(setting)
        if self.alone is not None and len(pool) == 1:
            rank = 1 + self.alone[rows].astype(np.int64)
        elif setting.passages is None:
            rank = 1 + self.of_all[rows]
        else:
            # All relevant passages of the setting are in the language of its pool.
            rank = 1 + self.own[rows].astype(np.int64)

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


def sums_of(table: npt.NDArray[Any], own: npt.NDArray[Any], asked: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The sums of a table of counts, ``[n, L]`` to ``[n, 3]``; ``own`` and ``asked`` are languages, ``[n]``."""
    rows = np.arange(len(table))
    columns = {OWN: table[rows, own], ASKED: table[rows, asked], ALL: table.sum(axis=1)}
    return np.stack([columns[name] for name in SUMS], axis=1).astype(np.int32)
