"""Combinations: the distinct combinations of several keys of a row, such as a passage's language and vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbench.arrays import IntArray


@dataclass(frozen=True)
class Combinations:
    """The distinct combinations of keys, in the order in which they first occur."""

    first: IntArray
    """``[U]``, the first row that has each combination; ascending."""
    row: IntArray
    """``[N]``, which combination each row has."""

    @classmethod
    def of(cls, *keys: IntArray) -> Combinations:
        """Those of keys ``[N]``, none of them negative."""
        sizes = [int(key.max(initial=0)) + 1 for key in keys]
        _, first, row = np.unique(np.ravel_multi_index(keys, sizes), return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(first[order], place[row])
