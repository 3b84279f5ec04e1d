"""RankDistance, MaxRankNorm, LPR and the one-target matrix: where a query's parallel passages rank."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given

from tests.measures.bias.made_rankings import (
    Passage,
    all_orders,
    answered,
    average_precision,
    drawn,
    measure,
    pooled,
    random_rankings,
    seeds,
    spelled,
)
from xlbench.measures.bias.parallel_passages import (
    first_language,
    max_rank_norm,
    one_target,
    own_first,
    random_distance,
    random_norm,
    rank_distance,
)
from xlbench.measures.ranks import PooledRanks, Ranks

XQUAD_R = (1222, 1276, 1234, 1180, 1215, 1244, 1219, 852, 1167, 1209, 1196)
"""Passages by language, 13,014 in all (LAReQA, arXiv 2004.05484)."""


def placed(*queries, n_passages=XQUAD_R) -> PooledRanks:
    """Pooled ranks of queries given as ascending ranks, one relevant passage a language, in the order of languages."""
    rank = np.array([rank for query in queries for rank in query], np.int64)
    ranks = Ranks(
        query=np.arange(len(queries), dtype=np.int32),
        starts=np.cumsum([0, *map(len, queries)], dtype=np.int64),
        rank=rank,
        gain=np.ones(len(rank), np.int16),
        language=np.array([i for query in queries for i in range(len(query))], np.int16),
    )
    top = np.empty((len(queries), 0), np.int16)
    return PooledRanks(ranks, 0, np.array(n_passages), np.zeros(len(rank), np.int64), top)


@pytest.mark.parametrize(
    ("rank", "distance"), [([1, 2, 3], 2), ([4, 9, 11], 7), ([1, 13_014], 13_013), ([5], np.nan), (range(1, 12), 10)]
)
def test_rank_distance_is_from_the_first_to_the_last_parallel_passage(rank, distance):
    """RankDistance is max r - min r: n - 1 at best, and not defined if there is one relevant passage."""
    np.testing.assert_array_equal(rank_distance(placed(list(rank))), [distance])


def test_rank_distance_is_by_query():
    """Each query has its own distance, however many relevant passages the others have."""
    found = rank_distance(placed([2, 3], [1, 5, 6], [3, 7]))
    assert found.tolist() == [1, 5, 4]
    assert found.dtype == np.float64


@pytest.mark.parametrize(("n", "pool"), [(2, 3), (3, 8), (4, 9), (5, 6)])
def test_all_equally_likely_placements_average_to_the_formulas(n, pool):
    """Over every placement of n passages in N the mean RankDistance and MaxRankNorm are their random values exactly."""
    places = placed(*combinations(range(1, pool + 1), n), n_passages=[pool - n + 1] + [1] * (n - 1))
    assert rank_distance(places).mean() == pytest.approx((n - 1) * (pool + 1) / (n + 1), rel=1e-12)
    assert random_distance(places) == pytest.approx(rank_distance(places).mean(), rel=1e-12)
    assert random_norm(places) == pytest.approx(max_rank_norm(places).mean(), rel=1e-12)


def test_a_random_ranking_of_xquad_r_has_a_distance_of_10845_8():
    """11 passages placed at random among XQuAD-R's 13,014 are 10,845.8 ranks apart on average: 10 * 13,015 / 12."""
    rng = np.random.default_rng(0)
    places = placed(
        *(np.sort(rng.choice(13_014, size=11, replace=False, shuffle=False) + 1).tolist() for _ in range(4000))
    )
    for name, value in (("RankDistance", 10_845.8), ("MaxRankNorm", random_norm(places)[0])):
        found = measure(name).value(places)
        assert abs(found.mean() - value) < 4 * found.std() / np.sqrt(len(found))
    assert round(random_distance(places)[0], 1) == 10_845.8


@pytest.mark.parametrize("name", ["RankDistance", "MaxRankNorm"])
@pytest.mark.parametrize("n_relevant", [2, 3, 11])
def test_parallel_passages_in_front_are_perfect(name, n_relevant):
    """A ranking with the n parallel passages first has the perfect value: a distance of n - 1, a MaxRankNorm of 100."""
    first = placed(range(1, n_relevant + 1))
    expected = {"RankDistance": n_relevant - 1, "MaxRankNorm": 100}[name]
    assert measure(name).value(first).tolist() == measure(name).perfect(first).tolist() == [expected]


def test_max_rank_norm_goes_by_the_logarithm_of_the_last_rank():
    """With 2 of 32 passages parallel, the last at rank 2, 4, 8, 16, 32 gives 100, 75, 50, 25, 0."""
    places = placed([1, 2], [1, 4], [7, 8], [2, 16], [1, 32], n_passages=[20, 12])
    assert max_rank_norm(places).tolist() == pytest.approx([100, 75, 50, 25, 0], abs=1e-12)


def test_max_rank_norm_is_not_defined_where_everything_is_relevant():
    """If the whole pool is relevant, every ranking has the same last rank: NaN, not a warning."""
    everything = pooled([spelled("ABA")])
    for function in (measure("MaxRankNorm").value, measure("MaxRankNorm").perfect, measure("MaxRankNorm").random):
        assert np.isnan(function(everything)).all()


@pytest.mark.parametrize(
    ("ranking", "asked", "own"), [("bAB", 0, 1), ("bAB", 1, 0), ("aBA", 0, 0), ("cbCAB", 2, 1), ("cbCAB", 0, 0)]
)
def test_lpr_asks_whether_the_first_relevant_passage_is_in_the_own_language(ranking, asked, own):
    """LPR is 1 if the first-ranked relevant passage is in the query's language; irrelevant ones above do not matter."""
    assert own_first(pooled([spelled(ranking)], asked=asked)).tolist() == [own]


