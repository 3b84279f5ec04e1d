"""An examination of a task's data as tables and as a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from xlbench.examination import Examination, Lengths, Verdict
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row
from xlbench.reports.formats import Record


def examination_tables(task: str, examined: Examination) -> list[Table]:
    """The sizes of a task's texts, and how its settings stand against chance; none where the data cannot be read."""
    if not examined.sizes:
        return []
    header = ("language", "queries", "passages", "relevant", "in all", "query", "longest", "passage", "longest")
    rows = tuple(
        row(
            size.language,
            size.n_queries,
            size.n_passages,
            _decimal(size.n_own / max(size.n_queries, 1), 1),
            _decimal(size.n_pairs / max(size.n_queries, 1), 1),
            *_lengths(size.queries),
            *_lengths(size.passages),
        )
        for size in examined.sizes
    )
    note = "Relevant passages of a query in its own language, and in all. Median and longest texts, in characters."
    return [Table(f"{task}: texts", header, rows, note), _standings(task, examined.verdicts)]


def _lengths(lengths: Lengths | None) -> tuple[Cell, Cell]:
    if lengths is None:
        return EMPTY, EMPTY
    return Cell(f"{lengths.median:,.0f}", lengths.median), Cell(f"{lengths.longest:,}", lengths.longest)


def _decimal(value: float, decimals: int) -> Cell:
    return number_cell(value, "", decimals=decimals)


def _standings(task: str, verdicts: Sequence[Verdict]) -> Table:
    """One row a language of the queries: how its settings stand, and how many have which verdict."""
    rows = []
    has_cross = any(verdict.setting.kind == "cross" for verdict in verdicts)
    for language in dict.fromkeys(verdict.setting.query for verdict in verdicts):
        mine = [verdict for verdict in verdicts if verdict.setting.query == language]
        mono = [_decimal(verdict.best.standing, 3) for verdict in mine if verdict.setting.kind == "mono"]
        cross = sorted(verdict.best.standing for verdict in mine if verdict.setting.kind == "cross")
        ends = [_decimal(end, 3) for end in (cross[0], cross[-1])] if cross else [EMPTY, EMPTY]
        said = [verdict.said for verdict in mine]
        counts = [said.count("better than chance"), said.count("at chance")]
        rows.append(
            row(
                language,
                max(verdict.best.n_queries for verdict in mine),
                *(mono or [EMPTY]),
                *(ends if has_cross else []),
                *counts,
                len(said) - sum(counts),
            )
        )
    cross_header = ("cross, worst", "cross, best") if has_cross else ()
    header = ("queries", "drawn", "mono", *cross_header, "better than chance", "at chance", "cannot tell")
    models = list(dict.fromkeys(standing.model for verdict in verdicts for standing in verdict.standings))
    note = (
        "Share of random rankings whose first relevant passage comes later: 1 is perfect, .5 is chance. By "
        f"{' or '.join(models)}{', whichever does better' if len(models) > 1 else ''}. Then settings by verdict."
    )
    return Table(f"{task}: ranks against chance", header, tuple(rows), note)


def examination_record(task: str, examined: Examination) -> Record:
    """The examination as it is written to JSON."""
    return {
        "task": task,
        "wrong": examined.is_wrong,
        "findings": [asdict(finding) for finding in examined.findings],
        "languages": [asdict(size) for size in examined.sizes],
        "settings": [
            {
                "setting": str(verdict.setting),
                "verdict": verdict.said,
                "models": [
                    {name: value for name, value in asdict(standing).items() if name != "setting"}
                    for standing in verdict.standings
                ],
            }
            for verdict in examined.verdicts
        ],
    }
