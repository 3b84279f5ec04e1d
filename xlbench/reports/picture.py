"""What ``xlbench run`` ends with: a picture of each result in a few lines, and one table of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from xlbench.measures import DISTANCE
from xlbench.reports.cells import Table, number_cell, one_line, row
from xlbench.reports.tables import cell_of, kinds_of
from xlbench.reports.words import KIND_TITLES, captioned_of
from xlbench.results import Result
from xlbench.results.shown import drawn, losing_languages, number
from xlbench.settings import KINDS, Setting

_LONGEST_BAR = 40
_SHORTEST_BAR = 8
"""A value of 1 has the longest bar that fits; where not even the shortest does, there are no bars."""


def picture(result: Result, *, width: int, block: str = "█") -> list[str]:
    """The headline of each kind of setting as a bar, the rank distance, and the languages that lose most.

    No line is longer than ``width``, but for a word that is.
    """
    name = captioned_of(f"{result.model['name']} on {result.task}", result)
    drawn_from = f", 95 % intervals {drawn(result)}" if result.intervals else ""
    lines = [f"{name}: {result.headline}{drawn_from}", *_bars(result, width=width, block=block)]
    lines += filter(None, [_distance(result), _losers(result)])
    return [part for line in lines for part in _folded(line, width)]


def over_tasks(results: Sequence[Result]) -> Table | None:
    """One row a result, for those of one model on several tasks; None for a single one."""
    if len(results) < 2:
        return None
    kinds = [kind for kind in KINDS if any(kind in result.summary for result in results)]
    distances = [result.summary.get("multi", {}).get(DISTANCE) for result in results]
    with_distance = any(distance is not None for distance in distances)
    rows = [
        row(
            captioned_of(result.task, result),
            result.headline,
            *(cell_of(result, kind, result.headline, with_interval=False) for kind in kinds),
            *([number_cell(distance, DISTANCE)] if with_distance else []),
        )
        for result, distance in zip(results, distances, strict=True)
    ]
    header = ("task", "measure", *kinds, *([DISTANCE] if with_distance else []))
    return Table(f"{results[0].model['name']}: all tasks", header, tuple(rows))


def _bars(result: Result, *, width: int, block: str) -> list[str]:
    """A line for each kind of setting: its name, the value with its interval, and the bar."""
    kinds = kinds_of(result)
    cells = [cell_of(result, kind, result.headline) for kind in kinds]
    figures = max((len(cell.text) for cell in cells), default=0)
    names = max((len(KIND_TITLES[kind]) for kind in kinds), default=0)
    longest = min(_LONGEST_BAR, width - names - figures - 4)
    scale = longest if longest >= _SHORTEST_BAR else 0
    return [
        f"{KIND_TITLES[kind]:<{names}}  {cell.text:<{figures}}  {block * round(scale * (cell.value or 0.0))}".rstrip()
        for kind, cell in zip(kinds, cells, strict=True)
    ]


def _distance(result: Result) -> str:
    """The rank distance with its interval and its scale, in a sentence; empty without it."""
    cell = cell_of(result, "multi", DISTANCE)
    if not cell.text:
        return ""
    ends = result.references.get(DISTANCE, {})
    scale = [f"{name} {number(end, DISTANCE)}" for name, end in ends.items()]
    return "; ".join(filter(None, [f"{DISTANCE} {cell.text}", ", ".join(scale)]))


def _losers(result: Result) -> str:
    """The languages whose headline falls most in the pool of all languages; empty if none falls."""
    falls = []
    for language, _ in losing_languages(result):
        alone, pooled = (
            number(result.values[Setting(language, passages)][result.headline], result.headline)
            for passages in (language, None)
        )
        falls.append(f"{language} ({alone} to {pooled})")
    return f"Loses most in the pool of all languages: {', '.join(falls)}" if falls else ""


def _folded(line: str, width: int) -> list[str]:
    """The line in parts that are not too long; spaces within it stay."""
    line = one_line(line)
    if len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")
