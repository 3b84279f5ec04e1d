"""Tests of the published numbers, and of the tables that set them beside measured ones."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

from tests.reports.made_results import HOSTILE, made_result
from xlbench.errors import ResultError
from xlbench.reports.formats import as_csv, as_json
from xlbench.reports.paper import paper_records, paper_tables, published
from xlbench.results.shown import number
from xlbench.settings import Setting

SHARED = Path(__file__).parents[3] / "shared" / "paper_tables.tsv"
LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
RESULT = made_result("mine", task="xquad-r", languages=LANGUAGES)


def key_of(number_):
    """What a published number is of."""
    n = number_
    return (n.table, n.task, n.model, n.recipe, n.setting, n.measure, n.language)


def test_the_published_numbers_are_a_full_grid():
    """Tables 3 to 6 have 18 columns, 7 and 8 six, for 11 languages or 7 and their mean; LAReQA has 8 numbers."""
    found = published()
    assert len({key_of(n) for n in found}) == len(found)
    counts = defaultdict(int)
    for n in found:
        counts[n.table] += 1
    assert counts == {"3": 216, "4": 144, "5": 216, "6": 144, "7": 72, "8": 48, "LAReQA": 8}


@pytest.mark.skipif(not SHARED.exists(), reason="the tables as they were copied are not here: ../shared")
def test_every_number_of_the_copied_tables_is_there():
    """Tables 3 to 8 as copied, column by column: mono, cross and multi with three recipes each; or two models."""
    ours = {key_of(n): n.value for n in published()}
    recipes = ("X-X-mono", "X-Y", "hybrid")
    checked = 0
    with SHARED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row[0][:2] in ("T3", "T4", "T5", "T6", "T7", "T8")]
    for title, language, *values in rows:
        table, task, model, *about = title.split()
        for i, value in enumerate(values):
            if model == "rank":
                if i >= 6:
                    continue
                column = (("XLM-R", "LaBSE")[i // 3], recipes[i % 3], "multi", "RankDistance")
            else:
                kind = ("mono", "cross", "multi")[i // 3]
                success = "R@10" if kind == "multi" else "R@1"
                column = (model, recipes[i % 3], kind, "AP" if about == ["MAP"] else success)
            assert ours[table[1:], task.lower(), *column, language.replace("Mean", "mean")] == value
            checked += 1
    assert checked == len(ours) - 8


def test_the_papers_means_are_those_of_its_languages():
    """Recomputed from the rows by language, each mean agrees to the digits that it has; none of them is a slip."""
    groups = defaultdict(dict)
    for n in published():
        groups[key_of(n)[:-1]][n.language] = n
    checked = 0
    for group in groups.values():
        mean = group.pop("mean")
        if group:
            decimals = 1 if mean.measure == "RankDistance" else 4
            recomputed = fmean(float(n.value) for n in group.values())
            assert abs(recomputed - float(mean.value)) <= 0.5 * 10**-decimals + 1e-9, key_of(mean)
            checked += 1
    assert checked == 4 * 18 + 2 * 6


def test_the_slip_that_the_note_names_is_one():
    """XLM-R's multilingual AP on XQuAD-R is higher with X-Y than with hybrid; everywhere else in AP hybrid is best."""
    of = {
        (n.task, n.model, n.setting, n.recipe): float(n.value)
        for n in published()
        if n.language == "mean" and n.measure == "AP" and n.table != "LAReQA"
    }
    beaten = {key[:3] for key, value in of.items() if value > of[*key[:3], "hybrid"]}
    assert beaten == {("xquad-r", "XLM-R", "multi")}
    overview = paper_tables([RESULT])[0]
    assert ".5927 against .5934 of X-Y" in overview.note
    assert "2,869 Arabic ones for 2,896" in overview.note


def test_measured_rows_stand_below_reported_ones():
    """Each row says whether it is reported or measured; numbers have the paper's decimals."""
    overview, mono, *_ = paper_tables([RESULT])
    assert overview.title == "xquad-r, version 2: reported and measured"
    rows = {tuple(cell.text for cell in cells[:3]): cells[3:] for cells in overview.rows}
    assert [cell.text for cell in rows["reported", "XLM-R", "hybrid"]] == [".7977", ".7053", ".5927", "286.6"]
    assert [cell.text for cell in rows["reported", "mBERT", "X-Y"]] == ["", "", ".66", ""]
    measured = rows["measured", "mine", ""]
    assert [cell.value for cell in measured[:3]] == [RESULT.summary[kind]["AP"] for kind in ("mono", "cross", "multi")]
    assert measured[0].text.startswith(number(RESULT.summary["mono"]["AP"], "AP", decimals=4) + " [")
    assert mono.header == ("", "model", "recipe", *LANGUAGES, "mean")
    assert [cells[0].text for cells in mono.rows] == ["reported"] * 6 + ["measured"]
    assert mono.rows[-1][4].value == RESULT.values[Setting.of("de>de")]["AP"]


def test_there_is_a_table_by_language_for_each_that_the_paper_has():
    """AP and R of three kinds of setting, and the rank distance; of other tasks there is nothing."""
    tables = paper_tables([RESULT, made_result(task="demo")])
    about = [table.title.partition(", ")[2].partition(" by language")[0] for table in tables[1:]]
    assert about == [
        f"version 2, {column}"
        for column in ("mono AP", "cross AP", "multi AP", "multi RankDistance", "mono R@1", "cross R@1", "multi R@10")
    ]
    cross = tables[2].rows[-1]
    of_german = [values["AP"] for s, values in RESULT.values.items() if s.query == "de" and s.kind == "cross"]
    assert cross[4].value == pytest.approx(fmean(of_german))


def test_records_say_where_they_are_from():
    """Reported and measured records have the same keys, and only those of the tasks at hand are there."""
    found = paper_records([RESULT, made_result(task="demo")])
    assert {tuple(record) for record in found} == {tuple(found[0])}
    assert {record["task"] for record in found} == {"xquad-r"}
    reported = [record for record in found if record["source"] == "reported"]
    assert len(reported) == sum(n.task == "xquad-r" for n in published())
    assert reported[0]["value"] == 0.7581
    assert (reported[0]["setting"], reported[3]["setting"], reported[6]["setting"]) == ("ar>ar", "ar>others", "ar>*")
    assert as_csv(found).count("\n") == as_json(found).count('"source"') + 1


def test_a_partial_result_is_marked():
    """Its means are over other languages than the paper's."""
    partial = made_result(HOSTILE, task="mlqa-r", languages=["de", "en"])
    assert paper_tables([partial])[0].rows[-1][1].text == f"{HOSTILE} (partial: without th)"


def test_results_of_other_tasks_alone_are_refused():
    """Without a result on one of the paper's tasks there is nothing to set beside it."""
    with pytest.raises(ResultError, match="The paper has xquad-r and mlqa-r, the results are of demo"):
        paper_tables([made_result(task="demo")])
