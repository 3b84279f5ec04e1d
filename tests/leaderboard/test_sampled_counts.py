"""By a part of the passages an honest submission passes, and one with better ranks or other ones does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.made_rounding import TURNS, Simulated, collection, compared, favoured, part_of, refused
from xlbench.engine.search import rank
from xlbench.leaderboard.deep_sample import DeepSample
from xlbench.leaderboard.rounding import Rounding
from xlbench.leaderboard.sampled_counts import sampled_agreement
from xlbench.measures.ranks import Ranking

FLOAT32 = Rounding.of_precision("float32")


@pytest.mark.parametrize("passages", [0.05, 0.1, 0.3])
def test_honest_submissions_are_not_refused(passages):
    """Of 6 models here, none; benchmarks/passage_sample.py --honest draws more."""
    assert [seed for seed in range(6) if refused(compared(seed=seed, passages=passages))] == []


@pytest.mark.parametrize(
    "forge",
    [np.zeros_like, lambda above: above // 2, lambda above: np.minimum(2 * above + 3, 299)],
    ids=["first", "half", "twice"],
)
def test_other_ranks_are_refused(forge):
    """Better ones and worse ones, whatever the sample."""
    assert all(refused(compared(forge, seed=seed)) for seed in range(5))


def test_with_all_passages_each_count_is_compared():
    """One count of one pair that is off by one is impossible."""
    of = collection()
    scores = Simulated().scores(0.0, 0)
    ranking = rank(of, scores)
    part, kept = part_of(scores, DeepSample(len(of.queries), 0, 1.0))
    assert sampled_agreement(ranking, part, kept, rounding=FLOAT32).agreement.n_outside == 0
    above = ranking.above.copy()
    row = int(np.argmax((above[:, 1] > 5) & (above[:, 1] < 200)))
    above[row, 1] -= 1
    agreed = sampled_agreement(replace(ranking, above=above), part, kept, rounding=FLOAT32)
    assert (agreed.agreement.n_outside, agreed.agreement.queries_outside) == (1, 1)
    assert f": {above[row, 1]:,} passages in de are said to be above passage" in agreed.agreement.outside[0]
    assert " of the 250 that were drawn of 250 others" in agreed.agreement.outside[0]


def test_the_excess_is_that_of_the_claims():
    """With all passages it is no estimate: the mean of (rank - claimed rank) / claimed rank, without an error."""
    of = collection()
    scores = Simulated().scores(0.0, 0)
    ranking = rank(of, scores)
    claimed: Ranking = replace(ranking, above=ranking.above // 2)
    part, kept = part_of(scores, DeepSample(len(of.queries), 0, 1.0))
    excess = {each.kind: each for each in sampled_agreement(claimed, part, kept, rounding=FLOAT32).excesses}
    ranks = [1 + each.above.sum(axis=1) for each in (ranking, claimed)]
    assert excess["multi"].mean == pytest.approx(((ranks[0] - ranks[1]) / ranks[1]).mean())
    assert [each.error for each in excess.values()] == [0.0, 0.0, 0.0]
    assert all(each.is_too_large for each in excess.values())
    assert "ranks in multi settings are worse than claimed by" in str(excess["multi"])


def test_favours_within_half_precision_do_not_show():
    """Which is why models in half precision are checked with all passages."""
    precision = "bfloat16"
    theirs, ours = (Simulated().scores(TURNS[precision], run) for run in range(2))
    rounding = Rounding.of_precision(precision)
    claimed = favoured(0.25 * rounding.share)(rank(collection(), theirs), theirs)
    part, scores = part_of(ours, DeepSample(60, 0, 0.1))
    assert not refused(sampled_agreement(claimed, part, scores, rounding=rounding))
