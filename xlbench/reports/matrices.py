"""Matrices of query languages by passage languages: their means, and the favourite of other languages' queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from xlbench.measures import PRECISION, PREFERENCE
from xlbench.results import Result
from xlbench.results.shown import number

Matrix = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class OfOthers:
    """The means of a matrix's rows and columns without its diagonal; a row or column without other cells has none."""

    rows: Mapping[str, float]
    columns: Mapping[str, float]


@dataclass(frozen=True)
class Favourite:
    """The language that queries of other languages prefer most."""

    language: str
    value: float
    """Mean over the languages of these queries: the share of first places, or the AP with its answers only."""
    others: float | None
    """What it would be without a favourite."""


@dataclass(frozen=True)
class BothWays:
    """From one language to another and back."""

    pair: str
    figures: tuple[float | None, ...]
    """There, back, their difference, and what each way loses against its queries' language alone."""


def passage_languages(matrix: Matrix) -> list[str]:
    """The columns of a matrix, in the order of its rows, which is the task's."""
    across = {name for row in matrix.values() for name in row}
    return [*(name for name in matrix if name in across), *sorted(across - set(matrix))]


def means_of_others(matrix: Matrix) -> OfOthers:
    """The mean of each row and of each column, without the diagonal."""
    rows = {a: [value for b, value in row.items() if b != a] for a, row in matrix.items()}
    columns = {b: [row[b] for a, row in matrix.items() if a != b and b in row] for b in passage_languages(matrix)}
    return OfOthers(*({name: fmean(values) for name, values in of.items() if values} for of in (rows, columns)))


def cross_lingual(result: Result, *, diagonal: bool) -> Matrix:
    """The headline by language of the query and of the passages, with or without the monolingual diagonal."""
    by_query: dict[str, dict[str, float]] = {}
    for setting, values in result.values.items():
        if setting.passages is not None and (diagonal or setting.kind == "cross"):
            by_query.setdefault(setting.query, {})[setting.passages] = values[result.headline]
    return by_query


def is_of_pairs(result: Result) -> bool:
    """Whether a matrix would be empty for the most part, since languages are asked in few others."""
    rows = cross_lingual(result, diagonal=False)
    return len(rows) * len(passage_languages(rows)) > 4 * sum(map(len, rows.values()))


def both_ways(result: Result) -> list[BothWays]:
    """The pairs of languages that have queries both ways, those whose ways differ most first."""
    matrix = cross_lingual(result, diagonal=True)
    pairs = []
    for a, b in combinations(matrix, 2):
        there, back = matrix[a].get(b), matrix[b].get(a)
        if there is not None and back is not None:
            own = (matrix[a].get(a), there), (matrix[b].get(b), back)
            penalties = (None if alone is None else alone - value for alone, value in own)
            pairs.append(BothWays(f"{a}>{b}", (there, back, there - back, *penalties)))
    return sorted(pairs, key=lambda of: -abs(of.figures[2] or 0.0))


def favourite(result: Result) -> Favourite | None:
    """The language whose passages come first most often for queries of other languages, and the fair share."""
    fair = result.references.get(PREFERENCE, {}).get("random")
    return _greatest(result.matrices.get("first_language", {}), fair)


def best_target(result: Result) -> Favourite | None:
    """The language whose passages queries of other languages find best, and the mean of all languages."""
    matrix = result.matrices.get("one_target", {})
    columns = means_of_others(matrix).columns
    return _greatest(matrix, fmean(columns.values()) if columns else None)


def _greatest(matrix: Matrix, others: float | None) -> Favourite | None:
    columns = means_of_others(matrix).columns
    if not columns:
        return None
    language = max(columns, key=lambda name: columns[name])
    return Favourite(language, columns[language], others)


def preference_note(result: Result) -> str:
    """The favourite in a sentence; nothing if there is no preference matrix."""
    preferred = favourite(result)
    if preferred is None:
        return ""
    fair = "" if preferred.others is None else f" (fair: {number(preferred.others, PREFERENCE)})"
    share = number(preferred.value, PREFERENCE)
    return f"Favourite of other languages' queries: {preferred.language}, first for {share} of them{fair}."


def one_target_note(result: Result) -> str:
    """The language that others find best in a sentence; nothing if there is no one-target matrix."""
    target = best_target(result)
    if target is None or target.others is None:
        return ""
    values = (
        f"{PRECISION} {number(target.value, PRECISION)} (mean of all languages: {number(target.others, PRECISION)})"
    )
    return f"Favourite of other languages' queries: {target.language}, {values}."
