"""What a model's own scores allow counts to be, if each score may be off by rounding.

A model that is run again, on other hardware or in other batches, gives slightly other scores, and passages that nearly
tie change places. If every score is off by at most half a tolerance d (see ``rounding``), then of the passages that
beat one with the score s, all with a score above s + d still do, and none with a score below s - d does. Between the
two every count is possible, and none outside. The same holds of the best k passages, with the k-th best score for s.

Copies of one text tie on any machine, and so do passages that have nothing in common with a query and the score 0, as
of BM25: among them the id decides. If another passage nearly ties with the k-th best, though, it may be any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.scores import Scores, matrix
from xlbench.leaderboard.rounding import Rounding
from xlbench.measures.ranks import Judged, Ranking

_PASSAGES_AT_ONCE = 8192
_SHOWN = 5


@dataclass(frozen=True)
class Agreement:
    """How the counts of a ranking agree with a model's scores."""

    n_queries: int
    n_counts: int
    """How many counts were compared: one for each pair and language, and the best passages of each query."""
    tolerance: float
    """By how much two scores of a query may differ and be the same, as a share of the spread of its scores."""
    slack: float
    """By how many passages a count could differ unseen, in the mean over pairs and languages."""
    outside: tuple[str, ...]
    """Counts that the scores do not allow, the first few, in words."""
    n_outside: int
    """How many there are."""
    queries_outside: int
    """Of how many queries."""


def agreement(ranking: Ranking, collection: Collection, scores: Scores, *, rounding: Rounding) -> Agreement:
    """How the counts of a ranking agree with the scores of a collection whose queries are some of the ranking's."""
    claims = Claims.of(ranking, collection)
    pairs = Thresholds.of_pairs(collection, scores)
    depth = min(ranking.top.shape[1], len(collection.passages))
    thresholds = pairs.and_those(Thresholds.of_best(collection, scores, depth))
    allowed = rounding.allowed(tile for _, tile in chunks(collection, scores))
    least, most = bounds(collection, scores, thresholds, allowed, column=collection.passages.language.astype(np.int64))
    # A passage is not above itself.
    own = np.arange(len(pairs.query)), collection.passages.language[collection.pairs.passage]
    least[own] -= 1
    most[own] -= 1
    claimed = np.concatenate([claims.above, claims.best])
    wrong = (claimed < least) | (claimed > most)
    rows = np.flatnonzero(wrong.any(axis=1))
    return Agreement(
        n_queries=len(collection.queries),
        n_counts=int(wrong.size),
        tolerance=rounding.share,
        slack=float((most - least)[: len(pairs.query)].mean()) if len(pairs.query) else 0.0,
        outside=tuple(
            _in_words(collection, (row, int(wrong[row].argmax())), depth, (claimed, least, most))
            for row in rows[:_SHOWN]
        ),
        n_outside=int(wrong.sum()),
        queries_outside=len(np.unique(thresholds.query[rows])),
    )


@dataclass(frozen=True)
class Claims:
    """The counts of a ranking in the order of a collection with some of its queries."""

    above: IntArray
    """``[Nr, L]``."""
    best: IntArray
    """``[Nq * depth, L]``: for each query and rank, how many of the passages up to it are in each language."""
    ranking: Ranking
    """The part of the ranking that these queries have."""

    @classmethod
    def of(cls, ranking: Ranking, collection: Collection) -> Claims:
        """The claims of a ranking that has at least the collection's queries and pairs."""
        judged = ranking.judged
        of_id = {id_: row for row, id_ in enumerate(judged.query_ids)}
        rows = np.array([of_id[id_] for id_ in collection.queries.ids], np.int64)
        starts = np.searchsorted(judged.query, np.stack([rows, rows + 1]))
        at = {
            (row, judged.passage_ids[pair]): pair
            for row, first, last in zip(rows.tolist(), *starts.tolist(), strict=True)
            for pair in range(first, last)
        }
        pairs = zip(collection.pairs.query.tolist(), collection.pairs.passage.tolist(), strict=True)
        order = [at[int(rows[query]), collection.passages.ids[passage]] for query, passage in pairs]
        depth = min(ranking.top.shape[1], len(collection.passages))
        top = ranking.top[rows, :depth]
        best = np.stack([np.cumsum(top == code, axis=1) for code in range(len(judged.languages))], axis=2)
        above = ranking.above[order]
        return cls(
            above=above.astype(np.int64),
            best=best.reshape(-1, len(judged.languages)),
            ranking=Ranking(Judged.of(collection), above, ranking.top[rows]),
        )


