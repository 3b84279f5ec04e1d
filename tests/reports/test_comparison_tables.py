"""Tests of the tables, sentences and records of a comparison."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from xlbench.comparison import Comparison, Difference, Order, Quantity, Ranked, Standing, Tradeoff
from xlbench.reports.comparison_tables import (
    comparison_json,
    comparison_tables,
    difference_records,
    explanation,
    sentences,
)


def difference(kind="mono", name="mean", measure="AP", *, change=-0.1, **changes: object) -> Difference:
    """A difference of ``change`` from .5, or from 500 for RankDistance."""
    scale = 1000 if measure == "RankDistance" else 1
    found = Difference(
        model="new",
        quantity=Quantity(measure, kind, name, ("de>de",)),
        baseline=0.5 * scale,
        value=(0.5 + change) * scale,
        interval=((change - 0.02) * scale, (change + 0.02) * scale),
        p=0.0001,
        p_adjusted=0.0004,
        p_is_bound=False,
        d_z=-0.456,
        n_questions=1190,
        is_primary=True,
        verdict="worse",
    )
    return replace(found, **changes)


ALIKE = {"verdict": "cannot be told apart", "p_adjusted": 0.25, "d_z": float("nan")}
MONO = (difference(name="de"), difference(name="en", change=0.0, **ALIKE), difference())
MULTI = (difference("multi", "de", change=0.1, verdict="better"), difference("multi", change=0.01, **ALIKE))
DISTANCE = difference("multi", "de", "RankDistance")
COMPARISON = Comparison(
    sample=None,
    task="tiny",
    task_version=2,
    missing_languages=(),
    languages=(),
    baseline="base",
    others=("new",),
    measures=("AP",),
    lead="AP",
    unit="article",
    n_clusters=48,
    alpha=0.05,
    equivalent=None,
    resamples=2000,
    draws=10_000,
    n_tests=5,
    perfect={},
    differences=(*MONO, *MULTI),
    tradeoffs=(
        Tradeoff("new", "de", MONO[0], MULTI[0], DISTANCE),
        Tradeoff("new", "mean", MONO[2], MULTI[1], DISTANCE),
    ),
    standings=(
        Standing("base", {"mono AP": 0.5, "multi AP": 0.4, "multi RankDistance": 500.0}, ()),
        Standing("new", {"mono AP": 0.4, "multi AP": 0.41, "multi RankDistance": 600.0}, ("x", "y")),
    ),
    orders=(Order(MONO[2].quantity, (Ranked("base", 0.5, (0,)), Ranked("new", 0.4, (0, 1)), Ranked("x", 0.3, (1,)))),),
    left_out=(),
)


def text(table) -> list[tuple[str, ...]]:
    """The rows as text, with marks."""
    return [tuple(cell.text + cell.mark for cell in row) for row in table.rows]


def by_title(comparison: Comparison):
    return {table.title: table for table in comparison_tables(comparison)}


def test_a_row_has_values_difference_interval_effect_p_and_verdict():
    """Differences carry their sign and interval; p is the adjusted one; a d_z that is not a number is empty."""
    table = by_title(COMPARISON)["tiny, monolingual AP: new against base"]
    assert table.header == ("", "baseline", "model", "difference", "d_z", "p", "verdict", "questions")
    assert text(table) == [
        ("de", ".500", ".400", "-.100 [-.120, -.080]", "-.46", "<.001", "worse", "1,190"),
        ("en", ".500", ".500", ".000 [-.020, +.020]", "", ".250", "cannot be told apart", "1,190"),
        ("mean", ".500", ".400", "-.100 [-.120, -.080]", "-.46", "<.001", "worse", "1,190"),
    ]
    cell = table.rows[0][3]
    assert (cell.value, cell.interval) == (pytest.approx(-0.1), (pytest.approx(-0.12), pytest.approx(-0.08)))


def test_ranks_are_whole_numbers_with_a_sign():
    """A gain of 50 ranks is +50, with commas in thousands."""
    quantity = Quantity("RankDistance", "multi", "mean", ("de>*",))
    found = difference(quantity=quantity, baseline=100.0, value=1350.0, interval=(1100.0, 1400.0))
    comparison = replace(COMPARISON, measures=("RankDistance",), differences=(found,))
    table = by_title(comparison)["tiny, multilingual RankDistance: new against base"]
    assert text(table)[0][1:4] == ("100", "1,350", "+1,250 [+1,100, +1,400]")


def test_there_is_a_table_for_each_kind_and_one_for_single_settings():
    """In the order mono, cross, multi, single settings, gains and losses; after those of all models together."""
    single = difference("cross", "de>en")
    comparison = replace(COMPARISON, differences=(*MULTI, single, *MONO))
    assert [table.title for table in comparison_tables(comparison)] == [
        "tiny, monolingual AP: models in order",
        "tiny, all at once",
        "tiny, monolingual AP: new against base",
        "tiny, multilingual AP: new against base",
        "tiny, single settings, AP: new against base",
        "tiny, gains and losses: new against base",
    ]
    only = replace(comparison, differences=(single,), standings=(), orders=(), tradeoffs=())
    assert [table.title for table in comparison_tables(only)] == ["tiny, single settings, AP: new against base"]


def test_gains_and_losses_are_marked_and_said_in_words():
    """A star marks what is certain, beside an interval; the last column says who loses alone and gains pooled."""
    table = by_title(COMPARISON)["tiny, gains and losses: new against base"]
    assert table.header == ("", "mono AP", "multi AP", "multi RankDistance", "verdict")
    assert text(table) == [
        (
            "de", "-.100 [-.120, -.080]*", "+.100 [+.080, +.120]*", "-100 [-120, -80]*",
            "worse alone, better in the pool",
        ),
        (
            "mean", "-.100 [-.120, -.080]*", "+.010 [-.010, +.030]", "-100 [-120, -80]*",
            "worse alone, not told apart in the pool",
        ),
    ]  # fmt: skip
    both = replace(COMPARISON, tradeoffs=(Tradeoff("new", "de", MONO[0], MONO[0], None),))
    table = by_title(both)["tiny, gains and losses: new against base"]
    assert text(table) == [("de", "-.100 [-.120, -.080]*", "-.100 [-.120, -.080]*", "worse in both")]


def test_the_standings_name_who_dominates_and_mark_the_best():
    """The best is by the direction of each measure: the lowest RankDistance."""
    table = by_title(COMPARISON)["tiny, all at once"]
    assert text(table) == [("base", ".500", ".400", "500", ""), ("new", ".400", ".410", "600", "x, y")]
    assert [[cell.best for cell in row[1:4]] for row in table.rows] == [[True, False, True], [False, True, False]]


def test_groups_are_letters():
    """Models of one group share a letter; after z comes aa."""
    table = by_title(COMPARISON)["tiny, monolingual AP: models in order"]
    assert text(table) == [("base", ".500", "a"), ("new", ".400", "a b"), ("x", ".300", "b")]
    assert Ranked("x", 0.5, (25, 26, 51, 52, 701, 702)).letters == "z aa az ba zz aaa"


def test_partial_results_say_so_in_every_title():
    """The missing languages stand at the end of each title."""
    partial = replace(COMPARISON, missing_languages=("ar", "zh"))
    assert all(table.title.endswith(" (partial: without ar, zh)") for table in comparison_tables(partial))


def test_titles_and_sentences_name_the_languages_of_queries():
    """A comparison of the queries of some languages says so everywhere."""
    some = replace(COMPARISON, languages=("ar", "hi"))
    assert all("tiny, queries in ar, hi, " in table.title for table in comparison_tables(some))
    assert all("on tiny, queries in ar, hi, AP: " in sentence for sentence in sentences(some))


def test_a_sentence_sums_up_each_model_and_measure():
    """The verdict and the difference in the mean of each kind, and in single settings."""
    assert sentences(COMPARISON) == [
        "new against base on tiny, AP: mono worse (-.100), multi cannot be told apart (+.010)."
    ]
    single = replace(COMPARISON, differences=(difference("cross", "de>en"),))
    assert sentences(single) == ["new against base on tiny, AP: de>en worse (-.100)."]


def test_the_explanation_says_what_was_done():
    """The level, the numbers of draws and tests, alpha, perfect values, and what was left out."""
    lines = " ".join(explanation(replace(COMPARISON, alpha=0.01, perfect={"LPR": 1 / 11}, left_out=("cross",))))
    for part in (
        "99 % interval",
        "2,000",
        "at most 10,000 draws",
        "all 5 tests",
        "48 articles",
        "Primary: the means of AP",
        "does not say that the models are equal",
        "up to 0.01",
        "nearer to .091",
        "cross",
    ):
        assert part in lines
    plain = " ".join(explanation(COMPARISON))
    for part in ("Not compared", "finds little", "favourite", "nearer"):
        assert part not in plain
    assert "Intervals are not corrected" in plain
    assert "too narrow" not in plain
    assert "With fewer than 30 articles, intervals are too narrow." in explanation(replace(COMPARISON, n_clusters=29))
    assert "smaller than 0.01, by two one-sided tests" in " ".join(explanation(replace(COMPARISON, equivalent=0.01)))


def test_the_explanation_says_what_bias_does_not_show():
    """A model that finds little has little bias, a favourite does not show in LPR, a loss has no direction."""
    of_losses = " ".join(explanation(replace(COMPARISON, measures=("IrrelevantLoss",))))
    assert "'higher' and 'lower' have p up to" in of_losses
    assert "A model that finds little has little bias" in of_losses
    assert "favourite" not in of_losses
    of_lpr = " ".join(explanation(replace(COMPARISON, measures=("LPR",), perfect={"LPR": 1 / 11})))
    assert "a fixed favourite" in of_lpr
    assert "p and the verdict are of the distance" in of_lpr


@pytest.mark.parametrize(
    ("p", "is_bound", "shown"),
    [(0.0004, True, "<.001"), (0.0004, False, "<.001"), (0.0043, True, "≤.005"), (0.0043, False, ".004")],
)
def test_a_p_value_that_is_a_bound_is_shown_as_one(p, is_bound, shown):
    """Where no draw was as extreme, p is at most what is shown."""
    comparison = replace(COMPARISON, differences=(difference(p_adjusted=p, p_is_bound=is_bound),))
    assert text(by_title(comparison)["tiny, monolingual AP: new against base"])[0][5] == shown


def test_records_have_every_number_in_full():
    """One a difference, with the kind or the language as its setting; JSON has no NaN."""
    records = difference_records(COMPARISON)
    assert [(r["kind"], r["setting"]) for r in records] == [
        ("mono", "de"), ("mono", "en"), ("mono", "mono"), ("multi", "de"), ("multi", "multi"),
    ]  # fmt: skip
    assert records[0] == {
        "model": "new", "task": "tiny", "task_version": 2, "baseline": "base", "kind": "mono", "setting": "de",
        "measure": "AP", "baseline_value": 0.5, "value": 0.4, "difference": 0.4 - 0.5, "low": -0.1 - 0.02,
        "high": -0.1 + 0.02, "d_z": -0.456, "p": 0.0001, "p_adjusted": 0.0004, "p_is_bound": False, "verdict": "worse",
        "n_questions": 1190, "unit": "article", "n_clusters": 48, "is_primary": True,
        "missing_languages": [], "languages": [],
    }  # fmt: skip

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(comparison_json(COMPARISON), parse_constant=refuse)
    assert found["differences"] == records
    assert found["differences"][1]["d_z"] is None
    assert found["orders"][0]["ranked"][1] == {"model": "new", "value": 0.4, "groups": [0, 1]}
    assert found["explanation"] == explanation(COMPARISON)


def test_what_is_not_primary_is_marked_as_exploratory():
    """A language's row, or one of another measure than the leading one; a table of means alone has no mark."""
    language = replace(MONO[0], is_primary=False)
    marked = comparison_tables(replace(COMPARISON, differences=(language, MONO[2])))
    table = next(table for table in marked if table.title == "tiny, monolingual AP: new against base")
    assert [row[0].mark for row in table.rows] == ["°", ""]
    assert table.note == "° exploratory"
    plain = comparison_tables(replace(COMPARISON, differences=(MONO[2],)))
    assert next(table for table in plain if table.title == "tiny, monolingual AP: new against base").note == ""
