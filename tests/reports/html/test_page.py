"""The report as text: what is in it, for which results, and that it is the same each time."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from xlbench.errors import MissingLibraryError
from xlbench.reports.html import render
from xlbench.reports.tables import all_tables
from xlbench.results import load_whole, save
from xlbench.results.shown import number
from xlbench.settings import Setting

pytest_plugins = ["tests.reports.html.made_reports"]


class Page(HTMLParser):
    """The ids, links, captions, heads and texts of a page, and whether its elements are closed as they should be."""

    VOID = ("meta", "input", "br", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.scopes, self.texts = [], [], [], [], []
        self.n_tables = self.n_captions = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [attributes[name] for name in ("href", "src", "xlink:href", "action") if name in attributes]
        self.n_tables += tag == "table"
        self.n_captions += tag == "caption"
        if tag == "th":
            self.scopes.append(attributes.get("scope"))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts but those of the style sheet and the script."""
        return " ".join(" ".join(self.texts).split())


def test_a_page_is_well_formed_and_stands_alone(whole, other, hostile):
    """Elements nest, ids are unique, every link is to an id of the page, and each table has a caption and heads."""
    for results in ([whole], [whole, other], [hostile]):
        page = Page(render(results))
        assert page.open == []
        assert len(page.ids) == len(set(page.ids))
        assert page.links
        assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
        assert page.n_tables == page.n_captions > 5
        assert set(page.scopes) == {"row", "col"}


def test_equal_results_give_equal_bytes(whole, other, tmp_path):
    """Another process writes the same bytes from the saved results, with another seed of hashing."""
    paths = [tmp_path / name / "demo.json" for name in ("a", "b")]
    for path, result in zip(paths, (whole, other), strict=True):
        save(result, path)
    code = (
        "import sys; from pathlib import Path; from xlbench import results; from xlbench.reports.html import render; "
        "sys.stdout.buffer.write(render([results.load_whole(Path(p)) for p in sys.argv[1:]]).encode())"
    )
    command = [sys.executable, "-c", code, *map(str, paths)]
    first = subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": "1", "TZ": "UTC"})
    assert first.stdout.decode() == render([load_whole(path) for path in paths])
    assert re.search(rb"\b20[2-9]\d-\d\d-\d\d", first.stdout) is None


def test_every_number_of_the_grid_is_there(whole):
    """Each cell has its number, the diagonal that of the monolingual setting, the corner the mean."""
    html = render([whole])
    grid = html[html.index('<section id="t1-m1-grid"') : html.index('<section id="t1-m1-bias"')]
    cells = re.findall(r"<td[^>]*>(?:<span>)?([^<]*)", grid.partition("</table>")[0])
    assert len(cells) == 4 * 5 + 5
    expected = [whole.values[Setting(a, b)]["AP"] for a in ("ar", "de", "en", "th") for b in ("ar", "de", "en", "th")]
    shown = [cells[5 * i + j] for i in range(4) for j in range(4)]
    assert [float(text) for text in shown] == pytest.approx(expected, abs=5e-4)
    assert float(cells[-1]) == pytest.approx(whole.summary["cross"]["AP"], abs=5e-4)


def test_the_parts_of_the_loss_add_up(whole):
    """In each row of the attribution, the two losses make the whole one, and with AP in the pool the monolingual AP."""
    html = render([whole])
    part = html[html.index('<section id="t1-m1-attribution"') : html.index('<section id="t1-m1-distances"')]
    rows = [[float(v) for v in re.findall(r'data-v="([^"]+)"', row)] for row in re.findall(r"<tr.*?</tr>", part, re.S)]
    rows = [row for row in rows if row]
    assert len(rows) == 5
    for code, (mono, multi, total, irrelevant, parallel) in zip(("ar", "de", "en", "th"), rows, strict=False):
        assert irrelevant + parallel == pytest.approx(total)
        assert total + multi == pytest.approx(mono)
        assert mono == pytest.approx(whole.values[Setting(code, code)]["AP"])
        assert irrelevant == pytest.approx(whole.values[Setting(code, None)]["IrrelevantLoss"])


