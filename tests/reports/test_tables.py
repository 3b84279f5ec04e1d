"""Tests of cells, of the tables of a result, and of the line that sums it up."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from tests.made_settings import keyed
from tests.reports.made_results import made_result
from xlbench.measures.values import summarise
from xlbench.reports import tables as made
from xlbench.reports import words
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row, with_best
from xlbench.reports.several_models import comparison
from xlbench.reports.tables import all_tables, headline
from xlbench.results import SCHEMA, Result
from xlbench.results.shown import number

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
    schema=SCHEMA,
    task="tiny",
    task_version=2,
    headline="AP",
    missing_languages=[],
    unit="question",
    n_clusters=40,
    data={"queries": "1", "passages": "2", "judgements": "3"},
    model={"name": "owner/name", "revision": "1", "adapter": "hash", "arguments": {}},
    values=keyed(SCORES),
    # Thai has no question in common with English, so that two pairs of languages have no queries.
    queries=keyed(
        dict.fromkeys([*list(SCORES)[:6], "en>th", "de>th", "th>en", *list(SCORES)[6:]], 1000) | {"en>th": 0}
    ),
    summary=summarise(keyed(SCORES)),
    intervals={"mono": {"AP": [0.7, 0.9]}, "multi": {"RankDistance": [400.2, 500.9]}},
    references={"RankDistance": {"perfect": 2.0, "random": 1500.0}},
    matrices={},
    alignment={},
    environment={},
    timing={},
)
# What the pool costs, with losses that add up: .9 - .4 = .3 + .2 and 1 - .6 = -.1 + .5.
ATTRIBUTED_SCORES = {
    "de>de": {"AP": 0.9},
    "en>en": {"AP": 1.0},
    "de>*": {"AP": 0.4, "OneTargetBias": -0.25, "IrrelevantLoss": 0.3, "ParallelLoss": 0.2},
    "en>*": {"AP": 0.6, "OneTargetBias": 0.75, "IrrelevantLoss": -0.1, "ParallelLoss": 0.5},
}
ATTRIBUTED = replace(
    RESULT,
    values=keyed(ATTRIBUTED_SCORES),
    queries=keyed(dict.fromkeys(ATTRIBUTED_SCORES, 10)),
    summary=summarise(keyed(ATTRIBUTED_SCORES)),
    intervals={"multi": {"OneTargetBias": [-0.1, 0.6]}},
    references={"OneTargetBias": {"perfect": 0.0, "random": 0.0}},
    matrices={
        "first_language": {"de": {"de": 1.0, "en": 0.0}, "en": {"de": 0.25, "en": 0.75}},
        # German queries have no English target.
        "one_target": {"de": {"de": 0.5}, "en": {"de": 0.125, "en": 0.875}},
    },
    alignment={
        "parallel_cosine": 0.8125,
        "random_cosine": None,
        "bitext_accuracy": 0.5,
        "bitext": {"de": {"en": 0.25}, "en": {"de": 0.75}},
        "language_variance": 0.125,
        "n_parallel": 7,
    },
)


def of_kinds(result, *kinds):
    """The result with the settings of some kinds only."""
    kept = {name: scores for name, scores in result.values.items() if summarise({name: scores}).keys() <= {*kinds}}
    return replace(result, values=kept, queries=dict.fromkeys(kept, 1000), summary=summarise(kept))


def texts(table):
    """The rows of a table as text."""
    return tuple(tuple(cell.text for cell in cells) for cells in table.rows)


def test_the_summary_has_a_row_a_measure_and_the_headline_first():
    """Kinds of setting are columns; an interval stands behind its value; measures of bias have a table of their own."""
    table = made.summary(RESULT)
    assert table.title == "tiny, summary: means over languages"
    assert table.header == ("measure", "monolingual", "cross-lingual", "multilingual")
    assert texts(table) == (
        ("AP", ".800 [.700, .900]", ".474", ".300"),
        ("R@1", ".667", ".333", ""),
        ("AP@20", "", "", ".233"),
        ("R@10", "", "", ".167"),
        ("R@100", "", "", ".800"),
    )
    assert made.summary(replace(RESULT, headline="R@1")).rows[0][0].text == "R@1"
    assert (table.rows[0][1].value, table.rows[0][1].interval) == (pytest.approx(0.8), (0.7, 0.9))


def test_the_monolingual_table_has_a_row_a_language_and_their_mean():
    """All measures but those of bias are columns, and the number of queries is the last."""
    mono = made.mono(RESULT)
    assert mono.title == "tiny, monolingual: queries of a language, passages of the same language"
    assert mono.header == ("language", "AP", "R@1", "queries")
    assert texts(mono) == (
        ("de", ".900", ".750", "1,000"),
        ("en", "1.000", "1.000", "1,000"),
        ("th", ".500", ".250", "1,000"),
        ("mean", ".800", ".667", "3,000"),
    )


def test_the_cross_lingual_grid_leaves_out_what_is_not_there():
    """Rows are languages of queries, columns those of passages; a pair without queries is empty."""
    grid = made.cross(RESULT)
    assert grid.title == "tiny, cross-lingual: AP, queries down, passages across"
    assert grid.header == ("", "de", "en", "mean of the others")
    assert texts(grid) == (
        ("de", "", ".600", ".600"),
        ("en", ".700", "", ".700"),
        ("th", ".123", "", ".123"),
        ("mean of the others", ".412", ".600", ".474"),
    )


def test_pairs_of_languages_are_listed_where_a_grid_would_be_empty():
    """With the measures across; five languages are each asked in one of five others."""
    values = keyed({f"{a}>eng-{a}": {"AP": 0.5, "R@1": 0.25} for a in ("gle", "ita", "ell", "ara", "deu")})
    other = replace(RESULT, values=values, queries=dict.fromkeys(values, 10), summary=summarise(values))
    listed = made.cross(other)
    assert listed.title == "tiny, cross-lingual: language of the queries > that of the passages"
    assert listed.header == ("setting", "AP", "R@1", "queries")
    assert texts(listed)[0] == ("gle>eng-gle", ".500", ".250", "10")
    assert texts(listed)[-1] == ("mean", ".500", ".250", "50")


def test_the_multilingual_table_has_the_four_measures_of_the_pool():
    """AP, AP@20, R@10 and RankDistance are shown, and no others; RankDistance as a whole number."""
    multi = made.multi(RESULT)
    assert multi.header == ("language", "AP", "AP@20", "R@10", "RankDistance", "queries")
    assert texts(multi)[0] == ("de", ".400", ".300", ".200", "1,234", "1,000")
    assert texts(multi)[-1] == ("mean", ".300", ".233", ".167", "446", "3,000")


def test_the_multilingual_table_of_a_task_with_other_measures_shows_these():
    """Where a task has none of the usual measures, those that it has are shown."""
    values = keyed({"de>*": {"nDCG@10": 0.5}})
    other = replace(RESULT, headline="nDCG@10", values=values, queries=keyed({"de>*": 4}), summary=summarise(values))
    assert made.multi(other).header == ("language", "nDCG@10", "queries")


def test_language_bias_is_placed_between_perfect_and_random():
    """Each measure of bias has its interval, its direction, and what a perfect and a random ranking have."""
    table = made.language_bias(RESULT)
    assert table.header == ("measure", "value", "better", "perfect", "random")
    assert texts(table) == (("RankDistance", "446 [400, 501]", "lower", "2", "1,500"),)
    bias = texts(made.language_bias(ATTRIBUTED))
    assert bias[0] == ("OneTargetBias", ".250 [-.100, .600]", "nearer to .000", ".000", ".000")
    assert bias[1] == ("IrrelevantLoss", ".100", "part of the loss", "", "")
    # A model that finds little has a large distance, but a small bias.
    assert table.note == ""
    assert made.language_bias(ATTRIBUTED).note == "A model that finds little has little bias."


def test_bias_by_language_has_a_row_a_language():
    """The measures of bias are columns; the last row is their mean."""
    table = made.bias_by_language(ATTRIBUTED)
    assert table.header == ("language", "OneTargetBias", "IrrelevantLoss", "ParallelLoss", "queries")
    assert texts(table)[0] == ("de", "-.250", ".300", ".200", "10")
    assert texts(table)[-1] == ("mean", ".250", ".100", ".350", "20")


def test_attribution_adds_up():
    """The loss of each language is the sum of its two causes, and the difference of AP in mono and in multi."""
    table = made.attribution(ATTRIBUTED)
    assert table.header == ("language", "AP mono", "AP multi", "loss", "irrelevant", "parallel")
    assert texts(table) == (
        ("de", ".900", ".400", ".500", ".300", ".200"),
        ("en", "1.000", ".600", ".400", "-.100", ".500"),
        ("mean", ".950", ".500", ".450", ".100", ".350"),
    )
    for cells in table.rows:
        mono, multi, loss, irrelevant, parallel = (cell.value for cell in cells[1:])
        assert loss == pytest.approx(irrelevant + parallel)
        assert loss == pytest.approx(mono - multi)
    assert made.attribution(RESULT) is None


def test_attribution_is_of_the_queries_with_an_answer_in_their_own_language():
    """Where the pool has more queries than the monolingual setting, its AP is that of the same ones: rows add up."""
    values = keyed({**ATTRIBUTED_SCORES, "de>*": {**ATTRIBUTED_SCORES["de>*"], "AP": 0.7}})
    ragged = replace(ATTRIBUTED, values=values, summary=summarise(values))
    assert texts(made.attribution(ragged)) == texts(made.attribution(ATTRIBUTED))
    # Without a monolingual setting it is of all queries.
    pooled = {setting: of_it for setting, of_it in values.items() if setting.kind == "multi"}
    ragged = replace(ragged, values=pooled, summary=summarise(pooled))
    assert texts(made.attribution(ragged))[0] == ("de", "1.200", ".700", ".500", ".300", ".200")


def test_the_preference_matrix_has_the_mean_share_of_each_language():
    """Languages of queries down, of the first-ranked relevant passage across; means leave the diagonal out."""
    table = made.preference(ATTRIBUTED)
    assert table.header == ("", "de", "en", "mean of the others")
    assert texts(table) == (
        ("de", "1.000", ".000", ".000"),
        ("en", ".250", ".750", ".250"),
        ("mean of the others", ".250", ".000", ""),
    )


def test_a_fixed_favourite_is_named():
    """A model that always ranks English first has a fair LPR, but the note below the matrix names English."""
    languages = ("de", "en", "th")
    matrix = {a: {b: float(b == "en") for b in languages} for a in languages}
    result = replace(
        RESULT,
        matrices={"first_language": matrix, "one_target": {a: {"de": 0.25, "en": 0.75, "th": 0.5} for a in languages}},
        references={"LPR": {"random": 1 / 3}},
    )
    expected = "Favourite of other languages' queries: en, first for 1.000 of them (fair: .333)."
    assert made.preference(result).note == expected
    assert made.one_target(result).note == (
        "Favourite of other languages' queries: en, AP .750 (mean of all languages: .500)."
    )
    assert comparison([result, result])[0].rows[0][-1].text == "en 1.000"


def test_direction_says_what_is_lost_there_and_back():
    """Of pairs with queries both ways; a penalty is against the language of the queries alone."""
    table = made.direction_of(RESULT)
    assert texts(table) == (("de>en", ".600", ".700", "-.100", ".300", ".300"),)
    assert table.note.endswith("of 1 pairs.")
    assert made.direction_of(of_kinds(RESULT, "mono")) is None


def test_the_one_target_matrix_comes_with_its_bias():
    """A pair without queries is empty; the bias stands below with its interval."""
    table = made.one_target(ATTRIBUTED)
    assert texts(table) == (
        ("de", ".500", "", ""),
        ("en", ".125", ".875", ".125"),
        ("mean of the others", ".125", "", ""),
    )
    assert table.note == (
        "Own language less others: .250 [-.100, .600]; 0 is no preference for it. "
        "Favourite of other languages' queries: de, AP .125 (mean of all languages: .125)."
    )


def test_alignment_is_a_table_of_measures_and_a_matrix_of_bitext_accuracy():
    """A measure that is not defined is left out; a result without vectors has no such table."""
    measures, bitext = made.alignment(ATTRIBUTED), made.bitext(ATTRIBUTED)
    assert texts(measures) == (
        ("parallel_cosine", ".812"),
        ("bitext_accuracy", ".500"),
        ("language_variance", ".125"),
    )
    assert bitext.header == ("", "de", "en", "mean of the others")
    assert texts(bitext) == (
        ("de", "", ".250", ".250"),
        ("en", ".750", "", ".750"),
        ("mean of the others", ".750", ".250", ".500"),
    )
    assert made.alignment(RESULT) is None
    assert made.bitext(RESULT) is None


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("mono",), ["summary", "monolingual"]),
        (
            ("cross", "multi"),
            [
                "summary",
                "cross-lingual",
                "direction",
                "multilingual",
                "language bias in the pool of all languages",
                "language bias, by language of the queries",
            ],
        ),
        ((), []),
    ],
)
def test_only_the_kinds_that_the_result_has_are_tables(kinds, expected):
    """A result of some kinds of setting has their tables, and those of bias if it has the pool of all languages."""
    found = [table.title.partition(", ")[2].partition(":")[0] for table in all_tables(of_kinds(RESULT, *kinds))]
    assert found == expected


def test_a_whole_result_has_twelve_tables():
    """The summary, a table a kind, direction, bias, attribution, bias by language, two matrices, two of alignment."""
    result = made_result()
    assert len(all_tables(result)) == 12
    assert all(len(cells) == len(table.header) for table in all_tables(result) for cells in table.rows)


def test_the_headline_is_one_line():
    """The headline measure of each kind, and the rank distance."""
    assert headline(RESULT) == (
        "owner/name on tiny: AP monolingual .800, cross-lingual .474, multilingual .300, RankDistance 446"
    )
    assert headline(of_kinds(RESULT, "mono")) == "owner/name on tiny: AP monolingual .800"


def test_a_partial_result_says_so_everywhere():
    """The missing languages stand in each title and at the end of the headline."""
    partial = replace(RESULT, missing_languages=["ar", "zh"])
    assert all(table.title.endswith(" (partial: without ar, zh)") for table in all_tables(partial))
    assert headline(partial).endswith("; partial: without ar, zh")


def test_of_many_missing_languages_some_are_named():
    """A result of one of MIRACL's 18 languages does not fill each title with the names of the others."""
    assert words.partial(["ar", "bn"]) == "partial: without ar, bn"
    assert words.partial([f"l{i}" for i in range(17)]) == "partial: without l0, l1, l2, 14 more languages"
    assert words.partial([]) == ""


