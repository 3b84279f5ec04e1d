"""Intervals by cluster bootstrap: clusters are drawn with replacement, each with all of its queries.

Field and Welsh (2007), Bootstrapping clustered data. Percentile intervals of few clusters are too narrow: of 10, 95 %
intervals have the true mean in them in .81 to .87 of all samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xlbench.arrays import BoolArray, FloatArray, IntArray, Integers
from xlbench.measures.values import QueryValues
from xlbench.settings import Kind, Setting
from xlbench.statistics.question_values import Questions, by_cluster, columns_of, summary_weights

RESAMPLES = 2000
LEVEL = 0.95
FEW_CLUSTERS = 30
"""With fewer, intervals are too narrow to be shown without a word."""
INTERVAL_DECIMALS = 6  # The last digits of a sum depend on its order, and so on the number of threads.
_CELLS = 1 << 23
"""Of a table in memory at a time: 64 MB of float64."""


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
    questions, columns = Questions.of(per_query), columns_of(per_query)
    weights = summary_weights(columns)
    counts = draw(questions.n_clusters, resamples=resamples, seed=seed)
    macro = _MacroMeans.start(resamples, questions.n_clusters, np.stack(list(weights.values()), axis=1))
    ends, n_clusters = [], []
    for part in _parts(per_query, max(len(questions.names), resamples)):
        sums = Sums.of(questions.values(part), questions.cluster)
        means = sums.resampled(counts)
        macro.add(means, sums)
        ends.append(_ends(means, level))
        n_clusters.append(sums.present.sum(axis=0))
    ends.append(_ends(macro.means, level))
    n_clusters.append(macro.n_clusters)
    rounded, n_of = np.hstack(ends).round(decimals), np.concatenate(n_clusters)
    for (name, measure), (low, high), n in zip([*columns, *weights], rounded.T.tolist(), n_of.tolist(), strict=True):
        by_measure = by_name.setdefault(name, {})
        if n > 1:
            by_measure[measure] = [low, high]
    return by_name


def _parts(per_query: Sequence[QueryValues], n_rows: int) -> Iterator[Sequence[QueryValues]]:
    """Settings one after the other, as many at a time as tables of so many rows have room for."""
    most = max(1, _CELLS // n_rows)
    part: list[QueryValues] = []
    n_columns = 0
    for scores in per_query:
        if part and n_columns + len(scores.values) > most:
            yield part
            part, n_columns = [], 0
        part.append(scores)
        n_columns += len(scores.values)
    yield part


@dataclass
class _MacroMeans:
    """The weighted means of columns in each resample; columns are added part by part."""

    weights: FloatArray
    """``[C, K]``."""
    total: FloatArray
    """``[R, K]``."""
    weight: FloatArray
    """``[R, K]``, of the columns that the resample has a mean of."""
    present: BoolArray
    """``[G, K]``, whether a cluster has a value in any column that counts."""
    n_columns: int = 0
    """How many are added."""

    @classmethod
    def start(cls, resamples: int, n_clusters: int, weights: FloatArray) -> _MacroMeans:
        """Of no column yet."""
        shape = resamples, weights.shape[1]
        return cls(weights, np.zeros(shape), np.zeros(shape), np.zeros((n_clusters, weights.shape[1]), np.bool_))

    def add(self, means: FloatArray, sums: Sums) -> None:
        """Adds the next columns."""
        weights = self.weights[self.n_columns : self.n_columns + means.shape[1]]
        self.n_columns += means.shape[1]
        total, weight = _weighted(means, weights)
        self.total += total
        self.weight += weight
        self.present |= sums.n @ (weights > 0) > 0

    @property
    def means(self) -> FloatArray:
        """``[R, K]``."""
        with np.errstate(invalid="ignore"):
            return self.total / self.weight

    @property
    def n_clusters(self) -> IntArray:
        """``[K]``, how many clusters each mean has."""
        n_clusters: IntArray = self.present.sum(axis=0)
        return n_clusters


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
def draw(n_clusters: int, *, resamples: int, seed: int | tuple[int, int]) -> Integers:
    """How often each resample has each cluster, ``uint8[resamples, G]``: each draws ``G`` with replacement.

    The last is kept, and read-only: results of one task, one after the other, need the same.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, n_clusters), np.uint8)  # A cluster is drawn 256 times with probability 1e-500.
    at_once = max(1, _CELLS // n_clusters)
    for first in range(0, resamples, at_once):
        # Drawn part by part, the numbers are those that are drawn at once.
        drawn = rng.integers(0, n_clusters, size=(min(at_once, resamples - first), n_clusters))
        cell = drawn + np.arange(len(drawn))[:, None] * n_clusters
        counts[first : first + len(drawn)] = np.bincount(cell.ravel(), minlength=drawn.size).reshape(drawn.shape)
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

    def resampled(self, counts: Integers) -> FloatArray:
        """The mean of each column in each resample over the questions that have a value, ``float64[resamples, C]``.

        NaN where the resample has no question of the column.
        """
        total, n = self.total, self.n
        some = self.present.any(axis=1)
        if not some.all():  # These columns ask a part of the questions.
            total, n, counts = total[some], n[some], counts[:, some]
        alike = bool((n == n[:, :1]).all())  # In most collections, and then one product is enough.
        n = n[:, :1] if alike else n
        means = np.empty((len(counts), total.shape[1]))
        at_once = max(1, _CELLS // max(1, len(total)))
        with np.errstate(invalid="ignore"):
            for first in range(0, len(counts), at_once):
                drawn = counts[first : first + at_once].astype(np.float64)
                means[first : first + at_once] = (drawn @ total) / (drawn @ n)
        return means


def weighted_means(means: FloatArray, weights: FloatArray) -> FloatArray:
    """The weighted means of columns, ``[R, C]`` and ``[C, K]`` to ``[R, K]``; a column that is NaN has no weight."""
    total, weight = _weighted(means, weights)
    with np.errstate(invalid="ignore"):
        weighted: FloatArray = total / weight
    return weighted


def _weighted(means: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    present = np.isfinite(means)
    return np.where(present, means, 0.0) @ weights, present @ weights


def _ends(means: FloatArray, level: float) -> FloatArray:
    percent = [50 * (1 - level), 50 * (1 + level)]
    ends = np.empty((2, means.shape[1]))
    whole = np.isfinite(means).all(axis=0)
    # nanpercentile goes column by column, and almost all columns are whole.
    ends[:, whole] = np.percentile(means[:, whole], percent, axis=0)
    ends[:, ~whole] = np.nanpercentile(means[:, ~whole], percent, axis=0)
    return ends
