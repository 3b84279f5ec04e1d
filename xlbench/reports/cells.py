"""Table and Cell: what every format of a report is made from; a cell knows its number, not only its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xlbench import measures
from xlbench.results.shown import number


@dataclass(frozen=True)
class Cell:
    """One entry of a table."""

    text: str
    """All that is shown, the interval with it."""
    value: float | None = None
    """In full; None for a name and for an empty cell."""
    interval: tuple[float, float] | None = None
    """The lower and the upper end of the 95 % interval."""
    best: bool = False
    """Whether it is the best of those it is compared with."""
    mark: str = ""
    """A sign of significance, shown behind the text."""
    verdict: str = ""
    """That of a comparison with another model, or nothing."""
    letters: str = ""
    """The groups of models that cannot be told apart to which it belongs."""

    @property
    def figure(self) -> str:
        """The text without the interval."""
        return self.text.partition(" [")[0] if self.interval else self.text

    @property
    def ends(self) -> list[str]:
        """The ends of the interval as text; none without one."""
        return self.text.partition(" [")[2].rstrip("]").split(", ") if self.interval else []


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns and the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    """What a reader has to know to read it; shown below."""

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds nothing but numbers and empty cells."""
        return all(row[column].value is not None or not row[column].text for row in self.rows)


EMPTY = Cell("")
MEAN = "mean"
MEAN_OF_OTHERS = "mean of the others"
"""The name of a mean of a matrix, which leaves its diagonal out."""
RHO = "Spearman's rho"


def is_mean(cells: Sequence[Cell]) -> bool:
    """Whether a row is a mean, or a correlation, of those above."""
    return cells[0].text in (MEAN, MEAN_OF_OTHERS, RHO)


def row(*entries: str | int | Cell) -> tuple[Cell, ...]:
    """The cells of a row: text as it is, counts with commas."""
    return tuple(
        entry if isinstance(entry, Cell) else Cell(f"{entry:,}", entry) if isinstance(entry, int) else Cell(entry)
        for entry in entries
    )


def number_cell(
    value: float | None, measure: str, *, interval: Sequence[float] | None = None, decimals: int | None = None
) -> Cell:
    """The cell of a value of a measure, with its interval if there is one; an empty cell for None."""
    if value is None:
        return EMPTY
    shown = number(value, measure, decimals=decimals)
    if interval is None:
        return Cell(shown, value)
    low, high = interval
    ends = [number(end, measure, decimals=decimals) for end in (low, high)]
    return Cell(f"{shown} [{', '.join(ends)}]", value, (low, high))


def one_line(text: str) -> str:
    """The text with a space for each character that would break a line or steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def with_best(cells: Sequence[Cell], measure: str, *, perfect: float | None = None) -> tuple[Cell, ...]:
    """The cells with the best ones marked, by the measure's direction; none where fewer than two have a value.

    ``perfect`` is for a measure whose better values are those nearer to the perfect one: without it there is no best.
    Nor is there one of parts of a loss.
    """
    better = measures.better(measure)
    target = {"higher": float("inf"), "lower": float("-inf"), "nearer": perfect, "neither": None}[better]
    values = [cell.value for cell in cells if cell.value is not None]
    if target is None or len(values) < 2:
        return tuple(cells)
    if better == "nearer":
        least = min(abs(value - target) for value in values)
        best = {value for value in values if abs(value - target) == least}
    else:
        best = {max(values) if better == "higher" else min(values)}
    return tuple(replace(cell, best=cell.value in best) for cell in cells)
