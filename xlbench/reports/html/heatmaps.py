"""Heatmaps: tables of query languages by passage languages, or of models by languages, coloured by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xlbench.reports.cells import MEAN, MEAN_OF_OTHERS, Table, number_cell, row
from xlbench.reports.html.page_tables import page_table
from xlbench.reports.html.parts import Column, Entry, PageTable
from xlbench.reports.matrices import Matrix
from xlbench.results.shown import number

_STEPS = 100


def ends(matrices: Iterable[Matrix]) -> tuple[float, float]:
    """The least and the greatest value, between which the colours are spread; 0 and 1 if there is none."""
    values = [value for matrix in matrices for by_passage in matrix.values() for value in by_passage.values()]
    return (min(values), max(values)) if values else (0.0, 1.0)


def heatmap(
    table: Table,
    measure: str,
    *,
    spread: tuple[float, float],
    foot_note: str = "",
    corner: str = "query ↓ passage →",
) -> PageTable:
    """A table whose columns are languages with a colour for each value, but none for the means.

    Its rows are languages, or what the ``corner`` says.
    """
    low, high = spread
    drawn = page_table(table, caption=". ".join(filter(None, [table.title, table.note])), foot_note=foot_note)
    languages = [None if column.name in (MEAN, MEAN_OF_OTHERS) else column.name for column in drawn.columns]
    return replace(
        drawn,
        corner=corner,
        columns=tuple(Column(c.name, language=of) for c, of in zip(drawn.columns, languages, strict=True)),
        rows=tuple(
            replace(
                each,
                cells=tuple(
                    entry if of is None else _shaded(entry, spread, own=of == each.name)
                    for entry, of in zip(each.cells, languages, strict=True)
                ),
            )
            for each in drawn.rows
        ),
        kind="heatmap",
        sortable=False,
        legend=(number(low, measure), number(high, measure)),
    )


def of_models(
    title: str,
    measure: str,
    models: Sequence[tuple[str, Mapping[str, float], float | None]],
    *,
    languages: Sequence[str],
    note: str = "",
) -> PageTable | None:
    """Models down, with the value by query language and the mean of each, and languages across; None without values."""
    values = [value for _, by_language, _ in models for value in by_language.values()]
    if not values:
        return None
    rows = tuple(
        row(name, *(number_cell(each, measure) for each in [*map(by_language.get, languages), mean]))
        for name, by_language, mean in models
    )
    table = Table(title, ("model", *languages, MEAN), rows, note)
    return heatmap(table, measure, spread=(min(values), max(values)), corner="model ↓ query →")


def style_sheet() -> str:
    """A rule for each step of the scale: cividis, even in lightness and made for colour-blind eyes, and text on it."""
    from matplotlib import colormaps

    cividis = colormaps["cividis"]
    rules = []
    for step in range(_STEPS + 1):
        red, green, blue = (round(255 * part) for part in cividis(step / _STEPS)[:3])
        text = (
            "#fff"
            if contrast((red, green, blue), (255, 255, 255)) > contrast((red, green, blue), (0, 0, 0))
            else "#000"
        )
        rules.append(f".h{step}{{background:#{red:02x}{green:02x}{blue:02x};color:{text}}}")
    stops = ",".join(
        "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in cividis(i / 10)[:3])) for i in range(11)
    )
    return "\n".join([*rules, f".ramp{{background:linear-gradient(to right,{stops})}}"])


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2, 1.4.3)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Sequence[int]) -> float:
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _shaded(entry: Entry, spread: tuple[float, float], *, own: bool) -> Entry:
    if entry.value is None:
        return entry
    low, high = spread
    shade = round(_STEPS * (entry.value - low) / (high - low)) if high > low else 0
    return replace(entry, shade=min(max(shade, 0), _STEPS), own=own)
