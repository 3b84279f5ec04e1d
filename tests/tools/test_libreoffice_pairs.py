"""The tool that makes pairs of LibreOffice's help pages, on a small tree of pages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from xlbench.training.pairs import read_pairs

TOOL = Path(__file__).parents[2] / "tools" / "build_libreoffice_pairs.py"
LONG = "This paragraph is long enough to be a passage, which takes at least sixty characters."


@pytest.fixture(scope="module")
def tool():
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("build_libreoffice_pairs", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def page(root, language, *parts, name="text/page.html"):
    """Writes a page of headings ``(id, text)`` and paragraphs."""
    tags = [
        f'<h2 id="{part[0]}"><a name="x">{part[1]}</a></h2>'
        if isinstance(part, tuple)
        else f'<p id="p{i}" class="paragraph">{part}</p>'
        for i, part in enumerate(parts)
    ]
    path = root / language / name
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "<p id='before' class='paragraph'>no heading yet</p>" + "".join(tags) + "<p id='q' class='other'>no text</p>"
    path.write_text(f"<html><body>{body}</body></html>", encoding="utf-8")


@pytest.fixture
def tree(tmp_path):
    """English, German and Greek pages; a section is translated into both."""
    page(
        tmp_path,
        "en-US",
        ("t", "Charts"),
        LONG,
        ("h", "Data &amp; <b>ranges</b>:"),
        f"{LONG} Second.",
        "  More \n of it. ",
    )
    page(tmp_path, "de", ("t", "Diagramme"), "Auf Deutsch.", ("h", "Daten:"), "Auch auf Deutsch.", "Mehr.")
    page(tmp_path, "el", ("t", "Διαγράμματα"), "Ελληνικά.", ("h", "Δεδομένα"), "Και αυτά.")
    return tmp_path


def test_a_section_is_a_row_of_its_heading_after_the_title_and_its_text(tree, tool):
    """Tags and white space are left out; the first heading is the page's title."""
    first, second = tool.rows(tree)
    assert first == {
        "id": "text/page#t",
        "queries": {"en": "Charts", "de": "Diagramme", "el": "Διαγράμματα"},
        "passages": {"en": LONG, "de": "Auf Deutsch.", "el": "Ελληνικά."},
    }
    assert second["queries"] == {"en": "Charts: Data & ranges", "de": "Diagramme: Daten", "el": "Διαγράμματα: Δεδομένα"}
    assert second["passages"]["en"] == f"{LONG} Second. More of it."
    assert second["passages"]["de"] == "Auch auf Deutsch. Mehr."


@pytest.mark.parametrize(
    "parts",
    [
        (("t", "Charts"), "Auf Deutsch."),
        (("t", "Diagramme"), LONG),
        (("t", "Diagramme"), f"Auf Deutsch. {LONG}"),
        (("t", "Diagramme"),),
        (("other", "Diagramme"), "Auf Deutsch."),
    ],
    ids=["heading in English", "text in English", "a sentence in English", "no text", "no such heading"],
)
def test_a_language_that_has_not_translated_a_section_is_left_out(tree, tool, parts):
    """A row has the languages in which both heading and text are translated."""
    page(tree, "de", *parts)
    assert next(list(row["queries"]) for row in tool.rows(tree, min_languages=2)) == ["en", "el"]
    assert "text/page#t" not in [row["id"] for row in tool.rows(tree)]


def test_short_and_repeated_sections_are_left_out_and_long_ones_cut(tree, tool):
    """A section of another page with the same heading and text gives no row."""
    for language in ("en-US", "de", "el"):
        own = LONG if language == "en-US" else language
        page(tree, language, ("t", "Charts" if language == "en-US" else own), own, name="text/z.html")
        page(tree, language, ("t", f"{own}?"), "short", name="text/y.html")
        page(tree, language, ("t", f"{own}!"), f"{own} " * 400, name="text/x.html")
    found = {row["id"]: row for row in tool.rows(tree)}
    assert list(found) == ["text/page#t", "text/page#h", "text/x#t"]
    assert len(found["text/x#t"]["passages"]["en"]) == 1200


def test_the_file_can_be_trained_on(tree, tool, monkeypatch, capsys):
    """The command writes a pair file and says how many rows each language has."""
    output = tree / "pairs.jsonl.gz"
    monkeypatch.setattr(sys, "argv", ["build", str(output), "--help-dir", str(tree)])
    tool.main()
    assert [row.id for row in read_pairs(output).rows] == ["text/page#t", "text/page#h"]
    assert capsys.readouterr().out == "2 rows: en 2, de 2, el 2\n"


def test_a_folder_without_pages_is_refused(tmp_path, tool, monkeypatch, capsys):
    """It says that the packages are needed."""
    monkeypatch.setattr(sys, "argv", ["build", str(tmp_path / "x"), "--help-dir", str(tmp_path)])
    with pytest.raises(SystemExit):
        tool.main()
    assert "install the packages" in capsys.readouterr().err
