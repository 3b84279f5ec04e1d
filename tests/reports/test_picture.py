"""Tests of the picture that a run ends with, and of the table over its tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reports.made_results import made_result
from xlbench.reports.picture import over_all, picture
from xlbench.results.shown import losing_languages
from xlbench.settings import Setting

RESULT = replace(
    made_result(),
    summary={"mono": {"AP": 0.8}, "cross": {"AP": 0.4}, "multi": {"AP": 0.2, "RankDistance": 1215.0}},
    intervals={"mono": {"AP": [0.7, 0.9]}, "multi": {"RankDistance": [1100.0, 1300.0]}},
    references={"RankDistance": {"perfect": 10.0, "random": 10846.0}},
    values={
        Setting("de", "de"): {"AP": 0.9},
        Setting("en", "en"): {"AP": 0.8},
        Setting("th", "th"): {"AP": 0.7},
        Setting("de", None): {"AP": 0.3},
        Setting("en", None): {"AP": 0.3},
        Setting("th", None): {"AP": 0.0},
    },
)


def test_bars_are_as_long_as_the_values():
    """A bar has 40 blocks for 1, and stands after the value with its interval."""
    assert picture(RESULT, width=100) == [
        "model on tiny: AP, 95 % intervals by 40 questions",
        f"monolingual    .800 [.700, .900]  {32 * '█'}",
        f"cross-lingual  .400               {16 * '█'}",
        f"multilingual   .200               {8 * '█'}",
        "RankDistance 1,215 [1,100, 1,300]; perfect 10, random 10,846",
        "Loses most in the pool of all languages: th (.700 to .000), de (.900 to .300)",
    ]


def test_bars_shrink_on_a_narrow_terminal_and_go_where_there_is_no_room():
    """All bars of a picture have one scale, which fits the width."""
    assert [line.count("#") for line in picture(RESULT, width=54, block="#")[1:4]] == [16, 8, 4]
    assert "#" not in "".join(picture(RESULT, width=40, block="#"))


@pytest.mark.parametrize("width", [50, 80, 100, 160])
def test_no_line_is_longer_than_the_terminal(width):
    """Sentences are folded between words, whatever is partial or long."""
    partial = replace(RESULT, missing_languages=["ar", "zh"])
    lines = picture(partial, width=width)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 12
    assert "(partial: without ar, zh)" in " ".join(line.strip() for line in lines)


def test_a_result_of_one_kind_has_one_bar():
    """Without a pool of all languages there is no distance and no language that loses."""
    lines = picture(made_result(kinds=["mono"]), width=100)
    assert [line.split()[0] for line in lines] == ["model", "monolingual"]


def test_a_language_that_gains_is_none_that_loses():
    """Where the pool costs nothing, no language is named."""
    same = {setting: {"AP": 0.5} for setting in RESULT.values}
    better = replace(RESULT, values=same)
    assert losing_languages(better) == []
    assert not any(line.startswith("Loses") for line in picture(better, width=100))


def test_a_table_over_all_has_a_row_a_task():
    """Each row names its task and its headline, partial ones say so, and a lone result has no such table."""
    other = replace(made_result(task="other", kinds=["mono"]), headline="R@1", missing_languages=["th"])
    table = over_all([RESULT, other])
    assert table is not None
    assert table.header == ("task", "measure", "mono", "cross", "multi", "RankDistance")
    assert [cell.text for cell in table.rows[0]] == ["tiny", "AP", ".800", ".400", ".200", "1,215"]
    assert [cell.text for cell in table.rows[1]][:2] == ["other (partial: without th)", "R@1"]
    assert [cell.text for cell in table.rows[1]][3:] == ["", "", ""]
    assert over_all([RESULT]) is None


def test_a_table_over_models_names_them_and_marks_the_best_of_a_task():
    """Rows stand task by task, whatever their order; results of one name are told apart by their arguments."""
    other = replace(RESULT, model={**RESULT.model, "arguments": {"size": 2}}, summary={"mono": {"AP": 0.7}})
    table = over_all([RESULT, replace(RESULT, task="next"), other])
    assert table is not None
    assert table.header[:3] == ("task", "model", "measure")
    assert [[cell.text for cell in row[:2]] for row in table.rows] == [
        ["tiny", "model (no arguments)"],
        ["tiny", "model (size=2)"],
        ["next", "model"],
    ]
    assert [[cell.best for cell in row[3:5]] for row in table.rows] == [[True, False], [False, False], [False, False]]
