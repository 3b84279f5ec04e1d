"""evaluate: from a task's collection and an encoder to a Result; the one place that knows all the steps."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from xlbench import __version__, bias, measures
from xlbench.alignment import align
from xlbench.collection import Collection
from xlbench.embeddings import VectorStore, distinct, embed
from xlbench.encoders import Model, Scorer
from xlbench.errors import EncoderError
from xlbench.progress import Progress, silent
from xlbench.ranks import PooledRanks, Ranking
from xlbench.readers import read
from xlbench.results import SCHEMA, QueryScores, Result, summarise
from xlbench.scores import Scores, TextScores, VectorScores
from xlbench.search import rank
from xlbench.settings import Kind, Setting, settings
from xlbench.statistics import intervals
from xlbench.tasks import Task
from xlbench.transforms import Debiasing, fit

FloatArray = npt.NDArray[np.float64]


def evaluate(
    task: Task,
    collection: Collection,
    model: Model,
    *,
    kinds: Sequence[Kind],
    cache_dir: Path,
    debiasing: Debiasing | None = None,
    progress: Progress = silent,
) -> Result:
    """The result of a model on a task's collection, in all settings of these kinds.

    Vectors are kept under ``cache_dir``, so that a run that was killed goes on.

    Raises:
        EncoderError: if the model cannot be loaded, gives unusable vectors, or none that ``debiasing`` could transform.
        DataError: if ``debiasing`` cannot be fitted.

    """
    start = time.perf_counter()
    scores = score_collection(collection, model, cache_dir=cache_dir, progress=progress)
    if debiasing:
        scores = debiased(scores, collection, model, debiasing, cache_dir=cache_dir, progress=progress)
    encoded = time.perf_counter()
    ranking = rank(collection, scores, depth=bias.depth(task.measures) if "multi" in kinds else 0)
    ranked = time.perf_counter()
    wanted = settings(kinds, collection.languages)
    pools = pooled_ranks(ranking, wanted)
    per_query = score(ranking, wanted, task.measures)
    means = {s.setting: s.means() for s in per_query}
    summary = summarise(means)
    placed, by_language = references(pools, summary.get("multi", {})), matrices(pools, collection.languages)
    certain = intervals(per_query)
    scored = time.perf_counter()
    return Result(
        schema=SCHEMA,
        task=task.name,
        task_version=task.version,
        headline=task.headline,
        missing_languages=[language for language in task.languages if language not in collection.languages],
        model=debiasing.identity(model.identity()) if debiasing else model.identity(),
        scores=means,
        queries={setting.name: 0 for setting in wanted} | {s.setting: len(s.query) for s in per_query},
        summary=summary,
        intervals=certain,
        references=placed,
        matrices=by_language,
        alignment=align(collection, scores.passages) if isinstance(scores, VectorScores) else {},
        environment={**_environment(), "encoder": model.provenance(), **_dimensions(scores)},
        timing={"encode_s": encoded - start, "search_s": ranked - encoded, "score_s": scored - ranked},
        per_query=per_query,
        ranking=ranking,
    )


def score_collection(collection: Collection, model: Model, *, cache_dir: Path, progress: Progress = silent) -> Scores:
    """The scores that a model gives; vectors are read from the store under ``cache_dir`` where they are there.

    Raises:
        EncoderError: if the model gives unusable vectors, or of other dimensions for queries than for passages.

    """
    if isinstance(model.encoder, Scorer):
        return TextScores.of(collection, model.encoder)
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
    return VectorScores(queries, passages)


def debiased(
    scores: Scores,
    collection: Collection,
    model: Model,
    debiasing: Debiasing,
    *,
    cache_dir: Path,
    progress: Progress = silent,
) -> VectorScores:
    """The scores of transformed vectors.

    Raises:
        EncoderError: if the model gives no vectors.
        DataError: if the transform cannot be fitted.

    """
    if not isinstance(scores, VectorScores):
        raise EncoderError(
            f"{model.encoder.name} gives no vectors, so that there is nothing to transform: leave --transform out, or "
            "name a model that encodes texts."
        )
    fit_on, fitted_scores = collection, scores
    if debiasing.fit_on is not None:
        fit_on = read("parallel", dict.fromkeys(collection.languages, debiasing.fit_on), text="passage")
        encoded = score_collection(fit_on, model, cache_dir=cache_dir, progress=progress)
        fitted_scores = cast("VectorScores", encoded)
    parts = [(fitted_scores.queries, fit_on.queries), (fitted_scores.passages, fit_on.passages)]
    fitted = fit(debiasing.transform, parts, fit_on.languages)
    return VectorScores(
        fitted.apply(scores.queries, collection.queries, collection.languages),
        fitted.apply(scores.passages, collection.passages, collection.languages),
    )


def _dimensions(scores: Scores) -> dict[str, int]:
    return {"dimensions": int(scores.passages.vectors.shape[1])} if isinstance(scores, VectorScores) else {}


def score(ranking: Ranking, wanted: Sequence[Setting], measure_names: Sequence[str]) -> tuple[QueryScores, ...]:
    """The values of each query in each setting that has queries; measures of bias in the multilingual settings only.

    A measure of bias that is not defined for any query of some language is left out for all languages: a mean over a
    part of them would look like the whole.
    """
    retrieval = {name: measures.parse(name) for name in measure_names if not bias.find(name)}
    ids = ranking.judged.query_ids
    pools = pooled_ranks(ranking, wanted)
    of_bias = _bias_values(pools, measure_names)
    found = []
    for setting in wanted:
        ranks = pools[setting.name].ranks if setting.name in pools else ranking.ranks(setting)
        if len(ranks):
            values = {name: measure(ranks) for name, measure in retrieval.items()} | of_bias.get(setting.name, {})
            # In the task's order.
            values = {name: values[name] for name in measure_names if name in values}
            found.append(QueryScores(setting=setting.name, query=tuple(ids[row] for row in ranks.query), values=values))
    return tuple(found)


def _bias_values(pools: Mapping[str, PooledRanks], measure_names: Sequence[str]) -> dict[str, dict[str, FloatArray]]:
    """The values of the measures of bias, by multilingual setting and measure."""
    of_bias = [measure for name in measure_names if (measure := bias.find(name))]
    found = {name: {measure.name: measure.value(pooled) for measure in of_bias} for name, pooled in pools.items()}
    undefined = {name for values in found.values() for name, value in values.items() if np.isnan(value).all()}
    return {
        setting: {name: value for name, value in values.items() if name not in undefined}
        for setting, values in found.items()
    }


def pooled_ranks(ranking: Ranking, wanted: Sequence[Setting]) -> dict[str, PooledRanks]:
    """What measures of bias are computed from, by multilingual setting that has queries."""
    found = {setting.name: ranking.pooled(setting) for setting in wanted if setting.kind == "multi"}
    return {name: pooled for name, pooled in found.items() if len(pooled.ranks)}


def references(pools: Mapping[str, PooledRanks], names: Iterable[str]) -> dict[str, dict[str, float]]:
    """The perfect and the random value of measures of bias: means by language of the queries, then over languages."""
    found = {}
    for measure in (measure for name in names if (measure := bias.find(name))):
        ends = {"perfect": measure.perfect, "random": measure.random}
        found[measure.name] = {
            end: float(np.mean([np.nanmean(value(pooled)) for pooled in pools.values()])) for end, value in ends.items()
        }
    return found


def matrices(pools: Mapping[str, PooledRanks], languages: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """The preference and the one-target matrix, by language of the query and of the passage.

    A cell without queries is not there.
    """
    found: dict[str, dict[str, dict[str, float]]] = {"first_language": {}, "one_target": {}}
    for pooled in pools.values():
        for name, values in (("first_language", bias.first_language(pooled)), ("one_target", bias.one_target(pooled))):
            found[name][languages[pooled.asked]] = {
                language: float(np.nanmean(column))
                for language, column in zip(languages, values.T, strict=True)
                if np.isfinite(column).any()
            }
    return found


def _environment() -> dict[str, Any]:
    libraries = ("torch", "numpy", "numba")
    return {
        "xlbench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
    }
