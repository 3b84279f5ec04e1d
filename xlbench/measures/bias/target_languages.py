"""TLR: recall of the relevant passages that are in other languages than the query's."""

from __future__ import annotations

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.measures.bias.shapes import counts, per_query
from xlbench.measures.ranks import PooledRanks


def recall(pooled: PooledRanks, k: int) -> FloatArray:
    """Share of the relevant passages in other languages that are among the first k of the pool of all languages.

    (Target-Languages Recall of SHIFT, arXiv 2606.18801.) Not defined for a query without such a passage.
    """
    ranks = pooled.ranks
    return _share(pooled, per_query(ranks, (ranks.language != pooled.asked) & (ranks.rank <= k)))


def perfect(pooled: PooledRanks, k: int) -> FloatArray:
    """1, or k of them where there are more."""
    return _share(pooled, np.minimum(_elsewhere(pooled), k))


def random(pooled: PooledRanks, k: int) -> FloatArray:
    """The share of the pool that k passages are."""
    n_passages = int(pooled.n_passages.sum())
    return _share(pooled, _elsewhere(pooled) * min(k, n_passages) / n_passages)


def _elsewhere(pooled: PooledRanks) -> FloatArray:
    n_relevant: FloatArray = pooled.ranks.n_relevant - counts(pooled)[:, pooled.asked]
    return n_relevant


def _share(pooled: PooledRanks, n: FloatArray) -> FloatArray:
    relevant = _elsewhere(pooled)
    share: FloatArray = np.divide(n, relevant, out=np.full(len(relevant), np.nan), where=relevant > 0)
    return share
