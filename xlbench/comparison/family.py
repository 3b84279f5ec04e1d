"""Tests: the p-values of all that a comparison tests, corrected as one family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from xlbench.comparison.outcome import Quantity
from xlbench.comparison.study import Study
from xlbench.statistics import DRAWS, holm

_MANY_DRAWS = 100_000
Test = tuple[int, int, Quantity]
"""Two models by their number, the baseline's first if it is one of them, and what they are compared in."""


@dataclass(frozen=True)
class Tests:
    """The p-values of a comparison's tests, plain and after Holm over all of them."""

    p: Mapping[Test, float]
    adjusted: Mapping[Test, float]
    draws: int
    """Sign flips, where there are too many to take all."""
    bound: float
    """The largest adjusted p-value that no draw was as extreme as, and so an upper bound; an exact one is larger."""

    @classmethod
    def of(cls, study: Study, tested: Sequence[Quantity], ordered: Sequence[Quantity], *, alpha: float) -> Tests:
        """The tests of each model against the first in what is tested, and of all pairs in what models are ordered by.

        A test that is both is one.
        """
        others = range(1, len(study.parts))
        against = {(0, other): list(tested) for other in others}
        pairs = {pair: list(ordered) for pair in combinations(range(len(study.parts)), 2)} if ordered else {}
        wanted = {
            pair: list(dict.fromkeys([*against.get(pair, ()), *pairs.get(pair, ())])) for pair in {**against, **pairs}
        }
        draws = _enough_draws(sum(map(len, wanted.values())), alpha)
        p: dict[Test, float] = {}
        for quantities in {tuple(of_pair) for of_pair in wanted.values()}:
            alike = [pair for pair, of_pair in wanted.items() if tuple(of_pair) == quantities]
            p_values = study.only(quantities).p_values(alike, draws=draws)
            p |= {
                (*pair, quantity): float(p_values[row, k])
                for row, pair in enumerate(alike)
                for k, quantity in enumerate(quantities)
            }
        plain = np.array(list(p.values()))
        adjusted = holm(plain)
        bound = float(np.max(adjusted, where=plain <= 1 / (1 + draws), initial=0.0))
        return cls(p, dict(zip(p, adjusted.tolist(), strict=True)), draws, bound)


def _enough_draws(n_tests: int, alpha: float) -> int:
    """So many draws that the smallest p-value they can give, times the number of tests, is well below alpha.

    A fiftieth of it, or a half where that takes too many.
    """
    return max(DRAWS, min(math.ceil(50 * n_tests / alpha), _MANY_DRAWS), math.ceil(2 * n_tests / alpha))
