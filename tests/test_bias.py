"""Measures of language bias."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from xlbench.bias import BIAS_MEASURES, rank_distance
from xlbench.ranks import Ranks


def ranks_of(*queries) -> Ranks:
    """Ranks of queries given as sequences of ascending ranks."""
    lengths = [len(query) for query in queries]
    rank = np.array([rank for query in queries for rank in query], np.int64)
    return Ranks(
        query=np.arange(len(queries), dtype=np.int32),
        starts=np.cumsum([0, *lengths], dtype=np.int64),
        rank=rank,
        gain=np.ones(len(rank), np.int16),
        language=np.zeros(len(rank), np.int16),
    )


@pytest.mark.parametrize(
    ("rank", "distance"), [([1, 2, 3], 2), ([4, 9, 11], 7), ([1, 13_014], 13_013), ([5], 0), (range(1, 12), 10)]
)
def test_rank_distance_is_from_the_first_to_the_last_parallel_passage(rank, distance):
    """RankDistance is max r - min r: n - 1 at best, 0 if there is one relevant passage."""
    assert rank_distance(ranks_of(list(rank))).tolist() == [distance]


def test_rank_distance_is_by_query():
    """Each query has its own distance, however many relevant passages the others have."""
    found = rank_distance(ranks_of([2], [1, 5, 6], [3, 4]))
    assert found.tolist() == [0, 5, 1]
    assert found.dtype == np.float64
    assert rank_distance(ranks_of()).tolist() == []


@pytest.mark.parametrize(("n", "pool"), [(2, 3), (3, 8), (4, 9), (5, 5)])
def test_all_equally_likely_rankings_average_to_the_formula(n, pool):
    """Over every placement of n passages in a pool of N the mean is (n - 1)(N + 1) / (n + 1), exactly."""
    distances = rank_distance(ranks_of(*combinations(range(1, pool + 1), n)))
    assert distances.mean() == pytest.approx((n - 1) * (pool + 1) / (n + 1), rel=1e-12)


def test_a_random_ranking_of_xquad_r_has_a_distance_of_10845_8():
    """11 passages placed at random among XQuAD-R's 13,014 are 10,845.8 ranks apart on average."""
    rng = np.random.default_rng(0)
    drawn = [np.sort(rng.choice(13_014, size=11, replace=False, shuffle=False) + 1) for _ in range(4000)]
    distances = rank_distance(ranks_of(*drawn))
    standard_error = distances.std() / np.sqrt(len(distances))
    assert round(10 * 13_015 / 12, 1) == 10_845.8
    assert abs(distances.mean() - 10_845.8) < 3 * standard_error < 70


def test_bias_measures_are_known_by_the_names_of_task_files():
    """RankDistance is what task files and results call it."""
    assert list(BIAS_MEASURES.items()) == [("RankDistance", rank_distance)]
