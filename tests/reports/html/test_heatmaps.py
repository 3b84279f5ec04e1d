"""Heatmaps: the place of a value on the scale, the means beside it, and text that can be read on every colour."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from xlbench.reports.cells import Table
from xlbench.reports.html.heatmaps import contrast, ends, heatmap, style_sheet
from xlbench.reports.matrices import cross_lingual
from xlbench.reports.tables import matrix_rows
from xlbench.settings import Setting

pytest_plugins = ["tests.reports.html.made_reports"]
MATRIX = {"ar": {"ar": 1.0, "de": 0.25}, "de": {"ar": 0.0, "de": 0.5, "th": 0.1}}


def table_of(matrix, mean=None):
    """The table of a matrix of AP."""
    header, rows = matrix_rows(matrix, "AP", mean=mean)
    return Table("c", header, tuple(rows))


def test_every_colour_has_text_that_stands_out():
    """Each of the 101 steps has black or white text with a contrast of 4.5 to 1, and steps grow lighter."""
    rules = re.findall(r"\.h(\d+)\{background:#(\w{6});color:#(\w{3})\}", style_sheet())
    assert [int(step) for step, _, _ in rules] == list(range(101))
    lightness = []
    for _, ground, text in rules:
        colour = [int(ground[i : i + 2], 16) for i in (0, 2, 4)]
        assert contrast(colour, [255 if text == "fff" else 0] * 3) >= 4.5
        lightness.append(contrast(colour, (0, 0, 0)))
    assert all(b > a - 0.02 for a, b in pairwise(lightness))
    assert lightness[-1] > lightness[50] > lightness[0]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ((0, 0, 0), (255, 255, 255), 21.0),
        ((255, 255, 255), (255, 255, 255), 1.0),
        ((119, 119, 119), (255, 255, 255), 4.48),
    ],
)
def test_contrast_is_that_of_the_guidelines(one, other, ratio):
    """Golden values: #777 on white has 4.48 to 1 (webaim.org/articles/contrast)."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


def test_values_are_spread_over_the_scale():
    """The least value has the first colour, the greatest the last; one that is not there is empty."""
    table = heatmap(table_of(MATRIX), "AP", spread=ends([MATRIX]))
    assert [[c.shade for c in row.cells] for row in table.rows] == [[100, 25, None, None], [0, 50, 10, None]]
    assert [[c.text for c in row.cells] for row in table.rows] == [
        ["1.000", ".250", "", ".250"],
        [".000", ".500", ".100", ".050"],
    ]
    assert table.legend == (".000", "1.000")
    assert [[c.own for c in row.cells] for row in table.rows] == [
        [True, False, False, False],
        [False, True, False, False],
    ]


def test_means_leave_the_diagonal_out():
    """The means of columns are those of the other languages; the corner is given."""
    table = heatmap(table_of(MATRIX, mean=0.123), "AP", spread=(0, 1))
    assert [c.text for c in table.foot[0].cells] == [".000", ".250", ".100", ".123"]


def test_a_flat_matrix_has_one_colour():
    """Equal values divide by no zero."""
    flat = {"ar": {"ar": 0.5, "de": 0.5}}
    table = heatmap(table_of(flat), "AP", spread=ends([flat]))
    assert [c.shade for c in table.rows[0].cells] == [0, 0, None]
    assert ends([]) == (0.0, 1.0)


def test_the_grid_has_the_monolingual_diagonal(whole):
    """The grid has the headline of all settings but those of the pool of all."""
    grid = cross_lingual(replace(whole, headline="R@10"), diagonal=True)
    assert list(grid) == ["ar", "de", "en", "th"]
    assert grid["de"]["de"] == whole.values[Setting.of("de>de")]["R@10"]
    assert grid["de"]["th"] == whole.values[Setting.of("de>th")]["R@10"]
    assert set(grid["de"]) == {"ar", "de", "en", "th"}
    assert set(cross_lingual(whole, diagonal=False)["de"]) == {"ar", "en", "th"}
