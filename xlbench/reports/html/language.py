"""The parts of a report that are about languages: each by itself, and how the pool of all treats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xlbench import measures
from xlbench.measures import PRECISION, PREFERENCE
from xlbench.reports import tables
from xlbench.reports.html import explanations
from xlbench.reports.html.heatmaps import heatmap
from xlbench.reports.html.page_tables import page_table
from xlbench.reports.html.parts import EMPTY, Column, Entry, PageRow, PageTable, Scale, Section
from xlbench.reports.html.shared import Shared
from xlbench.reports.losses import Loss, losses
from xlbench.reports.words import partial_of
from xlbench.results import Result
from xlbench.results.shown import number


def languages(result: Result, key: str) -> Section | None:
    """The measures of retrieval by language of the queries, each language alone and in the pool of all."""
    each = (tables.mono(result, whole=True), tables.multi(result, whole=True))
    drawn = [page_table(table, foot_note=partial_of(result)) for table in each if table]
    return Section(key, "Languages", explanations.LANGUAGES, drawn) if drawn else None


def language_bias(result: Result, key: str) -> Section | None:
    """The measures of bias, each with the values that place it, and by language; None if there are none."""
    means, by_language = tables.language_bias(result), tables.bias_by_language(result, whole=True)
    if means is None:
        return None
    briefs = {name: known.brief for name in tables.bias_measures_of(result) if (known := measures.of_bias(name))}
    drawn = page_table(means, notes=briefs, sortable=False)
    place = Column("place on the scale", note="the diamond is perfect", is_text=True)
    placed = _with_column(drawn, place, [_placed(result, row.name) for row in drawn.rows])
    foot_note = partial_of(result)
    blocks = [placed, *([page_table(by_language, foot_note=foot_note)] if by_language else [])]
    return Section(key, "Language bias", explanations.BIAS, blocks)


def _with_column(table: PageTable, column: Column, entries: Sequence[Entry]) -> PageTable:
    """The table with one more column, whose entries are those of the rows and then of the foot."""

    def added(rows: Sequence[PageRow], more: Sequence[Entry]) -> tuple[PageRow, ...]:
        return tuple(replace(row, cells=(*row.cells, entry)) for row, entry in zip(rows, more, strict=True))

    n = len(table.rows)
    rows, foot = added(table.rows, entries[:n]), added(table.foot, entries[n:])
    return replace(table, columns=(*table.columns, column), rows=rows, foot=foot)


def _placed(result: Result, measure: str) -> Entry:
    ends = result.references.get(measure, {})
    if ends.get("perfect") is None or ends.get("random") is None:
        return EMPTY
    interval = result.intervals.get("multi", {}).get(measure)
    return Entry("", scale=_scale(measure, result.summary["multi"][measure], interval, ends))


def _scale(measure: str, value: float, interval: Sequence[float] | None, ends: Mapping[str, float]) -> Scale:
    """The places of a value and of what it is compared with; lower is to the right where lower is better."""
    perfect, random = ends["perfect"], ends["random"]
    low, high = interval or (value, value)
    least, most = min(0.0, low, value, perfect, random), max(1.0, high, value, perfect, random)
    turned = measures.better(measure) == "lower"

    def place(at: float) -> float:
        share = (at - least) / (most - least)
        return round(100 * (1 - share if turned else share), 2)

    left, right = sorted((place(low), place(high)))
    shown = {name: number(at, measure) for name, at in (("value", value), ("perfect", perfect), ("random", random))}
    text = f"{shown['value']}; perfect is {shown['perfect']}, random is {shown['random']}"
    return Scale(place(value), left, right, place(perfect), place(random), text)


def preference(result: Result, key: str, shared: Shared) -> Section | None:
    """The one-target and the preference matrix with their favourites, and consistency; None if there is none."""
    named = (
        ("one_target", PRECISION, tables.one_target(result)),
        ("first_language", PREFERENCE, tables.preference(result)),
    )
    foot_note = partial_of(result)
    drawn = [
        heatmap(table, measure, spread=shared.matrices[name], foot_note=foot_note)
        for name, measure, table in named
        if table
    ]
    measure, table = measures.of_lists(result.summary.get("multi", {})), tables.consistency(result)
    if measure and table:
        lists = heatmap(table, measure.name, spread=shared.matrices["consistency"], foot_note=foot_note)
        drawn.append(replace(lists, corner="query ↓ query →"))
    return Section(key, "Language preference", explanations.PREFERENCE, drawn) if drawn else None


def attribution(result: Result, key: str) -> Section | None:
    """Where AP is lost from one language to the pool of all; None if a part of it is not measured."""
    table, lost = tables.attribution(result, whole=True), losses(result)
    if table is None:
        return None
    most = max(_length(loss.multi, loss.irrelevant, loss.parallel) for loss in lost.values()) or 1.0
    notes = dict(zip(("irrelevant", "parallel"), measures.LOSSES, strict=True))
    drawn = page_table(table, notes=notes, foot_note=partial_of(result))
    bars = [_kept_and_lost(loss, most) for loss in lost.values()]
    with_bars = _with_column(drawn, Column("kept and lost", is_text=True), bars)
    key_of_parts = ("kept in the pool", "lost to irrelevant passages", "lost to the order of parallel ones")
    return Section(key, "Attribution of the loss", explanations.ATTRIBUTION, [replace(with_bars, key=key_of_parts)])


def _length(*parts: float) -> float:
    """Of a stacked bar. What is gained, a loss below zero, has no length."""
    return sum(max(part, 0.0) for part in parts)


def _kept_and_lost(loss: Loss, most: float) -> Entry:
    lengths = (round(100 * _length(part) / most, 2) for part in (loss.multi, loss.irrelevant, loss.parallel))
    return Entry("", parts=tuple(lengths))
