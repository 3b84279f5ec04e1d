"""What ``xlbench run`` ends with: a picture of each result in a few lines, and one table of all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from xlbench.measures import DISTANCE
from xlbench.reports.cells import Cell, Table, one_line, row, with_best
from xlbench.reports.several_models import Group, grouped
from xlbench.reports.tables import cell_of, kinds_of
from xlbench.reports.words import KIND_TITLES, captioned_of
from xlbench.results import Result
from xlbench.results.shown import drawn, losing_languages, number
from xlbench.settings import KINDS, Kind, Setting

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


def over_all(results: Sequence[Result]) -> Table | None:
    """One row a result, task by task, the best of each task's models marked; None for a single result."""
    if len(results) < 2:
        return None
    kinds = [kind for kind in KINDS if any(kind in result.summary for result in results)]
    with_distance = any(DISTANCE in result.summary.get("multi", {}) for result in results)
    names = [str(result.model["name"]) for result in results]
    groups = grouped(results)
    several = len(groups) < len(results) or len(set(names)) > 1
    rows: list[tuple[Cell, ...]] = []
    for group in groups:
        columns = [_column(group, kind, group.results[0].headline) for kind in kinds]
        columns += [_column(group, "multi", DISTANCE)] if with_distance else []
        for result, label, *cells in zip(group.results, group.labels, *columns, strict=True):
            first = (result.task, label) if several else (captioned_of(result.task, result),)
            rows.append(row(*first, result.headline, *cells))
    header = ("task", *(["model"] if several else []), "measure", *kinds, *([DISTANCE] if with_distance else []))
    return Table("All results" if several else f"{names[0]}: all tasks", header, tuple(rows))


def _column(group: Group, kind: Kind, measure: str) -> tuple[Cell, ...]:
    return with_best([cell_of(result, kind, measure, with_interval=False) for result in group.results], measure)


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
    scale = [f"{name} {number(end, DISTANCE)}" for name, end in ends.items() if end is not None]
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
