"""The report in a real browser: it works, shows text as text, can be read everywhere, and asks nothing of a network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xlbench.reports.html import render
from xlbench.settings import Setting

pytest_plugins = ["tests.reports.html.made_reports"]
pytestmark = pytest.mark.browser

# The least contrast of text with what is behind it, over all elements with text of their own (WCAG 2, 1.4.3).
LEAST_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05);
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      // A bar is painted as a picture: it may lie below the text.
      if (at.style.getPropertyValue("--w")) return [paper, style.getPropertyValue("--bar")];
      if (rgba(style.backgroundColor)[3] === 255) return [style.backgroundColor];
    }
    return ["#fff"];
  };
  let least = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest("script, style, .skip") || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), ink = element.closest("svg") ? style.fill : style.color;
    for (const ground of behind(element)) {
      const found = contrast(rgba(ink), rgba(ground));
      if (found < least[0]) least = [found, `${element.outerHTML} ${ink} ${ground}`];
    }
  }
  return least;
}"""


def column(page, table: str, number: int) -> list[str]:
    """The texts of a column of a table's body, without small print."""
    return page.eval_on_selector_all(
        f"{table} tbody tr", f"rows => rows.map(row => row.children[{number}].firstChild.textContent)"
    )


@pytest.mark.parametrize("by", ["click", "keyboard"])
def test_a_table_is_sorted_by_full_values(opened, whole, other, by):
    """A click or a key on a heading sorts by its column, downwards and then upwards, and says so."""
    table = "#t1-m1-languages table >> nth=0"
    with opened(render([whole, other])) as page:
        head = page.locator("#t1-m1-languages table").first.locator("thead th").nth(1)

        def press():
            head.locator("button").click() if by == "click" else head.locator("button").press("Enter")

        press()
        assert head.get_attribute("aria-sort") == "descending"
        table = "#t1-m1-languages .scroll:first-of-type"
        expected = sorted(("ar", "de", "en", "th"), key=lambda code: -whole.values[Setting(code, code)]["AP"])
        assert column(page, table, 0) == expected
        press()
        assert head.get_attribute("aria-sort") == "ascending"
        assert column(page, table, 0) == expected[::-1]
        page.locator(f"{table} thead button").first.click()
        assert column(page, table, 0) == ["ar", "de", "en", "th"]
        assert head.get_attribute("aria-sort") is None
        assert page.locator(f"{table} tfoot th").inner_text() == "mean"


def test_details_of_several_models_are_folded_until_they_are_wanted(opened, whole, other):
    """A press on a heading, a link of the contents and an address open what they lead to."""
    html = render([whole, other])
    with opened(html, folded=True) as page:
        table = page.locator("#t1-m2-languages table").first
        assert page.locator("#overview table").first.is_visible()
        assert page.locator("#t1-models table").first.is_visible()
        assert not table.is_visible()
        page.locator("#t1-m2 > details > summary").click()
        assert table.is_visible()
        page.locator('aside a[href="#t1-m1"]').click()
        page.locator("#t1-m1-languages table").first.wait_for()
    with opened(html, folded=True, at="#t1-m2-languages") as page:
        assert page.locator("#t1-m2-languages table").first.is_visible()
        assert not page.locator("#t1-m1-languages table").first.is_visible()
    with opened(render([whole]), folded=True) as page:
        assert page.locator(".part").count() == 0


def test_the_overview_is_the_first_screen(opened, whole, other):
    """What differs for sure, models by tasks and the picture of mono to multi begin above the fold."""
    real = [replace(result, task="xquad-r") for result in (whole, other)]
    with opened(render([whole, other, *real]), folded=True) as page:
        for what in (".found", "table", "figure svg"):
            box = page.locator(f"#overview {what}").first.bounding_box()
            assert box is not None
            assert box["y"] < 900


def test_the_tables_of_models_fit_a_screen(opened, whole, other):
    """At 1280 pixels nothing of the table of models, or of that on the first screen, is out of sight."""
    with opened(render([whole, other, replace(whole, task="other"), replace(other, task="other")])) as page:
        for part in ("#overview", "#t1-models"):
            widths = page.locator(f"{part} .scroll").evaluate_all("all => all.map(e => [e.scrollWidth, e.clientWidth])")
            assert widths
            assert all(needed <= there for needed, there in widths), (part, widths)


