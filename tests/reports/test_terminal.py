"""Tests of how tables are shown: aligned text in a file, colour and rules on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select

import pytest

from xlbench.reports.tables import Table
from xlbench.reports.terminal import show

TABLE = Table(
    title="A title [of] some length",
    header=("model", "AP", "queries"),
    rows=(("[bold]a/b", ".900", "1,190"), ("c", "", "7"), ("mean", ".900", "1,197")),
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
    wide = Table("Title", ("language", "text", "n"), (("de", "word " * 30, "1,190"),))
    monkeypatch.setenv("COLUMNS", "40")
    shown = on_terminal(wide)
    assert "1,190" in shown
    assert shown.count("word") == 30
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in shown.splitlines()) <= 40
