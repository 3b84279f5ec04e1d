"""The part of a report that sets the models of a task side by side."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from xlbench import bias
from xlbench.comparison import Comparison, Difference, compare
from xlbench.errors import XlbenchError
from xlbench.reports import models
from xlbench.reports.cells import Cell as PlainCell
from xlbench.reports.cells import Table as PlainTable
from xlbench.reports.cells import number
from xlbench.reports.html import charts, texts
from xlbench.reports.html.parts import EMPTY, Cell, Column, Figure, Row, Section, Table, between, cell, partial, shown
from xlbench.reports.models import Group, best_of
from xlbench.reports.tables import ALIGNMENT
from xlbench.results import Result
from xlbench.settings import KINDS, kind_of

_OF_BIAS = ("RankDistance", "LPR", "OneTargetBias")
Found = Mapping[tuple[int, str, str, str], Difference]


def section(group: Group, *, key: str) -> Section:
    """The models of a group against the first of them."""
    refused, comparison = "", None
    try:
        names = [f"result {i + 1}" for i in range(len(group.results))]
        comparison = compare(group.results[0], group.results[1:], names=names)
    except XlbenchError as error:
        # What was measured is shown all the same.
        refused = f"No verdicts: {error}"
    found = _by_cell(comparison) if comparison else {}
    blocks: list[Table | Figure] = [_side_by_side(group, comparison, found)]
    if figure := _plane(group, f"{key}-plane"):
        blocks.append(figure)
    parts = [
        Section(f"{key}-languages", "By language", texts.BY_LANGUAGE, _by_language(group, found)),
        Section(f"{key}-tradeoffs", "Gains and losses", texts.TRADEOFFS, _tradeoffs(comparison)),
    ]
    return Section(
        key,
        "Models compared",
        _how(comparison),
        blocks=blocks,
        sections=[part for part in parts if part.blocks],
        warnings=[refused] if refused else [],
    )


def alignment(group: Group, *, key: str) -> Section | None:
    """How near the vectors of parallel passages lie, a row a model; None if no result says it."""
    aligned = [(label, r) for label, r in zip(group.labels, group.results, strict=True) if r.alignment]
    if not aligned:
        return None
    correlated = models.comparison(group.results)[1:]
    if correlated:
        return Section(key, "Alignment of the vectors", texts.ALIGNMENT, [_of_plain(table) for table in correlated])
    table = Table(
        caption="; ".join(
            dict.fromkeys(filter(None, ["Alignment of the vectors of passages", *map(partial, group.results)]))
        ),
        corner="model",
        columns=tuple(Column(name.replace("_", " ")) for name in ALIGNMENT),
        rows=tuple(Row(label, tuple(cell(r.alignment.get(name), name) for name in ALIGNMENT)) for label, r in aligned),
        sortable=len(aligned) > 1,
    )
    return Section(key, "Alignment of the vectors", texts.ALIGNMENT, [table])


def _how(comparison: Comparison | None) -> str:
    if comparison is None:
        return texts.SIDE_BY_SIDE
    tests = f"{comparison.n_tests:,} differences" if comparison.n_tests > 1 else "one difference"
    verdicts = texts.COMPARISON.format(baseline=comparison.baseline, tests=tests, alpha=comparison.alpha)
    return f"{texts.SIDE_BY_SIDE} {verdicts}"


def _by_cell(comparison: Comparison) -> Found:
    """The differences by number of the model, measure, kind and name of the cell."""
    number_of = {label: i for i, label in enumerate([comparison.baseline, *comparison.others])}
    return {(number_of[d.model], d.cell.measure, d.cell.kind, d.cell.name): d for d in comparison.differences}


def _side_by_side(group: Group, comparison: Comparison | None, found: Found) -> Table:
    headline = group.results[0].headline
    wanted = [(kind, headline) for kind in KINDS] + [("multi", measure) for measure in _OF_BIAS]
    chosen = [(kind, m) for kind, m in wanted if any(m in r.summary.get(kind, {}) for r in group.results)]
    columns = []
    for kind, measure in chosen:
        cells = [_mean(result, kind, measure) for result in group.results]
        verdicts = [found.get((i, measure, kind, "mean")) for i in range(len(cells))]
        letters = _letters(comparison, kind, measure)
        columns.append(
            [
                replace(c, best=best, verdict=d.verdict if d else "", letters=letters.get(i, ""))
                for i, (c, best, d) in enumerate(zip(cells, _best(group, cells, measure), verdicts, strict=True))
            ]
        )
    rows = [
        Row(label, tuple(column[i] for column in columns), note="baseline" if i == 0 and found else "")
        for i, label in enumerate(group.labels)
    ]
    heads = [Column(m if bias.find(m) else f"{texts.KINDS[kind]} {m}", note=_direction(group, m)) for kind, m in chosen]
    return Table(
        caption="Means over languages with 95 % intervals", corner="model", columns=tuple(heads), rows=tuple(rows)
    )


def _mean(result: Result, kind: str, measure: str) -> Cell:
    interval = result.intervals.get(kind, {}).get(measure)
    return cell(result.summary.get(kind, {}).get(measure), measure, interval=interval)


def _direction(group: Group, measure: str) -> str:
    found = bias.find(measure)
    if not found:
        return ""
    perfect = next((ends["perfect"] for r in group.results if (ends := r.references.get(measure))), None)
    if found.better == "nearer":
        return f"best near {number(perfect, measure)}" if perfect is not None else ""
    return f"{found.better} is better"


def _best(group: Group, cells: Sequence[Cell], measure: str) -> list[bool]:
    marked = best_of(group, [PlainCell(c.text, c.value) for c in cells], measure)
    return [c.best for c in marked]


def _letters(comparison: Comparison | None, kind: str, measure: str) -> dict[int, str]:
    """By number of the model: a letter for each group of models that cannot be told apart."""
    if comparison is None:
        return {}
    number_of = {label: i for i, label in enumerate([comparison.baseline, *comparison.others])}
    return {
        number_of[ranked.model]: " ".join(string.ascii_lowercase[g % 26] for g in ranked.groups)
        for ranking in comparison.rankings
        if (ranking.cell.kind, ranking.cell.measure) == (kind, measure)
        for ranked in ranking.ranked
    }


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
    value = result.summary.get("multi", {}).get("RankDistance")
    return "" if value is None else f"RD {number(value, 'RankDistance')}"


def _by_language(group: Group, found: Found) -> list[Table]:
    """A table for each kind: languages down, models across, with bars."""
    measure = group.results[0].headline
    tables = []
    for kind in KINDS:
        values = [_of_languages(result, kind, measure) for result in group.results]
        languages = list(dict.fromkeys(language for of_model in values for language in of_model))
        if not languages:
            continue
        rows = []
        for language in languages:
            cells = [_barred(of_model.get(language), measure) for of_model in values]
            verdicts = [found.get((i, measure, kind, language)) for i in range(len(cells))]
            rows.append(
                Row(
                    language,
                    tuple(
                        replace(c, best=best, verdict=d.verdict if d else "")
                        for c, best, d in zip(cells, _best(group, cells, measure), verdicts, strict=True)
                    ),
                    language,
                )
            )
        means = [replace(_mean(r, kind, measure), note="") for r in group.results]
        tables.append(
            Table(
                caption=f"{texts.KINDS[kind].capitalize()} {measure} by query language",
                corner="language",
                columns=tuple(Column(label) for label in group.labels),
                rows=tuple(rows),
                foot=(
                    Row("mean", tuple(means), note="; ".join(dict.fromkeys(filter(None, map(partial, group.results))))),
                ),
                kind="barred",
            )
        )
    return tables


def _of_languages(result: Result, kind: str, measure: str) -> dict[str, float]:
    """The mean over the settings of a kind by language of the queries."""
    values: dict[str, list[float]] = {}
    for setting, of_setting in result.scores.items():
        if kind_of(setting) == kind and measure in of_setting:
            values.setdefault(setting.partition(">")[0], []).append(of_setting[measure])
    return {language: fmean(found) for language, found in values.items()}


def _barred(value: float | None, measure: str) -> Cell:
    found = cell(value, measure)
    # Measures of retrieval are from 0 to 1.
    return found if value is None else replace(found, bar=round(100 * min(max(value, 0.0), 1.0), 1))


def _tradeoffs(comparison: Comparison | None) -> list[Table]:
    tables = []
    for model in comparison.others if comparison else ():
        of_model = [t for t in comparison.tradeoffs if t.model == model] if comparison else []
        if not of_model:
            continue
        measured = [d for d in (of_model[0].mono, of_model[0].multi, of_model[0].distance) if d]
        rows = [
            Row(
                t.name,
                tuple(_change(d) for d in (t.mono, t.multi, t.distance) if d),
                None if t.name == "mean" else t.name,
            )
            for t in of_model
        ]
        tables.append(
            Table(
                caption=f"{model} less {comparison.baseline}" if comparison else "",
                corner="language",
                columns=tuple(Column(f"{texts.KINDS[d.cell.kind]} {d.cell.measure}") for d in measured),
                rows=tuple(row for row in rows if row.name != "mean"),
                foot=tuple(row for row in rows if row.name == "mean"),
                kind="changes",
            )
        )
    return tables


def _change(d: Difference) -> Cell:
    text = shown(d.difference, d.cell.measure)
    sign = "+" if d.difference > 0 and any(digit in text for digit in "123456789") else ""
    return Cell(sign + text, d.difference, note=between(d.interval, d.cell.measure), verdict=d.verdict)


def _of_plain(table: PlainTable) -> Table:
    """A table of the other formats in this one's form."""
    columns = range(1, len(table.header))
    rows = [
        Row(row[0].text, tuple(Cell(c.text, c.value, best=c.best) if c.text else EMPTY for c in row[1:]))
        for row in table.rows
    ]
    of_models = len(rows) - (rows[-1].name == "Spearman's rho")
    return Table(
        caption=f"{table.title}. {table.note}",
        corner=table.header[0],
        columns=tuple(Column(table.header[i].replace("_", " ")) for i in columns),
        rows=tuple(rows[:of_models]),
        foot=tuple(rows[of_models:]),
    )
