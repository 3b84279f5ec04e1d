"""The site in a real browser: it works by mouse and keyboard, can be read by all, and asks nothing of another host."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.leaderboard.made_sites import checked, column, several, sound, submission
from xlbench.leaderboard.site import build
from xlbench.reports.cells import number_cell
from xlbench.reports.html.page_tables import entry_of
from xlbench.settings import Setting

pytestmark = pytest.mark.browser


def names(page):
    """The models on the board, in its order."""
    return list(column(page, "name"))


def test_the_board_shows_ranks_values_and_levels(opened, site):
    """A row has its rank, the means as reports show them with intervals below, and how far it was checked."""
    with opened(site) as page:
        assert names(page) == ["beta", "alpha", "gamma"]
        assert column(page, "rank") == ["1", "(2)", "(3)"]
        summary, ends = several()[2].result.summary, several()[2].result.intervals["multi"]["AP"]
        assert column(page, "c2")[0] == f"{summary['multi']['AP']:.3f}".removeprefix("0")
        assert column(page, "c3")[0] == f"{summary['multi']['RankDistance']:,.0f}"
        shown = " – ".join(f"{end:.3f}".removeprefix("0") for end in ends)
        assert page.locator(".board tbody .c2 small").first.inner_text() == shown
        assert page.locator(".badge").all_inner_texts() == ["deep-verified", "verified", "verified"]
        assert "trained on evaluation data" in page.locator(".board tbody tr").nth(2).inner_text()
        page.locator("form.controls label", has_text="monolingual").click()
        assert column(page, "rank") == ["(1)", "1", "(3)"]
        assert names(page) == ["alpha", "beta", "gamma"]


def test_numbers_are_written_as_in_reports(opened, site):
    """The browser writes each number as the HTML report does, the last digit of a half and the sign of zero too."""
    values = [0.0, 1.0, 0.5625, 0.0625, 0.1875, 0.9996, -0.0004, -0.25, 1.5, 2.5, 1234.5, 12345.678, -1e-9]
    with opened(site) as page:
        for measure in ("AP", "RankDistance", "LPR"):
            found = page.evaluate("([values, m]) => values.map(value => site.number(value, m))", [values, measure])
            assert found == [entry_of(number_cell(value, measure)).text for value in values]


def test_reported_rows_stand_apart(opened, site):
    """A submission that was not checked is below the board, without a rank, and in no sorting of it."""
    with opened(site) as page:
        assert "omega" not in names(page)
        assert page.locator("#reported tbody th").all_inner_texts() == ["omega"]
        assert "as here" in page.locator("#reported tbody td").all_inner_texts()
        page.select_option("select[name=task]", label="uneven, version 1")
        assert page.locator("#reported").is_hidden()


@pytest.mark.parametrize("by", ["click", "keyboard"])
def test_the_board_is_sorted_by_a_heading(opened, site, by):
    """A click or a key on a heading sorts by its column and says so; what is not there is last both ways."""
    with opened(site) as page:
        for name, direction, order in (
            ("size", "ascending", ["beta", "alpha", "gamma"]),
            ("size", "descending", ["alpha", "beta", "gamma"]),
            ("RankDistance", "ascending", ["beta", "alpha", "gamma"]),
        ):
            head = page.locator(".board thead th", has_text=name)
            if by == "click":
                head.click()
            else:
                head.get_by_role("button", name=name).press("Enter")
            page.locator(f".board thead th[aria-sort={direction}]", has_text=name).wait_for()
            assert names(page) == order


def test_filters_leave_what_fits(opened, site):
    """A filter leaves the rows that fit in the table and in the picture, and says how many these are."""
    with opened(site) as page:
        for control, choice, left in (
            ("size", "over 1 B", ["alpha"]),
            ("size", "50 to 200 M", ["beta"]),
            ("size", "without parameters", ["gamma"]),
            ("licence", "Apache-2.0", ["alpha"]),
            ("level", "deep-verified", ["beta"]),
            ("search", "the <b>lab</b>", ["gamma"]),
            ("search", "alp", ["alpha"]),
            ("search", "nothing of the kind", []),
        ):
            page.locator("form.controls button", has_text="Reset").click()
            if control == "search":
                page.fill("input[name=search]", choice)
            else:
                page.select_option(f"select[name={control}]", label=choice)
            assert names(page) == left
            assert page.inner_text("#count") == f"{len(left)} of 3"
            assert page.locator("#plane circle").count() == len(left)
        assert "No model fits." in page.inner_text(".board")


def test_a_language_shows_its_own_values_without_ranks(opened, site):
    """With a language of the queries, all means are of its queries, and no rank is claimed."""
    with opened(site) as page:
        page.select_option("select[name=language]", "th")
        by_key = {each.folder.parent.name: each.result for each in several() if each.folder.name == "made"}
        order = sorted(("alpha", "beta", "gamma"), key=lambda key: -by_key[key].values[Setting("th", None)]["AP"])
        assert names(page) == order
        assert column(page, "c2") == [
            f"{by_key[key].values[Setting('th', None)]['AP']:.3f}".removeprefix("0") for key in order
        ]
        crossed = [
            np.mean([by_key[key].values[Setting("th", pool)]["AP"] for pool in ("ar", "de", "en")]) for key in order
        ]
        assert column(page, "c1") == [f"{value:.3f}".removeprefix("0") for value in crossed]
        assert set(column(page, "rank")) == {"–"}


def test_the_address_keeps_the_view(opened, chromium, site):
    """A copied address shows the same filters, order and rows; a reset has all again, and an empty address."""
    with opened(site) as page:
        page.select_option("select[name=language]", "de")
        page.locator("form.controls label", has_text="monolingual").click()
        page.fill("input[name=search]", "a")
        page.locator(".board thead th", has_text="LPR").click()
        page.wait_for_selector(".board thead th[aria-sort=ascending]:has-text('LPR')")
        shown, address = page.inner_text(".board"), page.url
        other = chromium.new_page(viewport={"width": 1280, "height": 900})
        other.goto(address)
        assert other.inner_text(".board") == shown
        assert other.input_value("select[name=language]") == "de"
        assert other.input_value("input[name=search]") == "a"
        assert other.locator(".board thead th", has_text="LPR").get_attribute("aria-sort") == "ascending"
        other.close()
        page.locator("form.controls button", has_text="Reset").click()
        assert page.url.rstrip("#").endswith("index.html")
        assert page.inner_text("#count") == "3 of 3"
    with opened(site, "index.html#task=none&setting=x&language=%3Cb%3E&size=9&sort=c9:up&licence=__proto__") as page:
        assert names(page) == ["beta", "alpha", "gamma"]


def test_the_picture_has_the_models(opened, site):
    """Each model is a circle at its place, the larger the further its answers are apart, and leads to its page."""
    with opened(site) as page:
        circles = page.locator("#plane a").evaluate_all(
            "links => links.map(a => { const c = a.querySelector('circle'); return [a.getAttribute('href'),"
            " ...['cx', 'cy', 'r'].map(name => Number(c.getAttribute(name)))]; })"
        )
        at = {href.removeprefix("models/").removesuffix(".html"): place for href, *place in circles}
        assert set(at) == {"alpha", "beta", "gamma"}
        assert at["gamma"][0] < at["beta"][0] < at["alpha"][0]
        assert at["beta"][1] < at["alpha"][1] < at["gamma"][1]
        assert at["beta"][2] < at["alpha"][2] < at["gamma"][2]
        page.locator("#plane a[href='models/gamma.html'] circle").click()
        page.wait_for_url("**/models/gamma.html")
        assert page.inner_text("h1") == "gamma"


def test_models_are_chosen_to_compare(opened, site):
    """Two boxes or more are ticked; the link leads to the comparison of the others with the first of them."""
    with opened(site) as page:
        boxes = page.locator(".board input[type=checkbox]")
        boxes.nth(0).check()
        assert "Choose another model" in page.inner_text("#chosen")
        assert page.locator("#chosen a").count() == 0
        boxes.nth(2).check()
        assert page.inner_text("#chosen") == "Compare the 2 chosen models"
        boxes.nth(1).check()
        page.locator("#chosen a", has_text="Compare the 3 chosen models").click()
        page.wait_for_url("**/compare.html#**")
        assert page.input_value("select[name=a]") == "beta"
        assert page.locator("select[name=b]").evaluate_all("all => all.map(each => each.value)") == ["gamma", "alpha"]
        page.wait_for_selector("#side")


def test_all_models_on_all_tasks(opened, site):
    """One row a model has its means and ranks of each task, sorts by them, and its name leads to its page."""
    with opened(site) as page:
        heads = page.locator("#all thead th").all_inner_texts()
        assert [head.split("\n")[0].strip() for head in heads] == [
            "model", "made monolingual", "made multilingual", "uneven monolingual", "uneven multilingual"
        ]  # fmt: skip
        rows = page.locator("#all tbody tr")
        assert rows.locator("th a").all_inner_texts() == ["beta", "alpha", "gamma", "omega"]
        beta = several()[2].result.summary
        cells = rows.first.locator("td").all_inner_texts()
        assert cells[1].split() == [f"{beta['multi']['AP']:.3f}".removeprefix("0"), "rank", "1"]
        assert rows.nth(3).locator("td").all_inner_texts()[1:] == [cells_of_omega(), "", ""]
        page.locator("#all thead button", has_text="made monolingual").click()
        assert rows.locator("th a").all_inner_texts() == ["alpha", "beta", "gamma", "omega"]
        rows.nth(2).locator("a").click()
        page.wait_for_url("**/models/gamma.html")


def cells_of_omega():
    """What the table of all tasks has of the model that was not checked."""
    return f"{several()[5].result.summary['multi']['AP']:.3f}".removeprefix("0") + "\nno rank"


def test_pictures_are_of_the_task_that_is_shown(opened, site):
    """The heatmap has the models' values by language of the queries, with its scale; another task has its own."""
    with opened(site) as page:
        visible = page.locator(".of-task:visible")
        assert visible.count() == 1
        heads = visible.locator(".heatmap thead th").all_inner_texts()
        assert heads == ["model ↓ query →", "ar", "de", "en", "th", "mean"]
        beta = several()[2].result.values
        first = visible.locator(".heatmap tbody tr").first.locator("td").all_inner_texts()
        assert first[:4] == [f"{beta[Setting(code, None)]['AP']:.3f}".removeprefix("0") for code in heads[1:5]]
        values = [each.result.values[Setting(code, None)]["AP"] for each in made() for code in heads[1:5]]
        ends = visible.locator(".legend span").all_inner_texts()
        assert [ends[0], ends[-1]] == [f"{end:.3f}".removeprefix("0") for end in (min(values), max(values))]
        assert "beta" in visible.locator("figure svg text").all_text_contents()
        page.select_option("select[name=task]", label="uneven, version 1")
        assert page.locator(".of-task:visible").get_attribute("data-task") == "uneven@1"


