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

from xlbench.measures.best import Best
from xlbench.measures.ranks import Judged, Ranking
from xlbench.models.pooling import Pooling

_EVERYTHING = np.iinfo(np.int32).max


def pooled(ranking: Ranking, pooling: Pooling, *, depth: int) -> Ranking:
    """The ranking of the list that a pooling makes of a ranking in one index.

    If the best passages of each language are kept in it, the ``depth`` best of the pool of all languages follow, with
    1 / rank as their scores.
    """
    judged = ranking.judged
    own, sizes = judged.passage_language.astype(np.int64), judged.n_passages
    asked = judged.query_language[judged.query].astype(np.int64)
    rows = np.arange(len(own))
    better = ranking.above[rows, own].astype(np.int64)[:, None]
    if pooling.method == "own-first":
        is_asked = np.arange(len(sizes)) == asked[:, None]
        above = np.where(is_asked, sizes, ranking.above)
        above[own == asked] = 0
    else:
        place = turns(asked, len(sizes), pooling)
        before = place < place[rows, own][:, None]
        taken = np.minimum(sizes, pooling.best or _EVERYTHING)
        in_rounds = np.minimum(taken, better + before)
        above = np.where(better < taken[own][:, None], in_rounds, np.maximum(taken, ranking.above))
    above[rows, own] = better[:, 0]
    best = _best(ranking.best, judged, pooling, depth=depth) if ranking.best else None
    return replace(ranking, above=above.astype(np.int32), best=best)


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
