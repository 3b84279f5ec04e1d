"""What the measures of bias share: a query's relevant passages by language."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.ranks import PooledRanks, Ranks

_T = TypeVar("_T", bound="np.generic[Any]")


def once(function: Callable[[PooledRanks], npt.NDArray[_T]]) -> Callable[[PooledRanks], npt.NDArray[_T]]:
    """The function, computed once for the same ranks: several measures begin with it. What it gives is read-only."""
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def of(pooled: PooledRanks) -> npt.NDArray[_T]:
        if name not in pooled.computed:
            pooled.computed[name] = function(pooled)
            pooled.computed[name].flags.writeable = False
        return pooled.computed[name]

    return of


def per_query(ranks: Ranks, values: npt.NDArray[np.generic]) -> FloatArray:
    """The sum of the values of each query's relevant passages, ``float64[m]``."""
    return np.add.reduceat(values.astype(np.float64), ranks.starts[:-1]) if len(ranks) else np.zeros(0)


@once
def counts(pooled: PooledRanks) -> FloatArray:
    """The relevant passages of each query by language, ``float64[m, L]``."""
    return by_language(pooled, np.ones(len(pooled.ranks.rank)))


def by_language(pooled: PooledRanks, values: FloatArray) -> FloatArray:
    """The sum of the values of each query's relevant passages by language, ``float64[m, L]``."""
    n_languages = len(pooled.n_passages)
    cell = pooled.ranks.owner * n_languages + pooled.ranks.language
    total = np.bincount(cell, weights=values, minlength=len(pooled.ranks) * n_languages)
    return total.astype(np.float64).reshape(-1, n_languages)


def where_parallel(pooled: PooledRanks, values: FloatArray) -> FloatArray:
    """The values, and NaN for queries whose relevant passages are all in one language."""
    return np.where((counts(pooled) > 0).sum(axis=1) > 1, values, np.nan)


@once
def position_in_language(pooled: PooledRanks) -> npt.NDArray[np.int64]:
    """``[n]``: 1 for the first relevant passage of each query in its language, 2 for the second, and so on."""
    ranks = pooled.ranks
    cell = ranks.owner * len(pooled.n_passages) + ranks.language
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    within = np.arange(len(cell)) - np.repeat(starts, np.diff(starts, append=len(cell)))
    position = np.empty(len(cell), np.int64)
    position[order] = within + 1
    return position


def where_own(pooled: PooledRanks, values: FloatArray) -> FloatArray:
    """The values, and NaN for queries without a relevant passage in their own language."""
    return np.where(counts(pooled)[:, pooled.asked] > 0, values, np.nan)


def random_ap(n: npt.ArrayLike, pool: npt.ArrayLike) -> FloatArray:
    """The mean AP of a random ranking with n relevant passages in a pool of N.

    A passage at rank k is relevant with n / N, and each of the k - 1 above it then with (n - 1) / (N - 1), so that
    AP = sum over k of (1 + (k - 1)(n - 1) / (N - 1)) / k, divided by N.
    """
    from scipy.special import digamma

    n_relevant, n_pool = np.asarray(n, np.float64), np.asarray(pool, np.float64)
    harmonic = digamma(n_pool + 1) + np.euler_gamma
    with np.errstate(invalid="ignore", divide="ignore"):
        others = np.where(n_pool > 1, (n_relevant - 1) / (n_pool - 1), 0.0)
        expected: FloatArray = (harmonic + others * (n_pool - harmonic)) / n_pool
    return expected
