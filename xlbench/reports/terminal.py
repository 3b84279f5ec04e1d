"""Shows tables on a terminal with colour and rules, elsewhere as plain aligned text."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from xlbench.reports.cells import Cell, Table, is_mean, one_line

_WIDTH = 100
_SHORT = 24  # Longer text may be folded.
_FOLDED = 12
_BEST = "* is the best of those compared."


def show(tables: Sequence[Table], file: TextIO | None = None) -> None:
    """Prints tables, with rich on a terminal and with tabulate elsewhere."""
    file = file or sys.stdout
    for table in tables:
        # A dumb terminal shows neither bold nor colour, by which the best would be known.
        if file.isatty() and os.environ.get("TERM") != "dumb":
            _rich(table, file)
        else:
            print(plain(table), file=file)


def _rich(table: Table, file: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i, name in enumerate(map(one_line, table.header)):
        # Text goes left, numbers go right, as whatever follows a row's name is a number or free text.
        numbers = table.is_numeric(i)
        width = max([len(name), *(len(_marked(row[i])) for row in table.rows)])
        whole = numbers or i == 0 or width <= _SHORT
        drawn.add_column(
            escape(name), justify="right" if numbers else "left", no_wrap=whole, min_width=width if whole else _FOLDED
        )
    for row in table.rows:
        style = "bold" if is_mean(row) else None
        # As Text, because a name may look like markup.
        drawn.add_row(*(Text(_marked(cell), style="bold green" if cell.best else "") for cell in row), style=style)
    console = Console(file=file)
    # Not as the table's own title, which would be folded to the table's width.
    console.print(Text(one_line(table.title), style="bold"))
    # Nothing is ever left out: on a terminal that is too narrow, lines run over.
    console.print(drawn, crop=False, no_wrap=False)
    if table.note:
        console.print(Text(one_line(table.note)), end="\n\n")


def plain(table: Table) -> str:
    """A table as aligned text, the best cells with a star before them; ends with a line break."""
    from tabulate import tabulate

    align = ["right" if table.is_numeric(i) else "left" for i in range(len(table.header))]
    body = tabulate(
        [[f"* {_marked(cell)}" if cell.best else _marked(cell) for cell in row] for row in table.rows],
        headers=[one_line(name) for name in table.header],
        tablefmt="simple",
        disable_numparse=True,
        colalign=align if table.rows else None,
    )
    any_best = any(cell.best for row in table.rows for cell in row)
    lines = (wrapped(table.title), body, wrapped(table.note), _BEST if any_best else "")
    return "".join(f"{line}\n" for line in lines if line)


def wrapped(text: str) -> str:
    """A text of one line in lines that are not too long to read."""
    return textwrap.fill(one_line(text), _WIDTH, break_on_hyphens=False, break_long_words=False)


def _marked(cell: Cell) -> str:
    return one_line(cell.text) + cell.mark
