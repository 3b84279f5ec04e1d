"""Heatmaps: tables of query languages by passage languages, coloured by value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlbench.reports.cells import MEAN_OF_OTHERS
from xlbench.reports.html.parts import EMPTY, Column, Entry, PageRow, PageTable, entry
from xlbench.reports.matrices import Matrix, means_of_others, passage_languages
from xlbench.reports.words import partial
from xlbench.results import Result
from xlbench.results.shown import number

_STEPS = 100


def ends(matrices: Iterable[Matrix]) -> tuple[float, float]:
    """The least and the greatest value, between which the colours are spread; 0 and 1 if there is none."""
    values = [value for matrix in matrices for row in matrix.values() for value in row.values()]
    return (min(values), max(values)) if values else (0.0, 1.0)


def heatmap(
    matrix: Matrix,
    measure: str,
    *,
    caption: str,
    spread: tuple[float, float],
    result: Result,
    mean: float | None = None,
    corner: str = "query ↓ passage →",
) -> PageTable:
    """The table of a matrix; means of rows and columns leave the diagonal out, ``mean`` is the one in the corner."""
    pools, means = passage_languages(matrix), means_of_others(matrix)
    rows = [
        PageRow(
            language,
            (
                *(_entry(values.get(pool), measure, spread, own=pool == language) for pool in pools),
                entry(means.rows.get(language), measure),
            ),
            language,
        )
        for language, values in matrix.items()
    ]
    below = [entry(means.columns.get(pool), measure) for pool in pools]
    low, high = spread
    return PageTable(
        caption=caption,
        corner=corner,
        columns=(*(Column(pool, language=pool) for pool in pools), Column(MEAN_OF_OTHERS)),
        rows=tuple(rows),
        foot=(PageRow(MEAN_OF_OTHERS, (*below, entry(mean, measure)), note=partial(result.missing_languages)),),
        kind="heatmap",
        sortable=False,
        legend=(number(low, measure), number(high, measure)),
    )


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


def _entry(value: float | None, measure: str, spread: tuple[float, float], *, own: bool) -> Entry:
    if value is None:
        return EMPTY
    low, high = spread
    shade = round(_STEPS * (value - low) / (high - low)) if high > low else 0
    return Entry(number(value, measure), value, shade=min(max(shade, 0), _STEPS), own=own)
