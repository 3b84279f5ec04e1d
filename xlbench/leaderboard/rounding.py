"""What is the same within rounding: the one definition for counts, best passages and the values that follow.

Two runs of one model round differently: on other hardware, in other batches. The difference of a score comes from the
vectors, whose numbers are off by a few units of the precision that the model computes in, and it matters as far as it
is large beside what tells passages apart: the spread of a query's scores, their standard deviation over the pool. So a
tolerance is a share of the spread. The largest score would not do: whoever adds a large constant to all scores would
choose the tolerance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import FloatArray, VectorArray
from xlbench.models.protocols import Model

SHARES: Mapping[str, float] = {"float32": 3e-4, "float16": 40 * 2.0**-11, "bfloat16": 40 * 2.0**-8}
"""By precision. In half precision 40 times its relative rounding error, which is twice the largest difference that was
measured between ways to compute the same, and 14 standard deviations; in single precision, where long sums cost more
than a unit, ten times the largest (docs/leaderboard.md).
"""
STORED_SHARE = 2e-3
"""Of a model in single precision whose vectors are stored in half: few numbers are rounded to another neighbour."""
_ARITHMETIC = 2.0**-22
"""Scores are sums in float32, whose last bits are off however far apart the scores are."""


@dataclass(frozen=True)
class Rounding:
    """By how much two scores of a query may differ and still be the same."""

    share: float
    """As a share of the spread of the query's scores."""

    @classmethod
    def of(cls, model: Model) -> Rounding:
        """That of the precision that a model declares."""
        rounding = cls.of_precision(str(model.arguments.get("dtype", "float32")))
        return rounding if model.stored_as == "float32" else cls(max(rounding.share, STORED_SHARE))

    @classmethod
    def of_precision(cls, precision: str) -> Rounding:
        """That of a precision by name; the largest for one that is not known."""
        return cls(SHARES.get(precision, max(SHARES.values())))

    def allowed(self, scores: Iterable[VectorArray]) -> VectorArray:
        """The tolerance of each query in scores, ``float32[Nq]``, from all scores in blocks ``[Nq, passages]``."""
        n_passages, largest = 0, 0.0
        total: FloatArray = np.zeros(1)
        squares: FloatArray = np.zeros(1)
        shift: FloatArray | None = None
        for block in scores:
            exact = block.astype(np.float64)
            # Squares of large scores that lie close together would cancel.
            shift = exact[:, :1] if shift is None else shift
            total = total + (exact - shift).sum(axis=1)
            squares = squares + ((exact - shift) ** 2).sum(axis=1)
            largest = np.maximum(largest, np.abs(exact).max(axis=1))
            n_passages += block.shape[1]
        variance = np.maximum(squares / max(n_passages, 1) - (total / max(n_passages, 1)) ** 2, 0)
        return np.maximum(self.share * np.sqrt(variance), _ARITHMETIC * largest).astype(np.float32)
