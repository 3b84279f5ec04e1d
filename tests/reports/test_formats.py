"""Tests of reports as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.reports.made_results import HOSTILE, made_result
from xlbench.reports.cells import EMPTY, Cell, Table, row
from xlbench.reports.formats import as_csv, as_json, markdown, records

RESULT = made_result()


def test_markdown_is_githubs():
    """The title is bold, numbers go right, the best is bold with its mark, and the note stands below."""
    table = Table("A title", ("model", "AP"), (row("a", Cell(".9", 0.9, best=True)), row("b", EMPTY)), "A note.")
    assert markdown([table, table]) == "\n".join(
        2
        * [
            "**A title**\n"
            "\n"
            "| model   |     AP |\n"
            "|---------|--------|\n"
            "| a       | **.9** |\n"
            "| b       |        |\n"
            "\n"
            "A note.\n"
        ]
    )


def test_markdown_escapes_names():
    """Bars, tags, stars and line breaks in a name are text; a row stays one row with its two cells."""
    text = markdown([Table("T", ("model", "n"), (row(HOSTILE, 7),))])
    line = next(line for line in text.splitlines() if "7" in line)
    assert r"=a\_b\|c&amp;d%e\$f\#g{h}\~i^j\\k&lt;script>\[red\]" in line
    assert line.replace(r"\|", "").count("|") == 3
    assert len(text.splitlines()) == 5


def test_there_is_a_record_for_each_number():
    """Every score and every mean of a kind is a record with its interval, in full precision."""
    found = records([RESULT])
    assert len(found) == sum(len(values) for values in [*RESULT.values.values(), *RESULT.summary.values()])
    by_key = {(record["setting"], record["measure"]): record for record in found}
    for name, values in {**RESULT.values, **RESULT.summary}.items():
        for measure, value in values.items():
            record = by_key[str(name), measure]
            assert (record["value"], [record["low"], record["high"]]) == (value, RESULT.intervals[name][measure])
    assert by_key["de>en", "AP"]["kind"] == by_key["cross", "AP"]["kind"] == "cross"
    assert (by_key["de>en", "AP"]["n_rankings"], by_key["cross", "AP"]["n_rankings"]) == (40, 240)
    ends = {(r["perfect"], r["random"]) for r in found if r["measure"] == "RankDistance"}
    assert ends == {(0.0, 1000.0)}
    assert by_key["multi", "AP"]["perfect"] is by_key["multi", "AP"]["random"] is None


def test_json_gives_the_records_back():
    """The JSON is the list of records; no result is an empty list."""
    found = records([RESULT, made_result(HOSTILE, languages=["de", "en"])])
    assert json.loads(as_json(found)) == found
    assert found[-1]["missing_languages"] == ["th"]
    assert json.loads(as_json([])) == []


def test_csv_gives_the_numbers_back():
    """The CSV has the records' keys as header, every digit of a number, and nothing for what is not there."""
    found = records([made_result(languages=["de", "en"], kinds=["mono"])])
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert list(rows[0]) == list(found[0])
    assert [float(row["value"]) for row in rows] == [record["value"] for record in found]
    assert {(row["arguments"], row["missing_languages"], row["n_rankings"]) for row in rows} == {
        ("", "th", "40"),
        ("", "th", "80"),
    }
    assert as_csv([]) == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", HOSTILE])
def test_no_text_in_csv_is_a_formula(name):
    """An apostrophe stands before what a spreadsheet would compute; a negative number stays one."""
    found = records([made_result(name, kinds=["multi"])])
    rows = list(csv.reader(io.StringIO(as_csv([{**found[0], "value": -0.5}]))))
    assert rows[1][0] == f"'{name}"
    assert "-0.5" in rows[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("＝1+1", "'＝1+1"),
        ("＠x", "'＠x"),
        (" =1", "' =1"),
        ("a;=1", "a;'=1"),
        ("a; +1", "a;' +1"),
        ("a;＝1", "a;'＝1"),
        ("a=1; b", "a=1; b"),
        ("e5-small", "e5-small"),
    ],
)
def test_formulas_in_other_forms_are_marked_too(name, expected):
    """In full width, after blanks, and after a semicolon, which separates cells in some countries."""
    assert next(csv.reader(io.StringIO(as_csv([{"x": name}]).partition("\n")[2]))) == [expected]
