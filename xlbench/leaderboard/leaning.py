"""Whether claimed ranks lean: each may be off by rounding, but rounding has no favourites.

Within the tolerance of a model in half precision, somebody who puts each relevant passage before all that nearly tie
with it would gain several points. Rounding moves passages both ways. So the means of the values over a sample of
queries must be those of the model at hand, up to what chance does to the differences of single queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.ranks import Ranking
from xlbench.results.from_ranking import score
from xlbench.settings import Kind, Setting

_ERRORS = 3.5
"""A mean that is off by more than so many standard errors is no chance: one in 2,000."""
_MATERIAL = 0.002
"""Of two devices one may round more coarsely, and so have slightly lower values; more than this it does not cost."""


@dataclass(frozen=True)
class Lean:
    """By how much a claimed mean over a sample of queries differs from that of the model."""

    kind: Kind
    measure: str
    claimed: float
    """The mean over the queries that are compared."""
    computed: float
    """That of the model at hand."""
    limit: float
    """What rounding may do."""

    @property
    def is_too_large(self) -> bool:
        """Whether rounding does not explain it."""
        return abs(self.claimed - self.computed) > self.limit

    def __str__(self) -> str:
        return (
            f"Over these queries the mean {self.kind} {self.measure} is said to be {self.claimed:.4f}; the model gives "
            f"{self.computed:.4f}. Rounding has no favourites, and explains at most {self.limit:.4f}"
        )


def leans(
    claimed: Ranking, computed: Ranking, wanted: Sequence[Setting], columns: Sequence[tuple[Kind, str]]
) -> Iterator[Lean]:
    """The difference in each column, a kind of setting and a measure, between two rankings of the same queries."""
    names = list(dict.fromkeys(measure for _, measure in columns))
    theirs, ours = (score(ranking, wanted, names) for ranking in (claimed, computed))
    for kind, measure in columns:
        rows = [
            (pair[0].values[measure], pair[1].values[measure], pair[0].cluster)
            for pair in zip(theirs, ours, strict=True)
            if pair[0].setting.kind == kind and measure in pair[0].values and measure in pair[1].values
        ]
        if rows:
            first, second = (np.concatenate([row[i] for row in rows]) for i in range(2))
            cluster = np.concatenate([np.array(row[2], object) for row in rows])
            known = np.isfinite(first) & np.isfinite(second)
            if known.any():
                mean = float(second[known].mean())
                # A RankDistance is in the hundreds.
                limit = _MATERIAL * max(1.0, abs(mean)) + _ERRORS * _error((first - second)[known], cluster[known])
                yield Lean(kind, measure, float(first[known].mean()), mean, limit)


def _error(difference: FloatArray, cluster: npt.NDArray[np.object_]) -> float:
    """The standard error of a mean of differences, which are dependent within a cluster."""
    names, of_cluster = np.unique(cluster.astype(str), return_inverse=True)
    residual = np.bincount(of_cluster, weights=difference - difference.mean())
    n = len(names)
    return float(np.sqrt((residual**2).sum() * n / max(n - 1, 1)) / len(difference))
