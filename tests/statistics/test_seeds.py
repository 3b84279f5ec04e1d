"""Tests of means over seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from xlbench.statistics.seeds import mean_of_seeds


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("values", [[0.1, 0.3], [1.0, 2.0, 4.0, 8.0], [-0.2, 0.1, 0.05]])
def test_interval_and_p_are_those_of_scipys_t_test(values, level):
    """Both are the one-sample t test's."""
    found, expected = mean_of_seeds(values, level=level), stats.ttest_1samp(values, 0)
    interval = expected.confidence_interval(level)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.mean, found.deviation, found.n) == (
        pytest.approx(np.mean(values)),
        pytest.approx(np.std(values, ddof=1)),
        len(values),
    )


def test_a_single_seed_has_a_mean_and_nothing_else():
    """Neither interval nor test."""
    found = mean_of_seeds([0.4])
    assert (found.mean, found.n) == (0.4, 1)
    assert all(math.isnan(value) for value in (found.low, found.high, found.deviation, found.p))


def test_without_deviation_a_mean_other_than_0_is_certain():
    """All seeds alike: p is 0, and 1 where all are 0."""
    assert mean_of_seeds([0.5, 0.5, 0.5]).p == 0
    assert mean_of_seeds([0.0, 0.0]).p == 1
