"""Heatmaps: tables of query languages by passage languages, coloured by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from xlbench.reports.cells import number
from xlbench.reports.html.parts import EMPTY, Cell, Column, Row, Table, cell, partial
from xlbench.results import Result
from xlbench.settings import kind_of

Matrix = Mapping[str, Mapping[str, float]]
_STEPS = 100


def cross_lingual(result: Result) -> Matrix:
    """The headline by language of the query and of the passages: monolingual on the diagonal, else cross-lingual."""
    found: dict[str, dict[str, float]] = {}
    for setting, values in result.scores.items():
        if kind_of(setting) != "multi":
            asked, _, pool = setting.partition(">")
            found.setdefault(asked, {})[pool] = values[result.headline]
    return found


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
) -> Table:
    """The table of a matrix; means of rows and columns leave the diagonal out, ``mean`` is the one in the corner."""
    asked = list(matrix)
    pools = [pool for pool in _languages(result) if any(pool in row for row in matrix.values())]
    rows = []
    for language in asked:
        cells = [_cell(matrix[language].get(pool), measure, spread, own=pool == language) for pool in pools]
        others = [value for pool, value in matrix[language].items() if pool != language]
        rows.append(Row(language, (*cells, _mean(others, measure)), language))
    below = [
        _mean([matrix[row][pool] for row in asked if row != pool and pool in matrix[row]], measure) for pool in pools
    ]
    low, high = spread
    return Table(
        caption=caption,
        corner=corner,
        columns=(*(Column(pool, language=pool) for pool in pools), Column("mean", note="of the others")),
        rows=tuple(rows),
        foot=(Row("mean", (*below, cell(mean, measure)), note=partial(result)),),
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


def _languages(result: Result) -> list[str]:
    return list(dict.fromkeys(setting.partition(">")[0] for setting in result.queries))


def _cell(value: float | None, measure: str, spread: tuple[float, float], *, own: bool) -> Cell:
    if value is None:
        return EMPTY
    low, high = spread
    shade = round(_STEPS * (value - low) / (high - low)) if high > low else 0
    return Cell(number(value, measure), value, shade=min(max(shade, 0), _STEPS), own=own)


def _mean(values: Sequence[float], measure: str) -> Cell:
    return cell(fmean(values), measure) if values else EMPTY
