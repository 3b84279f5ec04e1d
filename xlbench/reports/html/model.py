"""The part of a report that is about one model on one task."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from xlbench import measures
from xlbench.measures import DISTANCE
from xlbench.reports.html import charts, explanations, language
from xlbench.reports.html.heatmaps import heatmap
from xlbench.reports.html.language import by_language
from xlbench.reports.html.parts import (
    Column,
    Facts,
    Figure,
    HeadFigures,
    PageRow,
    PageTable,
    Section,
    entry,
    interval_of,
)
from xlbench.reports.html.shared import Shared
from xlbench.reports.matrices import cross_lingual
from xlbench.reports.tables import kinds_of, measures_of
from xlbench.reports.words import KIND_TITLES, captioned, counted, partial
from xlbench.results import Result
from xlbench.results.shown import drawn
from xlbench.settings import Kind


def section(result: Result, *, key: str, label: str, shared: Shared) -> Section:
    """All about one model on one task; ``shared`` is what it has in common with the other models of the report."""
    parts = [
        _summary(result, f"{key}-summary"),
        _languages(result, f"{key}-languages"),
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
    wanted = [(kind, result.headline, KIND_TITLES[kind]) for kind in kinds_of(result)]
    if DISTANCE in result.summary.get("multi", {}):
        wanted.append(("multi", DISTANCE, "rank distance"))
    names = tuple(f"{name} {measure}" if measure != DISTANCE else name for _, measure, name in wanted)
    entries = [entry(result.summary[kind][m], m, interval=interval_of(result, kind, m)) for kind, m, _ in wanted]
    return HeadFigures(tuple(entries), names, partial(result.missing_languages))


def _summary(result: Result, key: str) -> Section | None:
    kinds = kinds_of(result)
    of_retrieval = dict.fromkeys(m for kind in kinds for m in result.summary[kind] if not measures.of_bias(m))
    rows = [
        PageRow(
            m, tuple(entry(result.summary[kind].get(m), m, interval=interval_of(result, kind, m)) for kind in kinds)
        )
        for m in of_retrieval
    ]
    table = PageTable(
        caption=captioned(f"Means over languages with 95 % intervals, {drawn(result)}", result.missing_languages),
        corner="measure",
        columns=tuple(Column(KIND_TITLES[kind], note=_n_settings(result, kind)) for kind in kinds),
        rows=tuple(rows),
    )
    return Section(key, "Summary", explanations.SUMMARY, [table]) if rows else None


def _n_settings(result: Result, kind: Kind) -> str:
    settings = [name for name in result.values if name.kind == kind]
    return f"{len(settings)} settings, {counted(result, kind)}"


def _languages(result: Result, key: str) -> Section | None:
    found = [
        by_language(result, kind, measures_of(result, kind), f"{KIND_TITLES[kind].capitalize()}, by query language")
        for kind in kinds_of(result)
        if kind != "cross"
    ]
    return Section(key, "Languages", explanations.LANGUAGES, found) if found else None


def _grid(result: Result, key: str, shared: Shared) -> Section | None:
    if "cross" not in result.summary:
        return None
    measure = result.headline
    table = heatmap(
        cross_lingual(result, diagonal=True),
        measure,
        caption=captioned(f"{measure} by language of the query and of the passages", result.missing_languages),
        spread=shared.grid,
        result=result,
        mean=result.summary["cross"][measure],
    )
    return Section(key, "Cross-lingual grid", explanations.GRID, [table])


def _distances(result: Result, key: str, shared: Shared) -> Section | None:
    values = shared.distances(result)
    if not values:
        return None
    ends = result.references.get(DISTANCE, {})
    svg = charts.distances(values, key=key, most=shared.most, perfect=ends.get("perfect"), random=ends.get("random"))
    shares = (0.1, 0.25, 0.5, 0.75, 0.9)
    rows = [
        PageRow(
            language,
            (
                *(entry(float(at), DISTANCE) for at in np.quantile(distance, shares)),
                entry(float(distance.mean()), DISTANCE),
            ),
            language,
        )
        for language, distance in values.items()
    ]
    table = PageTable(
        caption=captioned("Rank distance: quantiles and mean by query language", result.missing_languages),
        corner="language",
        columns=(*(Column("median" if s == 0.5 else f"{s:.0%}") for s in shares), Column("mean")),
        rows=tuple(rows),
    )
    figure = Figure(
        svg,
        captioned(
            "Rank distances of single queries by query language; the line is the median", result.missing_languages
        ),
    )
    return Section(key, "Rank distances", explanations.DISTANCES, [figure, table])


def _bitext(result: Result, key: str) -> Section | None:
    matrix = result.alignment.get("bitext")
    if not matrix:
        return None
    table = heatmap(
        matrix,
        "bitext",
        caption=captioned(
            "Share of passages whose nearest passage in the other language is their translation",
            result.missing_languages,
        ),
        spread=(0.0, 1.0),
        result=result,
        mean=result.alignment.get("bitext_accuracy"),
        corner="from ↓ to →",
    )
    return Section(key, "Bitext retrieval", explanations.BITEXT, [table])


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
        "rankings": f"{sum(result.queries.values()):,} in {len(result.values)} settings",
        **{name: _flat(value) for name, value in environment.items()},
        **{name.removesuffix("_s"): f"{value:,.1f} s" for name, value in result.timing.items()},
    }
    shown = command if isinstance(command, str) else shlex.join(map(str, command))
    return Section(key, "Provenance", explanations.PROVENANCE, [Facts({k: str(v) for k, v in entries.items()}, shown)])


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_flat(part) or '(empty)'}" for name, part in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list | tuple) else str(value)