@dataclass(frozen=True)
class Thresholds:
    """Passages of queries, each with its score: counted are those that rank before it, and itself."""

    query: IntArray
    """``[T]``, row of the query."""
    passage: IntArray
    """``[T]``, row of the passage."""
    score: VectorArray

    @classmethod
    def of_pairs(cls, collection: Collection, scores: Scores) -> Thresholds:
        """The judged pairs."""
        pairs = collection.pairs
        passages, column = np.unique(pairs.passage, return_inverse=True)
        scored = matrix(scores, scores.query.astype(np.int64), scores.passage[passages].astype(np.int64))
        return cls(pairs.query.astype(np.int64), pairs.passage, scored[pairs.query, column])

    @classmethod
    def of_best(cls, collection: Collection, scores: Scores, depth: int) -> Thresholds:
        """The best passages of each query, the best first."""
        n_queries = len(collection.queries)
        score = np.full((n_queries, depth), -np.inf, np.float32)
        passage = np.zeros((n_queries, depth), np.int64)
        for rows, tile in chunks(collection, scores) if depth else ():
            score = np.hstack([score, tile])
            passage = np.hstack([passage, np.broadcast_to(np.arange(rows.start, rows.stop), tile.shape)])
            best = np.lexsort((-collection.passages.tie_order[passage], -score))[:, :depth]
            score = np.take_along_axis(score, best, axis=1)
            passage = np.take_along_axis(passage, best, axis=1)
        return cls(np.repeat(np.arange(n_queries), depth), passage.ravel(), score.ravel())

    def and_those(self, other: Thresholds) -> Thresholds:
        """These, followed by the others."""
        return Thresholds(
            np.concatenate([self.query, other.query]),
            np.concatenate([self.passage, other.passage]),
            np.concatenate([self.score, other.score]),
        )


def chunks(collection: Collection, scores: Scores) -> Iterator[tuple[slice, VectorArray]]:
    """The scores of all queries and some passages after the others."""
    queries = scores.query.astype(np.int64)
    for first in range(0, len(collection.passages), _PASSAGES_AT_ONCE):
        rows = slice(first, min(first + _PASSAGES_AT_ONCE, len(collection.passages)))
        yield rows, matrix(scores, queries, scores.passage[rows].astype(np.int64))


def bounds(
    collection: Collection, scores: Scores, thresholds: Thresholds, allowed: VectorArray, *, column: IntArray
) -> tuple[IntArray, IntArray]:
    """At least and at most how many passages of each column rank up to each threshold, ``[T, C]`` each.

    ``column`` says in which column each passage is counted, ``[Np]``, as its language; the passages of one stand
    together. ``allowed`` is ``[Nq]``. The thresholds after those of the pairs are those of the best passages.
    """
    shape = len(thresholds.query), int(column.max(initial=-1)) + 1
    least, most, tied, before = (np.zeros(shape, np.int64) for _ in range(4))
    of_query = [np.flatnonzero(thresholds.query == row) for row in range(len(collection.queries))]
    order, text = collection.passages.tie_order, scores.passage
    for rows, tile in chunks(collection, scores):
        columns = column[rows]
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        for line, mine, near in zip(tile, of_query, allowed, strict=True):
            value, passage = thresholds.score[mine, None], thresholds.passage[mine, None]
            alike = (text[rows] == text[passage]) | ((value == 0) & (line == 0))
            cells = np.ix_(mine, columns[starts])
            for counts, counted in (
                (least, (line > value + near) & ~alike),
                (most, (line >= value - near) & ~alike),
                (tied, alike),
                (before, alike & (order[rows] >= order[passage])),
            ):
                counts[cells] += np.add.reduceat(counted, starts, axis=1, dtype=np.int64)
    # With a near tie, the last of the best may be another passage than here, and so any number of the copies before it.
    moves = (np.arange(shape[0]) >= len(collection.pairs)) & (most > least).any(axis=1)
    return least + np.where(moves[:, None], 0, before), most + np.where(moves[:, None], tied, before)


def _in_words(
    collection: Collection, cell: tuple[int, int], depth: int, counts: tuple[IntArray, IntArray, IntArray]
) -> str:
    row, language = cell
    claimed, least, most = (int(part[row, language]) for part in counts)
    n_pairs = len(collection.pairs)
    name = collection.languages[language]
    if row < n_pairs:
        query, passage = collection.pairs.query[row], collection.pairs.passage[row]
        where = f"above passage {collection.passages.ids[passage]!r:.60}"
    else:
        query, where = (row - n_pairs) // depth, f"among the {(row - n_pairs) % depth + 1} best"
    given = f"{least:,} to {most:,}" if least < most else f"{least:,}"
    return (
        f"query {collection.queries.ids[query]!r:.60}: {claimed:,} passages in {name} are said to be {where}; "
        f"the model gives {given}"
    )
