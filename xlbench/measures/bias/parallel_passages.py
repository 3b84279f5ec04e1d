"""How far apart a query's parallel passages rank, and whose come first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.bias.shapes import (
    by_language,
    counts,
    once,
    position_in_language,
    random_ap,
    where_own,
    where_parallel,
)
from xlbench.measures.ranks import PooledRanks


def rank_distance(pooled: PooledRanks) -> FloatArray:
    """The distance between the first and the last of a query's parallel passages, in ranks.

    max r - min r over the relevant passages of a query, in the full ranking of the pool (arXiv 2408.10536). Lower is
    better. With n parallel passages in a pool of N a perfect ranking gives n - 1 and a random one
    (n - 1)(N + 1) / (n + 1) on average.
    """
    ranks = pooled.ranks
    return where_parallel(pooled, (ranks.rank[ranks.starts[1:] - 1] - ranks.rank[ranks.starts[:-1]]).astype(float))


def perfect_distance(pooled: PooledRanks) -> FloatArray:
    """The n - 1 ranks between the first and the last of n: the parallel passages stand side by side."""
    return where_parallel(pooled, pooled.ranks.n_relevant.astype(np.float64) - 1)


def random_distance(pooled: PooledRanks) -> FloatArray:
    """The mean over all ways to place n passages in a pool of N, (n - 1)(N + 1) / (n + 1)."""
    n = pooled.ranks.n_relevant
    return where_parallel(pooled, (n - 1) * (pooled.n_passages.sum() + 1) / (n + 1))


def max_rank_norm(pooled: PooledRanks) -> FloatArray:
    """How far down one must read to have found all parallel passages, in per cent of the way from last to best.

    100 (log2 N - log2 max r) / (log2 N - log2 n) for n parallel passages in a pool of N (Max@R normalised, arXiv
    2604.05684). Higher is better: 100 is perfect, 0 means that one of them is the pool's last.
    """
    ranks = pooled.ranks
    return where_parallel(pooled, _log_norm(ranks.rank[ranks.starts[1:] - 1], pooled))


def _log_norm(last: npt.NDArray[np.generic], pooled: PooledRanks) -> FloatArray:
    n_pool, n = pooled.n_passages.sum(), pooled.ranks.n_relevant
    with np.errstate(invalid="ignore"):  # Where all passages of the pool are relevant, 0 / 0: not defined.
        normalised: FloatArray = 100 * (np.log2(n_pool) - np.log2(last)) / (np.log2(n_pool) - np.log2(n))
    return normalised


def perfect_norm(pooled: PooledRanks) -> FloatArray:
    """100: the parallel passages come first."""
    return where_parallel(pooled, _log_norm(pooled.ranks.n_relevant, pooled))


def random_norm(pooled: PooledRanks) -> FloatArray:
    """The mean over all ways to place n passages in the pool: max r = R in C(R - 1, n - 1) of C(N, n) of them."""
    n_pool = int(pooled.n_passages.sum())
    log2_last = np.full(len(pooled.ranks), np.nan)
    parallel = np.isfinite(perfect_distance(pooled))
    for n in np.unique(pooled.ranks.n_relevant[parallel]):
        # P(max r <= R) = R (R - 1) ... (R - n + 1) / (N (N - 1) ... (N - n + 1)).
        last = np.arange(n_pool + 1)
        below = np.prod([(last - i).clip(0) / (n_pool - i) for i in range(n)], axis=0)
        log2_last[pooled.ranks.n_relevant == n] = np.diff(below) @ np.log2(last[1:])
    return where_parallel(pooled, _log_norm(np.exp2(log2_last), pooled))


def own_first(pooled: PooledRanks) -> FloatArray:
    """1 if the first-ranked relevant passage is in the query's language, else 0; its mean is the preference rate.

    (LPR, after MLAIRE, arXiv 2605.07249.) A fair ranking gives 1 / n for n parallel passages, a random one too. More is
    a preference for the query's own language, less one for others. A fixed favourite, one language that queries of all
    languages prefer alike, gives 1 / n in the mean: it does not show here, but in the preference matrix. Not defined
    for a query without a relevant passage in its own language.
    """
    first = pooled.ranks.language[pooled.ranks.starts[:-1]]
    return where_own(pooled, where_parallel(pooled, (first == pooled.asked).astype(float)))


def fair_share(pooled: PooledRanks) -> FloatArray:
    """The share of the relevant passages that are in the query's language: 1 / n with one in each."""
    fair = counts(pooled)[:, pooled.asked] / pooled.ranks.n_relevant
    return where_own(pooled, where_parallel(pooled, fair))


def first_language(pooled: PooledRanks) -> FloatArray:
    """1 for the language of the first-ranked relevant passage, 0 for others, NaN if there is but one; ``[m, L]``.

    Its mean is a row of the preference matrix: which language does the model prefer when it is asked in this one?
    """
    first = pooled.ranks.language[pooled.ranks.starts[:-1], None] == np.arange(len(pooled.n_passages))
    parallel = where_parallel(pooled, np.ones(len(pooled.ranks)))
    return np.where(first, 1.0, 0.0) * parallel[:, None]