@pytest.mark.parametrize(
    ("value", "measure", "shown"),
    [
        (0.0, "AP", ".000"),
        (0.12345, "AP", ".123"),
        (0.9996, "R@1", "1.000"),
        (-0.25, "OneTargetBias", "-.250"),
        (-0.0001, "OneTargetBias", ".000"),
        (-1.5, "OneTargetBias", "-1.500"),
        (10845.8, "RankDistance", "10,846"),
        (0.4, "RankDistance", "0"),
        (47.94, "MaxRankNorm", "47.9"),
        (0.25, "MaxRankNorm", ".2"),
    ],
)
def test_numbers_are_shown_alike(value, measure, shown):
    """Scores have three decimals and no leading zero, ranks no decimals, and nothing is shown as minus zero."""
    assert number(value, measure) == shown


def test_a_cell_carries_its_number():
    """A number's cell has its full value and its interval beside the text; that of None is empty."""
    assert number_cell(0.12345, "AP", interval=[0.1, 0.2]) == Cell(".123 [.100, .200]", 0.12345, (0.1, 0.2))
    assert number_cell(1234.5, "RankDistance", decimals=1) == Cell("1,234.5", 1234.5)
    assert number_cell(None, "AP") is EMPTY
    assert row("a", 1190, EMPTY) == (Cell("a"), Cell("1,190", 1190), Cell(""))


