"""sizes: what fewer dimensions and fewer bits of a model's vectors cost, each held against the whole vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlbench import measures
from xlbench.collection import Collection
from xlbench.comparison import Comparison
from xlbench.comparison.compare import compare_labelled
from xlbench.engine.compressed_vectors import compressed
from xlbench.engine.model_scores import score_collection
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.scores import VectorScores
from xlbench.errors import EncoderError, UsageError
from xlbench.evaluation import result_of
from xlbench.job import Job
from xlbench.models.compression import Compression
from xlbench.models.protocols import Model
from xlbench.results import Result
from xlbench.support.progress import Progress, silent


@dataclass(frozen=True)
class Size:
    """Vectors of one size."""

    name: str
    n_bytes: int
    """Of a passage's vector."""
    result: Result


@dataclass(frozen=True)
class VectorSizes:
    """The sizes of a model's vectors on a task, the whole vectors first."""

    model: str
    sizes: tuple[Size, ...]
    comparison: Comparison
    """Of the means of each size with those of the whole vectors."""


def sizes(
    model: Model,
    job: Job,
    collection: Collection,
    *,
    dimensions: Sequence[int],
    quantize: Sequence[str],
    cache_dir: Path | None = None,
    progress: Progress = silent,
) -> VectorSizes:
    """What each size does to a model's ranking of a job's collection; texts are encoded once.

    Each number of dimensions, each precision, and all pairs of both.

    Raises:
        UsageError: if there is none, or the model's vectors are compressed already.
        EncoderError: if the model gives no dense vectors, or fewer dimensions than asked for.

    """
    wanted = _wanted(dimensions, quantize)
    if not wanted:
        raise UsageError("Name a plain model and --dimensions or --quantize, or both: nothing is to be made smaller.")
    if model.compression or model.pooling or model.reranking:
        raise UsageError(f"{model.name} is changed already: name the plain model.")
    task = replace(job.task, measures=tuple(dict.fromkeys([job.task.headline, measures.DISTANCE])))
    job = replace(job, task=task)
    whole = score_collection(collection, model, cache_dir=cache_dir, progress=progress)
    if not isinstance(whole, VectorScores):
        raise EncoderError(f"{model.name} does not give one dense vector a text, which could be made smaller.")
    n_dimensions = int(whole.passages.vectors.shape[1])
    places = Places(0, 0, in_languages=True)
    tried = []
    for compression in (None, *wanted):
        scores = compressed(whole, compression) if compression else whole
        ranking = ranking_of(collection, scores, places=places, progress=progress)
        result = result_of(job, collection, replace(model, compression=compression), ranking)
        n_bytes = (compression or Compression()).n_bytes(n_dimensions)
        name = str(compression) if compression else f"{n_dimensions}d"
        tried.append(Size(name, n_bytes, replace(result, ranking=None)))
    names = [size.name for size in tried]
    common = [m for m in task.measures if any(m in values for values in tried[0].result.summary.values())]
    comparison = compare_labelled([size.result for size in tried], names, names=names, measures=common, means_only=True)
    return VectorSizes(model.name, tuple(tried), comparison)


def _wanted(dimensions: Sequence[int], quantize: Sequence[str]) -> list[Compression]:
    """Each alone, and all pairs."""
    known = {precision: Compression(None, precision) for precision in dict.fromkeys(quantize)}  # type: ignore[arg-type]
    cut = [Compression(n) for n in dict.fromkeys(dimensions)]
    both = [replace(one, quantize=other.quantize) for one in cut for other in known.values()]
    return [*cut, *known.values(), *both]
