"""QueryValues, the values of a setting by query, and the macro means over settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.settings import KINDS, Kind, Setting


@dataclass(frozen=True)
class QueryValues:
    """The values of one setting, a query a row."""

    setting: Setting
    query: tuple[str, ...]
    """``[m]``, ids."""
    values: Mapping[str, npt.NDArray[np.float64]]
    """By measure, ``float64[m]``; NaN where a measure of bias is not defined."""
    cluster: tuple[str, ...] = ()
    """``[m]``, names of the queries' clusters; empty where each question is one."""

    def means(self) -> dict[str, float]:
        """The mean of each measure over the queries for which it is defined."""
        # nanmean is slow, and almost all values are defined.
        means = {measure: float(values.mean()) for measure, values in self.values.items()}
        return {
            measure: float(np.nanmean(self.values[measure])) if math.isnan(mean) else mean
            for measure, mean in means.items()
        }


def by_language(values: Mapping[Setting, Mapping[str, float]], kind: Kind, measure: str) -> dict[str, float]:
    """The mean of a measure over the settings of a kind, by language of the queries; empty if none has it."""
    of_language: dict[str, list[float]] = {}
    for setting, by_measure in values.items():
        if setting.kind == kind and measure in by_measure:
            of_language.setdefault(setting.query, []).append(by_measure[measure])
    return {language: _mean(of_settings) for language, of_settings in of_language.items()}


def summarise(values: Mapping[Setting, Mapping[str, float]]) -> dict[Kind, dict[str, float]]:
    """The macro mean over the settings of each kind, by kind and measure.

    For cross it is the mean over query languages of the mean over the other languages; where all pairs of languages
    have queries, that equals the mean over all settings.
    """
    measures: dict[Kind, dict[str, None]] = {}
    for setting, by_measure in values.items():
        if by_measure:
            measures.setdefault(setting.kind, {}).update(dict.fromkeys(by_measure))
    return {
        kind: {measure: _mean(list(by_language(values, kind, measure).values())) for measure in measures[kind]}
        for kind in KINDS
        if kind in measures
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
