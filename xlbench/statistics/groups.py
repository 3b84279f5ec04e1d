"""Groups of models that are not told apart, as letters show them."""

from __future__ import annotations

import numpy as np

from xlbench.arrays import BoolArray


def groups(apart: BoolArray) -> list[tuple[int, ...]]:
    """The groups of models of which no two are apart; two models share one if and only if they are not told apart.

    ``apart`` is ``bool[M, M]``, symmetric. All models are one group at first; for each two that are apart, every group
    with both becomes two, with one of them each, and groups within another are absorbed (Piepho 2004, insert and
    absorb). They come in the order of their first members.
    """
    sets = [frozenset(range(len(apart)))] if len(apart) else []
    for a, b in np.argwhere(np.triu(apart)).tolist():
        split = [group - {model} for group in sets if {a, b} <= group for model in (a, b)]
        whole = [group for group in sets if not {a, b} <= group]
        new = [group for group in dict.fromkeys(split) if not any(group <= other for other in whole)]
        sets = whole + [group for group in new if not any(group < other for other in new)]
    return sorted(tuple(sorted(group)) for group in sets)
