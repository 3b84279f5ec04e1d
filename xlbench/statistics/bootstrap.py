"""Intervals by cluster bootstrap: questions are drawn with replacement, each with all of its queries.

Field and Welsh (2007), Bootstrapping clustered data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.measures.values import QueryValues
from xlbench.settings import Kind, Setting
from xlbench.statistics.question_values import Values, summary_weights

RESAMPLES = 2000
LEVEL = 0.95
INTERVAL_DECIMALS = 6  # The last digits of a sum depend on its order, and so on the number of threads.


def intervals(
    per_query: Sequence[QueryValues],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    decimals: int = INTERVAL_DECIMALS,
) -> dict[Setting | Kind, dict[str, list[float]]]:
    """The percentile interval of each mean, by setting or kind of setting, and measure: lower and upper end."""
    found: dict[Setting | Kind, dict[str, list[float]]] = {}
    if not per_query:
        return found
    values = Values.of(per_query)
    means = resampled_means(values.value, draw(len(values.questions), resamples=resamples, seed=seed))
    weights = summary_weights(values.columns)
    kinds = weighted_means(means, np.stack(list(weights.values()), axis=1))
    ends = _ends(np.hstack([means, kinds]), level).round(decimals)
    for (name, measure), (low, high) in zip([*values.columns, *weights], ends.T.tolist(), strict=True):
        found.setdefault(name, {})[measure] = [low, high]
    return found


def difference_intervals(
    differences: Sequence[FloatArray],
    weights: FloatArray,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[FloatArray]:
    """The percentile interval of each weighted mean of columns: lower and upper ends, ``float64[2, K]`` a difference.

    ``differences`` are ``[Q, C]`` with NaN where a column does not have a question, ``weights`` ``[C, K]``. The same
    seed draws the same questions as ``intervals``.
    """
    counts = draw(len(differences[0]), resamples=resamples, seed=seed)
    return [
        _ends(weighted_means(resampled_means(d, counts), weights), level).round(INTERVAL_DECIMALS) for d in differences
    ]


@lru_cache(maxsize=1)
def draw(n_questions: int, *, resamples: int, seed: int) -> FloatArray:
    """How often each resample has each question, ``float64[resamples, Q]``: each draws ``Q`` with replacement.

    The last is kept, and read-only: results of one task, one after the other, need the same.
    """
    drawn = np.random.default_rng(seed).integers(0, n_questions, size=(resamples, n_questions))
    cell = drawn + np.arange(resamples)[:, None] * n_questions
    counts = np.bincount(cell.ravel(), minlength=resamples * n_questions).reshape(resamples, -1).astype(np.float64)
    counts.flags.writeable = False
    return counts


def resampled_means(value: FloatArray, counts: FloatArray) -> FloatArray:
    """The mean of each column in each resample over the questions that have a value, ``float64[resamples, C]``.

    NaN where the resample has no question of the column.
    """
    present = np.isfinite(value)
    total = counts @ np.where(present, value, 0.0)
    n = counts.sum(axis=1, keepdims=True) if present.all() else counts @ present.astype(np.float64)
    with np.errstate(invalid="ignore"):
        found: FloatArray = total / n
    return found


def weighted_means(means: FloatArray, weights: FloatArray) -> FloatArray:
    """The weighted means of columns, ``[R, C]`` and ``[C, K]`` to ``[R, K]``; a column that is NaN has no weight."""
    present = np.isfinite(means)
    total = np.where(present, means, 0.0) @ weights
    with np.errstate(invalid="ignore"):
        found: FloatArray = total / (present @ weights)
    return found


def _ends(means: FloatArray, level: float) -> FloatArray:
    percent = [50 * (1 - level), 50 * (1 + level)]
    found = np.empty((2, means.shape[1]))
    whole = np.isfinite(means).all(axis=0)
    # nanpercentile goes column by column, and almost all columns are whole.
    found[:, whole] = np.percentile(means[:, whole], percent, axis=0)
    found[:, ~whole] = np.nanpercentile(means[:, ~whole], percent, axis=0)
    return found
