"""Charts: matplotlib's SVG made fit to stand in a page, light or dark, with the same bytes for the same numbers."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.measures import DISTANCE
from xlbench.results.shown import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Colours that stand for variables of the style sheet, which are other ones in the dark.
INK, MUTED, LINE, ACCENT, SECOND, PAPER = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    ACCENT: "--accent",
    SECOND: "--second",
    PAPER: "--paper",
}
_PRINTED = ("#191c20", "#5a616b", "#dfe0dc", "#2f5d8a", "#fdfdfc")
"""Ink, muted, line, accent and paper of the light style sheet."""
_INCH = 72  # SVG's points, which the page takes for pixels.
_BINS = 40


@dataclass(frozen=True)
class Point:
    """A model in the plane."""

    name: str
    x: float
    y: float
    note: str = ""


@dataclass(frozen=True)
class Dumbbell:
    """Two values of a model, from 0 to 1."""

    name: str
    first: float
    last: float


def distances(
    values: Mapping[str, FloatArray], *, key: str, most: float, perfect: float | None, random: float | None
) -> str:
    """The distributions of rank distances by language as SVG: histograms on a logarithmic scale, one above the other.

    ``most`` is the right end of the axis; ``perfect`` and ``random`` are marked.
    """
    row, top, width = 30, 26, 680
    left = 16 + min(9 * max(map(len, values), default=0), 200)
    height = top + row * len(values) + 34
    edges = np.geomspace(1, max(most, 10), _BINS + 1)
    base: FloatArray = np.arange(len(values), dtype=np.float64) + 0.94
    with _figure(width, height) as (figure, drawn):
        axes = figure.add_axes((left / width, 34 / height, (width - left - 16) / width, row * len(values) / height))
        _bare(axes)
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(len(values), 0)
        _ticks(axes, [10**i for i in range(6) if 10**i <= edges[-1]])
        _histograms(axes, list(values.values()), edges=edges, base=base)
        for language, at in zip(values, base, strict=True):
            where = axes.get_yaxis_transform()
            name = axes.text(-0.012, at - 0.28, language, ha="right", va="center", color=INK, transform=where)
            name.set_parse_math(False)
        for text, mark in (("perfect", perfect), ("random", random)):
            if mark is not None and edges[0] <= mark <= edges[-1]:
                axes.axvline(mark, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
                side = "right" if mark > edges[-1] / 4 else "center"
                axes.text(mark, -0.15, f"{text} {number(mark, DISTANCE)}", ha=side, va="bottom", color=MUTED)
        axes.set_xlabel("rank distance, logarithmic", color=MUTED)
    return _inline(drawn.getvalue(), key, f"Distribution of rank distances of {len(values)} query languages")


def _histograms(axes: Axes, values: Sequence[FloatArray], *, edges: FloatArray, base: FloatArray) -> None:
    """Draws a histogram with its median on each base line; the axis points down."""
    from matplotlib.collections import PolyCollection

    outlines = []
    for distance, at in zip(values, base, strict=True):
        counted, _ = np.histogram(distance.clip(edges[0], edges[-1]), edges)
        top = np.repeat(at - 0.84 * counted / max(counted.max(), 1), 2)
        sides = np.repeat(edges, 2)
        outlines.append(np.column_stack([sides, [at, *top, at]]))
    # One collection is drawn several times as fast as a patch for each.
    axes.add_collection(PolyCollection(outlines, facecolors=ACCENT, edgecolors="none", clip_on=False), autolim=False)
    axes.hlines(base, edges[0], edges[-1], color=LINE, linewidth=0.8, zorder=0)
    medians = [float(np.median(distance)) for distance in values]
    axes.vlines(medians, base - 0.84, base, color=SECOND, linewidth=2, clip_on=False, zorder=3)


def plane(points: Sequence[Point], *, key: str, x: str, y: str) -> str:
    """Models as points with their names as SVG."""
    width, height = 680, 380
    with _figure(width, height) as (figure, drawn):
        axes = figure.add_axes((56 / width, 46 / height, (width - 72) / width, (height - 62) / height))
        _bare(axes)
        axes.set_axisbelow(True)
        axes.grid(color=LINE, linewidth=0.8)
        x_low, x_high = _spread([point.x for point in points])
        y_low, y_high = _spread([point.y for point in points])
        axes.set_xlim(x_low, x_high)
        axes.set_ylim(y_low, y_high)
        axes.tick_params(length=0, labelcolor=MUTED)
        axes.set_xlabel(x, color=MUTED)
        axes.set_ylabel(y, color=MUTED)
        line = (y_high - y_low) * 34 / (height - 62)
        label_at = -np.inf
        for point in sorted(points, key=lambda point: (point.y, point.x, point.name)):
            # Two labels never stand on one line: the next one is pushed up.
            label_at = max(point.y, label_at + line)
            leftwards = point.x > (x_low + x_high) / 2
            axes.plot([point.x], [point.y], "o", color=ACCENT, markersize=9)
            axes.annotate(
                _whole(point.name) + (f" · {point.note}" if point.note else ""),
                (point.x, label_at),
                xytext=(-9 if leftwards else 9, 0),
                textcoords="offset points",
                ha="right" if leftwards else "left",
                va="center",
                color=INK,
                parse_math=False,
                annotation_clip=False,
            )
    return _inline(drawn.getvalue(), key, f"{y} against {x} of {len(points)} models")


def dumbbells(rows: Sequence[Dumbbell | str], *, key: str) -> str:
    """Models as lines between two values on one axis from 0 to 1 as SVG; a text is a heading of those below."""
    row, width, top = 26, 680, 8
    left = 16 + min(7.5 * max(len(each if isinstance(each, str) else each.name) for each in rows), 260)
    height = top + row * len(rows) + 34
    with _figure(width, height) as (figure, drawn):
        box = (left / width, 34 / height, (width - left - 60) / width, row * len(rows) / height)
        _draw_dumbbells(
            figure.add_axes(box), rows, left=left / (width - left - 60), colours=(INK, MUTED, LINE, ACCENT, PAPER)
        )
    n = sum(not isinstance(each, str) for each in rows)
    return _inline(drawn.getvalue(), key, f"From one language to the pool of all languages: {n} models and tasks")


def dumbbell_picture(rows: Sequence[Dumbbell], *, title: str, caption: str) -> bytes:
    """The same as a PNG of 1200 by 630 pixels with a title above, for pages that show a link to another one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = io.BytesIO()
    with _figure(600, 315) as (figure, _):
        figure.set_facecolor(_PRINTED[-1])
        figure.text(0.04, 0.9, title, color=_PRINTED[0], fontsize=15, fontweight="bold", va="center")
        figure.text(0.04, 0.81, caption, color=_PRINTED[1], fontsize=10.5, va="center")
        _draw_dumbbells(figure.add_axes((0.36, 0.13, 0.59, 0.62)), rows, left=0.5, colours=_PRINTED)
        FigureCanvasAgg(figure)
        figure.savefig(drawn, format="png", dpi=2 * _INCH, metadata={"Software": None}, facecolor=_PRINTED[-1])
    return drawn.getvalue()


