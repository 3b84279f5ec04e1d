"""Share and AWRF: whether the best passages are shared out over languages as the relevant ones are."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given
from scipy.spatial.distance import jensenshannon

from tests.measures.bias.made_rankings import (
    Passage,
    all_orders,
    answered,
    drawn,
    measure,
    pooled,
    random_rankings,
    seeds,
    spelled,
)
from xlbench.measures.bias import exposure

CUTOFFS = [1, 3, 10]


def with_targets(top: str) -> list[Passage]:
    """A ranking with these languages on top and one relevant passage each in ``a`` and ``b`` below."""
    return spelled(top + "AB")


@pytest.mark.parametrize(
    ("top", "value"), [("ababababab", 0.999796), ("aaaaabbbbb", 0.983571), ("aaaaaaaaaa", 0.784238)]
)
def test_awrf_has_the_reference_values(top, value):
    """Two languages with a target of one half each, ten passages.

    Made with scipy by::

        w = 1 / np.log2(np.arange(1, 11).clip(2))
        e = np.array([w[[i for i, l in enumerate(top) if l == x]].sum() for x in "ab"])
        print(1 - jensenshannon(e / e.sum(), [0.5, 0.5]) ** 2)
    """
    assert measure("AWRF@10").value(pooled([with_targets(top)]))[0] == pytest.approx(value, abs=5e-7)


def test_ranks_1_and_2_get_the_same_attention():
    """Attention is 1 / log2(max(r, 2)): swapping the first two changes nothing, the second and third something."""
    found = measure("AWRF@3").value(pooled([with_targets(top) for top in ("abbabb", "babbab", "bbaabb")]))
    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert abs(found[2] - found[0]) > 1e-3


@pytest.mark.parametrize("k", CUTOFFS)
@pytest.mark.parametrize("family", ["Share", "AWRF"])
@given(rng=seeds())
def test_values_are_one_less_the_divergence_of_scipy(family, k, rng):
    """A value is 1 - scipy's Jensen-Shannon distance squared, between exposure in the top k and relevant passages."""
    rankings = random_rankings(rng, n=5)
    weights = 1 / np.log2(np.arange(1, k + 1).clip(2)) if family == "AWRF" else np.ones(k)
    expected = []
    for ranking in rankings:
        exposed, target = np.zeros(3), np.zeros(3)
        for weight, passage in zip(weights, ranking, strict=False):
            exposed[passage.language] += weight
        for passage in ranking:
            target[passage.language] += passage.gain > 0
        several = len(answered(ranking)) > 1
        expected.append(1 - jensenshannon(exposed, target) ** 2 if several else np.nan)
    np.testing.assert_allclose(measure(f"{family}@{k}").value(pooled(rankings)), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("family", ["Share", "AWRF"])
def test_the_range_is_from_1_less_ln_2_to_1(family):
    """Languages as the targets give 1; other languages alone give 1 - ln 2, the least."""
    found = measure(f"{family}@2").value(pooled([spelled("ABcc"), spelled("ccAB")]))
    assert found.tolist() == pytest.approx([1, 1 - log(2)], abs=1e-12)


def test_too_few_kept_passages_are_an_error():
    """With 2 of the 3 best passages kept, Share@3 says so rather than give a wrong number."""
    with pytest.raises(ValueError, match="the 3 best passages are needed, but 2 were kept"):
        measure("Share@3").value(pooled([spelled("ABab")], depth=2))


def test_a_pool_smaller_than_k_is_taken_as_a_whole():
    """With 4 passages in the pool, Share@10 is the share of all of them."""
    assert measure("Share@10").value(pooled([spelled("ABab"), spelled("AABb")])).tolist() == pytest.approx(
        [1, 1 - jensenshannon([0.5, 0.5], [2 / 3, 1 / 3]) ** 2]
    )


@pytest.mark.parametrize("pool", ["AABb", "ABCcc", "AaBBbC"])
@pytest.mark.parametrize("name", ["Share@1", "Share@3", "AWRF@3", "AWRF@10"])
def test_random_values_are_means_over_all_rankings(name, pool):
    """The random value, of 10,000 drawn rankings, is the mean over all orders within 4 standard errors."""
    rankings = pooled(all_orders(spelled(pool)))
    values = measure(name).value(rankings)
    found = measure(name).random(rankings)
    assert len(set(found.tolist())) == 1
    assert abs(found[0] - values.mean()) <= 4 * values.std() / np.sqrt(10_000) + 1e-12


@pytest.mark.parametrize("name", ["Share@10", "AWRF@10"])
def test_random_values_are_means_over_random_rankings_of_a_larger_pool(name):
    """Over 4,000 random rankings of 60 passages the mean is the random value, within 4 standard errors of both."""
    pool = spelled("AAABCCD" + 20 * "a" + 13 * "b" + 12 * "c" + 8 * "d")
    rankings = pooled(drawn(np.random.default_rng(5), pool, n=4000))
    found = measure(name).value(rankings)
    error = found.std() * np.sqrt(1 / len(found) + 1 / 10_000)
    assert abs(found.mean() - measure(name).random(rankings)[0]) < 4 * error


def fairest(name: str, pool: list[Passage], k: int) -> float:
    """The best value of any choice of languages for the top k."""
    n = np.bincount([passage.language for passage in pool])
    relevant = [passage for passage in pool if passage.gain]
    tops = [top for top in product(range(len(n)), repeat=k) if (np.bincount(top, minlength=len(n)) <= n).all()]
    # The targets are those of the pool wherever the relevant passages stand, so the top's gains do not matter.
    rankings = [[*(Passage(language, 0) for language in top), *relevant] for top in tops]
    return float(measure(name).value(pooled(rankings, n_languages=len(n))).max())


@pytest.mark.parametrize("k", [2, 4, 6])
@pytest.mark.parametrize("pool", ["ABaaaaaabbbbbb", "AABaaaaaabbbbbb", "ABCabc", "AAABBCcccbbb"])
def test_the_perfect_share_is_attained_and_never_exceeded(pool, k):
    """Of all ways to choose the languages of the top k, the fairest has the perfect value of Share."""
    passages = spelled(pool)
    assert measure(f"Share@{k}").perfect(pooled([passages]))[0] == pytest.approx(
        fairest(f"Share@{k}", passages, k), abs=1e-12
    )


@pytest.mark.parametrize("k", [2, 4, 6])
@pytest.mark.parametrize("pool", ["ABaaaaaabbbbbb", "AABaaaaaabbbbbb", "ABCabc", "AAABBCcccbbb"])
def test_the_perfect_awrf_is_attained_and_never_exceeded(pool, k):
    """Of all ways to choose the languages of the top k, the fairest has the perfect value of AWRF."""
    passages = spelled(pool)
    best = fairest(f"AWRF@{k}", passages, k)
    assert measure(f"AWRF@{k}").perfect(pooled([passages]))[0] == pytest.approx(best, abs=1e-12)


def test_the_perfect_awrf_is_not_the_greedy_one():
    """With relevant passages 4 : 1 : 1, the fairest top 4 has .9990, where choosing rank by rank gives .9793."""
    passages = spelled("AAAABCaaaaabbbbbccccc")
    assert measure("AWRF@4").perfect(pooled([passages]))[0] == pytest.approx(0.9990, abs=5e-5)
    target, weights = np.array([4, 1, 1]) / 6, exposure.attention(4)
    assert exposure._greedy(target, weights, np.array([9, 6, 6])) == pytest.approx(0.9793, abs=5e-5)


def test_where_there_are_too_many_choices_the_perfect_awrf_is_the_greedy_one(monkeypatch):
    """It is a lower bound then, as the documentation of the measure says."""
    monkeypatch.setattr(exposure, "_MOST_CHOICES", 10)
    exposure._fairest_of_all.cache_clear()
    passages = spelled("AAAABCaaaaabbbbbccccc")
    assert measure("AWRF@4").perfect(pooled([passages]))[0] == pytest.approx(0.9793, abs=5e-5)
    exposure._fairest_of_all.cache_clear()


@pytest.mark.parametrize("name", ["Share@10", "AWRF@10"])
@pytest.mark.parametrize("n_languages", [7, 11])
def test_no_order_of_parallel_passages_is_better_than_perfect(name, n_languages):
    """With one relevant passage in each of n languages no ranking is above perfect; these on top attain it if n > k."""
    first = [Passage(i, 1) for i in range(n_languages)]
    rest = [Passage(i, 0) for i in range(n_languages) for _ in range(3)]
    rng = np.random.default_rng(0)
    rankings = pooled([[*order, *rest] for order in drawn(rng, first, n=20)] + drawn(rng, first + rest, n=200))
    found, perfect = measure(name).value(rankings), measure(name).perfect(rankings)
    assert (found <= perfect + 1e-12).all()
    if n_languages == 11:
        np.testing.assert_allclose(found[:20].max(), perfect[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["Share@3", "AWRF@3"])
def test_a_drawn_reference_is_the_same_each_time(name):
    """Drawn anew it has the same value to the last bit: equal runs give equal results."""
    ranked = pooled(drawn(np.random.default_rng(0), [Passage(0, 1), Passage(1, 1), *[Passage(1, 0)] * 20], n=3))
    first = measure(name).random(ranked)
    exposure._draw.cache_clear()
    assert np.array_equal(measure(name).random(ranked), first)
