"""Tables of remedies: what each does to the ranking, and what it asks of an index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from xlbench.comparison import Difference
from xlbench.comparison.outcome import MEAN
from xlbench.measures import FIRST_PLACES, IN_THE_POOL, PRECISION, TARGETS
from xlbench.remedies import Remedies, Remedy
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row, with_best
from xlbench.settings import Kind

Column = tuple[Kind, str]

_EFFECTS: tuple[Column, ...] = (("mono", PRECISION), *(("multi", measure) for measure in IN_THE_POOL))
_BETTER, _WORSE, _OTHER = "+", "-", "*"
_MARK = {"better": _BETTER, "worse": _WORSE, "higher": _OTHER, "lower": _OTHER}


def remedy_tables(found: Remedies, task: str, *, intervals: bool = False) -> list[Table]:
    """What each remedy does, the first place in four, and what each asks for."""
    compared = found.comparison
    effect = (
        f"{_BETTER} better and {_WORSE} worse than {compared.baseline}: paired randomisation test over "
        f"{compared.clusters}, p up to {compared.alpha:g} after Holm's correction for {compared.n_tests} tests. "
        f"{TARGETS[0]} and {TARGETS[1]}: AP if an answer exists in one language only, the query's own or another."
    )
    first = (
        "Shares of queries whose first passage in the pool is relevant or not, in the query's language or not. The "
        f"four add up to 1. {_OTHER} differs from {compared.baseline}; which of the first two is wanted is for the "
        "reader to say."
    )
    places: tuple[Column, ...] = tuple(("multi", name) for name in FIRST_PLACES)
    return [
        _table(found, f"{found.model} on {task}: remedies for a mixed index", _EFFECTS, effect, intervals=intervals),
        _table(found, "The first passage", places, first, intervals=intervals),
        Table(
            title="What each asks for",
            header=("remedy", "when passages are indexed", "with each query"),
            rows=tuple(row(remedy.name, remedy.at_index, remedy.at_query) for remedy in found.remedies),
            note=" ".join(found.left_out),
        ),
    ]


def remedy_records(found: Remedies, task: str) -> list[dict[str, object]]:
    """One record for each mean of each remedy, in full precision, with its test against one index."""
    differences = _differences(found)
    records = []
    for remedy in found.remedies:
        for kind, by_measure in remedy.result.summary.items():
            for measure, value in by_measure.items():
                low, high = remedy.result.intervals.get(kind, {}).get(measure, (None, None))
                difference = differences.get((remedy.name, kind, measure))
                records.append(
                    {
                        "model": found.model,
                        "task": task,
                        "remedy": remedy.name,
                        "kind": kind,
                        "measure": measure,
                        "value": value,
                        "low": low,
                        "high": high,
                        "difference": difference.difference if difference else None,
                        "p_adjusted": difference.p_adjusted if difference else None,
                        "verdict": difference.verdict if difference else None,
                        "unit": found.comparison.unit,
                        "n_clusters": found.comparison.n_clusters,
                    }
                )
    return records


def remedy_json(found: Remedies, task: str) -> str:
    """The records as JSON."""
    return json.dumps(remedy_records(found, task), indent=1, ensure_ascii=False) + "\n"


def sentences(found: Remedies) -> list[str]:
    """What a person would say of them: the best where answers exist in all languages, and in one other."""
    said = []
    for measure, where in (
        (PRECISION, "with an answer in every language"),
        (TARGETS[0], "with one answer, in the query's language"),
        (TARGETS[1], "with one answer, in another language"),
    ):
        known = [remedy for remedy in found.remedies if measure in remedy.result.summary.get("multi", {})]
        if known:
            plain, best = _value(known[0], measure), max(known, key=lambda remedy: _value(remedy, measure))
            figures = f"{number_cell(plain, measure).text} in {known[0].name}"
            better = f", {number_cell(_value(best, measure), measure).text} by {best.name}"
            said.append(f"AP {where}: {figures}{better if best is not known[0] else ', and no remedy has more'}.")
    return said


def _value(remedy: Remedy, measure: str) -> float:
    return remedy.result.summary["multi"][measure]


def _table(found: Remedies, title: str, columns: Sequence[Column], note: str, *, intervals: bool) -> Table:
    differences = _differences(found)
    shown = [(kind, m) for kind, m in columns if any(m in r.result.summary.get(kind, {}) for r in found.remedies)]
    cells = []
    for kind, measure in shown:
        column = [_cell(remedy, kind, measure, differences, intervals=intervals) for remedy in found.remedies]
        cells.append(with_best(column, measure))
    header = ("remedy", *(f"mono {m}" if kind == "mono" else m for kind, m in shown))
    rows = tuple(row(remedy.name, *entries) for remedy, *entries in zip(found.remedies, *cells, strict=True))
    return Table(title, header, rows, note)


def _cell(
    remedy: Remedy,
    kind: Kind,
    measure: str,
    differences: dict[tuple[str, Kind, str], Difference],
    *,
    intervals: bool,
) -> Cell:
    value = remedy.result.summary.get(kind, {}).get(measure)
    if value is None:
        return EMPTY
    ends = remedy.result.intervals.get(kind, {}).get(measure) if intervals else None
    cell = number_cell(value, measure, interval=ends)
    difference = differences.get((remedy.name, kind, measure))
    if difference is None:
        return cell
    return replace(cell, mark=_MARK.get(difference.verdict, ""), verdict=difference.verdict)


def _differences(found: Remedies) -> dict[tuple[str, Kind, str], Difference]:
    means = [d for d in found.comparison.differences if d.quantity.name == MEAN]
    return {(d.model, d.quantity.kind, d.quantity.measure): d for d in means}