def test_a_column_is_numeric_whatever_its_numbers_look_like():
    """Negative numbers, intervals and empty cells are numbers; one name makes a column of text."""
    table = Table("", ("", "", ""), (row("a", number_cell(-0.1, "AP", interval=[-0.2, 0.0]), "7"), row("b", EMPTY, 7)))
    assert [table.is_numeric(i) for i in range(3)] == [False, True, False]


@pytest.mark.parametrize(
    ("measure", "perfect", "best"),
    [
        ("AP", None, {0.9}),
        ("RankDistance", None, {-0.5}),
        ("OneTargetBias", 0.0, {0.1, -0.1}),
        ("OneTargetBias", 0.85, {0.9}),
        ("OneTargetBias", None, set()),
        ("LPR", 0.85, set()),
        ("IrrelevantLoss", 0.0, set()),
        ("ParallelLoss", None, set()),
    ],
)
def test_the_best_follows_the_direction_of_the_measure(measure, perfect, best):
    """The highest, the lowest or the nearest to perfect is the best, and all that are as good."""
    cells = [EMPTY, *(number_cell(value, measure) for value in (0.9, 0.1, -0.1, -0.5))]
    assert {cell.value for cell in with_best(cells, measure, perfect=perfect) if cell.best} == best


def test_one_value_is_not_the_best():
    """A best needs another to compare with."""
    assert not any(cell.best for cell in with_best([number_cell(0.5, "AP"), EMPTY], "AP"))


def test_tables_are_chosen_by_key():
    """The tables of some keys come in the order asked for; a table that a result has no numbers for is left out."""
    bias, means = made.sections(ATTRIBUTED, ["bias", "summary"])
    assert (bias, means) == (made.language_bias(ATTRIBUTED), made.summary(ATTRIBUTED))
    assert made.sections(replace(ATTRIBUTED, alignment={}), ["bitext"]) == []
    assert all_tables(ATTRIBUTED) == made.sections(ATTRIBUTED, list(made.SECTIONS))


def test_the_unit_of_resampling_is_named_in_one_place():
    """Only ``words`` says in its code what is drawn anew; every other text of a report takes it from there."""
    folder = Path(words.__file__).parent
    others = [path for path in folder.rglob("*.py") if path.name != "words.py"]
    assert [
        (path.name, node.value)
        for path in others
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if not isinstance(statement, ast.Expr)
        for node in ast.iter_child_nodes(statement)
        if isinstance(node, ast.Constant) and "question" in str(node.value) and node.value != "n_questions"
    ] == []
