"""The part of a report that sets the models of a task side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlbench import measures
from xlbench.comparison import Comparison, Difference, Tested, compare_alike
from xlbench.measures import DISTANCE
from xlbench.measures.values import by_language
from xlbench.reports.cells import MEAN, Cell, Table
from xlbench.reports.html import charts, explanations
from xlbench.reports.html.parts import (
    EMPTY,
    Column,
    Entry,
    Figure,
    PageRow,
    PageTable,
    Section,
    between,
    entry,
    interval_of,
    shown,
)
from xlbench.reports.several_models import Group, best_of, columns_of, correlation, favourites, perfect_of
from xlbench.reports.words import ALIGNMENT, KIND_TITLES, direction, partial
from xlbench.results import Result
from xlbench.results.shown import drawn, number
from xlbench.settings import KINDS, Kind


def section(group: Group, *, key: str) -> Section:
    """The models of a group against the first of them."""
    tested = compare_alike(group.results, group.labels, measures=(group.results[0].headline, DISTANCE))
    blocks: list[PageTable | Figure] = [_side_by_side(group, tested)]
    if figure := _plane(group, f"{key}-plane"):
        blocks.append(figure)
    parts = [
        Section(f"{key}-languages", "By language", explanations.BY_LANGUAGE, _by_language(group, tested)),
        Section(f"{key}-tradeoffs", "Gains and losses", explanations.TRADEOFFS, _tradeoffs(tested.comparison)),
    ]
    return Section(
        key,
        "Models compared",
        _how(tested.comparison),
        blocks=blocks,
        sections=[part for part in parts if part.blocks],
        # What was measured is shown all the same.
        warnings=[f"No verdicts: {reason}" for reason in tested.reasons],
    )


def alignment(group: Group, *, key: str) -> Section | None:
    """How near the vectors of parallel passages lie, a row a model; None if no result says it."""
    aligned = [(label, r) for label, r in zip(group.labels, group.results, strict=True) if r.alignment]
    if not aligned:
        return None
    if correlated := correlation(group):
        return Section(key, "Alignment of the vectors", explanations.ALIGNMENT, [_with_correlation(correlated)])
    table = PageTable(
        caption="; ".join(["Alignment of the vectors of passages", *_partial_notes(group)]),
        corner="model",
        columns=tuple(Column(name.replace("_", " ")) for name in ALIGNMENT),
        rows=tuple(
            PageRow(label, tuple(entry(r.alignment.get(name), name) for name in ALIGNMENT)) for label, r in aligned
        ),
        sortable=len(aligned) > 1,
    )
    return Section(key, "Alignment of the vectors", explanations.ALIGNMENT, [table])


def _how(comparison: Comparison | None) -> str:
    if comparison is None:
        return explanations.SIDE_BY_SIDE
    verdicts = explanations.COMPARISON.format(
        baseline=comparison.baseline,
        units=f"{comparison.n_clusters:,} {comparison.unit}s",
        tests=f"all {comparison.n_tests:,} tests" if comparison.n_tests > 1 else "one test",
        alpha=comparison.alpha,
    )
    return f"{explanations.SIDE_BY_SIDE} {verdicts}"


def _note(measure: str, perfect: float | None) -> str:
    """Which values are better, under the name of a measure of bias."""
    if not measures.of_bias(measure):
        return ""
    words = direction(measure, perfect)
    return words.replace("nearer to", "best near") if "near" in words else f"{words} is better"


def _side_by_side(group: Group, tested: Tested) -> PageTable:
    chosen, preferred = columns_of(group), favourites(group)
    columns = [
        _judged(group, [_mean(r, kind, m) for r in group.results], tested, (kind, m, MEAN)) for kind, m in chosen
    ]
    heads = [
        Column(
            m if measures.of_bias(m) else f"{KIND_TITLES[kind]} {m}",
            note=_note(m, perfect_of(group, m)),
        )
        for kind, m in chosen
    ]
    if preferred:
        columns.append([Entry(text) for text in preferred])
        heads.append(Column("favourite", note="of other languages' queries", is_text=True))
    return PageTable(
        caption=f"Means over languages with 95 % intervals, {drawn(group.results[0])}",
        corner="model",
        columns=tuple(heads),
        rows=tuple(
            PageRow(
                label, tuple(column[i] for column in columns), note="baseline" if i == 0 and tested.comparison else ""
            )
            for i, label in enumerate(group.labels)
        ),
    )


def _judged(group: Group, entries: Sequence[Entry], tested: Tested, key: tuple[Kind, str, str]) -> list[Entry]:
    """The entries of the group's models with the best ones marked, their verdicts and groups."""
    marked = best_of(group, [Cell(e.text, e.value) for e in entries], key[1])
    return [
        replace(
            e,
            best=cell.best,
            verdict=tested.verdict((label, *key)),
            letters=tested.letters.get((label, *key), ""),
        )
        for e, cell, label in zip(entries, marked, group.labels, strict=True)
    ]


