"""TLR: recall of the relevant passages in other languages than the query's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.bias.made_rankings import all_orders, measure, pooled, spelled


@pytest.mark.parametrize(
    ("ranking", "k", "value"), [("ABC", 2, 0.5), ("BCA", 2, 1), ("AaBC", 2, 0), ("bBCC", 4, 1), ("BACb", 1, 0.5)]
)
def test_own_language_does_not_count(ranking, k, value):
    """Of queries in language a: the share of B and C among the first k."""
    assert measure(f"TLR@{k}").value(pooled([spelled(ranking)], n_languages=3)).tolist() == [value]


def test_it_is_not_defined_without_a_relevant_passage_elsewhere():
    """A query whose answers are all in its own language has none to find in another."""
    ranks = pooled([spelled("ABa"), spelled("Aba")])
    for end in ("value", "perfect", "random"):
        assert np.isnan(getattr(measure("TLR@2"), end)(ranks)).tolist() == [False, True]


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_perfect_and_random_are_the_best_and_the_mean_of_all_orders(k):
    """Of every order of the pool."""
    ranks = pooled(all_orders(spelled("ABBCa")))
    of = measure(f"TLR@{k}")
    assert np.allclose(of.perfect(ranks), of.value(ranks).max())
    assert np.allclose(of.random(ranks), of.value(ranks).mean())
