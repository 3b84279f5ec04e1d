"""Ranking and Ranks: how many passages beat each relevant one, and the ranks that follow in any pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.collection import Clusters, Collection
from xlbench.collection.clusters import question_of
from xlbench.measures.best import Best
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
        own = self.above[np.arange(first, last), passages] if self.alone is None else self.alone[first:last]
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