def _mean(result: Result, kind: Kind, measure: str) -> Entry:
    value = result.summary.get(kind, {}).get(measure)
    return entry(value, measure, interval=interval_of(result, kind, measure))


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
    value = result.summary.get("multi", {}).get(DISTANCE)
    return "" if value is None else f"RD {number(value, DISTANCE)}"


def _by_language(group: Group, tested: Tested) -> list[PageTable]:
    """A table for each kind: languages down, models across, with bars."""
    measure = group.results[0].headline
    tables = []
    for kind in KINDS:
        values = [by_language(result.values, kind, measure) for result in group.results]
        languages = list(dict.fromkeys(language for of_model in values for language in of_model))
        if not languages:
            continue
        rows = []
        for language in languages:
            entries = [_barred(of_model.get(language), measure) for of_model in values]
            rows.append(PageRow(language, tuple(_judged(group, entries, tested, (kind, measure, language))), language))
        means = tuple(replace(_mean(r, kind, measure), note="") for r in group.results)
        tables.append(
            PageTable(
                caption=f"{KIND_TITLES[kind].capitalize()} {measure} by query language",
                corner="language",
                columns=tuple(Column(label) for label in group.labels),
                rows=tuple(rows),
                foot=(PageRow(MEAN, means, note="; ".join(_partial_notes(group))),),
                kind="barred",
            )
        )
    return tables


def _partial_notes(group: Group) -> list[str]:
    return list(dict.fromkeys(filter(None, (partial(result.missing_languages) for result in group.results))))


def _barred(value: float | None, measure: str) -> Entry:
    found = entry(value, measure)
    # Measures of retrieval are from 0 to 1.
    return found if value is None else replace(found, bar=round(100 * min(max(value, 0.0), 1.0), 1))


def _tradeoffs(comparison: Comparison | None) -> list[PageTable]:
    if comparison is None:
        return []
    tables = []
    for model in comparison.others:
        of_model = [t for t in comparison.tradeoffs if t.model == model]
        if not of_model:
            continue
        first = of_model[0]
        rows = [
            PageRow(t.name, tuple(_change(d) for d in (t.mono, t.multi, t.distance) if d), t.name) for t in of_model
        ]
        tables.append(
            PageTable(
                caption=f"{model} less {comparison.baseline}",
                corner="language",
                columns=tuple(
                    Column(f"{KIND_TITLES[d.quantity.kind]} {d.quantity.measure}")
                    for d in (first.mono, first.multi, first.distance)
                    if d
                ),
                rows=tuple(row for row in rows if row.name != MEAN),
                foot=tuple(replace(row, language=None) for row in rows if row.name == MEAN),
                kind="changes",
            )
        )
    return tables


def _change(d: Difference) -> Entry:
    text = shown(d.difference, d.quantity.measure)
    sign = "+" if d.difference > 0 and any(digit in text for digit in "123456789") else ""
    return Entry(sign + text, d.difference, note=between(d.interval, d.quantity.measure), verdict=d.verdict)


def _with_correlation(table: Table) -> PageTable:
    """The table of models and, below, correlations in this form."""
    rows = [
        PageRow(row[0].text, tuple(Entry(c.text, c.value, best=c.best) if c.text else EMPTY for c in row[1:]))
        for row in table.rows
    ]
    return PageTable(
        caption=f"{table.title}. {table.note}",
        corner=table.header[0],
        columns=tuple(Column(name.replace("_", " ")) for name in table.header[1:]),
        rows=tuple(rows[:-1]),
        foot=tuple(rows[-1:]),
    )
