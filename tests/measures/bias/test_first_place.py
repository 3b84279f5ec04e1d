"""First place in four: of each query, whether the first passage is relevant, and whether it is in its language."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.bias.made_rankings import all_orders, measure, pooled, spelled

FOUR = ["FirstOwnRelevant", "FirstOtherRelevant", "FirstOwnIrrelevant", "FirstOtherIrrelevant"]


@pytest.mark.parametrize(("ranking", "name"), list(zip(["AaB", "BaA", "aAB", "bAB"], FOUR, strict=True)))
def test_the_first_passage_decides(ranking, name):
    """Of queries in language a, a capital letter is a relevant passage."""
    found = {of: measure(of).value(pooled([spelled(ranking)]))[0] for of in FOUR}
    assert found == dict.fromkeys(FOUR, 0.0) | {name: 1.0}


def test_the_four_add_up_to_one():
    """Also the means of random rankings do."""
    ranks = pooled(all_orders(spelled("AbBa")), asked=1)
    assert np.array_equal(sum(measure(name).value(ranks) for name in FOUR), np.ones(24))
    assert np.allclose(sum(measure(name).random(ranks) for name in FOUR), 1)


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("asked", [0, 1, 2])
def test_random_is_the_mean_over_all_orders(name, asked):
    """Of every order of the pool."""
    ranks = pooled(all_orders(spelled("AabBbc")), asked=asked)
    assert np.allclose(measure(name).random(ranks), measure(name).value(ranks).mean())


@pytest.mark.parametrize("name", FOUR)
def test_perfect_rankings_may_begin_in_either_language(name):
    """So only the irrelevant ones have a perfect value, of 0; of one of the four alone no value is better."""
    ranks = pooled([spelled("AbB")])
    irrelevant = name.endswith("Irrelevant")
    assert measure(name).better == "neither"
    assert (measure(name).perfect is None) is not irrelevant
    assert not irrelevant or measure(name).perfect(ranks).tolist() == [0]


def test_a_ranking_without_its_best_passage_is_refused():
    """Rather than to count no language as another one."""
    with pytest.raises(ValueError, match="best passage is needed"):
        measure(FOUR[0]).value(pooled([spelled("AB")], depth=0))
