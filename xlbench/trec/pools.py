"""The ranks of a run's relevant passages in the pool of all languages, by the language of the queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.errors import DataError, shown
from xlbench.measures.best import Lists
from xlbench.measures.ranks import PooledRanks, Ranks
from xlbench.trec.read import Judgements, Run

NOT_RETRIEVED = 1 << 31  # As a rank: below every passage that was.


@dataclass(frozen=True)
class Languages:
    """What the ids of a run do not say."""

    passages: Mapping[str, str]
    """The language of every passage of the pool, by id."""
    queries: Mapping[str, str] | None = None
    """The language of each query; None if its id begins with it, as in ``de:42``."""

    @property
    def names(self) -> list[str]:
        """The languages of passages and queries, sorted."""
        return sorted({*self.passages.values(), *(self.queries or {}).values()})

    def of_queries(self, queries: Sequence[str]) -> list[str]:
        """The language of each query.

        Raises:
            DataError: if it is not known.

        """
        if self.queries is None:
            known = set(self.names)
            for query in queries:
                language, colon, _ = query.partition(":")
                if not colon or language not in known:
                    raise DataError(
                        f"The query {shown(query)} does not begin with the language of a passage and a colon, as in "
                        f"'{min(known)}:42'. Give a language map of the queries: --query-language-map."
                    )
            return [query.partition(":")[0] for query in queries]
        for query in queries:
            if query not in self.queries:
                raise DataError(f"The language map of the queries lacks {shown(query)}; expected every judged query.")
        return [self.queries[query] for query in queries]


@dataclass(frozen=True)
class Pool:
    """The queries of one language that have relevant passages, and where these rank."""

    queries: list[str]
    ranked: PooledRanks
    n_retrieved: npt.NDArray[np.int64]
    """``[m]``, how many of its relevant passages the run has for each query; the others have ``NOT_RETRIEVED``."""
    depth: npt.NDArray[np.int64]
    """``[m]``, how many passages the run has for each query."""


@dataclass(frozen=True)
class _Query:
    """One query's part of the arrays of ``PooledRanks``."""

    rank: npt.NDArray[np.int64]
    gain: npt.NDArray[np.int16]
    language: npt.NDArray[np.int16]
    above_own: npt.NDArray[np.int64]
    top: npt.NDArray[np.int16]
    depth: int


def pools(run: Run, judgements: Judgements, languages: Languages, *, depth: int) -> Iterator[Pool]:
    """A pool for each language that has queries, all with a relevant passage; ``depth`` best passages are kept.

    Raises:
        DataError: if the language of a query or of a passage is not known.

    """
    index = {language: i for i, language in enumerate(languages.names)}
    code = {passage: index[language] for passage, language in languages.passages.items()}
    n_passages = np.bincount(np.fromiter(code.values(), np.int64), minlength=len(index))
    queries = list(judgements)
    of_queries = languages.of_queries(queries)
    by_language: dict[str, list[int]] = {}
    for row, language in enumerate(of_queries):
        by_language.setdefault(language, []).append(row)
    parts_of = {
        language: [
            _query(query, run.ranking(query), judgements[query], code, own=index[language], depth=depth)
            for query in (queries[row] for row in rows)
        ]
        for language, rows in by_language.items()
    }
    row_of = {passage: row for row, passage in enumerate(code)}
    best = np.full((len(queries), depth), -1, np.int32)
    for places, query in zip(best, queries, strict=True):
        retrieved = [row_of[passage] for passage in run.ranking(query)[:depth]]
        places[: len(retrieved)] = retrieved
    lists = Lists.of(best, queries, np.array([index[language] for language in of_queries], np.int64), list(index))
    for language, parts in parts_of.items():
        ranks = Ranks(
            query=np.array(by_language[language], np.int32),
            starts=np.cumsum([0, *(len(part.rank) for part in parts)]),
            rank=np.concatenate([part.rank for part in parts]),
            gain=np.concatenate([part.gain for part in parts]),
            language=np.concatenate([part.language for part in parts]),
        )
        ranked = PooledRanks(
            ranks=ranks,
            asked=index[language],
            n_passages=n_passages,
            above_own=np.concatenate([part.above_own for part in parts]),
            top=np.stack([part.top for part in parts]),
            lists=lists,
        )
        n_retrieved = np.array([(part.rank < NOT_RETRIEVED).sum() for part in parts])
        asked = [queries[row] for row in by_language[language]]
        yield Pool(asked, ranked, n_retrieved, np.array([part.depth for part in parts]))


def _query(
    query: str, ranking: Sequence[str], gains: Mapping[str, int], code: Mapping[str, int], *, own: int, depth: int
) -> _Query:
    relevant = [passage for passage, gain in gains.items() if gain > 0]
    for passage in (*ranking, *relevant):
        if passage not in code:
            raise DataError(
                f"The language map lacks the passage {shown(passage)} of query {shown(query)}; "
                "expected every passage of the pool."
            )
    language = np.array([code[passage] for passage in ranking], np.int16)
    place = {passage: i for i, passage in enumerate(ranking)}
    at = np.array([place.get(passage, NOT_RETRIEVED - 1) for passage in relevant])
    order = np.argsort(at, kind="stable")
    # How many passages in the query's language stand above each place; below the last one all do.
    above = np.append(0, np.cumsum(language == own))
    top = np.full(depth, -1, np.int16)
    top[: len(ranking)] = language[:depth]
    return _Query(
        rank=at[order] + 1,
        gain=np.array([gains[relevant[i]] for i in order], np.int16),
        language=np.array([code[relevant[i]] for i in order], np.int16),
        above_own=above[at[order].clip(max=len(ranking))],
        top=top,
        depth=len(ranking),
    )
