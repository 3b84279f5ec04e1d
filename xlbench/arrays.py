"""The names of array types; each means one element type everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
"""Counts, ranks and rows."""
RowArray: TypeAlias = npt.NDArray[np.int32]
"""Rows of training data, which are kept by the hundred million."""
Integers: TypeAlias = npt.NDArray[np.integer[Any]]
"""Integers of any size."""
FloatArray: TypeAlias = npt.NDArray[np.float64]
"""Values of measures and what is computed from them."""
VectorArray: TypeAlias = npt.NDArray[np.float32]
"""Vectors, and scores made from them."""


@dataclass(frozen=True)
class TokenVectors:
    """The vectors of the tokens of several texts, as late interaction compares them."""

    vectors: VectorArray
    """``[T, d]``, one text after the other."""
    starts: IntArray
    """``[n + 1]``: text ``i`` has the rows ``starts[i]:starts[i + 1]``."""

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> IntArray:
        """``[n]``, how many tokens each text has."""
        return np.diff(self.starts)
