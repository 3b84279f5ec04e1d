"""Attribution: what makes a model worse in the pool of all languages than in one language.

From the monolingual to the multilingual setting two things join the pool: the other languages' irrelevant passages,
and their relevant ones, which are to be found as well. With AP(i, p) the AP with (1) or without (0) each of them, the
Shapley value of one is the mean of what it costs with and without the other:

    IrrelevantLoss = (AP(0, 0) - AP(1, 0) + AP(0, 1) - AP(1, 1)) / 2
    ParallelLoss   = (AP(0, 0) - AP(0, 1) + AP(1, 0) - AP(1, 1)) / 2

They add up to AP(0, 0) - AP(1, 1), the whole loss. Neither is defined for a query without a relevant passage in its
own language. Neither is better for being lower: a model that finds little has little to lose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.bias.parallel_passages import one_target
from xlbench.measures.bias.shapes import counts, per_query, position_in_language, random_ap, where_own
from xlbench.measures.ranks import PooledRanks, Ranks


@dataclass(frozen=True)
class _FourPools:
    """AP of each query in the four pools, ``float64[m]`` each."""

    mono: FloatArray
    """AP(0, 0)."""
    irrelevant: FloatArray
    """AP(1, 0)."""
    parallel: FloatArray
    """AP(0, 1)."""
    multi: FloatArray
    """AP(1, 1)."""

    def irrelevant_loss(self) -> FloatArray:
        return (self.mono - self.irrelevant + self.parallel - self.multi) / 2

    def parallel_loss(self) -> FloatArray:
        return (self.mono - self.parallel + self.irrelevant - self.multi) / 2


def irrelevant_loss(pooled: PooledRanks) -> FloatArray:
    """The part of AP(mono) - AP(multi) that is due to the irrelevant passages of the other languages.

    They stand above the answers: the model takes their language, or the query's, for meaning.
    """
    return where_own(pooled, _measured(pooled).irrelevant_loss())


def parallel_loss(pooled: PooledRanks) -> FloatArray:
    """The part of AP(mono) - AP(multi) that is due to the order of the parallel passages.

    They rank lower than the one in the query's language does. A model that finds them more easily than the query's own
    has a negative one: 0, the value of a perfect ranking, is not the least.
    """
    return where_own(pooled, _measured(pooled).parallel_loss())


def no_loss(pooled: PooledRanks) -> FloatArray:
    """0: nothing is lost in the pool."""
    return where_own(pooled, np.zeros(len(pooled.ranks)))


def random_irrelevant(pooled: PooledRanks) -> FloatArray:
    """``irrelevant_loss`` of the mean APs of random rankings of the four pools."""
    return where_own(pooled, _random(pooled).irrelevant_loss())


def random_parallel(pooled: PooledRanks) -> FloatArray:
    """``parallel_loss`` of the mean APs of random rankings of the four pools."""
    return where_own(pooled, _random(pooled).parallel_loss())


def _measured(pooled: PooledRanks) -> _FourPools:
    ranks = pooled.ranks
    own = ranks.language == pooled.asked
    n_own = counts(pooled)[:, pooled.asked]
    own_irrelevant_above = pooled.above_own - (_cumulative(ranks, own) - own)
    with np.errstate(invalid="ignore", divide="ignore"):
        mono = per_query(ranks, np.where(own, position_in_language(pooled) / (1 + pooled.above_own), 0.0)) / n_own
    return _FourPools(
        mono=mono,
        irrelevant=one_target(pooled)[:, pooled.asked],
        parallel=per_query(ranks, ranks.position / (own_irrelevant_above + ranks.position)) / ranks.n_relevant,
        multi=per_query(ranks, ranks.position / ranks.rank) / ranks.n_relevant,
    )


def _cumulative(ranks: Ranks, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many of a query's relevant passages up to each one, itself included, are flagged; ``int64[n]``."""
    total = np.cumsum(flags)
    before = np.append(0, total)[ranks.starts[:-1]]
    cumulative: npt.NDArray[np.int64] = total - np.repeat(before, ranks.n_relevant)
    return cumulative


def _random(pooled: PooledRanks) -> _FourPools:
    n = pooled.ranks.n_relevant
    n_own = counts(pooled)[:, pooled.asked]
    own_pool, pool = pooled.n_passages[pooled.asked], pooled.n_passages.sum()
    return _FourPools(
        mono=random_ap(n_own, own_pool),
        irrelevant=random_ap(n_own, pool - (n - n_own)),
        parallel=random_ap(n, own_pool + (n - n_own)),
        multi=random_ap(n, pool),
    )
