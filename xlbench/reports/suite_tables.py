"""The table of a suite: models down, the value of each of its tasks across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xlbench.catalogue.suites import Suite, SuiteEntry
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, row
from xlbench.reports.words import captioned_of
from xlbench.results import Result


def suite_table(suite: Suite, results: Sequence[Result]) -> Table:
    """The values of a suite's tasks, by model."""
    by_model: dict[str, dict[str, Result]] = {}
    for result in results:
        by_model.setdefault(str(result.model["name"]), {})[result.task] = result
    rows = [row(model, *(_value(entry, of) for entry in suite.tasks)) for model, of in by_model.items()]
    title = captioned_of(f"{suite.name}: {suite.title}", results[0])
    lacks = [f"Without {name}: {why}." for name, why in suite.lacks.items()]
    return Table(title, ("model", *(entry.column for entry in suite.tasks)), tuple(rows), " ".join(lacks))


def _value(entry: SuiteEntry, of_task: Mapping[str, Result]) -> Cell:
    if entry.task not in of_task:
        return EMPTY
    values = [
        by_measure[entry.measure]
        for setting, by_measure in of_task[entry.task].values.items()
        if entry.has(setting) and entry.measure in by_measure
    ]
    return number_cell(float(np.mean(values)), entry.measure) if values else EMPTY
