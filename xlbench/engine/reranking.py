"""Reranking: the best passages of a first stage, put in the order of a reranker; all others stay where they were.

With C the candidates of a query, passage a stands before b if a is in C and b is not, if both are and the reranker's
score of a is higher (ties by descending id), or if neither is and the first stage has a before b. For a relevant
passage outside C, of the language l stand before it the k candidates in l, or as many as in the first stage if those
are more; for one inside, the candidates in l that the reranker puts higher. Relevant passages that the first stage does
not find are not added.

Where C is the best of each language, it does not depend on the pool, and one table of counts gives all settings. Where
it is the best of a pool, there is one table for the pool of all languages, and one for the pools of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.pair_scores import score_pairs
from xlbench.engine.search import best_of_all
from xlbench.errors import UsageError
from xlbench.measures.best import Best
from xlbench.measures.ranks import Ranking
from xlbench.models.reranker import Reranking
from xlbench.support.progress import Progress, silent


@dataclass(frozen=True)
class RerankedPools:
    """What of a reranked ranking is needed: pairs that no setting asks for are not scored."""

    pooled: bool
    """The pool of all languages."""
    own: bool
    """The pool of the query's language."""
    other: bool
    """The pools of the other languages."""
    depth: int
    """How many of the best passages."""


@dataclass(frozen=True)
class _Candidates:
    """The candidates of each query in one or more pools."""

    passage: IntArray
    """``[Nq, S, k]``, rows of passages; -1 where there are fewer."""
    score: VectorArray
    """The reranker's, the same shape; -inf where there is none."""