def _draw_dumbbells(axes: Axes, rows: Sequence[Dumbbell | str], *, left: float, colours: tuple[str, ...]) -> None:
    """Draws them in colours for ink, muted ink, lines, dots and paper.

    Headings begin ``left`` of the axis, as a share of its length.
    """
    ink, muted, line, accent, paper = colours
    _bare(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(axis="x", color=line, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=muted)
    for at, each in enumerate(rows):
        is_heading = isinstance(each, str)
        name = _whole(each if isinstance(each, str) else each.name)
        side, x = ("left", -left) if is_heading else ("right", -0.02)
        where = axes.get_yaxis_transform()
        text = axes.text(x, at, name, ha=side, va="center", color=muted if is_heading else ink, transform=where)
        text.set_parse_math(False)
        if not isinstance(each, str):
            axes.plot([each.first, each.last], [at, at], color=accent, linewidth=2, zorder=2)
            axes.plot([each.first], [at], "o", color=accent, markersize=9, markerfacecolor=paper, zorder=3)
            axes.plot([each.last], [at], "o", color=accent, markersize=9, zorder=3)


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, io.StringIO]]:
    """An empty figure of so many pixels, and where it is written to when the context ends."""
    import matplotlib
    from matplotlib.figure import Figure

    drawn = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Letters that matplotlib's own font lacks; the reader's browser has others.
        warnings.simplefilter("ignore")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "xlbench", "font.size": 12.5})
        figure = Figure(figsize=(width / _INCH, height / _INCH), facecolor="none")
        yield figure, drawn
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})


def _whole(text: str) -> str:
    """The text with a question mark for half a surrogate pair, which matplotlib does not draw."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _bare(axes: Axes) -> None:
    axes.set_facecolor("none")
    for side in axes.spines.values():
        side.set_visible(False)


def _ticks(axes: Axes, at: Sequence[float]) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(at))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:,.0f}" for tick in at]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    axes.tick_params(length=0, labelcolor=MUTED)
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    margin = (max(values) - min(values)) * 0.12 or 0.05
    return min(values) - margin, max(values) + margin


def _inline(svg: str, key: str, label: str) -> str:
    """The ``svg`` element alone: without ids that two figures could share, with the page's fonts and colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(
        r'<svg ([^>]*?)width="[^"]*" height="[^"]*" ', rf'<svg role="img" aria-label="{escape(label)}" \1', svg
    )
    used = set(re.findall(r'(?:url\(#|href="#)([\w-]+)', svg))
    # Only within tags: a name may look like anything.
    svg = re.sub(r"<[^>]+>", lambda tag: _adapted(tag[0], key, used), svg)
    return re.sub(r">\s+<", "><", svg).strip()


def _adapted(tag: str, key: str, used: Container[str]) -> str:
    tag = re.sub(r' id="([^"]*)"', lambda match: f' id="{key}-{match[1]}"' if match[1] in used else "", tag)
    tag = re.sub(r'(url\(#|href="#)([\w-]+)', rf"\g<1>{key}-\g<2>", tag)
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", tag)
    tag = tag.replace("; stroke-linecap: square", "")
    tag = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", tag)
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, f"var({variable})")
    # Tenths of a pixel are enough.
    return re.sub(r' d="([^"]*)"', lambda match: f' d="{_shorter(match[1])}"', tag)


def _shorter(path: str) -> str:
    return " ".join(re.sub(r"\d+\.\d+", lambda match: f"{float(match[0]):.1f}", path).split())
