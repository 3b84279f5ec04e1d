"""What values of several seeds say of the mean over all seeds: t intervals and t tests, with the seed as the unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeanOfSeeds:
    """The mean of a value, or of a difference, over seeds."""

    mean: float
    low: float
    """The lower end of the t interval; NaN of a single seed, as the others are."""
    high: float
    deviation: float
    """The standard deviation between seeds."""
    p: float
    """Of the t test that the mean over all seeds is 0."""
    n: int


def mean_of_seeds(values: Sequence[float], *, level: float = 0.95) -> MeanOfSeeds:
    """The mean with its t interval, mean -+ t(n - 1) s / sqrt(n), and the two-sided t test of 0."""
    from scipy.special import stdtr, stdtrit

    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return MeanOfSeeds(mean, math.nan, math.nan, math.nan, math.nan, n)
    deviation = float(np.std(values, ddof=1))
    error = deviation / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    # Without any deviation, a mean other than 0 is certain.
    p = 2 * float(stdtr(n - 1, -abs(mean) / error)) if error else float(mean == 0)
    return MeanOfSeeds(mean, mean - half, mean + half, deviation, p, n)