@once
def one_target(pooled: PooledRanks) -> FloatArray:
    """AP in the pool without the relevant passages of all languages but one, for each such language; ``[m, L]``.

    (After LAReQA's "limiting to one target", arXiv 2004.05484.) A rank there is the rank in the pool less the relevant
    passages of other languages above. NaN where a query has no relevant passage in the language. Its mean is a row
    of the one-target matrix; a matrix with equal columns has no bias.
    """
    ranks = pooled.ranks
    position = position_in_language(pooled)
    rank = ranks.rank - (ranks.position - position)
    n_relevant = counts(pooled)
    with np.errstate(invalid="ignore"):
        precision: FloatArray = by_language(pooled, position / rank) / n_relevant
    return precision


def rank_shift(pooled: PooledRanks) -> FloatArray:
    """Ranks that an answer gains if it is in the query's language instead of another.

    In the pool without the relevant passages of all languages but one, the rank of the first of that language: the mean
    over the other languages, less that of the query's own. (After MultiLingualRankShift, arXiv 2502.11175, which has
    translated passages; here they are parallel.) 0 is no preference for the query's own language. Not defined for a
    query without a relevant passage in its own language.
    """
    shift: FloatArray = 0.0 - _own_less_others(_first_of_target(pooled), pooled.asked)
    return shift


def _first_of_target(pooled: PooledRanks) -> FloatArray:
    """The rank of the first relevant passage where those of one language are the only ones; ``[m, L]``."""
    ranks = pooled.ranks
    position = position_in_language(pooled)
    rank = (ranks.rank - (ranks.position - position)).astype(np.float64)
    first = by_language(pooled, np.where(position == 1, rank, 0.0))
    return np.where(counts(pooled) > 0, first, np.nan)


def random_rank_shift(pooled: PooledRanks) -> FloatArray:
    """The mean of random rankings, in which the first of n among N passages has the rank (N + 1) / (n + 1)."""
    n = counts(pooled)
    n_irrelevant = pooled.n_passages.sum() - n.sum(axis=1, keepdims=True)
    rank = np.where(n > 0, (n_irrelevant + n + 1) / (n + 1), np.nan)
    shift: FloatArray = 0.0 - _own_less_others(rank, pooled.asked).round(9)
    return shift


def own_target(pooled: PooledRanks) -> FloatArray:
    """One-target AP for the query's own language; NaN where it has no relevant passage in it."""
    precision: FloatArray = one_target(pooled)[:, pooled.asked]
    return precision


def other_target(pooled: PooledRanks) -> FloatArray:
    """The mean of one-target AP for the other languages; NaN where none has a relevant passage of the query."""
    return _of_others(one_target(pooled), pooled.asked)


def one_target_bias(pooled: PooledRanks) -> FloatArray:
    """One-target AP for the query's own language, less the mean of that for the other languages.

    Where every query has relevant passages in all languages, its mean is the mean of the one-target matrix's diagonal
    less that of its other cells. 0 is no preference for the query's own language, and what a random ranking gives if
    each language has as many relevant passages; more is such a preference. A fixed favourite, one language that queries
    of all languages prefer alike, gives 0 in the mean: it does not show here, but in the one-target matrix. Not defined
    for a query without a relevant passage in its own language.
    """
    return _own_less_others(one_target(pooled), pooled.asked)


def _own_less_others(ap: FloatArray, asked: int) -> FloatArray:
    bias: FloatArray = ap[:, asked] - _of_others(ap, asked)
    return bias


def _of_others(ap: FloatArray, asked: int) -> FloatArray:
    others = np.delete(ap, asked, axis=1)
    n_others = np.isfinite(others).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = np.nansum(others, axis=1) / n_others
    return mean


def unbiased(pooled: PooledRanks) -> FloatArray:
    """0: no preference for the query's own language; a fixed favourite does not show here, but in the matrix."""
    return one_target_bias(pooled) * 0.0 + 0.0  # -1 * 0 is -0.


def random_one_target_bias(pooled: PooledRanks) -> FloatArray:
    """The mean of random rankings: AP is higher by chance for a language with more relevant passages."""
    bias = _own_less_others(_random_one_target(pooled), pooled.asked)
    return bias.round(12) + 0.0  # The mean of equal numbers may differ from them by rounding, and show as -0.


def random_own_target(pooled: PooledRanks) -> FloatArray:
    """The mean of random rankings."""
    precision: FloatArray = _random_one_target(pooled)[:, pooled.asked]
    return precision


def random_other_target(pooled: PooledRanks) -> FloatArray:
    """The mean of random rankings."""
    return _of_others(_random_one_target(pooled), pooled.asked)


def _random_one_target(pooled: PooledRanks) -> FloatArray:
    """The mean one-target AP of random rankings, ``float64[m, L]``."""
    relevant = counts(pooled)
    n_pool = pooled.n_passages.sum() - (pooled.ranks.n_relevant[:, None] - relevant)
    return np.where(relevant > 0, random_ap(relevant, n_pool), np.nan)


def found_first(pooled: PooledRanks) -> FloatArray:
    """1: what is to be found is first."""
    return own_target(pooled) * 0.0 + 1.0


def others_found_first(pooled: PooledRanks) -> FloatArray:
    """1: what is to be found is first."""
    return other_target(pooled) * 0.0 + 1.0
