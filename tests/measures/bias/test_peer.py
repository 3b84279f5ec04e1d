"""PEER: the Kruskal-Wallis test of equal expected ranks, on the retrieved ranks as they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, kruskal

from tests.measures.bias.made_rankings import (
    Passage,
    all_orders,
    drawn,
    measure,
    pooled,
    random_rankings,
    seeds,
    spelled,
)
from xlbench.measures.bias.peer import _drawn, equal_rank_probability, is_constant, peer


def probability(*groups, k: int = 100) -> float:
    """The probability for groups of ranks, one a language."""
    rank = np.array([rank for group in groups for rank in group], np.int64)
    language = np.array([i for i, group in enumerate(groups) for _ in group], np.int16)
    return float(equal_rank_probability(rank[None], language, k)[0])


@pytest.mark.parametrize(
    ("groups", "value"),
    [
        (([1, 3, 5], [2, 4, 6]), 0.512691),
        (([1, 2, 3], [4, 5, 6]), 0.049535),
        ((range(1, 6), range(6, 11)), 0.009023),
        (([1, 4, 7], [2, 5, 8], [3, 6, 9]), 0.670320),
        (([1, 2, 3], [4, 5, 6], [7, 8, 9]), 0.027324),
    ],
)
def test_peer_has_the_reference_values(groups, value):
    """Values by ``scipy.stats.kruskal(*groups).pvalue``, which this is where all passages are retrieved and first."""
    assert probability(*groups) == pytest.approx(value, abs=5e-7)
    assert probability(*groups) == pytest.approx(kruskal(*groups).pvalue, rel=1e-9)
    letters = {rank: "ABC"[i] for i, group in enumerate(groups) for rank in group}
    ranking = "".join(letters[rank] for rank in sorted(letters))
    assert peer(pooled([spelled(ranking)]), 100)[0] == pytest.approx(value, abs=5e-7)


@given(data=st.data())
def test_peer_is_kruskal_wallis_of_scipy_on_whole_rankings(data):
    """For any languages of 3 to 12 passages at the ranks 1 to n the value is scipy's."""
    language = data.draw(st.lists(st.integers(0, 3), min_size=3, max_size=12).filter(lambda x: len(set(x)) > 1))
    rank = np.arange(1, len(language) + 1)
    groups = [rank[np.array(language) == code] for code in set(language)]
    [found] = equal_rank_probability(rank[None], np.array(language, np.int16), 12)
    assert found == pytest.approx(kruskal(*groups).pvalue, abs=1e-9)


def test_unretrieved_passages_share_a_rank_by_the_authors_formula():
    """Ranks 1 and 2 of N = 4, U = 2 past k: these share (2 N + U + 1) / 2 = 5.5, worked out by hand."""
    # Means 3.25 and 3.75 of 3.5: between 2 * 2 * .25^2 = .25, total 2.5^2 + 1.5^2 + 2 * 2^2 = 16.5, H = 3 * .25 / 16.5.
    expected = math.erfc(math.sqrt(3 * 0.25 / 16.5 / 2))
    assert probability([1, 50], [2, 60], k=10) == pytest.approx(expected, rel=1e-9)
    assert probability([1, 11], [2, 9999], k=10) == pytest.approx(expected, rel=1e-9)
    assert probability([1, 11], [2, 9999], k=11) != pytest.approx(expected, rel=1e-3)


def test_ranks_within_k_count_as_they_are():
    """Irrelevant passages between them matter: the positions 1, 2 and 9, 10 are not the ranks 1, 2 and 3, 4."""
    positions = np.array([1.0, 2, 9, 10])
    h = 3 * (2 * 4.0**2 * 2) / ((positions - 5.5) ** 2).sum()
    assert probability([1, 2], [9, 10], k=10) == pytest.approx(chi2.sf(h, 1), rel=1e-9)
    assert probability([1, 2], [9, 10], k=10) != pytest.approx(probability([1, 2], [3, 4], k=10), rel=1e-3)


@pytest.mark.parametrize("groups", [([1, 2, 3],), ([11, 12], [13, 14]), ([5],)])
def test_one_language_or_nothing_retrieved_is_1(groups):
    """There is no difference where one language has passages of that gain, or none is within k."""
    assert probability(*groups, k=10) == 1


def test_all_in_one_place_is_1():
    """A passage at rank 4 of N = 2, U = 1 stands where the unretrieved one does: 0 / 0 is no difference, not a NaN."""
    assert (2 * 2 + 1 + 1) / 2 == 3
    assert probability([3], [99], k=10) == 1