@pytest.mark.parametrize(
    ("ranking", "asked", "shift"),
    # Lower case is irrelevant. The first A has rank 2 without B and C, B has 3 without A and C, and C 4.
    [
        ("bAaBcC", 0, (3 + 4) / 2 - 2),
        ("bAaBcC", 2, (2 + 3) / 2 - 4),
        ("AABB", 0, 0),
        ("bbBA", 1, 0),
        ("aBbAB", 0, 2 - 3),
    ],
)
def test_rank_shift_is_what_an_answer_gains_in_the_querys_language(ranking, asked, shift):
    """Ranks of the first of a language where the answers of that language are the only ones."""
    assert measure("RankShift").value(pooled([spelled(ranking)], asked=asked)).tolist() == [shift]


def test_a_random_rank_shift_is_the_mean_over_all_rankings():
    """By enumeration, with one answer in the query's language and two in another."""
    rankings = [[passages[i] for i in order] for passages in [spelled("ABBabc")] for order in permutations(range(6))]
    shifts = measure("RankShift").value(pooled(rankings))
    assert measure("RankShift").random(pooled(rankings))[0] == pytest.approx(shifts.mean())


@pytest.mark.parametrize("n", [2, 7, 11])
def test_a_random_lpr_is_one_nth_and_none_is_perfect(n):
    """With one relevant passage in each of n languages: whether a reader wants their own is theirs to say."""
    ranking = pooled([[Passage(i, 1) for i in range(n)] + [Passage(0, 0)] * 5])
    assert measure("LPR").random(ranking).tolist() == [1 / n]
    assert (measure("LPR").perfect, measure("LPR").better) == (None, "neither")


@given(rng=seeds())
def test_the_first_language_is_that_of_the_first_relevant_passage(rng):
    """A row of the preference matrix sums to 1 and has the first language; with one language alone it is NaN."""
    rankings = random_rankings(rng, n=8)
    for ranking, row in zip(rankings, first_language(pooled(rankings)), strict=True):
        if len(answered(ranking)) == 1:
            assert np.isnan(row).all()
        else:
            first = next(passage.language for passage in ranking if passage.gain)
            assert row.tolist() == [float(i == first) for i in range(3)]


@given(rng=seeds())
def test_the_one_target_matrix_is_that_of_rankings_without_the_other_targets(rng):
    """Each cell is the AP of the ranking from which the relevant passages of other languages were really removed."""
    rankings = random_rankings(rng, n=8)
    found = one_target(pooled(rankings))
    expected = [
        [average_precision([p for p in ranking if p.language == i or not p.gain]) for i in range(3)]
        for ranking in rankings
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(rng=seeds())
def test_one_target_bias_is_own_less_the_mean_of_others(rng):
    """OneTargetBias is the own cell less the mean of the other defined cells; NaN without own or other ones."""
    rankings = random_rankings(rng, n=8)
    for asked in range(3):
        ranks = pooled(rankings, asked=asked)
        for row, bias in zip(one_target(ranks), measure("OneTargetBias").value(ranks), strict=True):
            others = [value for i, value in enumerate(row) if i != asked and not np.isnan(value)]
            expected = row[asked] - np.mean(others) if others else np.nan
            np.testing.assert_allclose(bias, expected, rtol=0, atol=1e-12)


def test_a_model_that_prefers_the_own_language_has_a_one_target_bias():
    """The own answer first is 1, the other's behind two irrelevant passages 1/3; asked in that, it is the opposite."""
    assert one_target(pooled([spelled("AbaB")])).tolist() == [[1, 1 / 3]]
    assert measure("OneTargetBias").value(pooled([spelled("AbaB")])).tolist() == [pytest.approx(2 / 3)]
    assert measure("OneTargetBias").value(pooled([spelled("AbaB")], asked=1)).tolist() == [pytest.approx(-2 / 3)]


@pytest.mark.parametrize("name", ["RankDistance", "MaxRankNorm", "LPR", "OneTargetBias"])
@pytest.mark.parametrize("pool", ["ABab", "ABCab", "AABbc", "ABBBa", "AABCbc"])
def test_random_values_are_means_over_all_rankings(name, pool):
    """The random value is the mean over every order of a small pool, also with more targets in one language."""
    rankings = pooled(all_orders(spelled(pool)))
    found = measure(name)
    assert found.random(rankings) == pytest.approx(found.value(rankings).mean(), abs=1e-12)


@pytest.mark.parametrize("name", ["LPR", "OneTargetBias"])
def test_random_values_are_means_over_random_rankings_of_a_larger_pool(name):
    """Over 4,000 random rankings of 60 passages the mean is the random value, within 4 standard errors."""
    pool = spelled("AAABCCD" + 20 * "a" + 13 * "b" + 12 * "c" + 8 * "d")
    rankings = pooled(drawn(np.random.default_rng(3), pool, n=4000), asked=2)
    found = measure(name).value(rankings)
    assert abs(found.mean() - measure(name).random(rankings)[0]) < 4 * found.std() / np.sqrt(len(found))


@given(rng=seeds())
def test_no_ranking_is_better_than_a_perfect_one(rng):
    """No random ranking is nearer together than n - 1 ranks, or above 100."""
    rankings = pooled(random_rankings(rng, n=20))
    defined = ~np.isnan(rank_distance(rankings))
    assert (rank_distance(rankings) >= measure("RankDistance").perfect(rankings))[defined].all()
    norm, best = max_rank_norm(rankings), measure("MaxRankNorm").perfect(rankings)
    assert (norm <= best + 1e-9)[~np.isnan(norm)].all()
    np.testing.assert_array_equal(np.isnan(norm), np.isnan(best))
