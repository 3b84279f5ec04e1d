"""The measures of bias by name, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.measures.bias.made_rankings import ALL_MEASURES, Passage, answered, measure, pooled, random_rankings, seeds
from xlbench import measures
from xlbench.measures import BIAS, get, of_bias
from xlbench.measures.bias.parallel_passages import rank_distance
from xlbench.measures.ranks import PooledRanks

ENDS = ("value", "perfect", "random")
OF_OWN = ("LPR", "OneTargetBias", "IrrelevantLoss", "ParallelLoss")
WITH_OWN = (*OF_OWN, "RankShift")
LOSSES = ("IrrelevantLoss", "ParallelLoss")
NEED_ALL = ("RankDistance", "MaxRankNorm", "OneTargetBias", "RankShift", *LOSSES)
SIMULATED = ("Share", "AWRF", "PEER")


def test_bias_measures_are_known_by_the_names_of_task_files():
    """Measures without a cut-off have these names; RankDistance is what task files and results call it."""
    assert list(BIAS) == ["RankDistance", "MaxRankNorm", *OF_OWN]
    assert get("RankDistance").value is rank_distance


@pytest.mark.parametrize("name", [*ALL_MEASURES, "Share@10", "AWRF@1000", "PEER@1"])
def test_a_measure_is_found_by_its_name(name):
    """A measure prints as it is called, and says which values are better, how deep it looks and what it needs."""
    found = measure(name)
    assert found.name == name
    assert found.better in ("lower", "higher", "nearer", "neither")
    assert found.depth == (int(name.partition("@")[2]) if name.startswith(("Share", "AWRF")) else 0)
    assert found.cutoff == int(name.partition("@")[2] or 0)
    assert found.needs_all_ranks is (name in NEED_ALL)
    assert (found.is_constant is not None) is name.startswith("PEER")


@pytest.mark.parametrize(
    "name", ["AP", "Share", "PEER", "Share@0", "Share@01", "AWRF@", "AWRF@x", "RankDistance@10", "rankdistance", "",
             "Share@100000", "AP@10", "Share@10 "]
)  # fmt: skip
def test_other_names_are_of_no_measure_of_bias(name):
    """A measure of retrieval, a cut-off that is missing, zero or too large, or another spelling is None."""
    assert of_bias(name) is None


def test_depth_is_that_of_the_deepest_measure():
    """As many of the best passages are kept as the deepest measure looks at, 0 if none does."""
    assert measures.depth(["AP@20", "Share@10", "AWRF@25", "PEER@100", "RankDistance"]) == 25
    assert measures.depth(["AP@20", "RankDistance"]) == measures.depth([]) == 0


def all_values(ranks: PooledRanks, name: str) -> list[np.ndarray]:
    """Value, perfect and random of a measure; of one without a perfect value the two others."""
    return [of(ranks) for end in ENDS if (of := getattr(measure(name), end))]


@pytest.mark.parametrize("name", ALL_MEASURES)
@settings(max_examples=12)
@given(rng=seeds())
def test_a_measure_is_nan_exactly_where_it_is_not_defined(name, rng):
    """NaN for a query with relevant passages in one language only, or for some without one in its own; else finite."""
    rankings = random_rankings(rng, n=6)
    # Where the whole pool is relevant, MaxRankNorm is 0 / 0: one more irrelevant passage makes it defined.
    rankings = [[*ranking, Passage(0, 0)] for ranking in rankings]
    for asked in range(3):
        defined = [
            (name in LOSSES or len(answered(ranking)) > 1) and (name not in WITH_OWN or asked in answered(ranking))
            for ranking in rankings
        ]
        for found in all_values(pooled(rankings, asked=asked), name):
            assert found.dtype == np.float64
            assert (~np.isnan(found)).tolist() == defined
            assert not np.isinf(found).any()


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_no_queries_have_no_values(name):
    """Without queries the value is an empty array, not an error."""
    assert measure(name).value(pooled([], n_languages=2)).tolist() == []


@pytest.mark.parametrize("name", ALL_MEASURES)
@settings(max_examples=12)
@given(rng=seeds())
def test_names_of_languages_change_nothing(name, rng):
    """With the languages in another order each query has the same value, and the same perfect one."""
    rankings = random_rankings(rng, n=5)
    new = rng.permutation(3).tolist()
    renamed = [[Passage(new[p.language], p.gain) for p in ranking] for ranking in rankings]
    for asked in range(3):
        before, after = pooled(rankings, asked=asked), pooled(renamed, asked=new[asked])
        ends = ENDS if not name.startswith(SIMULATED) else ENDS[:2]
        for end in ends:
            if end == "perfect" and (name.startswith("AWRF") or name == "LPR"):
                continue  # The greedy choice among equally short languages goes by their order. LPR has none.
            np.testing.assert_allclose(
                getattr(measure(name), end)(after), getattr(measure(name), end)(before), rtol=1e-12, atol=1e-12
            )


@pytest.mark.parametrize("name", ALL_MEASURES)
@settings(max_examples=12)
@given(rng=seeds())
def test_the_order_of_queries_changes_nothing(name, rng):
    """Each query has the same three values wherever it stands among the others."""
    rankings = random_rankings(rng, n=5)
    order = rng.permutation(5).tolist()
    before, after = pooled(rankings), pooled([rankings[i] for i in order])
    for found, expected in zip(all_values(after, name), all_values(before, name), strict=True):
        np.testing.assert_array_equal(found, expected[order])


@pytest.mark.parametrize("name", ALL_MEASURES)
@settings(max_examples=12)
@given(rng=seeds())
def test_irrelevant_passages_below_everything_change_max_rank_norm_alone(name, rng):
    """No value depends on what stands at the end, but MaxRankNorm, which goes by the size of the pool."""
    rankings = random_rankings(rng, n=5)
    below = [Passage(int(language), 0) for language in rng.integers(0, 3, size=rng.integers(1, 6))]
    before = measure(name).value(pooled(rankings))
    after = measure(name).value(pooled([[*ranking, *below] for ranking in rankings]))
    if name == "MaxRankNorm":
        assert (after > before)[~np.isnan(before) & (before < 100 - 1e-9)].all()
    else:
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ALL_MEASURES)
@settings(max_examples=12)
@given(rng=seeds())
def test_the_references_do_not_depend_on_the_ranking(name, rng):
    """Perfect and random are of the collection: any order of the pool has the same ones."""
    pool = random_rankings(rng, n=1)[0]
    before, after = (pooled([ranking]) for ranking in (pool, [pool[i] for i in rng.permutation(len(pool))]))
    for found, expected in zip(all_values(after, name)[1:], all_values(before, name)[1:], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in ALL_MEASURES if not name.startswith(("Share", "AWRF"))])
def test_measures_without_depth_need_no_best_passages(name):
    """They are the same if only ranks were kept."""
    ranks = pooled(random_rankings(np.random.default_rng(1), n=5))
    bare = replace(ranks, top=ranks.top[:, :0])
    np.testing.assert_array_equal(measure(name).value(bare), measure(name).value(ranks))


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_no_value_is_a_negative_zero(name):
    """It would show as -0 in a result: also where a query prefers other languages than its own."""
    rankings = [[*ranking, Passage(0, 0)] for ranking in random_rankings(np.random.default_rng(2), n=20)]
    for found in all_values(pooled(rankings), name):
        assert not (np.signbit(found) & (found == 0)).any()