def reranked(
    ranking: Ranking,
    collection: Collection,
    reranking: Reranking,
    wanted: RerankedPools,
    *,
    cache_dir: Path | None = None,
    key: dict[str, Any] | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> Ranking:
    """A first stage's ranking, which keeps the best passages of each language, with its candidates reordered.

    Raises:
        UsageError: if the ranking depends on the pool, as a fusion's.
        EncoderError: if the reranker gives unusable scores.

    """
    if ranking.alone is not None or ranking.best is None:
        raise UsageError("A fusion cannot be the first stage of a reranker: its lists depend on the pool.")
    judged = ranking.judged
    of_each = _lists(ranking, reranking, wanted)
    of_all = np.full((len(of_each), 1, reranking.depth), -1, np.int64)
    if reranking.among == "pool" and wanted.pooled:
        known = np.unique(judged.query).astype(np.int64)
        of_all[known, 0] = ranking.best.top(judged.everything, known, reranking.depth).passage
    lists = np.concatenate([of_each, of_all], axis=1)
    scores = _scored(lists, collection, reranking, cache_dir=cache_dir, key=key, fresh=fresh, progress=progress)
    each = _Candidates(of_each, scores[:, :-1])
    whole = each if reranking.among == "language" else _Candidates(of_all, scores[:, -1:])
    own = judged.passage_language.astype(np.int64)
    alone = None
    if reranking.among == "pool":
        alone = _above(ranking, collection, each)[np.arange(len(own)), own]
    best = _best(ranking, collection, whole, each, depth=wanted.depth) if wanted.depth else None
    changed = replace(ranking, above=_above(ranking, collection, whole), alone=alone, best=best)
    if best is None:
        return changed
    top, best_lists = best_of_all(collection, judged, best, wanted.depth)
    return replace(changed, top=top, lists=best_lists)


def _lists(ranking: Ranking, reranking: Reranking, wanted: RerankedPools) -> IntArray:
    """The candidates of each query in the pool of each language, ``int64[Nq, pools, depth]``; -1 where none are."""
    judged, best = ranking.judged, ranking.best
    assert best is not None  # noqa: S101 (the caller's)
    known = np.unique(judged.query).astype(np.int64)
    lists = np.full((len(judged.query_ids), len(judged.everything), reranking.depth), -1, np.int64)
    for slot, code in enumerate(judged.everything):
        is_own = judged.query_language[known] == code
        needed = (is_own & wanted.own) | (~is_own & wanted.other)
        if reranking.among == "language" and wanted.pooled:
            needed[:] = True
        lists[known[needed], slot] = best.top((code,), known[needed], reranking.depth).passage
    return lists


def _scored(
    lists: IntArray,
    collection: Collection,
    reranking: Reranking,
    *,
    cache_dir: Path | None,
    key: dict[str, Any] | None,
    fresh: bool,
    progress: Progress,
) -> VectorArray:
    """The reranker's scores of listed passages, of the shape of the lists; each pair of texts is scored once."""
    query, *_ = np.nonzero(lists >= 0)
    passage = lists[lists >= 0]
    texts = np.stack([collection.queries.distinct.row[query], collection.passages.distinct.row[passage]], axis=1)
    pairs, which = np.unique(texts.astype(np.int64), axis=0, return_inverse=True)
    scores = score_pairs(collection, pairs, reranking, cache_dir=cache_dir, key=key, fresh=fresh, progress=progress)
    of_lists = np.full(lists.shape, -np.inf, np.float32)
    of_lists[lists >= 0] = scores[which.ravel()]
    return of_lists


def _above(ranking: Ranking, collection: Collection, candidates: _Candidates) -> npt.NDArray[np.int32]:
    """How many passages of each language stand before each judged pair's, ``int32[Nr, L]``."""
    language, order = collection.passages.language, collection.passages.tie_order
    n_languages = len(collection.languages)
    above = ranking.table.copy()
    starts = np.flatnonzero(np.diff(ranking.judged.query, prepend=-1, append=-1))
    for start, stop in pairwise(starts.tolist()):
        query = ranking.judged.query[start]
        listed = candidates.passage[query] >= 0
        passage, score = candidates.passage[query][listed], candidates.score[query][listed]
        code, tie = language[passage], order[passage]
        n_listed = np.bincount(code, minlength=n_languages)
        for pair in range(start, stop):
            at = np.flatnonzero(passage == collection.pairs.passage[pair])
            if len(at):
                mine = at[0]
                before = (score > score[mine]) | ((score == score[mine]) & (tie > tie[mine]))
                above[pair] = np.bincount(code[before], minlength=n_languages)
            else:
                above[pair] = np.maximum(n_listed, ranking.above[pair])
    return above


def _best(ranking: Ranking, collection: Collection, whole: _Candidates, each: _Candidates, *, depth: int) -> Best:
    """The best passages of the pool of all languages and of each, a row a query; 1 / rank are their scores."""
    judged, first = ranking.judged, ranking.best
    assert first is not None  # noqa: S101 (the caller's)
    order = collection.passages.tie_order
    known = np.unique(judged.query).astype(np.int64)
    pools = [judged.everything, *((code,) for code in judged.everything if len(judged.everything) > 1)]
    ties = np.full((len(known), len(pools), depth), -1, np.int32)
    for slot, pool in enumerate(pools):
        of_first = first.top(pool, known, depth).passage
        slots = slice(None) if slot == 0 else slice(slot - 1, slot)
        candidates = whole if slot == 0 else each
        for row, query in enumerate(known.tolist()):
            passage, score = candidates.passage[query, slots].ravel(), candidates.score[query, slots].ravel()
            passage, score = passage[passage >= 0], score[passage >= 0]
            listed = passage[np.lexsort((-order[passage], -score))]
            others = of_first[row][of_first[row] >= 0]
            merged = np.concatenate([listed, others[~np.isin(others, listed)]])[:depth]
            ties[row, slot, : len(merged)] = order[merged]
    at = np.full(len(first.row), -1)
    at[known] = np.arange(len(known))
    rank = 1 / np.arange(1, depth + 1, dtype=np.float32)
    return Best(
        pools=tuple(pools),
        row=at,
        score=np.where(ties < 0, -np.inf, rank).astype(np.float32),
        order=ties,
        passage_at=first.passage_at,
    )