def made():
    """The submissions on the first task."""
    return [each for each in several() if each.result.task == "made"]


def test_measures_are_explained_where_they_stand(opened, site):
    """A heading says its unit and which values are better; LPR, of which neither are, is not sorted from the most."""
    with opened(site) as page:
        heads = page.locator(".board thead th")
        for name, said in (
            ("multilingual AP", "0 to 1; higher is better"),
            ("RankDistance", "ranks; lower is better"),
            ("LPR", "share of queries; neither is better"),
        ):
            assert said in heads.filter(has_text=name).inner_text().replace("\n", " ")
        assert "trec_eval" in heads.filter(has_text="multilingual AP").get_attribute("title")
        heads.filter(has_text="LPR").click()
        page.wait_for_selector(".board thead th[aria-sort=ascending]:has-text('LPR')")
        shares = [float(text) for text in column(page, "c4")]
        assert shares == sorted(shares)


def test_baselines_are_marked(opened, tmp_path):
    """A model that knows nothing of meaning is said to be a baseline, in tables and pictures."""
    simple = submission("simple", 1.0)
    simple = replace(simple, result=replace(simple.result, model={**simple.result.model, "adapter": "hash"}))
    build([checked()[0], sound(simple)], tmp_path / "site")
    with opened(tmp_path / "site") as page:
        for table in ("#all", ".board", ".heatmap"):
            marked = page.locator(f"{table} tbody th", has_text="baseline")
            assert marked.locator("a").all_inner_texts() == ["simple"]
        assert page.locator("#plane circle.baseline").count() == 1
        assert "simple (baseline)" in page.locator(".of-task figure svg text").all_text_contents()


