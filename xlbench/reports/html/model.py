"""The part of a report that is about one model on one task."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xlbench.measures import DISTANCE
from xlbench.reports import tables
from xlbench.reports.cells import Table, number_cell, row
from xlbench.reports.html import charts, explanations, language
from xlbench.reports.html.heatmaps import heatmap
from xlbench.reports.html.page_tables import entry_of, page_table
from xlbench.reports.html.parts import Facts, Figure, HeadFigures, Section
from xlbench.reports.html.shared import Shared
from xlbench.reports.words import KIND_TITLES, captioned_of, counted, partial_of
from xlbench.results import Result
from xlbench.settings import Kind


def section(result: Result, *, key: str, label: str, shared: Shared) -> Section:
    """All about one model on one task; ``shared`` is what it has in common with the other models of the report."""
    parts = [
        _summary(result, f"{key}-summary"),
        language.languages(result, f"{key}-languages"),
        _grid(result, f"{key}-grid", shared),
        language.language_bias(result, f"{key}-bias"),
        language.preference(result, f"{key}-preference", shared),
        language.attribution(result, f"{key}-attribution"),
        _distances(result, f"{key}-distances", shared),
        _bitext(result, f"{key}-bitext"),
        _provenance(result, f"{key}-provenance"),
    ]
    return Section(
        key,
        label,
        blocks=(_key_figures(result),),
        sections=[part for part in parts if part],
    )


def _key_figures(result: Result) -> HeadFigures:
    wanted = [(kind, result.headline, f"{KIND_TITLES[kind]} {result.headline}") for kind in tables.kinds_of(result)]
    if DISTANCE in result.summary.get("multi", {}):
        wanted.append(("multi", DISTANCE, "rank distance"))
    entries = tuple(entry_of(tables.cell_of(result, kind, measure)) for kind, measure, _ in wanted)
    return HeadFigures(entries, tuple(name for _, _, name in wanted), partial_of(result))


def _summary(result: Result, key: str) -> Section | None:
    notes = {KIND_TITLES[kind]: _n_settings(result, kind) for kind in tables.kinds_of(result)}
    table = tables.summary(result)
    return Section(key, "Summary", explanations.SUMMARY, [page_table(table, notes=notes)]) if table else None


def _n_settings(result: Result, kind: Kind) -> str:
    settings = [name for name in result.values if name.kind == kind]
    return f"{len(settings)} settings, {counted(result, kind)}"


def _grid(result: Result, key: str, shared: Shared) -> Section | None:
    if (table := tables.cross(result, diagonal=True)) is None:
        return None
    grid = heatmap(table, result.headline, spread=shared.grid, foot_note=partial_of(result))
    direction = tables.direction_of(result)
    return Section(
        key, "Cross-lingual grid", explanations.GRID, [grid, *([page_table(direction)] if direction else [])]
    )


def _distances(result: Result, key: str, shared: Shared) -> Section | None:
    values = shared.distances(result)
    if not values:
        return None
    ends = result.references.get(DISTANCE, {})
    svg = charts.distances(values, key=key, most=shared.most, perfect=ends.get("perfect"), random=ends.get("random"))
    shares = (0.1, 0.25, 0.5, 0.75, 0.9)
    heads = [*("median" if share == 0.5 else f"{share:.0%}" for share in shares), "mean"]
    rows = [
        row(
            name,
            *(number_cell(float(at), DISTANCE) for at in [*np.quantile(distance, shares), distance.mean()]),
        )
        for name, distance in values.items()
    ]
    title = captioned_of("Rank distance: quantiles and mean by query language", result)
    table = page_table(Table(title, ("language", *heads), tuple(rows)))
    figure = Figure(
        svg,
        captioned_of("Rank distances of single queries by query language; the line is the median", result),
    )
    return Section(key, "Rank distances", explanations.DISTANCES, [figure, table])


def _bitext(result: Result, key: str) -> Section | None:
    if (table := tables.bitext(result)) is None:
        return None
    matrix = heatmap(table, "bitext", spread=(0.0, 1.0), foot_note=partial_of(result))
    return Section(key, "Bitext retrieval", explanations.BITEXT, [replace(matrix, corner="from ↓ to →")])


def _provenance(result: Result, key: str) -> Section:
    model, environment = result.model, dict(result.environment)
    command = environment.pop("command", "")
    entries = {
        "model": model["name"],
        "revision": model["revision"],
        "adapter": model["adapter"],
        "arguments": _flat(model["arguments"]) or "none",
        "task": f"{result.task}, version {result.task_version}",
        "missing languages": ", ".join(result.missing_languages) or "none",
        **({"drawn": str(result.sample)} if result.sample else {}),
        "rankings": f"{sum(result.queries.values()):,} in {len(result.values)} settings",
        **{name: _flat(value) for name, value in environment.items()},
        **_timing(result),
    }
    shown = command if isinstance(command, str) else shlex.join(map(str, command))
    return Section(key, "Provenance", explanations.PROVENANCE, [Facts({k: str(v) for k, v in entries.items()}, shown)])


def _timing(result: Result) -> dict[str, str]:
    """How long each step took; nothing of encoding unless all vectors were made in that run."""
    in_full = result.timing.get("encoded_share") == 1
    return {
        name.removesuffix("_s"): f"{seconds:,.1f} s"
        for name, seconds in result.timing.items()
        if name.endswith("_s") and (in_full or name != "encode_s")
    }


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_flat(part) or '(empty)'}" for name, part in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list | tuple) else str(value)
