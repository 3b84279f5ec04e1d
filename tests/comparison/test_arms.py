"""Tests of comparisons by seed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.comparison.test_compare import result
from xlbench.comparison.arms import compare_by_seed
from xlbench.errors import ResultError, UnknownNameError
from xlbench.reports.seed_tables import explanation, seed_records, seed_tables, sentences

NAMES = ("x-y-0", "x-y-1", "x-y-2", "hybrid-seed0", "hybrid-seed1", "hybrid-seed2", "mono_s1", "mono_s7")
SHIFTS = (0.0, 0.01, 0.02, 0.1, 0.112, 0.118, -0.1, 0.3)


def compared(names=NAMES, **options):
    """Results of three arms: hybrid is about .1 better in all settings than x-y with the same seed."""
    shifts = dict(zip(NAMES, SHIFTS, strict=True))
    results = [
        result(name, seed=i, shift=dict.fromkeys(("mono", "cross", "multi"), shifts.get(name, 0.0)))
        for i, name in enumerate(names)
    ]
    return compare_by_seed(results, names=names, **options), results


def test_arms_are_compared_over_the_seeds_that_they_share():
    """Differences are of models with one seed, with t intervals and Holm's p; the mean is over all seeds of an arm."""
    found, results = compared()
    assert found.baseline == "x-y"
    hybrid = next(of for of in found.differences if (of.arm, of.setting) == ("hybrid", "mono"))
    values = [one.value("mono", "AP") for one in results]
    paired = np.array(values[3:6]) - np.array(values[:3])
    interval = stats.ttest_1samp(paired, 0).confidence_interval(0.95)
    assert (hybrid.over_seeds.low, hybrid.over_seeds.high) == pytest.approx((interval.low, interval.high))
    assert (hybrid.over_seeds.n, hybrid.verdict) == (3, "better")
    raw = sorted(of.over_seeds.p for of in found.differences if of.over_seeds.n > 1)
    assert min(of.p_adjusted for of in found.differences) == pytest.approx(raw[0] * len(raw))
    mono = next(of for of in found.differences if of.arm == "mono")
    assert (mono.over_seeds.n, mono.verdict) == (1, "cannot be told apart")
    assert mono.over_seeds.mean == pytest.approx(values[6] - values[1])
    means = {of.arm: of.over_seeds for of in found.figures if of.setting == "cross"}
    assert {arm: of.n for arm, of in means.items()} == {"x-y": 3, "hybrid": 3, "mono": 2}
    assert means["mono"].mean == pytest.approx(np.mean([one.value("cross", "AP") for one in results[6:]]))


def test_a_bound_shows_what_is_equivalent_and_lower_distances_are_better():
    """The interval within the bound is equivalent; of RankDistance less is better, and only in multi."""
    found, _ = compared(NAMES[:6], equivalent=0.5)
    assert {of.verdict for of in found.differences} == {"equivalent"}
    shifts = dict(zip(NAMES[:6], (0.0, 0.1, 0.2, 30.0, 30.2, 30.1), strict=True))
    results = [result(name, seed=0, shift={"distance": shift}) for name, shift in shifts.items()]
    found = compare_by_seed(results, names=NAMES[:6], measures=["AP", "RankDistance"])
    of_distance = [of for of in found.differences if of.measure == "RankDistance"]
    assert [(of.setting, of.verdict) for of in of_distance] == [("multi", "worse")]


def test_tables_records_and_sentences_have_the_figures():
    """Arms by settings with intervals, differences with verdicts, and a record for each; NaN is no value of JSON."""
    found, _ = compared()
    means, differences = seed_tables(found)
    assert [cells[0].text for cells in means.rows] == ["x-y", "hybrid", "mono"]
    assert means.header == ("arm", "monolingual AP", "cross-lingual AP", "multilingual AP", "seeds")
    assert differences.rows[0][2].text.startswith("+.10")
    assert differences.rows[-1][3].text == ""
    records = seed_records(found)
    assert len(records) == 9 + 6
    assert not any(isinstance(value, float) and math.isnan(value) for record in records for value in record.values())
    assert sentences(found)[0].startswith("hybrid against x-y on tiny: mono AP better (+.10")


def test_a_single_arm_has_means_and_no_differences():
    """Its table has intervals over seeds; nothing is compared, and nothing is said of tests."""
    found, results = compared(NAMES[:3])
    assert found.differences == ()
    (means,) = seed_tables(found)
    assert [cells[0].text for cells in means.rows] == ["x-y"]
    assert found.figures[0].over_seeds.mean == pytest.approx(np.mean([one.value("mono", "AP") for one in results]))
    assert not any(sentence.startswith("p:") for sentence in explanation(found))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("x-y-0", "hybrid"), "is of hybrid, whose name does not end in a seed; expected such as hybrid-0"),
        (("x-y-0", "x-y-s0", "b-0"), "x-y-s0 is the second result of x-y-s0"),
        (("x-y-0", "hybrid-1"), "hybrid and x-y have no seed in common"),
    ],
)
def test_names_that_say_no_arms_and_seeds_are_refused(names, said):
    """What is wrong with them is said, with the model."""
    with pytest.raises(ResultError, match=said):
        compared(names)


def test_unknown_measures_and_other_tasks_are_refused():
    """As in a comparison by question."""
    with pytest.raises(UnknownNameError, match="measure"):
        compared(measures=["APP"])
    other = replace(result("hybrid-0"), task="other")
    with pytest.raises(ResultError, match="only results of one version of one task"):
        compare_by_seed([result("x-y-0"), other], names=["a", "b"])