def test_a_phone_shows_the_column_that_is_ranked_by(opened, site):
    """At 360 pixels filters are folded and the board has the column it is ranked by; a press shows all."""
    with opened(site, width=360) as page:
        shown = page.locator(".board thead th:visible")
        heads = [text.split("\n")[0] for text in shown.all_inner_texts()]
        assert heads == ["rank", "model", "multilingual AP", "compare"]
        page.locator("form.controls label", has_text="monolingual").click()
        assert "monolingual AP" in shown.nth(2).inner_text()
        page.click("#columns")
        assert shown.count() == 12
        page.click("#columns")
        assert shown.count() == 4
        assert not page.locator("select[name=size]").is_visible()
        page.locator(".more summary").click()
        page.select_option("select[name=size]", label="over 1 B")
        assert page.inner_text(".more summary") == "Filters (1)"
        assert names(page) == ["alpha"]
    with opened(site, "index.html#sort=size:asc", width=360) as page:
        assert page.locator(".board thead th:visible", has_text="size").count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
@pytest.mark.parametrize(
    "path", ["index.html", "compare.html", "compare.html#a=alpha&b=beta,gamma", "models/alpha.html"]
)
def test_axe_finds_nothing(opened, picture, site, path, width, scheme):
    """axe-core finds no violation, by day and by night, on screen and phone, where nothing is too wide either."""
    from axe_playwright_python.sync_playwright import Axe

    with opened(site, path, width=width, scheme=scheme) as page:
        if path.startswith("compare"):
            page.wait_for_selector("#found table")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 200) == (scheme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        name = path.replace(".html", "").replace("/", "-").partition("#")
        picture(page, f"{name[0]}{'-several' if name[1] else ''}-{width}-{scheme}")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]] == []


