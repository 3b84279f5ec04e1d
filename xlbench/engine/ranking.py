"""The ranking of a collection by a model's scores: with progress, in bounded memory, resumed where it was killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlbench.collection import Collection
from xlbench.engine.fusion import FusedScores, alone
from xlbench.engine.merged_lists import pooled
from xlbench.engine.scores import Scores, shard_rows_of
from xlbench.engine.search import Work, best_of_all, rank
from xlbench.errors import ResultError
from xlbench.measures.ranks import Ranking
from xlbench.models.pooling import Pooling
from xlbench.support.machine import memory_bytes
from xlbench.support.progress import Progress, silent

_MANY_SCORES = 1_000_000_000  # Seconds of work.
_PLACE_BYTES = 8
WHOLE_TABLE = 32
"""Of so many languages at most each has its counts; of more, what a run does not need of them is added up."""


@dataclass(frozen=True)
class Places:
    """How many of the best passages a ranking keeps."""

    for_runs: int
    """In each setting."""
    for_bias: int
    """Their languages, in the pool of all languages."""
    in_languages: bool
    """Whether any setting has a pool of one language."""
    pooled: bool = False
    """Whether the list of all languages is made of the lists of each."""
    candidates: int = 0
    """For a reranker, in each language."""

    @property
    def by_language(self) -> bool:
        """Whether those of each language are kept; those of the pool of all languages follow from them."""
        return self.pooled or self.candidates > 0 or (self.for_runs > 0 and self.in_languages)

    def check_memory(self, collection: Collection) -> None:
        """Returns if they take no more than half of the memory.

        Raises:
            ResultError: if they take more.

        """
        sizes = np.bincount(collection.passages.language, minlength=len(collection.languages))
        wanted = max(self.for_runs, self.candidates, self.for_bias * self.pooled)
        places = min(wanted, int(sizes.max(initial=0) if self.by_language else sizes.sum()))
        n_queries = len(np.unique(collection.pairs.query))
        n_pools = len(collection.languages) if self.by_language else 1
        n_bytes, most = n_queries * n_pools * places * _PLACE_BYTES, memory_bytes() // 2
        if n_bytes > most:
            fewer = most // (n_queries * n_pools * _PLACE_BYTES)
            raise ResultError(
                f"The {places:,} best passages of {n_queries:,} queries in {n_pools} pools take {n_bytes / 1e9:.1f} GB "
                f"of memory; expected at most half of the {memory_bytes() / 1e9:.1f} GB of this machine. Keep "
                f"{fewer:,} with --keep-run, or choose fewer languages."
            )


def ranking_of(
    collection: Collection,
    scores: Scores,
    *,
    places: Places,
    pooling: Pooling | None = None,
    rerank: Callable[[Ranking], Ranking] | None = None,
    whole: bool = False,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Ranking:
    """The ranking by these scores; long counting shows its progress, and resumes from the checkpoint if it was killed.

    A fusion is ranked twice: in the pool of all languages, and in the pool of each. A pooling that changes scores is
    in them already. ``rerank`` gets the ranking with the candidates of each language, and changes their order. Of more
    than ``WHOLE_TABLE`` languages the counts are added up, but if a pooling or a reranker needs those of each, or
    ``whole`` asks for them.
    """
    whole = whole or rerank is not None or (pooling is not None and pooling.best > 0)
    sums = not whole and len(collection.languages) > WHOLE_TABLE
    fused, in_languages = isinstance(scores, FusedScores), alone(scores)
    n = scores.n_passages
    shown = progress if fused or n * scores.n_queries >= _MANY_SCORES else silent

    def counted(of: Scores, doing: str, *, depth: int, by_language: bool) -> Ranking:
        with shown(doing, n_texts=n, n_characters=n, noun="passages") as advance:
            return rank(
                collection,
                of,
                depth=depth,
                by_language=by_language,
                sums=sums,
                # Shard by shard a fusion would rank all passages again for each.
                shard_rows=n if fused else shard_rows_of(of),
                work=Work(checkpoint, advance),
            )

    most = max(places.for_runs, places.for_bias, places.candidates)
    ranking = counted(scores, "counting", depth=most, by_language=places.by_language and in_languages is scores)
    if in_languages is not scores:
        most = places.for_runs if places.by_language else 0
        other = counted(in_languages, "counting in each language", depth=most, by_language=True)
        ranking = ranking.with_alone(other)
    if pooling and not pooling.normalises:
        ranking = pooled(ranking, pooling, depth=most)
        if ranking.best:
            top, lists = best_of_all(collection, ranking.judged, ranking.best, most)
            ranking = replace(ranking, top=top, lists=lists)
    ranking = rerank(ranking) if rerank else ranking
    return ranking.with_places(places.for_bias, keep_best=places.for_runs > 0)