def test_provenance_and_the_command_are_shown(whole):
    """Model, revision, arguments, versions, times, and the exact command."""
    text = Page(render([whole])).text
    for shown in (
        "xlbench run --model hash --task 'demo'",
        "dimensions 512",
        "demo, version 2",
        whole.environment["numpy"],
        "encode 1.2 s",
    ):
        assert shown in text
    assert "Copy" not in Page(render([replace(whole, environment={})])).text.split("Provenance")[-1].split("model")[0]


@pytest.mark.parametrize("share", [None, 0.0, 0.4])
def test_time_of_encoding_is_not_that_of_stored_vectors(whole, share):
    """Unless all vectors were made in that run, no time of encoding is shown; the others are."""
    timing = {"encode_s": 1.25, "search_s": 0.5} | ({} if share is None else {"encoded_share": share})
    text = Page(render([replace(whole, timing=timing)])).text
    assert "encode 1.2 s" not in text
    assert "encoded_share" not in text
    assert "search 0.5 s" in text


def test_models_are_compared_with_verdicts(whole, other):
    """Several results of a task have a table of all, verdicts against the first, bars by language and a picture."""
    text = Page(render([whole, other])).text
    assert "hash (dimensions=512)" in text
    assert "hash (dimensions=16)" in text
    assert "▼ worse" in text
    assert "Verdicts are against hash (dimensions=512)" in text
    assert "Models compared" not in Page(render([whole])).text
    same = Page(render([whole, replace(whole, model={**whole.model, "name": "twin"})])).text
    assert "not told apart" in same
    assert "worse" not in same.replace("better or worse", "")


def test_the_overview_has_the_sentences_and_the_values(whole, other, partial):
    """It says which model finds most and what differs for sure, and has a row a model with both means a task."""
    real = [replace(result, task="xquad-r") for result in (whole, other)]
    html = render([whole, other, *real])
    page = Page(html)
    # The task that is no benchmark comes last.
    assert re.findall(r'<h2 id="[^"]*">([^<]*)', html) == ["Overview", "xquad-r, version 2", "demo, version 2"]
    best, poor = "hash (dimensions=512)", "hash (dimensions=16)"
    mono, multi = (number(whole.summary[kind]["AP"], "AP") for kind in ("mono", "multi"))
    said = f"xquad-r: {best} finds most of 2 models: AP {mono} in one language, {multi} in the pool of all languages."
    assert said in page.text
    assert f"xquad-r: against {best}, {poor} is worse in one language (−." in page.text
    overview = html[html.index('<section id="overview"') : html.index('<section id="t1"')]
    heads = re.findall(r"<button type=.button.>([^<]*)", overview)
    assert heads == ["model", "xquad-r mono", "xquad-r multi", "demo mono", "demo multi"]
    table, *heatmaps = overview.split("</table>")[:-1]
    assert re.findall(r'<th scope="row">([^<]*)', table) == [best, poor]
    assert table.count("<td") == 8
    for heatmap in heatmaps:
        shown = re.findall(r"<td[^>]*>(?:<span>)?([^<]*)", heatmap)
        pooled = [whole.values[Setting(code, None)]["AP"] for code in ("ar", "de", "en", "th")]
        assert shown[:5] == [number(value, "AP") for value in [*pooled, whole.summary["multi"]["AP"]]]
        assert heatmap.count('class="ramp"') == 1
    assert len(heatmaps) == 2
    # A part of the task is never the best where there is a whole result.
    assert f"demo: {poor} finds" not in page.text
    assert "demo: hash (result 1): AP" in Page(render([replace(partial), whole])).text.replace("result 2", "result 1")
    twin = replace(whole, model={**whole.model, "name": "twin"})
    assert "demo: against hash, twin cannot be told apart in any mean." in Page(render([whole, twin])).text


def test_results_that_cannot_be_compared_are_shown_with_the_reason(whole, partial, other):
    """A partial result beside whole ones gets no verdict, and the report says why; the others get theirs."""
    reason = "No verdicts: hash (result 1) has all languages of the task, hash (result 2) (partial: without ar, th) is"
    text = Page(render([whole, partial])).text
    assert reason in text
    assert "▼" not in text
    assert "▲" not in text
    text = Page(render([whole, partial, replace(other, model={**other.model, "name": "other"})])).text
    assert reason in text
    assert "▼ worse" in text


