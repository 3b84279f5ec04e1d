"""Tests of the tables of a result, and of the line that sums it up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xlbench.reports.tables import comparison, headline, number, tables
from xlbench.results import Result, summarise

SCORES = {
    "de>de": {"AP": 0.9, "R@1": 0.75},
    "en>en": {"AP": 1.0, "R@1": 1.0},
    "th>th": {"AP": 0.5, "R@1": 0.25},
    "de>en": {"AP": 0.6, "R@1": 0.5},
    "en>de": {"AP": 0.7, "R@1": 0.5},
    "th>de": {"AP": 0.1234, "R@1": 0.0},
    "de>*": {"AP": 0.4, "AP@20": 0.3, "R@10": 0.2, "R@100": 0.9, "RankDistance": 1234.5},
    "en>*": {"AP": 0.5, "AP@20": 0.4, "R@10": 0.3, "R@100": 0.8, "RankDistance": 2.4},
    "th>*": {"AP": 0.0, "AP@20": 0.0, "R@10": 0.0, "R@100": 0.7, "RankDistance": 100.0},
}
RESULT = Result(
    schema=1,
    task="tiny",
    task_version=2,
    headline="AP",
    missing_languages=[],
    model={"name": "owner/name", "revision": "1", "adapter": "hash", "arguments": {}},
    scores=SCORES,
    # Thai has no question in common with English, so that two pairs of languages have no queries.
    queries=dict.fromkeys([*list(SCORES)[:6], "en>th", "de>th", "th>en", *list(SCORES)[6:]], 1000) | {"en>th": 0},
    summary=summarise(SCORES),
    environment={},
    timing={},
)


def of_kinds(result, *kinds):
    """The result with the settings of some kinds only."""
    kept = {name: scores for name, scores in result.scores.items() if summarise({name: scores}).keys() <= {*kinds}}
    return replace(result, scores=kept, queries=dict.fromkeys(kept, 1000), summary=summarise(kept))


def test_the_monolingual_table_has_a_row_a_language_and_their_mean():
    """All measures but those of bias are columns, and the number of queries is the last."""
    mono = tables(RESULT)[0]
    assert mono.title == "tiny, monolingual: queries of a language, passages of the same language"
    assert mono.header == ("language", "AP", "R@1", "queries")
    assert mono.rows == (
        ("de", ".900", ".750", "1,000"),
        ("en", "1.000", "1.000", "1,000"),
        ("th", ".500", ".250", "1,000"),
        ("mean", ".800", ".667", "3,000"),
    )


def test_the_cross_lingual_grid_leaves_out_what_is_not_there():
    """Rows are languages of queries, columns those of passages; a pair without queries is empty."""
    grid = tables(RESULT)[1]
    assert grid.title == "tiny, cross-lingual: AP, queries down, passages across"
    assert grid.header == ("", "de", "en", "mean")
    assert grid.rows == (
        ("de", "", ".600", ".600"),
        ("en", ".700", "", ".700"),
        ("th", ".123", "", ".123"),
        ("mean", "", "", ".474"),
    )


def test_the_multilingual_table_has_the_four_measures_of_the_pool():
    """AP, AP@20, R@10 and RankDistance are shown, and no others; RankDistance as a whole number."""
    multi = tables(RESULT)[2]
    assert multi.header == ("language", "AP", "AP@20", "R@10", "RankDistance", "queries")
    assert multi.rows[0] == ("de", ".400", ".300", ".200", "1,234", "1,000")
    assert multi.rows[-1] == ("mean", ".300", ".233", ".167", "446", "3,000")


@pytest.mark.parametrize("kinds", [("mono",), ("cross", "multi"), ()])
def test_only_the_kinds_that_the_result_has_are_tables(kinds):
    """A result of some kinds of setting has as many tables."""
    names = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}
    found = [table.title.partition(":")[0] for table in tables(of_kinds(RESULT, *kinds))]
    assert found == [f"tiny, {names[kind]}" for kind in kinds]


def test_the_multilingual_table_of_a_task_with_other_measures_shows_these():
    """Where a task has none of the usual measures, those that it has are shown."""
    scores = {"de>*": {"nDCG@10": 0.5}}
    other = replace(RESULT, headline="nDCG@10", scores=scores, queries={"de>*": 4}, summary=summarise(scores))
    assert tables(other)[0].header == ("language", "nDCG@10", "queries")


def test_the_headline_is_one_line():
    """The headline measure of each kind, and the rank distance."""
    assert headline(RESULT) == (
        "owner/name on tiny: AP monolingual 0.800, cross-lingual 0.474, multilingual 0.300, RankDistance 446"
    )
    assert headline(of_kinds(RESULT, "mono")) == "owner/name on tiny: AP monolingual 0.800"


def test_a_partial_result_says_so_everywhere():
    """The missing languages stand in each title and at the end of the headline."""
    partial = replace(RESULT, missing_languages=["ar", "zh"])
    assert all(table.title.endswith(" (partial: without ar, zh)") for table in tables(partial))
    assert headline(partial).endswith("; partial, without ar, zh")
    assert comparison([RESULT, partial])[0].rows[1][0] == "owner/name (partial: without ar, zh)"


@pytest.mark.parametrize(
    ("value", "measure", "shown"),
    [
        (0.0, "AP", ".000"),
        (0.12345, "AP", ".123"),
        (0.9996, "R@1", "1.000"),
        (10845.8, "RankDistance", "10,846"),
        (0.4, "RankDistance", "0"),
    ],
)
def test_numbers_are_shown_alike(value, measure, shown):
    """Scores have three decimals and no leading zero, ranks no decimals."""
    assert number(value, measure) == shown


def test_a_comparison_has_a_table_a_task_and_version():
    """Results of different versions never share a table; a model without a kind of setting has an empty cell."""
    other = replace(of_kinds(RESULT, "mono", "cross"), model={**RESULT.model, "name": "other"})
    newer = replace(of_kinds(RESULT, "mono"), task_version=3)
    both, alone = comparison([RESULT, newer, other])
    assert both.title == "tiny, version 2"
    assert both.header == ("model", "mono AP", "cross AP", "multi AP", "multi RankDistance")
    assert both.rows == (("owner/name", ".800", ".474", ".300", "446"), ("other", ".800", ".474", "", ""))
    assert alone.title == "tiny, version 3"
    assert alone.header == ("model", "mono AP")
