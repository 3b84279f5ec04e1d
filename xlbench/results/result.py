"""Result: the scores of one model on one task with their provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.settings import KINDS, kind_of

SCHEMA = 1


@dataclass(frozen=True)
class QueryScores:
    """The values of one setting, a query a row."""

    setting: str
    query: tuple[str, ...]
    """``[m]``, ids."""
    values: Mapping[str, npt.NDArray[np.float64]]
    """By measure, ``float64[m]``; NaN where a measure of bias is not defined."""

    def means(self) -> dict[str, float]:
        """The mean of each measure over the queries for which it is defined."""
        return {measure: float(np.nanmean(values)) for measure, values in self.values.items()}


@dataclass(frozen=True)
class Result:
    """The scores of one model on one task; its JSON keys are the fields."""

    schema: int
    task: str
    task_version: int
    headline: str
    """The measure that sums up the task."""
    missing_languages: Sequence[str]
    """Languages of the task that were left out; empty if the result is whole."""
    model: Mapping[str, Any]
    """``name, revision, adapter, arguments``."""
    scores: Mapping[str, Mapping[str, float]]
    """By setting and measure: the mean over the setting's queries."""
    queries: Mapping[str, int]
    """By setting: how many queries it has; a setting without any has no scores."""
    summary: Mapping[str, Mapping[str, float]]
    """By kind of setting and measure: the macro mean; see ``summarise``."""
    intervals: Mapping[str, Mapping[str, Sequence[float]]]
    """By setting or kind, and measure: the lower and the upper end of the 95 % interval; see ``statistics``."""
    references: Mapping[str, Mapping[str, float]]
    """By measure of bias: its ``perfect`` and its ``random`` value in this collection, macro means."""
    matrices: Mapping[str, Mapping[str, Mapping[str, float]]]
    """``first_language`` and ``one_target`` of ``bias``, means by language of the query and of the passage."""
    alignment: Mapping[str, Any]
    """How close the vectors of parallel passages are; see ``alignment``. Empty for a model without vectors."""
    environment: Mapping[str, Any]
    timing: Mapping[str, float]
    """In seconds; the one part that differs between two equal runs."""
    per_query: tuple[QueryScores, ...] = field(default=(), compare=False)
    """Not in the JSON, but in the parquet file beside it; empty in a loaded result."""

    def is_of(self, *, task_version: int, model: Mapping[str, Any], settings: Sequence[str]) -> bool:
        """Whether this is the result of just such a run."""
        return (
            self.task_version == task_version
            and dict(self.model) == dict(model)
            and list(self.queries) == list(settings)
        )


def question_of(query: str) -> str:
    """The question that a query asks in its language: its id without the language, ``q1`` for ``de:q1``.

    Translations of one question are not independent of each other: it is the unit of resampling.
    """
    return query.partition(":")[2] or query


def summarise(scores: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The macro mean over the settings of each kind, by kind and measure.

    For cross it is the mean over query languages of the mean over the other languages; where all pairs of languages
    have queries, that equals the mean over all settings.
    """
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for setting, by_measure in scores.items():
        for measure, value in by_measure.items():
            asked = values.setdefault(kind_of(setting), {}).setdefault(measure, {})
            asked.setdefault(setting.partition(">")[0], []).append(value)
    return {
        kind: {
            measure: _mean([_mean(of_language) for of_language in asked.values()])
            for measure, asked in values[kind].items()
        }
        for kind in KINDS
        if kind in values
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
