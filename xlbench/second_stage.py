"""The second stage of a search: what a reranker does to a ranking, and how much of the first stage it gets to see."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xlbench import measures
from xlbench.collection import Collection
from xlbench.engine.reranking import RerankedPools, reranked
from xlbench.measures.ranks import Ranking
from xlbench.measures.values import summarise
from xlbench.models.reranker import Reranking
from xlbench.results.from_ranking import score
from xlbench.settings import Setting
from xlbench.support.progress import Progress

_LOG = logging.getLogger("xlbench")


class SecondStage:
    """What a model's reranker does to the ranking of the first stage; nothing where there is none."""

    def __init__(
        self,
        wanted: Sequence[Setting],
        collection: Collection,
        reranking: Reranking | None,
        *,
        depth: int,
        cache_dir: Path | None,
        fresh: bool,
        progress: Progress,
    ) -> None:
        """``depth`` is how many of the best passages are to be kept in the end."""
        self.record: dict[str, Any] = {}
        """How many of the relevant passages the reranker gets to see."""
        self._wanted, self._collection, self._reranking = tuple(wanted), collection, reranking
        self._depth, self._cache_dir, self._fresh, self._progress = depth, cache_dir, fresh, progress

    def __call__(self, ranking: Ranking) -> Ranking:
        """The reranked ranking."""
        if self._reranking is None:
            return ranking
        kinds = {setting.kind for setting in self._wanted}
        wanted = RerankedPools(pooled="multi" in kinds, own="mono" in kinds, other="cross" in kinds, depth=self._depth)
        self._say_depth(self._reranking)
        self.record = {"recall_of_candidates": self._bound(ranking, self._reranking)}
        return reranked(
            ranking,
            self._collection,
            self._reranking,
            wanted,
            cache_dir=self._cache_dir,
            key=self._reranking.key(),
            fresh=self._fresh,
            progress=self._progress,
        )

    def _say_depth(self, reranking: Reranking) -> None:
        """Says so where a pool has fewer passages than the reranker is to get."""
        languages, passages = self._collection.languages, self._collection.passages
        sizes = dict(zip(languages, np.bincount(passages.language, minlength=len(languages)).tolist(), strict=True))
        asked = {setting.passages for setting in self._wanted}
        pools = {name: n for name, n in sizes.items() if n and (name in asked or reranking.among == "language")}
        if None in asked and reranking.among == "pool":
            pools["all languages"] = len(passages)
        name, n = min(pools.items(), key=lambda pool: pool[1], default=("", reranking.depth))
        if n < reranking.depth:
            _LOG.warning(
                f"--depth {reranking.depth} is more than the {n:,} passages of {name}: the reranker gets all of them."
            )

    def _bound(self, ranking: Ranking, reranking: Reranking) -> dict[str, float]:
        """The recall of the first stage at the depth, by kind of setting: a reranker finds nothing beyond."""
        if reranking.among == "language":
            own = np.arange(ranking.table.shape[1]) == ranking.judged.passage_language[:, None]
            ranking = replace(ranking, above=np.where(own, ranking.table, 0))
        recall = measures.recall(reranking.depth)
        means = summarise({of.setting: of.means() for of in score(ranking, self._wanted, [recall])})
        return {kind: by_measure[recall] for kind, by_measure in means.items()}
