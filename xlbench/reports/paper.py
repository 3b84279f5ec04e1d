"""Published numbers beside measured ones: arXiv 2408.10536 and, as its baseline, LAReQA (arXiv 2004.05484)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from xlbench import measures
from xlbench.errors import ResultError
from xlbench.measures.values import by_language
from xlbench.reports.cells import EMPTY, MEAN, Cell, Table, number_cell, row
from xlbench.reports.formats import Record, records
from xlbench.reports.judged_group import Key
from xlbench.reports.several_models import Column, Group, grouped
from xlbench.results import Result
from xlbench.settings import Kind

TASKS = ("xquad-r", "mlqa-r")
"""The tasks that the paper has in the form in which xlbench has them."""
_LAREQA = "LAReQA"
_FORMS = {
    "arXiv 2408.10536": "not said whether passages have their context",
    "LAReQA, arXiv 2004.05484": "passages are sentences with their context",
}
"""What each paper says of the form in which it has the tasks."""
_PAPER, _WITH_CONTEXT = _FORMS
MEASURED_FORM = "passages are sentences without their context"
_SOURCES = (
    f"Reported: {_PAPER}, tables 3 to 8: {_FORMS[_PAPER]}; mBERT: {_WITH_CONTEXT}: {_FORMS[_WITH_CONTEXT]}. "
    f"Measured: {MEASURED_FORM}."
)
_SLIPS = {
    "xquad-r": "Slip of arXiv 2408.10536: hybrid is not best for XLM-R in multi AP here, .5927 against .5934 of X-Y.",
}
_OTHER_SLIP = (
    "Slip elsewhere in it: table 11 swaps the numbers of MIRACL's English and Spanish queries and has 2,869 Arabic "
    "ones for 2,896."
)
# The paper has one decimal more than other reports.
_MORE_DECIMALS = 1


@dataclass(frozen=True)
class Published:
    """One number of a paper."""

    table: str
    """Its number in the paper, or ``LAReQA``."""
    task: str
    model: str
    recipe: str
    """How the model was trained: ``X-X-mono``, ``X-Y`` or ``hybrid``; in LAReQA also ``En-En`` and ``X-X``."""
    setting: str
    """Kind of setting."""
    measure: str
    language: str
    """Of the queries; ``mean`` for the mean over languages."""
    value: str
    """As it is printed."""


@cache
def _columns(*, of_overview: bool) -> tuple[Column, ...]:
    """Those that have a table by language or, of them, those of the overview."""
    rows = _data("paper_columns.tsv")
    return tuple((row["setting"], row["measure"]) for row in rows if row["overview"] == "yes" or not of_overview)


def source_of(number: Published) -> str:
    """The paper that has the number."""
    return _WITH_CONTEXT if number.table == _LAREQA else _PAPER


def form_of(source: str) -> str:
    """The form of the task that a paper has, as it says."""
    return _FORMS[source]


@cache
def published() -> tuple[Published, ...]:
    """All published numbers, in the papers' order."""
    return tuple(Published(**record) for record in _data("paper_tables.tsv"))


