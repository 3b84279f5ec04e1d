"""Tables of remedies: what each does to the ranking, and what it asks of an index."""

from __future__ import annotations

from xlbench.measures import FIRST_PLACES, IN_THE_POOL, PRECISION, TARGETS
from xlbench.remedies import Remedies, Remedy
from xlbench.reports.cells import Table, number_cell, row
from xlbench.reports.variants import OTHER, Column, Variants

_EFFECTS: tuple[Column, ...] = (("mono", PRECISION), *(("multi", measure) for measure in IN_THE_POOL))
_PLACES: tuple[Column, ...] = tuple(("multi", name) for name in FIRST_PLACES)


def variants(remedies: Remedies) -> Variants:
    """The remedies as rows."""
    return Variants("remedy", {remedy.name: remedy.result for remedy in remedies.remedies}, remedies.comparison, {})


def remedy_tables(remedies: Remedies, task: str, *, intervals: bool = False) -> list[Table]:
    """What each remedy does, the first place in four, and what each asks for."""
    rows = variants(remedies)
    effect = (
        f"{rows.tested} {TARGETS[0]} and {TARGETS[1]}: AP if an answer exists in one language only, the query's own or "
        "another."
    )
    first = (
        "Shares of queries whose first passage in the pool is relevant or not, in the query's language or not. The "
        f"four add up to 1. {OTHER} differs from {remedies.comparison.baseline}; which of the first two is wanted is "
        "for the reader to say."
    )
    return [
        rows.table(f"{remedies.model} on {task}: remedies for a mixed index", _EFFECTS, effect, intervals=intervals),
        rows.table("The first passage", _PLACES, first, intervals=intervals),
        Table(
            title="What each asks for",
            header=("remedy", "when passages are indexed", "with each query"),
            rows=tuple(row(remedy.name, remedy.at_index, remedy.at_query) for remedy in remedies.remedies),
            note=" ".join(remedies.left_out),
        ),
    ]


def sentences(remedies: Remedies, *, whole: str = "with an answer in every language") -> list[str]:
    """What a person would say of them: the best where answers exist in all languages, and in one other.

    ``whole`` says which answers there are where none are left out.
    """
    said = []
    for measure, where in (
        (PRECISION, whole),
        (TARGETS[0], "with one answer, in the query's language"),
        (TARGETS[1], "with one answer, in another language"),
    ):
        known = [remedy for remedy in remedies.remedies if measure in remedy.result.summary.get("multi", {})]
        if known:
            plain, best = _value(known[0], measure), max(known, key=lambda remedy: _value(remedy, measure))
            figures = f"{number_cell(plain, measure).text} in {known[0].name}"
            better = f", {number_cell(_value(best, measure), measure).text} by {best.name}"
            said.append(f"AP {where}: {figures}{better if best is not known[0] else ', and no remedy has more'}.")
    return said


def _value(remedy: Remedy, measure: str) -> float:
    return remedy.result.summary["multi"][measure]
