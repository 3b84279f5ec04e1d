"""The parts of a report that are about languages: each by itself, and how the pool of all treats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlbench import measures
from xlbench.measures import LOSSES, PRECISION, PREFERENCE
from xlbench.reports.cells import MEAN
from xlbench.reports.html import explanations
from xlbench.reports.html.heatmaps import heatmap
from xlbench.reports.html.parts import (
    EMPTY,
    Column,
    Entry,
    PageRow,
    PageTable,
    Scale,
    Section,
    count,
    entry,
    interval_of,
)
from xlbench.reports.html.shared import Shared
from xlbench.reports.losses import Loss, losses
from xlbench.reports.matrices import one_target_note, preference_note
from xlbench.reports.tables import bias_measures_of
from xlbench.reports.words import captioned, direction, partial
from xlbench.results import Result
from xlbench.results.shown import number
from xlbench.settings import Kind, Setting


def by_language(result: Result, kind: Kind, measures: Sequence[str], caption: str) -> PageTable:
    """A row a language of the queries in the settings of a kind, with the mean of all below."""
    names = [name for name in result.values if name.kind == kind]

    def cells(name: Setting | Kind, values: Mapping[str, float], n_queries: int) -> tuple[Entry, ...]:
        shown = (entry(values.get(m), m, interval=interval_of(result, name, m)) for m in measures)
        return (*shown, count(n_queries))

    rows = [
        PageRow(language := name.query, cells(name, result.values[name], result.queries[name]), language)
        for name in names
    ]
    total = sum(result.queries[name] for name in names)
    return PageTable(
        caption=captioned(caption, result.missing_languages),
        corner="language",
        columns=(*(Column(measure) for measure in measures), Column("queries")),
        rows=tuple(rows),
        foot=(PageRow(MEAN, cells(kind, result.summary[kind], total), note=partial(result.missing_languages)),),
    )


def language_bias(result: Result, key: str) -> Section | None:
    """The measures of bias, each with the values that place it, and by language; None if there are none."""
    measures = bias_measures_of(result)
    if not measures:
        return None
    table = PageTable(
        caption=captioned(
            "Language bias in the pool of all languages, means over query languages", result.missing_languages
        ),
        corner="measure",
        columns=(
            Column("value"),
            Column("better", is_text=True),
            Column("perfect"),
            Column("random"),
            Column("place on the scale", note="the diamond is perfect", is_text=True),
        ),
        rows=tuple(_placed(result, measure) for measure in measures),
        sortable=False,
    )
    languages = by_language(result, "multi", measures, "Language bias by query language")
    return Section(key, "Language bias", explanations.BIAS, [table, languages])


def _placed(result: Result, measure: str) -> PageRow:
    value, interval = result.summary["multi"][measure], interval_of(result, "multi", measure)
    ends = result.references.get(measure, {})
    perfect, random = ends.get("perfect"), ends.get("random")
    known = perfect is not None and random is not None
    cells = (
        entry(value, measure, interval=interval),
        Entry(direction(measure, perfect)),
        entry(perfect, measure),
        entry(random, measure),
        Entry("", scale=_scale(measure, value, interval, ends)) if known else EMPTY,
    )
    return PageRow(measure, cells, note=_brief(measure))


def _brief(measure: str) -> str:
    known = measures.of_bias(measure)
    return known.brief if known else ""


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
    """The one-target and the preference matrix with their favourites; None if the result has neither."""
    found = [
        heatmap(
            matrix,
            measure,
            caption=captioned(caption.strip(), result.missing_languages),
            spread=shared.matrices[name],
            result=result,
        )
        for name, measure, caption in (
            (
                "one_target",
                PRECISION,
                f"One-target matrix: AP with the answers of one language only. {one_target_note(result)}",
            ),
            (
                "first_language",
                PREFERENCE,
                "Preference matrix: share of queries whose first answer is in this language. "
                + preference_note(result),
            ),
        )
        if (matrix := result.matrices.get(name))
    ]
    return Section(key, "Language preference", explanations.PREFERENCE, found) if found else None


def attribution(result: Result, key: str) -> Section | None:
    """Where AP is lost from one language to the pool of all; None if a part of it is not measured."""
    found = losses(result)
    if not found:
        return None
    most = max(_length(loss.multi, loss.irrelevant, loss.parallel) for loss in found.values()) or 1.0
    rows = {name: _kept_and_lost(result, name, loss, most) for name, loss in found.items()}
    table = PageTable(
        caption=captioned("Where AP is lost between one language and the pool of all", result.missing_languages),
        corner="language",
        columns=(
            Column(f"{PRECISION} mono"),
            Column("irrelevant", note=LOSSES[0]),
            Column("parallel", note=LOSSES[1]),
            Column(f"{PRECISION} multi"),
            Column("kept and lost", is_text=True),
        ),
        rows=tuple(
            PageRow(language := name.query, entries, language)
            for name, entries in rows.items()
            if isinstance(name, Setting)
        ),
        foot=(PageRow(MEAN, rows["multi"], note=partial(result.missing_languages)),),
        key=("kept in the pool", "lost to irrelevant passages", "lost to the order of parallel ones"),
    )
    return Section(key, "Attribution of the loss", explanations.ATTRIBUTION, [table])


def _length(*parts: float) -> float:
    """Of a stacked bar. What is gained, a loss below zero, has no length."""
    return sum(max(part, 0.0) for part in parts)


def _kept_and_lost(result: Result, name: Setting | Kind, loss: Loss, most: float) -> tuple[Entry, ...]:
    lost = (loss.irrelevant, loss.parallel)
    entries = [
        entry(value, measure, interval=interval_of(result, name, measure))
        for value, measure in zip(lost, LOSSES, strict=True)
    ]
    bars = tuple(round(100 * _length(part) / most, 2) for part in (loss.multi, *lost))
    return (entry(loss.mono, PRECISION), *entries, entry(loss.multi, PRECISION), Entry("", parts=bars))
