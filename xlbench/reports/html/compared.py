"""The part of a report that sets the models of a task side by side."""

from __future__ import annotations

from dataclasses import replace

from xlbench import measures
from xlbench.comparison import Comparison
from xlbench.measures import DISTANCE
from xlbench.reports.cells import MEAN, Table
from xlbench.reports.comparison_tables import tradeoffs
from xlbench.reports.html import charts, explanations
from xlbench.reports.html.page_tables import barred, page_table
from xlbench.reports.html.parts import Figure, PageTable, Section
from xlbench.reports.judged_group import JudgedGroup
from xlbench.reports.several_models import Group, aligned, columns_of, perfect_of, side_by_side
from xlbench.reports.tables import cell_of
from xlbench.reports.words import KIND_TITLES, direction, partial_of
from xlbench.results import Result
from xlbench.results.shown import drawn
from xlbench.settings import KINDS


def section(of: JudgedGroup, *, key: str) -> Section:
    """The models of a group against the first of them."""
    group = of.group
    comparison = of.tested.comparison
    blocks: list[PageTable | Figure] = [_side_by_side(of)]
    if figure := _plane(group, f"{key}-plane"):
        blocks.append(figure)
    parts = [
        Section(f"{key}-languages", "By language", explanations.BY_LANGUAGE, _by_language(of), folded=True),
        Section(f"{key}-tradeoffs", "Gains and losses", explanations.TRADEOFFS, _tradeoffs(comparison), folded=True),
    ]
    return Section(
        key,
        "Models compared",
        _how(comparison),
        blocks=blocks,
        sections=[part for part in parts if part.blocks],
        # What was measured is shown all the same.
        warnings=[f"No verdicts: {reason}" for reason in of.tested.reasons],
    )


def alignment(group: Group, *, key: str) -> Section | None:
    """How near the vectors of parallel passages lie, a row a model; None if no result says it."""
    if (table := aligned(group)) is None:
        return None
    drawn = page_table(table, caption=". ".join(filter(None, [table.title, table.note])), sortable=len(table.rows) > 1)
    return Section(key, "Alignment of the vectors", explanations.ALIGNMENT, [drawn])


def _how(comparison: Comparison | None) -> str:
    if comparison is None:
        return explanations.SIDE_BY_SIDE
    verdicts = explanations.COMPARISON.format(
        baseline=comparison.baseline,
        units=comparison.clusters,
        tests=f"all {comparison.n_tests:,} tests" if comparison.n_tests > 1 else "one test",
        alpha=comparison.alpha,
    )
    return f"{explanations.SIDE_BY_SIDE} {verdicts}"


def _note(measure: str, perfect: float | None) -> str:
    """Which values are better, under the name of a measure of bias."""
    if not measures.of_bias(measure):
        return ""
    if measures.better(measure) == "neither":
        return "neither is better"
    words = direction(measure, perfect)
    return words.replace("nearer to", "best near") if "near" in words else f"{words} is better"


def _side_by_side(of: JudgedGroup) -> PageTable:
    """The table of the group with verdicts and groups, and under each measure of bias which values are better."""
    group, columns = of.group, columns_of(of.group)
    table = side_by_side(group, whole=True)
    judged = [
        of.with_verdicts([cells[i] for cells in table.rows], (kind, m, MEAN)) for i, (kind, m) in enumerate(columns, 1)
    ]
    rows = tuple(
        (name, *cells, *others[len(columns) :]) for (name, *others), *cells in zip(table.rows, *judged, strict=True)
    )
    notes = {f"{kind} {m}": _note(m, perfect_of(group, m)) for kind, m in columns}
    notes |= {"favourite": "of other languages' queries"}
    notes |= {group.labels[0]: "baseline"} if of.tested.comparison else {}
    caption = f"{group.title}: means over languages with 95 % intervals, {drawn(group.results[0])}"
    return page_table(replace(table, rows=rows), caption=caption, notes=notes)


def _plane(group: Group, key: str) -> Figure | None:
    measure = group.results[0].headline
    points = [
        charts.Point(label, r.summary["mono"][measure], r.summary["multi"][measure], _distance(r))
        for label, r in zip(group.labels, group.results, strict=True)
        if all(measure in r.summary.get(kind, {}) for kind in ("mono", "multi"))
    ]
    if len(points) < 2:
        return None
    svg = charts.plane(points, key=key, x=f"monolingual {measure}", y=f"multilingual {measure}")
    return Figure(
        svg, f"Monolingual against multilingual {measure}; upwards and to the right is better. RD: mean rank distance."
    )


def _distance(result: Result) -> str:
    text = cell_of(result, "multi", DISTANCE, with_interval=False).text
    return f"RD {text}" if text else ""


def _by_language(of: JudgedGroup) -> list[PageTable]:
    """A table for each kind: languages down, models across, with bars."""
    measure = of.group.results[0].headline
    missing = dict.fromkeys(partial_of(result) for result in of.group.results)
    foot_note = "; ".join(filter(None, missing))
    by_kind: list[tuple[str, Table | None]] = [(KIND_TITLES[k], of.by_language([(k, measure)])) for k in KINDS]
    return [
        barred(page_table(table, caption=f"{kind.capitalize()} {table.title}", foot_note=foot_note))
        for kind, table in by_kind
        if table
    ]


def _tradeoffs(comparison: Comparison | None) -> list[PageTable]:
    drawn = [tradeoffs(comparison, model) for model in comparison.others] if comparison else []
    return [page_table(table, kind="changes") for table in drawn if table]
