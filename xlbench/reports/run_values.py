"""The values of a run as tables and as records."""

from __future__ import annotations

import math

from xlbench import measures
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row
from xlbench.reports.formats import Record
from xlbench.trec.score import RunValues


def run_records(run: RunValues, *, per_query: bool) -> list[Record]:
    """One record a number: ``total`` over all queries, ``language``, ``mean`` of the languages, its ends, ``query``."""
    asked = run.asked or (None,) * len(run.queries)
    rows: list[tuple[str, str | None, str | None, str, float]]
    rows = [("total", None, None, measure, value) for measure, value in run.totals.items()]
    rows += [
        ("language", language, None, measure, value)
        for language, means in run.languages.items()
        for measure, value in means.items()
    ]
    rows += [("mean", None, None, measure, value) for measure, value in run.summary.items()]
    rows += [
        (end, None, None, measure, value) for measure, ends in run.references.items() for end, value in ends.items()
    ]
    if per_query:
        rows += [
            ("query", language, query, measure, float(column[i]))
            for i, (language, query) in enumerate(zip(asked, run.queries, strict=True))
            for measure, column in run.values.items()
        ]
    return [
        {
            "of": of,
            "language": language,
            "query": query,
            "measure": measure,
            "value": value if math.isfinite(value) else None,
        }
        for of, language, query, measure, value in rows
    ]


def run_tables(run: RunValues, name: str, *, per_query: bool) -> list[Table]:
    """The means over all queries, those by language with their ends, and if asked for the values of each query."""
    tables = []
    if run.totals:
        rows = tuple(row(measure, _cell(value, measure)) for measure, value in run.totals.items())
        tables.append(Table(f"{name}, {len(run.queries):,} queries", ("measure", "value"), rows))
    if run.languages:
        lines = {**run.languages, "mean": run.summary}
        for end in ("perfect", "random"):
            lines[end] = {measure: ends.get(end, math.nan) for measure, ends in run.references.items()}
        counted = {language: f"{run.asked.count(language):,}" for language in run.languages}
        rows = tuple(
            row(
                line, *(_cell(values.get(measure, math.nan), measure) for measure in run.summary), counted.get(line, "")
            )
            for line, values in lines.items()
        )
        title = f"{name}, by language of the queries, all passages in one pool"
        tables.append(Table(title, ("language", *run.summary, "queries"), rows))
    if per_query:
        rows = tuple(
            row(query, *(_cell(float(column[i]), measure) for measure, column in run.values.items()))
            for i, query in enumerate(run.queries)
        )
        tables.append(Table(f"{name}, by query", ("query", *run.values), rows))
    return tables


def _cell(value: float, measure: str) -> Cell:
    """A cell as trec_eval shows values, and as reports show those of bias."""
    if not math.isfinite(value):
        return EMPTY
    return number_cell(value, measure, decimals=None if measures.of_bias(measure) else 4)
