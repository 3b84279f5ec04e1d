"""What a report is made of: sections of paragraphs, tables and figures, as the template draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECTIONS = (
    "overview",
    "models",
    "tradeoffs",
    "alignment",
    "summary",
    "languages",
    "grid",
    "bias",
    "preference",
    "attribution",
    "distances",
    "bitext",
    "provenance",
)
"""The parts of a page: of all tasks, of the models of a task, and of one model."""


@dataclass(frozen=True)
class Scale:
    """A line from the worst to the best value of a measure, with marks; all positions in per cent from the left."""

    value: float
    low: float
    high: float
    """The ends of the interval."""
    perfect: float
    random: float
    text: str
    """What it shows, for those who do not see it."""


@dataclass(frozen=True)
class Entry:
    """An entry of a table."""

    text: str
    value: float | None = None
    """What the column is sorted by, in full; None for text and for what is not there."""
    note: str = ""
    """Small print below, such as the interval."""
    shade: int | None = None
    """0 to 100, the place of the value on the colour scale of a heatmap."""
    bar: float | None = None
    """0 to 100, the length of a bar behind the number."""
    parts: tuple[float, ...] = ()
    """0 to 100 each, the lengths of the parts of a stacked bar."""
    scale: Scale | None = None
    best: bool = False
    own: bool = False
    """Whether it is on the diagonal of a heatmap."""
    verdict: str = ""
    """A verdict of the comparison, or nothing."""
    letters: str = ""
    """The groups of models that cannot be told apart to which it belongs."""


EMPTY = Entry("")


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    name: str
    note: str = ""
    language: str | None = None
    """The language that the column is of, by which it can be hidden."""
    is_text: bool = False


@dataclass(frozen=True)
class PageRow:
    """A row with its head."""

    name: str
    cells: tuple[Entry, ...]
    language: str | None = None
    note: str = ""
    href: str = ""
    """Where its head leads to."""


@dataclass(frozen=True)
class PageTable:
    """A table; the rows of ``foot`` stay below the others."""

    caption: str
    corner: str
    columns: tuple[Column, ...]
    rows: tuple[PageRow, ...]
    foot: tuple[PageRow, ...] = ()
    kind: str = ""
    """A class of the style sheet: ``heatmap`` and so on."""
    sortable: bool = True
    legend: tuple[str, str] | None = None
    """The numbers at the ends of the colour scale."""
    key: tuple[str, ...] = ()
    """What the parts of stacked bars are."""


@dataclass(frozen=True)
class Figure:
    """A picture as inline SVG, which is trusted: ``charts`` escapes the names in it."""

    svg: str
    caption: str
    kind: str = "figure"


@dataclass(frozen=True)
class HeadFigures:
    """Key figures: name, text and small print."""

    entries: tuple[Entry, ...]
    names: tuple[str, ...]
    note: str = ""
    kind: str = "figures"


@dataclass(frozen=True)
class Facts:
    """A list of names and values, with a command to copy."""

    entries: Mapping[str, str]
    command: str = ""
    kind: str = "facts"


@dataclass(frozen=True)
class Sentences:
    """What is found, a sentence each."""

    texts: tuple[str, ...]
    kind: str = "sentences"


@dataclass(frozen=True)
class Section:
    """A part of a report with a heading."""

    key: str
    """Its id in the page, of our own making."""
    title: str
    how: str = ""
    """How to read it."""
    blocks: Sequence[PageTable | Figure | HeadFigures | Facts | Sentences] = ()
    sections: Sequence[Section] = ()
    warnings: Sequence[str] = ()
    folded: bool = False
    """Whether only the heading is shown until the reader opens it."""