def test_hostile_texts_are_shown_as_text(opened, tmp_path):
    """Markup in every text of a submission is shown as it is; nothing in it runs, loads or leads anywhere."""
    text = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    made = submission(
        text, 1.0, key="evil", licence=text, submitter=text, hardware=text, training_data=text, command=text
    )
    made = replace(made, result=replace(made.result, environment={"command": text, text: {text: [text]}}))
    build([sound(made), sound(submission("other", 2.0))], tmp_path / "site")
    for path in ("index.html", "compare.html#a=other&b=evil", "models/evil.html"):
        with opened(tmp_path / "site", path) as page:
            if path.startswith("compare"):
                page.wait_for_selector("#found table")
                assert text in page.inner_text(".state")
            assert page.locator("img, iframe, object, embed").count() == 0
            assert page.locator("[onerror], [onload]").count() == 0
            assert text in page.inner_text("main") or text in page.inner_text("h1")


def test_a_site_opened_from_a_folder_has_its_tables(chromium, site):
    """Without any server the board and the models' pages are there, and the page that compares says what it needs."""
    page = chromium.new_page()
    page.goto((site / "index.html").as_uri())
    assert names(page) == ["beta", "alpha", "gamma"]
    page.goto((site / "compare.html").as_uri())
    assert "xlbench leaderboard serve" in page.inner_text(".state")
    page.close()


def test_five_hundred_models_are_there_at_once(opened, tmp_path, monkeypatch):
    """Of 500 models on two tasks the first view has a hundred, and the others are a click away."""
    monkeypatch.setattr(
        sys.modules["xlbench.leaderboard.site.build"], "pair", lambda *_: b"{}"
    )  # It is not the page that compares.
    rng = np.random.default_rng(0)
    many = [replace(each, extracted=replace(each.extracted, html="")) for each in checked()[:2]]

    def renamed(each, number):
        row = each.extracted.row
        value = row.contributions.value + rng.normal(0, 0.001)
        shown = replace(
            row,
            key=f"m{number:03}",
            model={**row.model, "name": f"lab/model-{number:03}"},
            contributions=replace(row.contributions, value=value),
        )
        folder = Path(shown.key) / shown.folder
        return replace(each, folder=folder, extracted=replace(each.extracted, row=shown))

    build((renamed(each, number) for number in range(500) for each in many), tmp_path / "site")
    with opened(tmp_path / "site") as page:
        page.wait_for_selector(".board tbody .name")
        assert page.inner_text("#count") == "500 of 500"
        assert page.locator(".board tbody tr").count() == 100
    with opened(tmp_path / "site") as page:
        page.locator(".dt-paging-button", has_text="5").click()
        assert page.locator(".board tbody tr").count() == 100
