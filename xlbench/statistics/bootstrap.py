"""Intervals by cluster bootstrap: clusters are drawn with replacement, each with all of its queries.

Field and Welsh (2007), Bootstrapping clustered data. Percentile intervals of few clusters are too narrow: of 10, 95 %
intervals have the true mean in them in .81 to .87 of all samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xlbench.arrays import BoolArray, FloatArray, IntArray
from xlbench.measures.values import QueryValues
from xlbench.settings import Kind, Setting
from xlbench.statistics.question_values import Values, by_cluster, summary_weights

RESAMPLES = 2000
LEVEL = 0.95
FEW_CLUSTERS = 30
"""With fewer, intervals are too narrow to be shown without a word."""
INTERVAL_DECIMALS = 6  # The last digits of a sum depend on its order, and so on the number of threads.


def intervals(
    per_query: Sequence[QueryValues],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    decimals: int = INTERVAL_DECIMALS,
) -> dict[Setting | Kind, dict[str, list[float]]]:
    """The percentile interval of each mean, by setting or kind of setting, and measure: lower and upper end.

    A mean over the queries of one cluster has none: nothing is known of how clusters differ.
    """
    by_name: dict[Setting | Kind, dict[str, list[float]]] = {}
    if not per_query:
        return by_name
    values = Values.of(per_query)
    sums = Sums.of(values.value, values.cluster)
    means = sums.resampled(draw(len(sums.total), resamples=resamples, seed=seed))
    weights = summary_weights(values.columns)
    stacked = np.stack(list(weights.values()), axis=1)
    ends = _ends(np.hstack([means, weighted_means(means, stacked)]), level).round(decimals)
    n_clusters = np.concatenate([sums.present.sum(axis=0), sums.n_clusters(stacked)])
    names = [*values.columns, *weights]
    for (name, measure), (low, high), n in zip(names, ends.T.tolist(), n_clusters.tolist(), strict=True):
        by_measure = by_name.setdefault(name, {})
        if n > 1:
            by_measure[measure] = [low, high]
    return by_name


def difference_intervals(
    differences: Sequence[FloatArray],
    weights: FloatArray,
    cluster: IntArray,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[FloatArray]:
    """The percentile interval of each weighted mean of columns: lower and upper ends, ``float64[2, K]`` a difference.

    ``differences`` are ``[Q, C]`` with NaN where a column does not have a question, ``weights`` ``[C, K]`` and
    ``cluster`` ``[Q]``. The same seed draws the same clusters as ``intervals``, and more of them in parts, so that the
    means of columns need not be in memory for all.
    """
    sums = [Sums.of(difference, cluster) for difference in differences]
    parts: list[list[FloatArray]] = [[] for _ in sums]
    for part, first in enumerate(range(0, resamples, RESAMPLES)):
        n = min(RESAMPLES, resamples - first)
        counts = draw(len(sums[0].total), resamples=n, seed=(seed, part) if part else seed)
        for means, of in zip(parts, sums, strict=True):
            means.append(weighted_means(of.resampled(counts), weights))
    return [_ends(np.concatenate(means), level).round(INTERVAL_DECIMALS) for means in parts]


@lru_cache(maxsize=1)
def draw(n_clusters: int, *, resamples: int, seed: int | tuple[int, int]) -> FloatArray:
    """How often each resample has each cluster, ``float64[resamples, G]``: each draws ``G`` with replacement.

    The last is kept, and read-only: results of one task, one after the other, need the same.
    """
    drawn = np.random.default_rng(seed).integers(0, n_clusters, size=(resamples, n_clusters))
    cell = drawn + np.arange(resamples)[:, None] * n_clusters
    counts = np.bincount(cell.ravel(), minlength=resamples * n_clusters).reshape(resamples, -1).astype(np.float64)
    counts.flags.writeable = False
    return counts


@dataclass(frozen=True)
class Sums:
    """The values of each column by cluster: all that a mean over drawn clusters needs."""

    total: FloatArray
    """``[G, C]``."""
    n: FloatArray
    """``[G, C]``, how many questions of the cluster have a value."""

    @classmethod
    def of(cls, value: FloatArray, cluster: IntArray) -> Sums:
        """The sums of values by question, ``[Q, C]`` with NaN where there is none."""
        present = np.isfinite(value)
        return cls(by_cluster(np.where(present, value, 0.0), cluster), by_cluster(present.astype(np.float64), cluster))

    @property
    def present(self) -> BoolArray:
        """Whether a cluster has a value, ``bool[G, C]``."""
        return self.n > 0

    def n_clusters(self, weights: FloatArray) -> IntArray:
        """How many clusters each weighted mean has, ``[C, K]`` to ``int64[K]``."""
        n_clusters: IntArray = (self.n @ (weights > 0) > 0).sum(axis=0)
        return n_clusters

    def resampled(self, counts: FloatArray) -> FloatArray:
        """The mean of each column in each resample over the questions that have a value, ``float64[resamples, C]``.

        NaN where the resample has no question of the column.
        """
        alike = bool((self.n == self.n[:, :1]).all())  # In most collections, and then one product is enough.
        with np.errstate(invalid="ignore"):
            means: FloatArray = (counts @ self.total) / (counts @ (self.n[:, :1] if alike else self.n))
        return means


def weighted_means(means: FloatArray, weights: FloatArray) -> FloatArray:
    """The weighted means of columns, ``[R, C]`` and ``[C, K]`` to ``[R, K]``; a column that is NaN has no weight."""
    present = np.isfinite(means)
    total = np.where(present, means, 0.0) @ weights
    with np.errstate(invalid="ignore"):
        weighted: FloatArray = total / (present @ weights)
    return weighted


def _ends(means: FloatArray, level: float) -> FloatArray:
    percent = [50 * (1 - level), 50 * (1 + level)]
    ends = np.empty((2, means.shape[1]))
    whole = np.isfinite(means).all(axis=0)
    # nanpercentile goes column by column, and almost all columns are whole.
    ends[:, whole] = np.percentile(means[:, whole], percent, axis=0)
    ends[:, ~whole] = np.nanpercentile(means[:, ~whole], percent, axis=0)
    return ends
