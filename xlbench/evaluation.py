"""evaluate: a model on a task gives a Result; the one place that knows all the steps."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Unpack

from xlbench import __version__, measures
from xlbench.catalogue import Task
from xlbench.changes import Changes, changed
from xlbench.collection import Collection
from xlbench.engine.alignment import align
from xlbench.engine.model_scores import score_collection, vectors_of, warnings_of
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.ray_cluster import Workers
from xlbench.engine.scores import Scores, VectorScores
from xlbench.engine.workers import encode_missing
from xlbench.errors import UsageError
from xlbench.job import Job
from xlbench.measures.ranks import Ranking
from xlbench.models import load as load_model
from xlbench.models.perturbation import share_changed
from xlbench.models.protocols import Model
from xlbench.results import SCHEMA, Result, save
from xlbench.results.from_ranking import figures
from xlbench.second_stage import SecondStage
from xlbench.settings import Kind
from xlbench.support.machine import cache_folder
from xlbench.support.progress import EncodedShare, Progress, display, silent
from xlbench.trec.write import Kept, check_ids, clear_runs, save_runs

_LOG = logging.getLogger("xlbench")


def evaluate(
    model: object,
    task: str | Path | Task | Collection,
    *,
    languages: Sequence[str] | str = (),
    settings: Sequence[Kind] | Kind = (),
    limit: int | None = None,
    name: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: str | None = None,
    stored_as: Literal["float32", "float16"] = "float32",
    cache: str | Path | None = "default",
    data_dir: str | Path | None = None,
    force: bool = False,
    workers: int | None = None,
    ray: str | None = None,
    quiet: bool = False,
    **changes: Unpack[Changes],
) -> Result:
    """The result of a model on a task, in all of its settings.

    Args:
        model: What ``xlbench run --model`` takes, a ``SentenceTransformer``, an object with ``encode`` or the methods
            of an ``Encoder`` or ``Scorer``, or a function from a list of texts to an array.
        task: The name of a task, its YAML file, a folder in BEIR form, a ``Task`` or a ``Collection``.
        languages: Only these; all if none is named.
        settings: Only these kinds: ``mono``, ``cross``, ``multi``; the task's if none is named.
        limit: How many questions to draw, for a first look at a part of the task; all if it is not given.
        name: What the result calls the model.
        arguments: Arguments of the model, as ``--model-arg`` gives them.
        device: Where the model runs; the best there is if none is named.
        stored_as: How vectors are stored and then scored; ``float16`` rounds them.
        cache: Folder of stored vectors and downloads; None keeps no vectors, ``default`` is the user's cache folder.
        data_dir: Folder with the data sets, looked into before anything is downloaded.
        force: Encode all texts again, whatever is stored.
        workers: How many processes encode, on this machine or on the Ray cluster at the address ``ray``.
        ray: ``HOST:PORT`` or ``auto``; all its machines see the cache under the same path.
        quiet: Show no progress.
        changes: What is done to its queries, vectors and lists: ``transform="center"``, ``quantize="int8"``,
            ``pool="round-robin"``, ``rerank=...``, ``perturb="latin"``; see ``xlbench.changes.Changes``.

    Raises:
        UnknownNameError: For a model, task, language or setting that does not exist.
        EncoderError, DataError: For a model that cannot be used, and for data that are not what the task says.

    Example:
        >>> import xlbench
        >>> result = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True)
        >>> round(result.value("multi", "AP"), 3) < round(result.value("mono", "AP"), 3)
        True

    """
    job = Job.of(task, languages=languages, kinds=settings, limit=limit)
    plain = load_model(model, name=name, device=device, arguments=arguments, stored_as=stored_as)
    loaded = changed(plain.instructed(job.task.instruction), changes, device=device)
    progress = silent if quiet else display(job.task.name, quiet=False)
    folder = cache_folder(cache)
    collection = job.read(data_dir=data_dir, cache_dir=folder, progress=progress)
    by = Workers.of(workers, ray)
    return evaluate_collection(job, collection, loaded, cache_dir=folder, force=force, workers=by, progress=progress)


def evaluate_collection(
    job: Job,
    collection: Collection,
    model: Model,
    *,
    cache_dir: Path | None,
    keep: int = 0,
    force: bool = False,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Result:
    """The result of a model on a job's collection.

    Vectors and counts are kept under ``cache_dir``, so that a killed run resumes. The result's ranking keeps the
    ``keep`` best passages of each query and setting, for runs. ``workers`` encode what is not stored.

    Raises:
        EncoderError: if the model cannot be loaded, gives unusable vectors, or none that could be debiased.
        DataError: if the debiasing cannot be fitted.
        ResultError: if there is not the memory to keep so many of the best passages.

    """
    start, places = time.perf_counter(), _places(job, model, keep)
    # The data of the result is that of the task: the perturbation is the model's.
    asked = model.perturbation.apply(collection) if model.perturbation else collection
    depth = max(keep, places.for_bias)
    settings = job.settings_in(collection)
    stage = SecondStage(
        settings, asked, model.reranking, depth=depth, cache_dir=cache_dir, fresh=force, progress=progress
    )
    places.check_memory(collection)
    share = EncodedShare(progress)
    scores = _scored(asked, model, workers, cache_dir=cache_dir, fresh=force, progress=share)
    encoded = time.perf_counter()
    checkpoint = cache_dir / "counts" / f"{_key(asked, model)}.npz" if cache_dir and model.fingerprint else None
    ranking = ranking_of(
        asked,
        scores,
        places=places,
        pooling=model.pooling,
        rerank=stage if model.reranking else None,
        checkpoint=checkpoint,
        progress=progress,
    )
    ranked = time.perf_counter()
    result = result_of(
        job,
        collection,
        model,
        ranking,
        alignment=align(collection, vectors.passages) if (vectors := vectors_of(scores)) else {},
        environment={**_environment(model, scores), **stage.record, **_perturbed(collection, asked)},
    )
    seconds = {"search_s": ranked - encoded, "score_s": time.perf_counter() - ranked}
    timing = {"encode_s": encoded - start, "encoded_share": share.value, **seconds}
    _LOG.info("%s on %s: %s", model.name, job.task.name, timing)
    return replace(result, timing=timing)


def _scored(
    collection: Collection,
    model: Model,
    workers: Workers | None,
    *,
    cache_dir: Path | None,
    fresh: bool,
    progress: Progress,
) -> Scores:
    """The scores of the model, whose vectors workers encode if there are any."""
    if workers is None:
        return score_collection(collection, model, cache_dir=cache_dir, fresh=fresh, progress=progress)
    if cache_dir is None:
        raise UsageError("Workers leave vectors in the cache for each other: name a folder for it.")
    encode_missing(collection, model, workers, cache_dir=cache_dir, fresh=fresh, progress=progress)
    return score_collection(collection, model, cache_dir=cache_dir)


def _places(job: Job, model: Model, keep: int) -> Places:
    """How many of the best passages the ranking has to keep, for runs, measures of bias and a reranker."""
    return Places(
        keep,
        measures.depth(job.task.measures) if "multi" in job.kinds else 0,
        in_languages={*job.kinds} != {"multi"},
        pooled=model.pooling is not None and not model.pooling.normalises,
        candidates=model.reranking.depth if model.reranking else 0,
    )


def result_of(
    job: Job,
    collection: Collection,
    model: Model,
    ranking: Ranking,
    *,
    alignment: Mapping[str, Any] | None = None,
    environment: Mapping[str, Any] | None = None,
) -> Result:
    """The result that a model's ranking of a job's collection has; the timing is empty."""
    task = job.task
    computed = figures(ranking, job.settings_in(collection), task.measures)
    return Result(
        schema=SCHEMA,
        task=task.name,
        task_version=task.version,
        headline=task.headline,
        missing_languages=[language for language in task.languages if language not in collection.languages],
        unit=collection.clusters.unit,
        n_clusters=len(ranking.judged.clusters),
        data=collection.checksums,
        model=model.identity(),
        values=computed.values,
        queries=computed.queries,
        summary=computed.summary,
        intervals=computed.intervals,
        references=computed.references,
        # They are of AP and of what is relevant, which a string is not.
        matrices={name: {} for name in computed.matrices} if collection.by_answers else computed.matrices,
        alignment=alignment or {},
        environment=environment or {},
        sample=collection.sample,
        timing={},
        per_query=computed.per_query,
        ranking=ranking,
    )


def evaluate_and_save(
    job: Job,
    collection: Collection,
    model: Model,
    path: Path,
    *,
    cache_dir: Path | None,
    kept: Kept | None = None,
    force: bool = False,
    workers: Workers | None = None,
    command: str = "",
    progress: Progress = silent,
) -> Result:
    """The result of a model on a job's collection, saved as ``path``; its runs are beside it, and no older ones.

    Raises:
        DataError: if runs are wanted, and an id cannot stand in a TREC file.

    """
    if kept:
        check_ids(collection)
    keep = kept.best if kept else 0
    result = evaluate_collection(
        job, collection, model, cache_dir=cache_dir, keep=keep, force=force, workers=workers, progress=progress
    )
    more = {**(kept.record() if kept else {}), **({"command": command} if command else {})}
    clear_runs(path)
    if kept:
        n_queries = sum(result.queries.values())
        with progress("writing runs", n_texts=n_queries, n_characters=n_queries, noun="rankings") as advance:
            save_runs(path, result, collection, kept=kept, advance=advance)
    result = replace(result, environment={**result.environment, **more})
    save(result, path)
    return result


def _key(collection: Collection, model: Model) -> str:
    """What tells the scores of a model on a collection's texts from all others."""
    checksums = [texts.distinct.checksum for texts in (collection.queries, collection.passages)]
    identity = [model.key(), checksums, collection.languages]
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _perturbed(collection: Collection, asked: Collection) -> dict[str, Any]:
    """The share of each language's queries that a perturbation changed; nothing without one."""
    return {"queries_changed": share_changed(collection, asked)} if asked is not collection else {}


def _environment(model: Model, scores: Scores) -> dict[str, Any]:
    suspicions = [*model.notes, *warnings_of(scores)]
    for suspicion in suspicions:
        _LOG.warning("%s: %s", model.name, suspicion)
    return {
        "xlbench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "numba")},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "encoder": model.provenance(),
        **({"attention": named} if isinstance(named := getattr(model.encoder, "attention", None), str) else {}),
        **({"counted_on": scores.device} if isinstance(scores, VectorScores) and scores.device else {}),
        **({"usage": model.encoder.usage()} if hasattr(model.encoder, "usage") else {}),
        **({"dimensions": int(vectors.passages.vectors.shape[1])} if (vectors := vectors_of(scores)) else {}),
        **({"warnings": suspicions} if suspicions else {}),
    }
