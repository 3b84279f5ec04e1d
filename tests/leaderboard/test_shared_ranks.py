"""Ranks that models share which cannot be told apart."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from xlbench.leaderboard import shared_ranks
from xlbench.leaderboard.shared_ranks import ranks
from xlbench.statistics import holm, p_values

N_QUESTIONS = 60


def models(skills, *, seed=0, n_questions=N_QUESTIONS, n_quantities=2):
    """What each question adds, for models of these skills that find the same questions difficult."""
    rng = np.random.default_rng(seed)
    difficulty = rng.random((n_questions, 1))
    noise = rng.normal(0, 0.1, (len(skills), n_questions, n_quantities))
    return [(difficulty + skill + own) / n_questions for skill, own in zip(skills, noise, strict=True)]


def by_hand(parts, alpha=0.05):
    """The ranks by drawn p-values alone, as `xlbench compare` has them of several models."""
    pairs = list(combinations(range(len(parts)), 2))
    difference = np.stack([parts[b] - parts[a] for a, b in pairs], axis=1).reshape(len(parts[0]), -1)
    p = p_values(difference, draws=100_000).reshape(len(pairs), -1)
    apart = holm(p.ravel()).reshape(p.shape) <= alpha
    found = np.ones((len(parts), parts[0].shape[1]), int)
    for (a, b), rejected in zip(pairs, apart, strict=True):
        gain = parts[b].sum(axis=0) - parts[a].sum(axis=0)
        found[a] += rejected & (gain > 0)
        found[b] += rejected & (gain < 0)
    return found


def test_ranks_are_those_of_the_drawn_tests():
    """Of a few models the ranks are those of the paired tests with Holm's correction over all pairs and quantities."""
    parts = models([0.0, 0.01, 0.03, 0.03, 0.05, 0.12, 0.3])
    found = ranks(parts)
    np.testing.assert_array_equal(found, by_hand(parts))
    # It is no order of positions: some share a rank, others do not.
    assert len(set(found[:, 0])) not in (1, len(parts))


def test_a_rank_counts_the_models_that_are_better():
    """Where all differences are clear, ranks are 1, 2, 3, whatever the order in which models come."""
    parts = models([0.5, 2.0, 1.0, 1.5])
    assert ranks(parts)[:, 0].tolist() == [4, 1, 3, 2]
    assert ranks(parts[::-1])[:, 0].tolist() == [2, 3, 1, 4]


def test_who_is_not_confirmed_counts_for_others_of_the_kind_alone():
    """Confirmed models have the ranks that they have without the others; the others have theirs among all."""
    parts = models([0.5, 2.0, 1.0, 1.5, 3.0])
    confirmed = [True, False, True, False, True]
    alone = ranks([part for part, known in zip(parts, confirmed, strict=True) if known])[:, 0].tolist()
    assert alone == [3, 2, 1]
    assert ranks(parts, confirmed=confirmed)[:, 0].tolist() == [3, 2, 2, 3, 1]


@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_equal_models_share_the_first_rank(n):
    """Models with the same values are all first; so is a single one."""
    (part,) = models([0.1])
    assert ranks([part] * n).tolist() == [[1, 1]] * n


def test_a_quantity_has_its_own_order():
    """The ranks of one quantity do not depend on which model is better in the other."""
    parts = [part * [1, -1] for part in models([0.5, 1.0, 1.5])]
    assert ranks(parts).tolist() == [[3, 1], [2, 2], [1, 3]]


def test_the_bound_is_no_less_than_the_exact_p_value():
    """Whatever the differences, the bound is above the share of all sign flips that go as far."""
    rng = np.random.default_rng(1)
    signs = np.array(list(product([1, -1], repeat=10)))
    for scale in (0.0, 0.3, 1.0, 3.0):
        one, other = rng.normal(size=10), rng.normal(size=10) + scale
        sums = np.abs(signs @ (one - other))
        exact = (sums >= sums[0] - 1e-12).mean()
        assert shared_ranks._bounds(np.stack([one, other]))[0, 1] >= exact
    # Ten equal differences: t^2 / (2 sum D^2) = 100 / 20.
    assert shared_ranks._bounds(np.stack([np.zeros(10), np.ones(10)]))[0, 1] == pytest.approx(2 * np.exp(-5))


def test_hundreds_of_models_are_told_apart_without_draws(monkeypatch):
    """Where Holm asks for p-values that no number of draws can show, clear differences are found all the same."""
    monkeypatch.setattr(shared_ranks, "p_values", None)
    parts = models(np.repeat([0.0, 1.0, 2.0], 70), n_questions=200, n_quantities=3)
    assert {tuple(row) for row in ranks(parts)[:70]} == {(141, 141, 141)}
    assert {tuple(row) for row in ranks(parts)[140:]} == {(1, 1, 1)}


@pytest.mark.parametrize("n_models", [4, 150])
def test_chance_makes_no_ranks(n_models):
    """Models that differ by chance alone all share the first rank in at least 95 of 100 leaderboards."""
    wrong = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        parts = list(rng.normal(size=(n_models, 30, 1)))
        wrong += ranks(parts).max() > 1
    # 5 or more of 40 with a chance of 5 % each: p = .05 for the test of this test.
    assert wrong <= 5
