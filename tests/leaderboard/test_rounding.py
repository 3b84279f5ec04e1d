"""What is the same within rounding: simulated submissions, honest and forged, in each precision."""

from __future__ import annotations

import numpy as np
import pytest

from tests.leaderboard.made_rounding import TURNS, Simulated, favoured, submitted
from xlbench.leaderboard.rounding import SHARES, Rounding

HALVES = ("float16", "bfloat16")


@pytest.mark.parametrize("precision", TURNS)
def test_honest_submissions_are_not_refused(precision):
    """Of 20 models here, none; of 200 in each precision none was."""
    refused = [seed for seed in range(20) if submitted(Simulated(seed), precision, run=seed).refused]
    assert refused == []


@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize("part", [0.5, 1.0])
def test_a_forger_who_uses_the_tolerance_in_its_own_favour_is_refused(precision, part):
    """Each relevant passage before all that nearly tie with it, by half of what is allowed or all of it."""
    forge = favoured(part * SHARES[precision])
    assert all(submitted(Simulated(seed), precision, run=seed, forge=forge).refused for seed in range(5))


@pytest.mark.parametrize("precision", HALVES)
def test_half_precision_does_not_hide_single_precision_s_forgeries(precision):
    """A claim of half precision was a tolerance of 4e-3 of the largest score: who uses that is refused."""
    verdict = submitted(Simulated(), precision, run=1, forge=favoured(4e-3 * 0.9 / 0.06))
    assert verdict.refused
    gain = next(lean for lean in verdict.leans if (lean.kind, lean.measure) == ("multi", "AP"))
    assert gain.claimed > gain.computed + 0.02


def test_what_single_precision_hides_is_nothing():
    """Whoever uses all of its tolerance gains less than .002 of the mean AP over all languages."""
    forge = favoured(SHARES["float32"])
    for seed in range(5):
        gain = submitted(Simulated(seed), "float32", run=seed, forge=forge).leans[2]
        assert gain.claimed - gain.computed < 2e-3


def test_the_tolerance_is_a_share_of_the_spread():
    """A constant that is added to all scores of a query changes nothing, however they are divided into blocks."""
    scores = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    expected = 0.01 * scores.astype(float).std(axis=1)
    for shift in (0.0, 100.0):
        blocks = [scores[:, :30] + np.float32(shift), scores[:, 30:] + np.float32(shift)]
        assert Rounding(0.01).allowed(blocks) == pytest.approx(expected, rel=1e-3)


def test_the_last_bits_of_large_scores_are_allowed():
    """Scores that differ by no more than float32 can tell apart are the same, whatever their spread."""
    scores = np.full((1, 10), 1e6, np.float32)
    assert Rounding(1e-4).allowed([scores])[0] == pytest.approx(1e6 / 2**22)
