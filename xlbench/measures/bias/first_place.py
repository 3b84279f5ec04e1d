"""First place in four: whether a query's first passage is relevant, and whether it is in the query's language.

The four shares add up to 1. They tell two faults apart that a low precision at rank 1 has in common: the right passage
in the wrong language, which a reader may not be able to read, and a wrong passage that is chosen for its language.
(After the four kinds of failure of MLAIRE, arXiv 2605.07249.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.measures.bias.shapes import counts
from xlbench.measures.ranks import PooledRanks


@dataclass(frozen=True)
class FirstPlace:
    """One of the four: what the first passage is."""

    own: bool
    """In the query's language."""
    relevant: bool

    def share(self, pooled: PooledRanks) -> FloatArray:
        """1 if the query's first passage is so, else 0."""
        if pooled.top.shape[1] < 1:
            raise ValueError("the best passage is needed, but none was kept")
        is_own = pooled.top[:, 0] == pooled.asked
        is_relevant = pooled.ranks.rank[pooled.ranks.starts[:-1]] == 1
        is_so: FloatArray = ((is_own == self.own) & (is_relevant == self.relevant)).astype(np.float64)
        return is_so

    def random(self, pooled: PooledRanks) -> FloatArray:
        """The share of the pool's passages that are so."""
        relevant = counts(pooled)[:, pooled.asked] if self.own else np.delete(counts(pooled), pooled.asked, 1).sum(1)
        n_own, n_all = pooled.n_passages[pooled.asked], pooled.n_passages.sum()
        n = n_own if self.own else n_all - n_own
        share: FloatArray = (relevant if self.relevant else n - relevant) / n_all
        return share

    def perfect(self, pooled: PooledRanks) -> FloatArray:
        """0 for an irrelevant passage: a perfect ranking has none in the first place."""
        return np.zeros(len(pooled.ranks))
