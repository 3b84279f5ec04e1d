"""Rows of results that differ in one thing, with marks of what is told apart from the first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xlbench.comparison import Comparison, Difference
from xlbench.comparison.outcome import MEAN
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row, with_best
from xlbench.reports.words import captioned_of
from xlbench.results import Result
from xlbench.settings import Kind

Column = tuple[Kind, str]
BETTER, WORSE, OTHER = "+", "-", "*"
_MARK = {"better": BETTER, "worse": WORSE, "higher": OTHER, "lower": OTHER}


@dataclass(frozen=True)
class Variants:
    """Results by name, and the comparison of their means with those of the first."""

    what: str
    """What they differ in, the head of the first column."""
    results: Mapping[str, Result]
    comparison: Comparison
    columns: Mapping[str, Sequence[Cell]]
    """More columns, before the values."""

    @property
    def tested(self) -> str:
        """A sentence on the marks."""
        of = self.comparison
        return (
            f"{BETTER} better and {WORSE} worse than {of.baseline}: paired randomisation test over {of.clusters}, p "
            f"up to {of.alpha:g} after Holm's correction for {of.n_tests} tests."
        )

    def table(self, title: str, wanted: Sequence[Column], note: str, *, intervals: bool) -> Table:
        """A row each, with the values of some measures; the best of a column is marked."""
        shown = [(kind, m) for kind, m in wanted if any(m in r.summary.get(kind, {}) for r in self.results.values())]
        cells = []
        for kind, measure in shown:
            column = [self._cell(name, kind, measure, intervals=intervals) for name in self.results]
            cells.append(with_best(column, measure))
        several = sum(kind != "multi" for kind, _ in shown) > 1
        names = [f"{kind} {measure}" if several or kind != "multi" else measure for kind, measure in shown]
        rows = zip(self.results, *self.columns.values(), *cells, strict=True)
        title = captioned_of(title, next(iter(self.results.values())))
        return Table(title, (self.what, *self.columns, *names), tuple(row(*entries) for entries in rows), note)

    def records(self, **more: Any) -> list[dict[str, Any]]:
        """One record for each mean of each, in full precision, with its test against the first."""
        numbers = []
        for name, result in self.results.items():
            for kind, by_measure in result.summary.items():
                for measure, value in by_measure.items():
                    low, high = result.intervals.get(kind, {}).get(measure, (None, None))
                    d = self._differences.get((name, kind, measure))
                    of_test = (
                        {"difference": d.difference, "p_adjusted": d.p_adjusted, "verdict": d.verdict} if d else {}
                    )
                    numbers.append(
                        {
                            **more,
                            self.what: name,
                            "kind": kind,
                            "measure": measure,
                            "value": value,
                            "low": low,
                            "high": high,
                            **dict.fromkeys(("difference", "p_adjusted", "verdict")),
                            **of_test,
                            "unit": self.comparison.unit,
                            "n_clusters": self.comparison.n_clusters,
                        }
                    )
        return numbers

    def as_json(self, **more: Any) -> str:
        """The records as JSON."""
        return json.dumps(self.records(**more), indent=1, ensure_ascii=False) + "\n"

    def _cell(self, name: str, kind: Kind, measure: str, *, intervals: bool) -> Cell:
        result = self.results[name]
        value = result.summary.get(kind, {}).get(measure)
        if value is None:
            return EMPTY
        ends = result.intervals.get(kind, {}).get(measure) if intervals else None
        cell = number_cell(value, measure, interval=ends)
        d = self._differences.get((name, kind, measure))
        return replace(cell, mark=_MARK.get(d.verdict, ""), verdict=d.verdict) if d else cell

    @property
    def _differences(self) -> dict[tuple[str, Kind, str], Difference]:
        means = [d for d in self.comparison.differences if d.quantity.name == MEAN]
        return {(d.model, d.quantity.kind, d.quantity.measure): d for d in means}


def as_text(variants: Variants, tables: Sequence[Table], form: str, **more: Any) -> str:
    """The tables as text, Markdown or LaTeX, or the records as CSV or JSON."""
    from xlbench.reports.formats import as_csv, markdown
    from xlbench.reports.latex import latex_tables
    from xlbench.reports.terminal import plain

    if form == "json":
        return variants.as_json(**more)
    if form == "csv":
        return as_csv(variants.records(**more))
    if form == "latex":
        return latex_tables(tables)
    return markdown(tables) if form == "markdown" else "\n".join(map(plain, tables))
