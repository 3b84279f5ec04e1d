"""PageTable from any Table: its numbers, rows and headings, with what a page can show beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xlbench.reports.cells import Cell, Table, is_mean
from xlbench.reports.html.parts import Column, Entry, PageRow, PageTable

_OF_LANGUAGES = ("", "language")
"""The heads of columns of languages, whose rows can be hidden."""


def page_table(
    table: Table,
    *,
    caption: str = "",
    notes: Mapping[str, str] | None = None,
    foot_note: str = "",
    kind: str = "",
    sortable: bool = True,
) -> PageTable:
    """A table as a page shows it, means below the other rows.

    ``notes`` are small print by the name of a column or row; ``foot_note`` is that of the means; a ``caption`` stands
    in place of the title.
    """
    notes, of_languages = notes or {}, table.header[0] in _OF_LANGUAGES

    def row(cells: tuple[Cell, ...]) -> PageRow:
        name = cells[0].text
        language = name if of_languages and not is_mean(cells) else None
        note = foot_note if is_mean(cells) else notes.get(name, "")
        return PageRow(name, tuple(map(entry_of, cells[1:])), language, note)

    names = enumerate(table.header[1:], 1)
    return PageTable(
        caption=caption or table.title,
        corner=table.header[0] or "language",
        columns=tuple(
            Column(name.replace("_", " "), notes.get(name, ""), is_text=not table.is_numeric(i)) for i, name in names
        ),
        rows=tuple(row(cells) for cells in table.rows if not is_mean(cells)),
        foot=tuple(row(cells) for cells in table.rows if is_mean(cells)),
        kind=kind,
        sortable=sortable,
    )


def entry_of(cell: Cell) -> Entry:
    """The entry of a cell: the interval is small print, and a minus a true one, which no dash is taken for."""
    figure = cell.figure if cell.value is None else cell.figure.replace("-", "−")
    ends = [end.replace("-", "−") for end in cell.ends]
    # A dash beside a minus is hard to read.
    note = (" to " if any("−" in end for end in ends) else " – ").join(ends)
    return Entry(figure, cell.value, note=note, best=cell.best, verdict=cell.verdict, letters=cell.letters)


def barred(table: PageTable) -> PageTable:
    """The table with a bar behind each number but the means; measures of retrieval are from 0 to 1."""

    def with_bar(entry: Entry) -> Entry:
        return entry if entry.value is None else replace(entry, bar=round(100 * min(max(entry.value, 0.0), 1.0), 1))

    rows = (replace(row, cells=tuple(map(with_bar, row.cells))) for row in table.rows)
    return replace(table, rows=tuple(rows), kind="barred")
