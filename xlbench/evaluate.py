"""evaluate: from a task's collection and an encoder to a Result; the one place that knows all the steps."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from xlbench import __version__
from xlbench.collection import Collection
from xlbench.engine.alignment import align
from xlbench.engine.debiasing import Debiasing, FitOn
from xlbench.engine.fusion import FusedScores, alone
from xlbench.engine.model_scores import debiased, score_collection
from xlbench.engine.scores import Scores, VectorScores
from xlbench.engine.search import SHARD_ROWS, Work, rank
from xlbench.errors import ResultError
from xlbench.measures import bias
from xlbench.measures.ranks import Ranking
from xlbench.models.protocols import Model
from xlbench.results import SCHEMA, Result
from xlbench.results.from_ranking import figures
from xlbench.settings import Kind, settings
from xlbench.support.machine import memory_bytes
from xlbench.support.progress import Advance, Progress, silent
from xlbench.tasks import Task
from xlbench.tasks.readers import read

_MANY_SCORES = 1_000_000_000  # Seconds of work.
_PLACE_BYTES = 8


@dataclass(frozen=True)
class Options:
    """What is asked for besides a model's scores as they are."""

    debiasing: Debiasing | None = None
    keep: int = 0
    """How many of the best passages of each query and setting the result's ranking keeps, for a run."""


_PLAIN = Options()


def parallel_text(path: Path) -> FitOn:
    """A file of parallel text, JSON lines, to fit a debiasing on."""
    return FitOn(path, lambda languages: read("parallel", dict.fromkeys(languages, path), text="passage"))


def evaluate(
    task: Task,
    collection: Collection,
    model: Model,
    *,
    kinds: Sequence[Kind],
    cache_dir: Path,
    options: Options = _PLAIN,
    progress: Progress = silent,
) -> Result:
    """The result of a model on a task's collection, in all settings of these kinds.

    Vectors are kept under ``cache_dir``, so that a run that was killed goes on.

    Raises:
        EncoderError: if the model cannot be loaded, gives unusable vectors, or none that could be debiased.
        DataError: if the debiasing cannot be fitted.
        ResultError: if there is not the memory to keep so many of the best passages.

    """
    start = time.perf_counter()
    debiasing = options.debiasing
    kept = _Kept(options.keep, bias.depth(task.measures) if "multi" in kinds else 0, set(kinds) != {"multi"})
    kept.check_memory(collection)
    share = _EncodedShare(progress)
    scores = score_collection(collection, model, cache_dir=cache_dir, progress=share)
    if debiasing:
        scores = debiased(scores, collection, model, debiasing, cache_dir=cache_dir, progress=progress)
    encoded = time.perf_counter()
    ranking = _ranking(
        collection,
        scores,
        kept=kept,
        checkpoint=cache_dir / "counts" / f"{_key(collection, model, debiasing)}.npz",
        progress=progress,
    )
    ranked = time.perf_counter()
    found = figures(ranking, settings(kinds, collection.asked, pooled=collection.pooled), task.measures)
    scored = time.perf_counter()
    return Result(
        schema=SCHEMA,
        task=task.name,
        task_version=task.version,
        headline=task.headline,
        missing_languages=[language for language in task.languages if language not in collection.languages],
        model=debiasing.identity(model.identity()) if debiasing else model.identity(),
        values=found.values,
        queries=found.queries,
        summary=found.summary,
        intervals=found.intervals,
        references=found.references,
        matrices=found.matrices,
        alignment=align(collection, scores.passages) if isinstance(scores, VectorScores) else {},
        environment={**_environment(), "encoder": model.provenance(), **_dimensions(scores)},
        timing={
            "encode_s": encoded - start,
            "encoded_share": share.value,
            "search_s": ranked - encoded,
            "score_s": scored - ranked,
        },
        per_query=found.per_query,
        ranking=ranking,
    )


class _EncodedShare:
    """A progress that also knows what share of the texts was encoded now, and not kept from an earlier run.

    Without it a time would say nothing of a model's speed.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._n_texts = self._n_encoded = 0

    @property
    def value(self) -> float:
        """From 0 to 1, over all models of a fusion; 0 for a model that encodes nothing."""
        return self._n_encoded / self._n_texts if self._n_texts else 0.0

    @contextmanager
    def __call__(self, doing: str, /, *, n_texts: int, n_characters: int, noun: str = "texts") -> Iterator[Advance]:
        self._n_texts += n_texts
        with self._progress(doing, n_texts=n_texts, n_characters=n_characters, noun=noun) as advance:

            def told(*, texts: int, characters: int, stored: bool) -> None:
                self._n_encoded += 0 if stored else texts
                advance(texts=texts, characters=characters, stored=stored)

            yield told


@dataclass(frozen=True)
class _Kept:
    """Which of the best passages a ranking keeps."""

    keep: int
    """For runs."""
    depth: int
    """For measures of bias, in the pool of all languages."""
    in_languages: bool
    """Whether there are settings with a pool of one language."""

    @property
    def by_language(self) -> bool:
        """Whether those of each language are kept, from which those of the pool of all follow."""
        return self.keep > 0 and self.in_languages

    def check_memory(self, collection: Collection) -> None:
        """Refuses to keep more than half of the memory has room for."""
        sizes = np.bincount(collection.passages.language, minlength=len(collection.languages))
        places = min(self.keep, int(sizes.max(initial=0) if self.by_language else sizes.sum()))
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


def _ranking(collection: Collection, scores: Scores, *, kept: _Kept, checkpoint: Path, progress: Progress) -> Ranking:
    """The ranking; long counting shows its progress, and goes on from the checkpoint if it was killed."""
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
                # Shard by shard a fusion would rank all passages again for each.
                shard_rows=n if fused else SHARD_ROWS,
                work=Work(checkpoint, advance),
            )

    most = max(kept.keep, kept.depth)
    ranking = counted(scores, "counting", depth=most, by_language=kept.by_language and in_languages is scores)
    if in_languages is not scores:
        most = kept.keep if kept.by_language else 0
        other = counted(in_languages, "counting in each language", depth=most, by_language=True)
        ranking = ranking.with_alone(other)
    return replace(ranking, top=ranking.top[:, : kept.depth], best=ranking.best if kept.keep else None)


def _key(collection: Collection, model: Model, debiasing: Debiasing | None) -> str:
    """What tells the scores of a model on a collection's texts from all others."""
    known = [
        model.key(),
        debiasing.identity({"name": ""}) if debiasing else None,
        [texts.distinct.checksum for texts in (collection.queries, collection.passages)],
        collection.languages,
    ]
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _dimensions(scores: Scores) -> dict[str, int]:
    return {"dimensions": int(scores.passages.vectors.shape[1])} if isinstance(scores, VectorScores) else {}


def _environment() -> dict[str, Any]:
    libraries = ("torch", "numpy", "numba")
    return {
        "xlbench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
    }