def test_a_partial_result_says_so_wherever_it_has_a_mean(partial):
    """The caption of each table and each row of means names the missing languages."""
    html = render([partial])
    captions = re.findall(r'<caption><span class="cap">([^<]*)', html)
    feet = re.findall(r"<tfoot>.*?</tfoot>", html, re.S)
    assert captions
    assert feet
    assert all("partial: without ar, th" in part for part in (*captions, *feet))
    assert html.count('class="note partial"') == 4


@pytest.mark.parametrize("kind", ["mono", "cross", "multi"])
def test_a_result_of_one_kind_of_setting_is_a_page(whole, kind):
    """Parts that a result has no numbers for are left out."""

    chosen = {name: values for name, values in whole.values.items() if name.kind == kind}
    result = replace(
        whole,
        values=chosen,
        queries=dict.fromkeys(chosen, 64),
        summary={kind: whole.summary[kind]},
        intervals={},
        matrices=whole.matrices if kind == "multi" else {},
        alignment={},
        per_query=tuple(scores for scores in whole.per_query if scores.setting in chosen),
    )
    page = Page(render([result, result]))
    assert page.open == []
    assert ("t1-m1-grid" in page.ids) == (kind == "cross")
    assert ("t1-m1-attribution" in page.ids) == (kind == "multi")


def test_a_result_without_scores_is_a_page(whole):
    """A result whose settings have no queries has its provenance at least."""
    empty = replace(
        whole, values={}, queries={Setting("ar", "ar"): 0}, summary={}, intervals={}, matrices={}, alignment={}
    )
    empty = replace(empty, per_query=())
    assert "Provenance" in Page(render([empty])).text


def test_half_a_character_does_not_stop_the_report(whole):
    """A lone surrogate, which JSON lets through, is replaced: the page can be written as UTF-8."""
    odd = replace(whole, model={**whole.model, "name": "odd \ud800 name"})
    for results in ([odd], [odd, whole]):
        html = render(results)
        assert "odd ? name" in html
        html.encode("utf-8")


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_without_its_libraries_the_report_says_what_to_install(monkeypatch, whole, library):
    """The error names the library and the extra."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibraryError, match=rf"{library}, which is not installed: pip install 'xlbench\[html\]'"):
        render([whole])


def test_importing_the_report_imports_no_library():
    """jinja2 and matplotlib are imported when a report is drawn, not before."""
    heavy = {"jinja2", "matplotlib", "pyarrow", "scipy"}
    code = f"import sys, xlbench.reports.html; sys.exit(bool({heavy} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ten_results_are_less_than_a_megabyte(whole, other):
    """The numbers of ten results in eleven languages fit; here ten in four."""
    start = time.process_time()
    html = render([replace(result, task=f"task-{i}") for i in range(5) for result in (whole, other)])
    assert len(html.encode()) < 650_000
    assert time.process_time() - start < 12


def test_the_templates_are_package_data():
    """What the page is made of lies inside the package, where a wheel takes it from."""
    folder = Path(sys.modules["xlbench.reports.html"].__file__).parent / "templates"
    assert {path.name for path in folder.iterdir()} == {
        "blocks.html.jinja",
        "report.html.jinja",
        "script.js",
        "style.css",
    }


def test_the_page_may_ask_for_nothing(whole):
    """Its policy allows what stands in the page itself, and no source on any network."""
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', render([whole]))
    allowed = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
    assert allowed.pop("default-src") == "'none'"
    assert set(allowed.values()) <= {"'none'", "'unsafe-inline'", "data:"}


def test_a_page_shows_every_table_of_the_terminal(whole, other):
    """Each figure of a result's tables stands on its page under the table's title, with the same text."""
    shown = unescape(render([whole, other])).replace("−", "-")
    for result in (whole, other):
        for table in all_tables(result):
            if "alignment of the vectors" in table.title:  # On a page a column of the models' table.
                continue
            assert table.title in shown
            assert all(f">{cell.figure}<" in shown for cells in table.rows for cell in cells if cell.value is not None)
