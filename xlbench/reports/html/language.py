"""The parts of a report that are about languages: each by itself, and how the pool of all treats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from xlbench import bias
from xlbench.reports.cells import better_of, number
from xlbench.reports.html import texts
from xlbench.reports.html.heatmaps import heatmap
from xlbench.reports.html.parts import (
    EMPTY,
    Cell,
    Column,
    Row,
    Scale,
    Section,
    Table,
    captioned,
    cell,
    count,
    interval_of,
    partial,
)
from xlbench.reports.html.shared import Shared
from xlbench.results import Result
from xlbench.settings import kind_of

FloatArray = npt.NDArray[np.float64]

_LOSSES = ("IrrelevantLoss", "ParallelLoss")


def by_language(result: Result, kind: str, measures: Sequence[str], caption: str) -> Table:
    """A row a language of the queries in the settings of a kind, with the mean of all below."""
    names = [name for name in result.scores if kind_of(name) == kind]

    def cells(name: str, values: Mapping[str, float], n_queries: int) -> tuple[Cell, ...]:
        shown = (cell(values.get(m), m, interval=interval_of(result, name, m)) for m in measures)
        return (*shown, count(n_queries))

    rows = [
        Row(language := name.partition(">")[0], cells(name, result.scores[name], result.queries[name]), language)
        for name in names
    ]
    total = sum(result.queries[name] for name in names)
    return Table(
        caption=captioned(caption, result),
        corner="language",
        columns=(*(Column(measure) for measure in measures), Column("queries")),
        rows=tuple(rows),
        foot=(Row("mean", cells(kind, result.summary[kind], total), note=partial(result)),),
    )


def language_bias(result: Result, key: str) -> Section | None:
    """The measures of bias, each with the values that place it, and by language; None if there are none."""
    measures = [measure for measure in result.summary.get("multi", {}) if bias.find(measure)]
    if not measures:
        return None
    table = Table(
        caption=captioned("Language bias in the pool of all languages, means over query languages", result),
        corner="measure",
        columns=(
            Column("value"),
            Column("better", is_text=True),
            Column("perfect"),
            Column("random"),
            Column("place on the scale", note="the nearer to the diamond, the better", is_text=True),
        ),
        rows=tuple(_placed(result, measure) for measure in measures),
        sortable=False,
    )
    languages = by_language(result, "multi", measures, "Language bias by query language")
    return Section(key, "Language bias", texts.BIAS, [table, languages])


def _placed(result: Result, measure: str) -> Row:
    value, interval = result.summary["multi"][measure], interval_of(result, "multi", measure)
    ends = result.references.get(measure, {})
    perfect, random = ends.get("perfect"), ends.get("random")
    known = perfect is not None and random is not None
    cells = (
        cell(value, measure, interval=interval),
        Cell(_direction(measure, perfect)),
        cell(perfect, measure),
        cell(random, measure),
        Cell("", scale=_scale(measure, value, interval, ends)) if known else EMPTY,
    )
    return Row(measure, cells, note=texts.measure(measure))


def _direction(measure: str, perfect: float | None) -> str:
    better = better_of(measure)
    return f"nearer to {number(perfect, measure)}" if better == "nearer" and perfect is not None else better


def _scale(measure: str, value: float, interval: Sequence[float] | None, ends: Mapping[str, float]) -> Scale:
    """The places of a value and of what it is compared with; lower is to the right where lower is better."""
    perfect, random = ends["perfect"], ends["random"]
    low, high = interval or (value, value)
    least, most = min(0.0, low, value, perfect, random), max(1.0, high, value, perfect, random)
    turned = better_of(measure) == "lower"

    def place(at: float) -> float:
        share = (at - least) / (most - least)
        return round(100 * (1 - share if turned else share), 2)

    left, right = sorted((place(low), place(high)))
    shown = {name: number(at, measure) for name, at in (("value", value), ("perfect", perfect), ("random", random))}
    text = f"{shown['value']}; perfect is {shown['perfect']}, random is {shown['random']}"
    return Scale(place(value), left, right, place(perfect), place(random), text)


def preference(result: Result, key: str, shared: Shared) -> Section | None:
    """The one-target and the preference matrix; None if the result has neither."""
    found = [
        heatmap(
            matrix,
            measure,
            caption=captioned(caption, result),
            spread=shared.matrices[name],
            result=result,
        )
        for name, measure, caption in (
            ("one_target", "AP", "One-target matrix: AP with the answers of one language only"),
            ("first_language", "LPR", "Preference matrix: share of queries whose first answer is in this language"),
        )
        if (matrix := result.matrices.get(name))
    ]
    return Section(key, "Language preference", texts.PREFERENCE, found) if found else None


def attribution(result: Result, key: str) -> Section | None:
    """Where AP is lost from one language to the pool of all; None if a part of it is not measured."""
    split = {
        scores.setting: _split(scores.values)
        for scores in result.per_query
        if kind_of(scores.setting) == "multi" and {"AP", *_LOSSES} <= scores.values.keys()
    }
    if not split:
        return None
    most = max(float(parts.clip(0).sum()) for parts in split.values()) or 1.0
    rows = []
    for setting, parts in split.items():
        language = setting.partition(">")[0]
        rows.append(Row(language, _kept_and_lost(result, setting, parts, most), language))
    mean = np.mean(list(split.values()), axis=0)
    table = Table(
        caption=captioned("Where AP is lost between one language and the pool of all", result),
        corner="language",
        columns=(
            Column("AP mono"),
            Column("irrelevant", note="IrrelevantLoss"),
            Column("parallel", note="ParallelLoss"),
            Column("AP multi"),
            Column("kept and lost", is_text=True),
        ),
        rows=tuple(rows),
        foot=(Row("mean", _kept_and_lost(result, "multi", mean, most), note=partial(result)),),
        key=("kept in the pool", "lost to irrelevant passages", "lost to the order of parallel ones"),
    )
    return Section(key, "Attribution of the loss", texts.ATTRIBUTION, [table])


def _split(values: Mapping[str, FloatArray]) -> FloatArray:
    """Mean AP in the pool and the two losses over the queries for which these are defined, ``float64[3]``."""
    defined = np.isfinite(values[_LOSSES[0]])
    return np.array([values[name][defined].mean() for name in ("AP", *_LOSSES)])


def _kept_and_lost(result: Result, name: str, parts: FloatArray, most: float) -> tuple[Cell, ...]:
    kept, *lost = parts.tolist()
    losses = [
        cell(loss, measure, interval=interval_of(result, name, measure))
        for loss, measure in zip(lost, _LOSSES, strict=True)
    ]
    # What is gained, a loss below zero, has no length.
    bars = tuple(round(100 * max(part, 0.0) / most, 2) for part in (kept, *lost))
    return (cell(kept + sum(lost), "AP"), *losses, cell(kept, "AP"), Cell("", parts=bars))
