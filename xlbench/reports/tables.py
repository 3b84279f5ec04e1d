"""The tables of a result, as headers and rows of text, and the line that sums it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlbench.bias import BIAS_MEASURES
from xlbench.results import Result
from xlbench.settings import kind_of

_IN_MULTI = ("AP", "AP@20", "R@10", "RankDistance")
_KIND_TITLES = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns and the rows, all as text; the last row may be a mean."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(result: Result) -> list[Table]:
    """One table for each kind of setting that the result has."""
    of_kind: dict[str, list[str]] = {}
    for name in result.scores:
        of_kind.setdefault(kind_of(name), []).append(name)
    found = []
    if "mono" in of_kind:
        measures = [measure for measure in result.scores[of_kind["mono"][0]] if measure not in BIAS_MEASURES]
        found.append(_by_language(result, "mono", of_kind["mono"], measures))
    if "cross" in of_kind:
        found.append(_grid(result, of_kind["cross"]))
    if "multi" in of_kind:
        available = list(result.scores[of_kind["multi"][0]])
        measures = [measure for measure in _IN_MULTI if measure in available] or available
        found.append(_by_language(result, "multi", of_kind["multi"], measures))
    return found


def headline(result: Result) -> str:
    """One line: the headline measure in each kind of setting, and the rank distance."""
    parts = [f"{_KIND_TITLES[kind]} {by_measure[result.headline]:.3f}" for kind, by_measure in result.summary.items()]
    distance = result.summary.get("multi", {}).get("RankDistance")
    if distance is not None:
        parts.append(f"RankDistance {distance:,.0f}")
    line = f"{result.model['name']} on {result.task}: {result.headline} {', '.join(parts)}"
    if result.missing_languages:
        line += f"; partial, without {', '.join(result.missing_languages)}"
    return line


def number(value: float, measure: str) -> str:
    """A value as reports show it: three decimals without a leading zero, ranks as whole numbers."""
    if measure in BIAS_MEASURES:
        return f"{value:,.0f}"
    return f"{value:.3f}".removeprefix("0")


def _by_language(result: Result, kind: str, names: Sequence[str], measures: Sequence[str]) -> Table:
    rows = [
        (
            name.partition(">")[0],
            *(number(result.scores[name][measure], measure) for measure in measures),
            f"{result.queries[name]:,}",
        )
        for name in names
    ]
    total = sum(result.queries[name] for name in names)
    mean = ("mean", *(number(result.summary[kind][measure], measure) for measure in measures), f"{total:,}")
    pool = "passages of the same language" if kind == "mono" else "passages of all languages in one pool"
    return Table(
        title=f"{result.task}, {_KIND_TITLES[kind]}: queries of a language, {pool}{_partial(result)}",
        header=("language", *measures, "queries"),
        rows=(*rows, mean),
    )


def _grid(result: Result, names: Sequence[str]) -> Table:
    measure = result.headline
    asked = list(dict.fromkeys(name.partition(">")[0] for name in result.queries))
    present = {name.partition(">")[2] for name in names}
    pools = [language for language in asked if language in present]
    rows = []
    for language in asked:
        cells = [
            result.scores.get(f"{language}>{pool}", {}).get(measure) if pool != language else None for pool in pools
        ]
        found = [value for value in cells if value is not None]
        if found:
            shown = ["" if value is None else number(value, measure) for value in cells]
            rows.append((language, *shown, number(sum(found) / len(found), measure)))
    mean = ("mean", *[""] * len(pools), number(result.summary["cross"][measure], measure))
    return Table(
        title=f"{result.task}, {_KIND_TITLES['cross']}: {measure}, queries down, passages across{_partial(result)}",
        header=("", *pools, "mean"),
        rows=(*rows, mean),
    )


def _partial(result: Result) -> str:
    return f" (partial: without {', '.join(result.missing_languages)})" if result.missing_languages else ""


def comparison(results: Sequence[Result]) -> list[Table]:
    """A table for each task and version: one row a model, the headline measure in each kind of setting."""
    of_task: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        of_task.setdefault((result.task, result.task_version), []).append(result)
    found = []
    for (task, version), group in of_task.items():
        measure = group[0].headline
        columns = [(kind, measure) for kind in _KIND_TITLES] + [("multi", "RankDistance")]
        columns = [(kind, m) for kind, m in columns if any(m in result.summary.get(kind, {}) for result in group)]
        rows = []
        for result in group:
            values = [result.summary.get(kind, {}).get(m) for kind, m in columns]
            cells = ("" if value is None else number(value, m) for value, (_, m) in zip(values, columns, strict=True))
            rows.append((result.model["name"] + _partial(result), *cells))
        found.append(
            Table(f"{task}, version {version}", ("model", *(f"{kind} {m}" for kind, m in columns)), tuple(rows))
        )
    return found