@pytest.mark.parametrize(
    ("n_languages", "value"), [(2, 0.317311), (3, 0.367879), (4, 0.391625), (7, 0.423190), (11, 0.440493)]
)
def test_peer_is_constant_with_one_passage_a_language(n_languages, value):
    """With singleton groups H is G - 1, and PEER the same for every ranking: ``chi2.sf(G - 1, G - 1)`` of scipy."""
    pool = [Passage(i, 1) for i in range(n_languages)] + [Passage(0, 0)] * 9
    rankings = pooled(drawn(np.random.default_rng(0), pool, n=30))
    np.testing.assert_allclose(peer(rankings, 100), value, rtol=0, atol=5e-7)
    assert value == pytest.approx(chi2.sf(n_languages - 1, n_languages - 1), abs=5e-7)
    assert measure("PEER@100").random(rankings) == pytest.approx(value, abs=5e-7)


@pytest.mark.parametrize(
    ("relevant", "constant"),
    [
        ([(0, 0, 1), (0, 1, 1), (1, 0, 1)], True),
        ([(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 0, 1)], False),
        ([(0, 0, 1), (0, 0, 2), (0, 1, 1)], True),
        ([], True),
    ],
)
def test_peer_is_known_to_be_constant_where_no_language_has_two(relevant, constant):
    """It is constant if no query has two relevant passages of one gain in one language."""
    assert is_constant(*np.array(relevant, np.int64).reshape(-1, 3).T) is constant


def test_peer_is_the_mean_over_gains():
    """Passages of gain 1 at 1, 2 | 3, 4 and of gain 3 at 5, 7 | 6, 8: the mean of the two probabilities."""
    ranking = [
        Passage(language, gain) for gain, order in ((1, "aabb"), (3, "abab")) for language in map("ab".find, order)
    ]
    expected = (probability([1, 2], [3, 4], k=8) + probability([5, 7], [6, 8], k=8)) / 2
    assert peer(pooled([ranking]), 8)[0] == pytest.approx(expected, rel=1e-12)


def test_equal_mean_ranks_are_perfect():
    """Ranks 1, 4 | 2, 3 have one mean: PEER is 1, its perfect value."""
    ranking = pooled([spelled("ABBAab")])
    assert peer(ranking, 10).tolist() == measure("PEER@10").perfect(ranking).tolist() == [1]


@given(rng=seeds())
def test_no_ranking_is_better_than_a_perfect_one(rng):
    """PEER is a probability: between 0 and 1 on any ranking."""
    rankings = pooled(drawn(rng, spelled("AAABBCCabcabc"), n=20))
    assert ((peer(rankings, 5) >= 0) & (peer(rankings, 5) <= 1)).all()


@pytest.mark.parametrize("pool", ["AABb", "AABBab", "AaBBbC"])
def test_random_values_are_means_over_all_rankings(pool):
    """The random value, of 10,000 drawn rankings, is the mean over all orders within 4 standard errors."""
    rankings = pooled(all_orders(spelled(pool)))
    values = peer(rankings, 3)
    found = measure("PEER@3").random(rankings)
    assert len(set(found.tolist())) == 1
    assert abs(found[0] - values.mean()) <= 4 * values.std() / np.sqrt(10_000) + 1e-12


def test_the_random_value_of_a_query_does_not_depend_on_other_queries():
    """It is the same alone and behind another query: the draws are those of the query's relevant passages."""
    alone, behind = pooled([spelled("AABBaab")]), pooled([spelled("AaBbaAB"), spelled("AABBaab")])
    assert measure("PEER@3").random(behind)[1] == measure("PEER@3").random(alone)[0]


def test_a_random_ranking_has_about_1_where_k_is_small_beside_the_pool():
    """It retrieves nothing that is relevant, and so shows no difference: 1 is not the sign of a good model."""
    large = pooled([spelled("AABB" + "ab" * 5_000)])
    assert 0.99 < measure("PEER@10").random(large)[0] < 1


def test_queries_with_unlike_relevant_passages_are_told_apart():
    """Each query has the value it has alone, whatever gains, languages and numbers of passages the others have."""
    rankings = random_rankings(np.random.default_rng(5), n=40)
    found = peer(pooled(rankings), 4)
    assert len(set(found.tolist())) > 10
    np.testing.assert_array_equal(found, [peer(pooled([ranking], n_languages=3), 4)[0] for ranking in rankings])


@pytest.mark.parametrize(("n", "n_pool"), [(3, 4), (4, 4), (5, 1000)])
def test_drawn_ranks_are_distinct_and_each_as_likely(n, n_pool):
    """No two passages share a rank, and the pairs of the first two occur equally often, within 5 standard errors."""
    drawn = _drawn(n, n_pool)
    assert drawn.shape == (n, 10_000)
    assert {len(set(column)) for column in drawn.T.tolist()} == {n}
    assert drawn.min() >= 1
    assert drawn.max() <= n_pool
    assert abs(drawn.mean() - (n_pool + 1) / 2) < 5 * n_pool / math.sqrt(12 * 10_000)
    if n_pool == 4:
        _, count = np.unique(drawn[:2].T, axis=0, return_counts=True)
        assert len(count) == 12
        assert abs(count - 10_000 / 12).max() < 5 * math.sqrt(10_000 / 12)
    np.testing.assert_array_equal(_drawn(n - 1, n_pool), drawn[:-1])
