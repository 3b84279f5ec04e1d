"""Charts as SVG: what is drawn, in whose colours, and with names as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from xlbench.reports.html import charts

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ElementTree.Element:
    """The parsed picture."""
    return ElementTree.fromstring(svg)


def test_the_distances_have_a_histogram_a_language_and_the_two_marks():
    """Each language is named, and perfect and random are written at their lines."""
    values = {"de": np.array([10.0, 20.0, 3000.0]), "th": np.array([1.0, 1.0])}
    svg = charts.distances(values, key="k", most=3000.0, perfect=10.0, random=1234.5)
    texts = [element.text for element in drawn(svg).iter(f"{SVG}text")]
    assert {"de", "th", "perfect 10", "random 1,234", "1", "10", "100", "1,000"} <= {*texts}
    assert charts.distances(values, key="k", most=3000.0, perfect=None, random=None).count("perfect") == 0


def test_a_dumbbell_goes_from_one_value_to_the_other():
    """Each model is named beside a line with two ends; headings and names are text, whatever they look like."""
    rows = ["xquad-r, AP", charts.Dumbbell("<b>$x$", 0.75, 0.25), charts.Dumbbell("other", 0.5, 0.5)]
    svg = charts.dumbbells(rows, key="k")
    texts = [element.text for element in drawn(svg).iter(f"{SVG}text")]
    assert {"xquad-r, AP", "<b>$x$", "other"} <= {*texts}
    label = drawn(svg).get("aria-label")
    assert label == "From one language to the pool of all languages: 2 models and tasks"
    assert charts.dumbbells(rows, key="k") == svg


def test_equal_numbers_give_equal_bytes():
    """Two drawings are the same, and one with another key differs in its ids only."""
    values = {"de": np.arange(1.0, 50.0)}
    one, two, other = (charts.distances(values, key=k, most=50.0, perfect=9.0, random=20.0) for k in ("a", "a", "b"))
    assert one == two
    assert one != other
    assert re.sub(r"\ba-", "b-", one) == other


def test_colours_and_fonts_are_the_pages():
    """No colour and no font is fixed, so that a page has them by day and by night; nothing is loaded."""
    svg = charts.plane([charts.Point("a", 0.1, 0.2), charts.Point("b", 0.3, 0.2)], key="k", x="x", y="y")
    assert re.findall(r"#[0-9a-f]{6}", svg) == []
    assert "font-family" not in svg
    assert "<style" not in svg
    assert "var(--ink)" in svg
    assert [link for link in re.findall(r'href="([^"]*)"', svg) if not link.startswith("#k-")] == []


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "$\\frac{x$", "]]>&amp;", "日本語 #010101", ' d="1.234567" id="x"']
)
def test_a_name_is_text_whatever_is_in_it(name):
    """Markup, formulas, letters that no font has and what looks like an attribute come out as they went in."""
    svg = charts.plane([charts.Point(name, 0.1, 0.2), charts.Point("b", 0.3, 0.4)], key="k", x="x", y="y")
    assert name in [element.text for element in drawn(svg).iter(f"{SVG}text")]
    svg = charts.distances({name: np.array([3.0])}, key="k", most=10.0, perfect=None, random=None)
    assert name in [element.text for element in drawn(svg).iter(f"{SVG}text")]


def test_names_of_models_at_one_place_do_not_lie_on_each_other():
    """Labels of equal points are moved apart by a line."""
    svg = charts.plane([charts.Point(name, 0.5, 0.5) for name in "abcde"], key="k", x="x", y="y")
    heights = sorted(float(e.get("y")) for e in drawn(svg).iter(f"{SVG}text") if e.text in list("abcde"))
    assert len(heights) == 5
    assert min(np.diff(heights)) > 12
