"""Shows tables on a terminal with colour and rules, elsewhere as plain aligned text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from xlbench.reports.tables import Table


def show(tables: Sequence[Table], file: TextIO | None = None) -> None:
    """Prints tables, with rich on a terminal and with tabulate elsewhere."""
    file = file or sys.stdout
    for table in tables:
        if file.isatty():
            _rich(table, file)
        else:
            _plain(table, file)


def _rich(table: Table, file: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    drawn = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i, name in enumerate(table.header):
        # Text goes left, numbers go right, as whatever follows a row's name is a number or free text.
        numbers = all(_is_number(row[i]) for row in table.rows)
        whole = max([len(name), *(len(row[i]) for row in table.rows)]) if numbers or i == 0 else None
        drawn.add_column(
            escape(name), justify="right" if numbers else "left", no_wrap=numbers or i == 0, min_width=whole
        )
    for row in table.rows:
        style = "bold" if row[0] == "mean" else None
        drawn.add_row(*(escape(cell) for cell in row), style=style)
    console = Console(file=file)
    # Not as the table's own title, which would be folded to the table's width.
    console.print(f"[bold]{escape(table.title)}[/bold]", highlight=False)
    # A number is never shortened: on a terminal that is too narrow, lines run over.
    console.print(drawn, crop=False, no_wrap=False)


def _plain(table: Table, file: TextIO) -> None:
    from tabulate import tabulate

    align = ["right" if all(_is_number(row[i]) for row in table.rows) else "left" for i in range(len(table.header))]
    body = tabulate(
        table.rows,
        headers=table.header,
        tablefmt="simple",
        disable_numparse=True,
        colalign=align if table.rows else None,
    )
    print(f"{table.title}\n{body}\n", file=file)


def _is_number(cell: str) -> bool:
    return not cell or cell.replace(",", "").replace(".", "").isdigit()
