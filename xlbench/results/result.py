"""Result: the scores of one model on one task with their provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.ranks import Ranking
from xlbench.settings import KINDS, Kind, kind_of

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
        # nanmean is slow, and almost all values are defined.
        means = {measure: float(values.mean()) for measure, values in self.values.items()}
        return {
            measure: float(np.nanmean(self.values[measure])) if math.isnan(mean) else mean
            for measure, mean in means.items()
        }


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
    """In seconds; ``encoded_share`` is the share of the texts that was encoded then, and not kept from an earlier run.

    The one part that differs between two equal runs.
    """
    per_query: tuple[QueryScores, ...] = field(default=(), compare=False)
    """Not in the JSON, but in the parquet file beside it; empty if ``load`` read the result, without that file."""
    ranking: Ranking | None = field(default=None, compare=False)
    """The evidence: the counts that all other figures but the alignment's follow from. Not in the JSON."""

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


def by_language(scores: Mapping[str, Mapping[str, float]], kind: Kind, measure: str) -> dict[str, float]:
    """The mean of a measure over the settings of a kind, by language of the queries; empty if none has it."""
    found: dict[str, list[float]] = {}
    for setting, values in scores.items():
        if kind_of(setting) == kind and measure in values:
            found.setdefault(setting.partition(">")[0], []).append(values[measure])
    return {language: _mean(values) for language, values in found.items()}


def summarise(scores: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The macro mean over the settings of each kind, by kind and measure.

    For cross it is the mean over query languages of the mean over the other languages; where all pairs of languages
    have queries, that equals the mean over all settings.
    """
    measures: dict[Kind, dict[str, None]] = {}
    for setting, values in scores.items():
        if values:
            measures.setdefault(kind_of(setting), {}).update(dict.fromkeys(values))
    return {
        kind: {measure: _mean(list(by_language(scores, kind, measure).values())) for measure in measures[kind]}
        for kind in KINDS
        if kind in measures
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
