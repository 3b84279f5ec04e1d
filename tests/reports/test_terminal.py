"""Tests of how tables are shown: aligned text in a file, colour and rules on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import sys

import pytest

from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row
from xlbench.reports.terminal import block, plain, show, wrapped

TABLE = Table(
    title="A title [of] some length",
    header=("model", "AP", "queries"),
    rows=(row("[bold]a/b", Cell(".900", 0.9), 1190), row("c", EMPTY, 7), row("mean", Cell(".900", 0.9), 1197)),
)


def on_terminal(*tables: Table) -> str:
    """What a pseudo-terminal gets."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as file:
        show(tables, file)
        file.flush()
        shown = b""
        while select.select([master], [], [], 0.2)[0]:  # One read need not give all of it.
            shown += os.read(master, 1 << 16)
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture(autouse=True)
def colours(monkeypatch):
    """A terminal of 80 columns that can show colours, whatever the tests run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_file_gets_aligned_text():
    """Elsewhere than on a terminal a table is plain text, numbers to the right, as it is written."""
    file = io.StringIO()
    show([TABLE, TABLE], file)
    assert file.getvalue() == 2 * (
        "A title [of] some length\n"
        "model        AP    queries\n"
        "---------  ----  ---------\n"
        "[bold]a/b  .900      1,190\n"
        "c                        7\n"
        "mean       .900      1,197\n"
        "\n"
    )


def test_a_file_gets_a_table_without_rows():
    """A table that has no rows is its title and its header."""
    file = io.StringIO()
    show([Table("Empty", ("a", "b"), ())], file)
    assert file.getvalue().splitlines()[:2] == ["Empty", "a    b"]


def test_standard_output_is_the_default(capsys):
    """Without a file, tables go to standard output."""
    show([TABLE])
    assert capsys.readouterr().out.startswith("A title [of] some length\nmodel ")


def test_a_terminal_gets_rules_and_a_bold_title_and_mean():
    """On a terminal the title and the mean are bold; brackets in names are no markup."""
    shown = on_terminal(TABLE)
    assert "\x1b[1mA title [of] some length\x1b[0m" in shown
    assert re.search(r"\x1b\[1m ?mean", shown)
    assert "[bold]a/b" in shown
    assert "──────" in shown


def test_a_terminal_gets_the_same_cells_as_a_file():
    """Both ways show the same words in the same order."""
    file = io.StringIO()
    show([TABLE], file)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(TABLE))
    assert re.sub(r"─", "", plain).split() == re.sub(r"-{3,}", "", file.getvalue()).split()


def test_a_narrow_terminal_keeps_numbers_whole(monkeypatch):
    """Long text is folded where a terminal is narrow, numbers are not."""
    wide = Table("Title", ("language", "text", "n"), (row("de", "word " * 30, 1190),))
    monkeypatch.setenv("COLUMNS", "40")
    shown = on_terminal(wide)
    assert "1,190" in shown
    assert shown.count("word") == 30
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= 40


def test_a_narrow_terminal_leaves_no_column_out(monkeypatch):
    """Short text, such as a verdict, is whole: on a terminal that is too narrow lines run over."""
    table = Table("T", ("language", *"abcd", "verdict"), (row("de", 1190, 1190, 1190, 1190, "cannot be told apart"),))
    monkeypatch.setenv("COLUMNS", "30")
    assert "cannot be told apart" in on_terminal(table)


def test_a_dumb_terminal_gets_plain_text(monkeypatch):
    """Where there is neither bold nor colour, the best has a star."""
    monkeypatch.setenv("TERM", "dumb")
    assert on_terminal(BEST) == f"{plain(BEST)}\n"


def test_negative_numbers_and_intervals_go_right():
    """A column of numbers is aligned to the right whatever its numbers look like, a column of text to the left."""
    cells = (number_cell(-0.25, "OneTargetBias"), number_cell(0.5, "AP", interval=[0.25, 0.75]))
    table = Table("T", ("a", "bias", "AP", "text"), (row("x", *cells, "7"), row("y", EMPTY, EMPTY, "long")))
    assert plain(table).splitlines()[1:4] == [
        "a      bias                 AP  text",
        "---  ------  -----------------  ------",
        "x     -.250  .500 [.250, .750]  7",
    ]


BEST = Table(
    "T", ("model", "AP"), (row("a", Cell(".9", 0.9, best=True, mark="†")), row("b", Cell(".8", 0.8))), "A note."
)


def test_the_best_has_a_star_in_a_file():
    """A star stands before the best, a mark behind the number; what they mean and the note stand below."""
    assert plain(BEST) == (
        "T\nmodel       AP\n-------  -----\na        * .9†\nb           .8\nA note.\n* is the best of those compared.\n"
    )


def test_the_best_is_bold_and_green_on_a_terminal():
    """On a terminal no star is needed; the note stands below."""
    shown = on_terminal(BEST)
    assert "\x1b[1;32m.9†\x1b[0m" in shown
    assert "*" not in shown
    assert "A note." in shown


@pytest.mark.parametrize("hostile", ["[red]a[/red]", "a\nb", "a\x1b[2Jb", "a\r\tb", "a|b", "<script>", "[/]"])
def test_names_are_text_and_stay_on_their_line(hostile):
    """Markup is shown as it is; nothing in a name breaks a line or steers the terminal."""
    table = Table(f"T {hostile}", (f"head {hostile}", "n"), (row(hostile, 1),), f"Note {hostile}")
    harmless = "".join(c if c.isprintable() else " " for c in hostile)
    assert len(plain(table).splitlines()) == 5
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(table))
    assert "\x1b" not in shown
    for text in (plain(table), shown):
        assert text.count(harmless) == 4


def test_an_address_stays_whole():
    """Text is broken into lines between words, never within one that is longer than a line."""
    address = f"https://example.org/{'x' * 200}"
    assert wrapped(f"It is at {address} now.").splitlines() == ["It is at", address, "now."]


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_a_row_never_wraps_within_a_narrow_grid(monkeypatch, columns):
    """A wide matrix is shown in groups of columns that fit, each with the names of the rows; all cells are there."""
    names = [f"l{i:02}" for i in range(30)]
    wide = Table("T", ("query", *names), tuple(row(name, *(Cell(".123", 0.123) for _ in names)) for name in names))
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in on_terminal(wide).splitlines()]
    assert max(map(len, lines)) <= columns
    headers = [line.split() for line in lines if line.split()[:1] == ["query"]]
    assert [name for header in headers for name in header[1:]] == names
    assert sum(line.count(".123") for line in lines) == 30 * 30
    assert all(".123" in line for line in lines if line.startswith(" l"))


def test_a_bar_is_made_of_what_the_encoding_has(monkeypatch):
    """Where standard output cannot hold a full block, bars are made of another sign."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert block() == "#"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert block() == "█"
