"""evaluate: from a task's collection and an encoder to a Result; the one place that knows all the steps."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench import __version__, measures
from xlbench.bias import BIAS_MEASURES
from xlbench.collection import Collection
from xlbench.embeddings import Embeddings, VectorStore, distinct, embed
from xlbench.encoders import Model
from xlbench.errors import EncoderError
from xlbench.progress import Progress, silent
from xlbench.ranks import Ranking, Ranks
from xlbench.results import SCHEMA, QueryScores, Result, summarise
from xlbench.search import rank
from xlbench.settings import Kind, Setting, settings
from xlbench.tasks import Task


def evaluate(
    task: Task,
    collection: Collection,
    model: Model,
    *,
    kinds: Sequence[Kind],
    cache_dir: Path,
    progress: Progress = silent,
) -> Result:
    """The result of a model on a task's collection, in all settings of these kinds.

    Vectors are kept under ``cache_dir``, so that a run that was killed goes on.

    Raises:
        EncoderError: if the model cannot be loaded or gives unusable vectors.

    """
    start = time.perf_counter()
    queries, passages = embed_collection(collection, model, cache_dir=cache_dir, progress=progress)
    encoded = time.perf_counter()
    ranking = rank(collection, queries, passages)
    ranked = time.perf_counter()
    wanted = settings(kinds, collection.languages)
    per_query = score(ranking, wanted, task.measures)
    scores = {s.setting: {measure: float(values.mean()) for measure, values in s.values.items()} for s in per_query}
    scored = time.perf_counter()
    return Result(
        schema=SCHEMA,
        task=task.name,
        task_version=task.version,
        headline=task.headline,
        missing_languages=[language for language in task.languages if language not in collection.languages],
        model=model.identity(),
        scores=scores,
        queries={setting.name: 0 for setting in wanted} | {s.setting: len(s.query) for s in per_query},
        summary=summarise(scores),
        environment={**_environment(), "encoder": model.provenance(), "dimensions": int(passages.vectors.shape[1])},
        timing={"encode_s": encoded - start, "search_s": ranked - encoded, "score_s": scored - ranked},
        per_query=per_query,
    )


def embed_collection(
    collection: Collection, model: Model, *, cache_dir: Path, progress: Progress = silent
) -> tuple[Embeddings, Embeddings]:
    """The vectors of the queries and of the passages, read from the store under ``cache_dir`` where they are there.

    Raises:
        EncoderError: if the model gives unusable vectors, or of other dimensions for queries than for passages.

    """
    key = {"name": model.encoder.name, **model.key()}
    roles = (
        ("queries", collection.queries, model.encoder.encode_queries),
        ("passages", collection.passages, model.encoder.encode_passages),
    )
    unique = [text for _, texts, _ in roles for text in distinct(texts)[0]]
    with progress(n_texts=len(unique), n_characters=sum(map(len, unique))) as advance:
        queries, passages = (
            embed(texts, encode, store=VectorStore.open(cache_dir, role, key), advance=advance)
            for role, texts, encode in roles
        )
    dimensions = [found.vectors.shape[1] for found in (queries, passages) if len(found.vectors)]
    if len(set(dimensions)) > 1:
        raise EncoderError(
            f"The encoder gave vectors of {dimensions[0]} dimensions for queries and {dimensions[1]} for passages: "
            "expected one dimension for both."
        )
    return queries, passages


def score(ranking: Ranking, wanted: Sequence[Setting], measure_names: Sequence[str]) -> tuple[QueryScores, ...]:
    """The values of each query in each setting that has queries; bias measures in the multilingual settings only."""
    retrieval: dict[str, Callable[[Ranks], npt.NDArray[np.float64]]] = {
        name: measures.parse(name) for name in measure_names if name not in BIAS_MEASURES
    }
    bias = {name: BIAS_MEASURES[name] for name in measure_names if name in BIAS_MEASURES}
    ids = ranking.collection.queries.ids
    found = []
    for setting in wanted:
        ranks = ranking.ranks(setting)
        if len(ranks):
            applicable = retrieval | (bias if setting.kind == "multi" else {})
            values = {name: measure(ranks) for name, measure in applicable.items()}
            found.append(QueryScores(setting=setting.name, query=tuple(ids[row] for row in ranks.query), values=values))
    return tuple(found)


def _environment() -> dict[str, Any]:
    libraries = ("torch", "numpy", "numba")
    return {
        "xlbench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
    }