def test_large_numbers_sort_as_numbers(opened, whole):
    """1,234 comes before 99 when the largest are wanted first, and equal texts are told apart by what is not shown."""
    with opened(render([whole])) as page:
        table = "#t1-m1-bias .scroll:last-of-type"
        page.locator(f"{table} thead button", has_text="RankDistance").click()
        shown = [float(text.replace(",", "")) for text in column(page, table, 1)]
        assert shown == sorted(shown, reverse=True)
        full = sorted(
            (whole.values[Setting(code, None)]["RankDistance"] for code in ("ar", "de", "en", "th")), reverse=True
        )
        kept = page.eval_on_selector_all(f"{table} tbody tr", "rows => rows.map(row => Number(row.cells[1].dataset.v))")
        assert kept == pytest.approx(full, rel=1e-9)


def test_the_filter_hides_a_language_everywhere(opened, whole, other):
    """Without a language its rows and columns are gone, means stay, and one press brings all back."""
    with opened(render([whole, other])) as page:
        visible = "cells => cells.filter(cell => cell.offsetParent).map(cell => cell.textContent)"
        rows = page.locator('tr[data-l="th"]')
        assert rows.count() > 8
        page.locator('.filter input[value="th"]').uncheck()
        assert not any(row.is_visible() for row in rows.all())
        heads = page.locator("#t1-m1-grid table").first.locator("thead th").evaluate_all(visible)
        assert heads[1:4] == ["ar", "de", "en"]
        assert heads[4].startswith("mean")
        cells = page.locator("#t1-m1-grid tbody tr").first.locator("> *").evaluate_all(visible)
        assert len(cells) == len(heads)
        assert "3 of 4" in page.locator(".filter [role=status]").inner_text()
        page.locator(".filter button", has_text="all").click()
        assert all(row.is_visible() for row in rows.all())


def test_markup_in_names_stays_text(opened, hostile, hostile_names, whole):
    """Names of models, tasks, languages and arguments are shown as they are; nothing in them runs or loads."""
    with opened(render([hostile, hostile, whole])) as page:
        assert hostile_names[1] in page.title()
        assert hostile_names[1] in page.inner_text("h1")
        assert hostile_names[0] in page.inner_text("main")
        assert page.locator("img, iframe, object, embed, link").count() == 0
        assert page.locator("script").count() == 1
        assert page.locator("[onload], [onerror]").count() == 0
        in_pictures = "\n".join(page.locator("figure svg text").all_text_contents())
        assert hostile_names[0] in in_pictures
        assert hostile_names[2].strip() in in_pictures
        assert hostile_names[2].strip() in page.inner_text("#t1-m1-grid thead")
        assert hostile_names[0] in page.locator("code").first.inner_text()
        page.locator(".filter input").first.uncheck()
        page.locator("thead button").first.click()
    with opened(render([hostile])) as page:
        assert hostile_names[0] in page.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(opened, whole, other, scheme):
    """Every text stands out from what is behind it by 4.5 to 1, by day and by night."""
    with opened(render([whole, other]), scheme=scheme) as page:
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 200) == (scheme == "dark")
        least, where = page.evaluate(LEAST_CONTRAST)
        assert least >= 4.5, where


def test_a_phone_scrolls_tables_and_not_the_page(opened, whole, other, hostile):
    """At 360 pixels the page is no wider than the screen; a wide table scrolls in its own frame."""
    long_name = "x" * 200
    for results in ([whole], [whole, other], [hostile]):
        with opened(render([*results]).replace("hash", long_name), width=360) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")


def test_print_shows_every_table_in_light(opened, whole, other):
    """On paper all tables are there, nothing scrolls, and controls are gone."""
    with opened(render([whole, other]), scheme="dark", folded=True) as page:
        page.emulate_media(media="print")
        assert all(table.is_visible() for table in page.locator("table").all())
        assert page.evaluate(
            "[...document.querySelectorAll('.scroll')].every(e => getComputedStyle(e).overflowX === 'visible')"
        )
        assert not page.locator("aside").is_visible()
        assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')") == "#fff"
        least, where = page.evaluate(LEAST_CONTRAST)
        assert least >= 4.5, where


def test_the_command_is_copied(opened, whole):
    """The button beside the command copies or selects it."""
    with opened(render([whole])) as page:
        button = page.locator(".copy")
        button.click()
        page.wait_for_function("['Copied', 'Selected'].includes(document.querySelector('.copy').textContent)")


def test_a_page_cannot_send_anything(chromium, tmp_path, whole):
    """The page's own policy refuses requests, whatever would make them."""
    (tmp_path / "report.html").write_text(render([whole]), encoding="utf-8")
    page = chromium.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("fetch('data:,x').then(() => 'sent', () => 'refused')") == "refused"
    page.close()
