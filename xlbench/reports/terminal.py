"""Shows tables on a terminal with colour and rules, elsewhere as plain aligned text."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TextIO

from xlbench.reports.cells import Cell, Table, is_mean, one_line

if TYPE_CHECKING:
    from rich.table import Table as RichTable

_WIDTH = 100
_SHORT = 24  # Longer text may be folded.
_FOLDED = 12
_EDGE, _GAP = 1, 2  # Spaces before a drawn table, and beside each column.
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


def width() -> int:
    """How many characters a line of the terminal has, or of what is read elsewhere."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def block() -> str:
    """What a bar is made of: a full block, or a sign that every encoding has."""
    try:
        "█".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#"
    return "█"


def _rich(table: Table, file: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=file)
    # Not as the table's own title, which would be folded to the table's width.
    console.print(Text(one_line(table.title), style="bold"))
    for columns in _that_fit([_column(table, i) for i in range(len(table.header))], console.width):
        # Nothing is ever left out: where not even one column fits beside the first, lines run over.
        console.print(_drawn(table, columns), crop=False, no_wrap=False)
    if table.note:
        console.print(Text(one_line(table.note)), end="\n\n")


class _Column(NamedTuple):
    """How a column is drawn."""

    place: int
    numeric: bool
    """Numbers go right, text goes left: whatever follows a row's name is a number or free text."""
    whole: bool
    """Never folded."""
    width: int
    """The least that it takes."""


def _column(table: Table, index: int) -> _Column:
    width = max([len(one_line(table.header[index])), *(len(_marked(row[index])) for row in table.rows)])
    numeric = table.is_numeric(index)
    whole = numeric or index == 0 or width <= _SHORT
    return _Column(index, numeric, whole, width if whole else _FOLDED)


def _that_fit(columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """The columns in groups that fit beside each other; each begins with the first, which names the rows."""
    if not columns:
        return
    first, *others = columns
    group = [first]
    for column in others:
        if len(group) > 1 and _EDGE + sum(of.width + _GAP for of in [*group, column]) > width:
            yield group
            group = [first]
        group.append(column)
    yield group


def _drawn(table: Table, columns: Sequence[_Column]) -> RichTable:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        drawn.add_column(
            escape(one_line(table.header[column.place])),
            justify="right" if column.numeric else "left",
            no_wrap=column.whole,
            min_width=column.width,
        )
    for row in table.rows:
        cells = [row[column.place] for column in columns]
        # As Text, because a name may look like markup.
        texts = (Text(_marked(cell), style="bold green" if cell.best else "") for cell in cells)
        drawn.add_row(*texts, style="bold" if is_mean(row) else None)
    return drawn


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
