"""What the models of a task share in a report: one colour scale and one axis, so that pictures can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.measures import DISTANCE
from xlbench.reports.html.heatmaps import ends
from xlbench.reports.matrices import cross_lingual
from xlbench.results import Result


@dataclass(frozen=True)
class Shared:
    """The ends of the scales of a task."""

    grid: tuple[float, float]
    matrices: dict[str, tuple[float, float]]
    most: float
    """The greatest rank distance."""

    @classmethod
    def of(cls, results: Sequence[Result]) -> Shared:
        """The scales that fit all of these results."""
        names = dict.fromkeys(name for result in results for name in result.matrices)
        distances = [values.max() for result in results for values in cls.distances(result).values()]
        return cls(
            grid=ends(cross_lingual(result, diagonal=True) for result in results),
            matrices={name: ends(result.matrices.get(name, {}) for result in results) for name in names},
            most=float(max(distances, default=1.0)),
        )

    @staticmethod
    def distances(result: Result) -> dict[str, npt.NDArray[np.float64]]:
        """The rank distances of single queries by query language; without those for which it is not defined."""
        return {
            scores.setting.query: distances[np.isfinite(distances)]
            for scores in result.per_query
            if scores.setting.kind == "multi"
            and (distances := scores.values.get(DISTANCE)) is not None
            and np.isfinite(distances).any()
        }
