"""Values that nothing but their range bounds: what is taken can be shown."""

from __future__ import annotations

import pytest

from tests.leaderboard.made_submissions import edit
from xlbench.leaderboard.pool import Options, check_all
from xlbench.leaderboard.site import build, taken

REFUSED = {
    "encode_s a subnormal": ("timing", {"encode_s": 5e-324, "encoded_share": 1}),
    "encode_s negative": ("timing", {"encode_s": -1.0}),
    "encode_s endless": ("timing", {"encode_s": 1e300}),
    "encode_s a text": ("timing", {"encode_s": "1"}),
    "timing of many": ("timing", {f"{i}_s": 1.0 for i in range(30)}),
    "cpus none": ("environment", {"cpus": 0}),
    "cpus huge": ("environment", {"cpus": 10**15}),
    "cpus a list": ("environment", {"cpus": [1]}),
    "warnings a text": ("environment", {"warnings": "x"}),
    "warnings of objects": ("environment", {"warnings": [{}]}),
    "encoder a list": ("environment", {"encoder": []}),
    "a number beyond all": ("environment", {"x": 10**300}),
}


def nested(depth: int) -> object:
    """So many lists in each other."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_values_out_of_range_are_refused(submission, checker, change):
    """A sentence names the file and the value's place."""
    key, values = change
    edit(submission / "result.json", lambda record: record[key].update(values))
    (problem,) = checker.check(submission).problems
    assert "result.json" in problem
    assert len(problem) < 500


@pytest.mark.parametrize("depth", [20, 600])
def test_what_is_nested_too_deeply_is_refused(submission, checker, depth):
    """Pages are drawn by recursion, which ends somewhere."""
    edit(submission / "result.json", lambda record: record["environment"].update(x=nested(depth)))
    (problem,) = checker.check(submission).problems
    assert "nested too deeply; expected at most 12 levels" in problem


def test_what_is_taken_can_be_shown(submission, tmp_path):
    """Odd values within the ranges become a page."""
    odd = {"x": nested(5), "y": {"": None, "z" * 1000: True}, "w": 1e-320, "cpus": 10**6}
    edit(submission / "result.json", lambda record: record["environment"].update(odd))
    edit(submission / "result.json", lambda record: record["timing"].update(encode_s=1e-6, encoded_share=1.0))
    site = build(check_all([submission.parent.parent], extract=taken, options=Options(jobs=1)), tmp_path / "site")
    assert (site.n_submissions, site.left_out) == (1, ())


def unlucky(submission):
    """An extraction that fails as nobody foresaw."""
    raise ArithmeticError(submission)


def test_whatever_goes_wrong_with_one_submission_is_a_problem_of_that_one(submission):
    """The check of the others goes on."""
    (checked,) = check_all([submission], extract=unlucky, options=Options(jobs=1))
    assert checked.problems == ("It cannot be checked or shown (ArithmeticError); report this.",)
