"""Attribution: the loss from mono to multi is shared out between irrelevant passages and parallel ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.measures.bias.made_rankings import (
    Passage,
    all_orders,
    average_precision,
    drawn,
    measure,
    pooled,
    random_rankings,
    seeds,
    spelled,
)

LOSSES = ("IrrelevantLoss", "ParallelLoss")


def aps(ranking: list[Passage], asked: int) -> dict[tuple[int, int], float]:
    """AP in pools really built: of the other languages, with (1) or without (0) irrelevant and relevant passages."""
    return {
        (irrelevant, parallel): average_precision(
            [p for p in ranking if p.language == asked or (parallel if p.gain else irrelevant)]
        )
        for irrelevant in (0, 1)
        for parallel in (0, 1)
    }


def losses(ranking: list[Passage], asked: int) -> tuple[float, float]:
    """The mean cost of letting one thing in, over both orders in which the two can come in (Shapley 1953)."""
    ap = aps(ranking, asked)
    irrelevant = np.mean([ap[0, 0] - ap[1, 0], ap[0, 1] - ap[1, 1]])
    parallel = np.mean([ap[0, 0] - ap[0, 1], ap[1, 0] - ap[1, 1]])
    return float(irrelevant), float(parallel)


@given(rng=seeds())
def test_losses_are_those_of_the_four_pools(rng):
    """Both losses follow from the APs in four pools that were really built, whatever the gains and languages."""
    rankings = random_rankings(rng, n=6)
    for asked in range(3):
        found = np.stack([measure(name).value(pooled(rankings, asked=asked)) for name in LOSSES], axis=1)
        expected = [
            losses(r, asked) if any(p.gain for p in r if p.language == asked) else (np.nan, np.nan) for r in rankings
        ]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@given(rng=seeds())
def test_losses_add_up_to_the_whole_loss(rng):
    """IrrelevantLoss + ParallelLoss is AP(mono) - AP(multi), to 1e-12."""
    rankings = random_rankings(rng, n=6)
    for asked in range(3):
        ranks = pooled(rankings, asked=asked)
        total = measure(LOSSES[0]).value(ranks) + measure(LOSSES[1]).value(ranks)
        expected = [
            average_precision([p for p in ranking if p.language == asked]) - average_precision(ranking)
            for ranking in rankings
        ]
        np.testing.assert_allclose(total, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("ranking", "irrelevant", "parallel"),
    [
        ("ABab", 0, 0),  # Both answers first: AP is 1 in all four pools.
        ("aABb", 0, 1 / 2 - 7 / 12),  # AP 1/2 alone, (1/2 + 2/3) / 2 with the other answer, whatever else is there.
        ("bABa", (1 / 2 + 5 / 12) / 2, (0 - 1 / 12) / 2),  # AP(0, 0) = AP(0, 1) = 1, AP(1, 0) = 1/2, AP(1, 1) = 7/12.
    ],
)
def test_losses_of_small_rankings(ranking, irrelevant, parallel):
    """Rankings whose two losses can be reckoned by hand."""
    found = [measure(name).value(pooled([spelled(ranking)])).tolist()[0] for name in LOSSES]
    assert found == pytest.approx([irrelevant, parallel], abs=1e-12)


def test_a_language_that_stands_above_is_an_irrelevant_loss():
    """Irrelevant passages of another language above both answers cost only by being there."""
    found = [measure(name).value(pooled([spelled("bbbbAB")])).tolist()[0] for name in LOSSES]
    assert found[0] > 0.6
    assert abs(found[1]) < 0.1


def test_an_answer_that_is_far_below_is_a_parallel_loss():
    """Another language's answer behind the own language's irrelevant passages costs only because it is to be found."""
    found = [measure(name).value(pooled([spelled("AaaaaaaaB")])).tolist()[0] for name in LOSSES]
    assert found == pytest.approx([0, (1 - 2 / 9) / 2], abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("asked", [0, 1])
@pytest.mark.parametrize("pool", ["ABab", "AB", "ABCab", "AABbc", "ABBBa", "AABCbb"])
def test_random_losses_are_means_over_all_rankings(name, pool, asked):
    """The random value is the mean over every order of a small pool, exactly."""
    rankings = pooled(all_orders(spelled(pool)), asked=asked)
    assert measure(name).random(rankings) == pytest.approx(measure(name).value(rankings).mean(), abs=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_random_losses_are_means_over_random_rankings_of_a_larger_pool(name):
    """Over 4,000 random rankings of 60 passages the mean is the random value, within 4 standard errors."""
    pool = spelled("AAABCCD" + 20 * "a" + 13 * "b" + 12 * "c" + 8 * "d")
    rankings = pooled(drawn(np.random.default_rng(4), pool, n=4000), asked=2)
    found = measure(name).value(rankings)
    assert abs(found.mean() - measure(name).random(rankings)[0]) < 4 * found.std() / np.sqrt(len(found))


@pytest.mark.parametrize("name", LOSSES)
def test_a_perfect_ranking_loses_nothing(name):
    """With all relevant passages first, in any order, both losses are 0, which is what perfect is said to be."""
    rankings = pooled([spelled(ranking) for ranking in ("AABCabc", "CABAabc", "BAACcba")])
    assert measure(name).value(rankings).tolist() == measure(name).perfect(rankings).tolist() == [0, 0, 0]