def _data(name: str) -> list[dict[str, Any]]:
    text = (resources.files("xlbench.reports") / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def paper_tables(results: Sequence[Result]) -> list[Table]:
    """For each task and version: an overview and a table by language for each measure, reported rows, then measured.

    Raises:
        ResultError: if no result is of a task of the paper.

    """
    tables = []
    for group in grouped(_chosen(results)):
        tables.append(_overview(group))
        tables += [_by_language(group, kind, measure) for kind, measure in _columns(of_overview=False)]
    return tables


def paper_records(results: Sequence[Result]) -> list[Record]:
    """The records of the results with ``source`` measured, after those of the papers with ``source`` reported.

    Raises:
        ResultError: if no result is of a task of the paper.

    """
    chosen = _chosen(results)
    tasks = {result.task for result in chosen}
    measured = [{"source": "measured", "recipe": "", **record} for record in records(chosen)]
    reported = []
    for number in published():
        if number.task in tasks:
            about = {"source": "reported", "recipe": number.recipe, "model": number.model, "task": number.task}
            about |= {"kind": number.setting, "setting": _setting(number), "measure": number.measure}
            empty: dict[str, object] = dict.fromkeys(measured[0])
            reported.append(empty | about | {"value": float(number.value), "missing_languages": []})
    return [*reported, *measured]


def _chosen(results: Sequence[Result]) -> list[Result]:
    chosen = [result for result in results if result.task in TASKS]
    if not chosen:
        others = ", ".join(dict.fromkeys(result.task for result in results))
        raise ResultError(f"The paper has {' and '.join(TASKS)}, the results are of {others}: run one of its tasks.")
    return chosen


def _setting(number: Published) -> str:
    """What a result calls it; for cross, where the paper has the mean over pools, the language with ``>others``."""
    if number.language == "mean":
        return number.setting
    pools = {"mono": number.language, "cross": "others", "multi": "*"}
    return f"{number.language}>{pools[number.setting]}"


def _overview(group: Group) -> Table:
    columns = _columns(of_overview=True)
    notes = (_SOURCES, _SLIPS.get(group.results[0].task, ""), _OTHER_SLIP)
    table = _beside(group, published(), [(*column, MEAN) for column in columns], with_interval=True)
    return replace(
        table,
        title=f"{group.title}: reported and measured",
        header=(*table.header, *(f"{kind} {measure}" for kind, measure in columns)),
        note=" ".join(filter(None, notes)),
    )


def _by_language(group: Group, kind: Kind, measure: str) -> Table:
    of = (group.results[0].task, kind, measure)
    chosen = [n for n in published() if (n.task, n.setting, n.measure) == of and n.table != _LAREQA]
    languages = list(dict.fromkeys(n.language for n in chosen))
    table = _beside(group, chosen, [(kind, measure, language) for language in languages], with_interval=False)
    return replace(
        table,
        title=f"{group.title}, {kind} {measure} by language of the queries: reported and measured",
        header=(*table.header, *languages),
        note=f"Reported: arXiv 2408.10536, table {' and '.join(dict.fromkeys(n.table for n in chosen))}.",
    )


def _beside(group: Group, numbers: Sequence[Published], columns: Sequence[Key], *, with_interval: bool) -> Table:
    """Rows of the reported numbers of a task and, below, of the measured ones; without the columns' heads."""
    printed: dict[tuple[str, str], dict[tuple[str, str, str], Cell]] = {}
    for n in numbers:
        if n.task == group.results[0].task:
            printed.setdefault((n.model, n.recipe), {}).setdefault((n.setting, n.measure, n.language), _printed(n))
    rows = [row("reported", *of, *(cells.get(column, EMPTY) for column in columns)) for of, cells in printed.items()]
    for label, result in zip(group.labels, group.results, strict=True):
        cells = []
        for kind, measure, language in columns:
            mean = result.summary.get(kind, {}).get(measure)
            value = mean if language == MEAN else by_language(result.values, kind, measure).get(language)
            interval = result.intervals.get(kind, {}).get(measure) if with_interval else None
            cells.append(_cell(value, measure, interval=interval))
        rows.append(row("measured", label, "", *cells))
    return Table("", ("", "model", "recipe"), tuple(rows))


def _printed(n: Published) -> Cell:
    """As the paper prints it; the last zeros, which the data lack, are there again, but for LAReQA's two decimals."""
    value = float(n.value)
    return Cell(n.value, value) if n.table == _LAREQA else _cell(value, n.measure)


def _cell(value: float | None, measure: str, *, interval: Sequence[float] | None = None) -> Cell:
    of_bias = measures.of_bias(measure)
    decimals = (of_bias.decimals if of_bias else 3) + _MORE_DECIMALS
    return number_cell(value, measure, interval=interval, decimals=decimals)
