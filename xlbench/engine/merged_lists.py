"""Pooling: one list made of the lists of each language, from the counts of one index and with nothing scored again.

For a relevant passage in language o of which a passages of its own language are above it (0 is none), the passages of
language l that are above it, where l has N of them:

- round-robin: min(N, a + 1) if l comes before o in a round, else min(N, a).
- own-first: for a passage in another language than the query's, all N of the query's language, and of the others as
  many as in one index; for one in the query's language, none of any other.
- balanced:K: as round-robin for the K best of each language, of which there are k = min(K, N):
  min(k, a + 1) or min(k, a); for one below them max(k, as many as in one index).

No formula knows the pool, so that one table gives all settings, as without pooling.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from xlbench.arrays import Integers
from xlbench.measures.best import Best
from xlbench.measures.ranks import Judged, Ranking, sums_of
from xlbench.models.pooling import Pooling

_EVERYTHING = np.iinfo(np.int32).max
_PAIRS_AT_ONCE = 1 << 16


def pooled(ranking: Ranking, pooling: Pooling, *, depth: int) -> Ranking:
    """The ranking of the list that a pooling makes of a ranking in one index.

    If the best passages of each language are kept in it, the ``depth`` best of the pool of all languages follow, with
    1 / rank as their scores.
    """
    above = np.empty_like(ranking.above)
    for start in range(0, len(above), _PAIRS_AT_ONCE):  # A table of all languages is large where there are sums.
        some = slice(start, start + _PAIRS_AT_ONCE)
        above[some] = _own_first(ranking, some) if pooling.method == "own-first" else _in_rounds(ranking, some, pooling)
    best = _best(ranking.best, ranking.judged, pooling, depth=depth) if ranking.best else None
    return replace(ranking, above=above, best=best)


def _languages_of(ranking: Ranking, some: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The languages of the passages and of the queries of some pairs."""
    judged = ranking.judged
    return judged.passage_language[some].astype(np.int64), judged.query_language[judged.query[some]].astype(np.int64)


def _own_first(ranking: Ranking, some: slice) -> Integers:
    """What is above some pairs, as the ranking's own table has it."""
    own, asked = _languages_of(ranking, some)
    sizes = ranking.judged.n_passages
    at_home, better = own == asked, ranking.own[some].astype(np.int64)
    if ranking.has_sums:
        others = np.where(at_home, better, sizes[asked] + ranking.of_all[some] - ranking.asked[some])
        return np.stack([better, np.where(at_home, better, sizes[asked]), others], axis=1)
    above = np.where(np.arange(len(sizes)) == asked[:, None], sizes, ranking.above[some])
    above[at_home] = 0
    above[np.arange(len(own)), own] = better
    return above


def _in_rounds(ranking: Ranking, some: slice, pooling: Pooling) -> Integers:
    """What is above some pairs, as the ranking's own table has it."""
    own, asked = _languages_of(ranking, some)
    sizes, rows = ranking.judged.n_passages, np.arange(len(own))
    better = ranking.own[some].astype(np.int64)[:, None]
    place = turns(asked, len(sizes), pooling)
    before = place < place[rows, own][:, None]
    taken = np.minimum(sizes, pooling.best or _EVERYTHING)
    above = np.minimum(taken, better + before)
    if pooling.best:
        above = np.where(better < taken[own][:, None], above, np.maximum(taken, ranking.table[some]))
    above[rows, own] = better[:, 0]
    return sums_of(above, own, asked) if ranking.has_sums else above


def turns(asked: npt.NDArray[np.int64], n_languages: int, pooling: Pooling) -> npt.NDArray[np.int64]:
    """The place of each language in a round, for queries in the languages ``asked``: ``int64[len(asked), L]``."""
    place = np.tile(np.arange(1, n_languages + 1), (len(asked), 1))
    if not pooling.fixed:
        place[np.arange(len(asked)), asked] = 0
    return place


def order_of(
    place: npt.NDArray[np.int64],
    turn: npt.NDArray[np.int64],
    is_own: npt.NDArray[np.bool_],
    pooling: Pooling,
) -> npt.NDArray[np.int64]:
    """The part of a list in which passages stand, lower first; within a part they stand as in one index.

    ``place`` is a passage's place in the list of its language from 0, ``turn`` the language's place in a round,
    ``is_own`` whether it is in the query's language; all of one shape, with 1,000 languages at most.
    """
    if pooling.method == "own-first":
        return np.where(is_own, 0, 1)
    most = pooling.best or _EVERYTHING
    return np.where(place < most, place * 1_000 + turn, most * 1_000)


def _best(best: Best, judged: Judged, pooling: Pooling, *, depth: int) -> Best:
    """The best passages of the pool of all languages beside those of each, a row a query."""
    pool = judged.everything
    known = best.row >= 0
    row = np.full(len(best.row), -1)
    row[known] = np.arange(np.count_nonzero(known))
    alone = replace(best, row=row, score=best.score[best.row[known]], order=best.order[best.row[known]])
    if len(pool) < 2:
        return alone
    asked = judged.query_language.astype(np.int64)[known]
    slots = [best.pools.index((code,)) for code in pool]
    score, order = alone.score[:, slots], alone.order[:, slots]
    turn = turns(asked, len(judged.languages), pooling)[:, pool]
    part = order_of(
        np.broadcast_to(np.arange(order.shape[2]), order.shape),
        np.broadcast_to(turn[:, :, None], order.shape),
        np.broadcast_to((np.array(pool) == asked[:, None])[:, :, None], order.shape),
        pooling,
    )
    part = np.where(order < 0, np.iinfo(np.int64).max, part)
    order = order.reshape(len(asked), -1)
    merged = np.lexsort((-order, -score.reshape(order.shape), part.reshape(order.shape)))[:, :depth]
    order = np.take_along_axis(order, merged, axis=1)[:, None]
    rank = 1 / np.arange(1, order.shape[2] + 1, dtype=np.float32)
    return replace(alone, pools=(pool,), score=np.where(order < 0, -np.inf, rank), order=order).and_those(alone)
