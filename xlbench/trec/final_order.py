"""The final order of one query's passages, made by hand: the lists of languages are merged, and candidates reranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.scores import TILE_QUERIES, Scores, matrix
from xlbench.models.pooling import Pooling
from xlbench.models.reranker import Reranking
from xlbench.settings import Setting


def pool_of(collection: Collection, setting: Setting) -> IntArray:
    """The rows of a setting's passages."""
    if setting.passages is None:
        return np.arange(len(collection.passages))
    return np.flatnonzero(collection.passages.language == collection.languages.index(setting.passages))


@dataclass(frozen=True)
class FinalOrder:
    """What a model does to the order that its scores give."""

    collection: Collection
    pooling: Pooling | None = None
    reranking: Reranking | None = None
    score_pairs: Callable[[IntArray], VectorArray] | None = None
    """The reranker's scores of pairs of distinct texts, ``int64[n, 2]`` to ``float32[n]``."""
    of_pairs: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """The reranker's score of each candidate: by its distinct query and distinct passage."""

    def with_candidates(self, scores: Scores, settings: Sequence[Setting]) -> FinalOrder:
        """The same with the reranker's scores of all candidates of these settings, asked for at once."""
        if self.reranking is None or self.score_pairs is None:
            return self
        pairs: set[tuple[int, int]] = set()
        judged = np.unique(self.collection.pairs.query)
        for setting in settings:
            pool = pool_of(self.collection, setting)
            mine = judged[self.collection.queries.language[judged] == self.collection.languages.index(setting.query)]
            for start in range(0, len(mine), TILE_QUERIES):
                some = mine[start : start + TILE_QUERIES]
                lines = matrix(scores, scores.query[some], scores.passage[pool])
                for row, line in zip(some.tolist(), lines, strict=True):
                    pooled = self._pooled(row, line, pool, setting)
                    pairs |= {self._pair(row, pool[at]) for at in self._candidates(pooled, pool)}
        listed = sorted(pairs)
        known = self.score_pairs(np.array(listed, np.int64).reshape(-1, 2)).tolist()
        return replace(self, of_pairs=dict(zip(listed, known, strict=True)))

    def scores(self, row: int, line: VectorArray, setting: Setting) -> VectorArray:
        """Scores that give the final order of the passages of a setting for a query, from those of the model."""
        pool = pool_of(self.collection, setting)
        pooled = self._pooled(row, line, pool, setting)
        if self.reranking is None:
            return pooled
        candidates = self._candidates(pooled, pool)
        scored = [self.of_pairs[self._pair(row, pool[at])] for at in candidates]
        order = self.collection.passages.tie_order[pool]
        ties = order[candidates].tolist()
        best = [at for *_, at in sorted(zip(scored, ties, candidates, strict=True), reverse=True)]
        first = set(best)
        return _descending([*best, *(at for at in np.lexsort((-order, -pooled)).tolist() if at not in first)])

    def _pair(self, row: int, passage: int) -> tuple[int, int]:
        distinct = self.collection.queries.distinct.row[row], self.collection.passages.distinct.row[passage]
        return int(distinct[0]), int(distinct[1])

    def _candidates(self, line: VectorArray, pool: IntArray) -> list[int]:
        """The best passages of the pool or of each language, as places in the pool."""
        assert self.reranking is not None  # noqa: S101 (the callers')
        passages, depth = self.collection.passages, self.reranking.depth
        ranked = np.lexsort((-passages.tie_order[pool], -line))
        if self.reranking.among == "pool":
            return [int(at) for at in ranked[:depth]]
        language = passages.language[pool[ranked]]
        return [int(at) for code in np.unique(language) for at in ranked[language == code][:depth]]

    def _pooled(self, row: int, line: VectorArray, pool: IntArray, setting: Setting) -> VectorArray:
        """Scores that give the order of the list that a pooling makes of one query's passages."""
        pooling = self.pooling
        if setting.passages is not None or pooling is None or pooling.normalises:
            return line
        language, asked = self.collection.passages.language[pool], int(self.collection.queries.language[row])
        ranked = np.lexsort((-self.collection.passages.tie_order[pool], -line)).tolist()
        lists: dict[int, list[int]] = {int(code): [] for code in np.unique(language)}
        for at in ranked:
            lists[int(language[at])].append(at)
        first = [asked] if asked in lists and not pooling.fixed else []
        turns = [*first, *(code for code in lists if code not in first)]
        if pooling.method == "own-first":
            merged = list(lists.get(asked, []))
        else:
            most = pooling.best or len(ranked)
            rounds = range(min(most, max(map(len, lists.values()))))
            merged = [lists[code][place] for place in rounds for code in turns if place < len(lists[code])]
        taken = set(merged)
        return _descending([*merged, *(at for at in ranked if at not in taken)])


def _descending(places: Sequence[int]) -> VectorArray:
    """Scores that give this order, ``float32[n]``."""
    scores = np.empty(len(places), np.float32)
    scores[list(places)] = -np.arange(len(places))
    return scores
