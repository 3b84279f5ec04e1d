"""Groups of models that cannot be told apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def groups(apart: npt.NDArray[np.bool_]) -> list[range]:
    """The longest runs of sorted models of which no two are apart, from the first to the last.

    ``apart`` is ``bool[M, M]``, symmetric, in the order of the models. The runs are the bars of a critical-difference
    diagram (Demšar 2006): two models of one run cannot be told apart. Two that share none may still not be, if one
    between them is apart from either.
    """
    found: list[range] = []
    end = 0
    for first in range(len(apart)):
        last = first + 1
        while last < len(apart) and not apart[first:last, last].any():
            last += 1
        if last > end:
            found.append(range(first, last))
            end = last
    return found
