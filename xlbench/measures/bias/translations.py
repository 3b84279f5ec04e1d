"""Consistency: whether the translations of one question get the same list of passages from one pool.

A query's value is the mean over its translations into the other languages, of the first k passages of both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xlbench.arrays import BoolArray, FloatArray
from xlbench.measures.ranks import PooledRanks

PERSISTENCE = 0.9
"""Of rank-biased overlap: how much more each rank matters than the next."""
_QUERIES_AT_ONCE = 64


def overlap(pooled: PooledRanks, k: int) -> FloatArray:
    """Share of the first k passages that both lists have."""
    return _mean_over_translations(pooled, k, _overlap)


def rank_biased_overlap(pooled: PooledRanks, k: int) -> FloatArray:
    """Rank-biased overlap of the first k, extrapolated, with p = .9: overlap that counts more near the top.

    ``X_k / k p^k + (1 - p) / p sum over d of X_d / d p^d``, with X_d the passages that the first d of both have in
    common (Webber, Moffat and Zobel 2010, equation 32).
    """
    return _mean_over_translations(pooled, k, _rank_biased)


def rank_correlation(pooled: PooledRanks, k: int) -> FloatArray:
    """Spearman's correlation of the ranks in both lists of the passages that either has.

    A passage that one of them lacks stands behind its first k, with all the others that it lacks (MRC@k of
    arXiv 2509.06195). -1 is less than what chance gives: lists with nothing in common.
    """
    return _mean_over_translations(pooled, k, _correlation)


def same(pooled: PooledRanks, k: int) -> FloatArray:
    """1: all translations get the same list."""
    return np.where(_translations(pooled, k).any(axis=1), 1.0, np.nan)


def random_overlap(pooled: PooledRanks, k: int) -> FloatArray:
    """That of two random lists: each passage of one is in the other with k / N."""
    n = int(pooled.n_passages.sum())
    return same(pooled, k) * min(k, n) / n


def random_rank_biased_overlap(pooled: PooledRanks, k: int) -> FloatArray:
    """That of two random lists, of which the first d have d^2 / N in common."""
    n = int(pooled.n_passages.sum())
    depth = np.arange(1, min(k, n) + 1)
    overlap: FloatArray = same(pooled, k) * _extrapolated(depth**2 / n)
    return overlap


def random_rank_correlation(pooled: PooledRanks, k: int) -> FloatArray:
    """The mean over random lists: what they have in common follows a hypergeometric distribution."""
    from scipy.stats import hypergeom

    n = int(pooled.n_passages.sum())
    k = min(k, n)
    common = np.arange(k + 1, dtype=np.float64)
    mean_rank = (k + 1) / 2
    behind = _behind(common, k)
    products = common * mean_rank**2 + 2 * (k - common) * mean_rank * behind
    correlation = _pearson(products, common, k)
    return same(pooled, k) * float(hypergeom.pmf(common, n, k, k) @ correlation)


def overlap_by_language(pooled: PooledRanks, k: int) -> FloatArray:
    """``overlap`` with the translation into each language, ``float64[m, L]``; NaN where there is none."""
    return _of_translations(pooled, k, _overlap)


def rank_biased_overlap_by_language(pooled: PooledRanks, k: int) -> FloatArray:
    """``rank_biased_overlap`` with the translation into each language, ``float64[m, L]``; NaN where there is none."""
    return _of_translations(pooled, k, _rank_biased)


def rank_correlation_by_language(pooled: PooledRanks, k: int) -> FloatArray:
    """``rank_correlation`` with the translation into each language, ``float64[m, L]``; NaN where there is none."""
    return _of_translations(pooled, k, _correlation)


def _mean_over_translations(pooled: PooledRanks, k: int, value: Callable[[BoolArray], FloatArray]) -> FloatArray:
    """The mean of a value of pairs of lists; ``value`` gets which passages are the same, ``bool[..., k, k]``."""
    values = _of_translations(pooled, k, value)
    n = np.isfinite(values).sum(axis=1)
    means: FloatArray = np.divide(np.nansum(values, axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
    return means


def _of_translations(pooled: PooledRanks, k: int, value: Callable[[BoolArray], FloatArray]) -> FloatArray:
    """``[m, L]``, a value of the lists of each query and of its translation into each language, NaN without one."""
    values = np.full((len(pooled.ranks), len(pooled.n_passages)), np.nan)
    if pooled.lists is None:
        return values
    k = min(k, int(pooled.n_passages.sum()))
    lists = pooled.lists.passage
    if lists.shape[1] < k:
        raise ValueError(f"the {k} best passages are needed, but {lists.shape[1]} were kept")
    known = _translations(pooled, k)
    rows = pooled.lists.translations(pooled.ranks.query)
    for start in range(0, len(values), _QUERIES_AT_ONCE):
        some = slice(start, start + _QUERIES_AT_ONCE)
        own, others = lists[pooled.ranks.query[some], :k], lists[rows[some], :k]
        of_pairs = value(own[:, None, :, None] == others[:, :, None, :])
        values[some] = np.where(known[some], of_pairs, np.nan)
    return values


def _translations(pooled: PooledRanks, k: int) -> BoolArray:
    """Whether each query, and its translation in each language, have so many passages: ``bool[m, L]``."""
    if pooled.lists is None:
        return np.zeros((len(pooled.ranks), len(pooled.n_passages)), bool)
    whole = pooled.lists.passage[:, min(k, int(pooled.n_passages.sum())) - 1] >= 0
    rows = pooled.lists.translations(pooled.ranks.query)
    known: BoolArray = (rows >= 0) & whole[rows] & whole[pooled.ranks.query, None]
    known[:, pooled.asked] = False
    return known


def _overlap(equal: BoolArray) -> FloatArray:
    share: FloatArray = equal.sum(axis=(-2, -1)) / equal.shape[-1]
    return share


def _rank_biased(equal: BoolArray) -> FloatArray:
    common = equal.cumsum(axis=-2).cumsum(axis=-1)
    return _extrapolated(np.diagonal(common, axis1=-2, axis2=-1).astype(np.float64))


def _extrapolated(common: FloatArray) -> FloatArray:
    """Rank-biased overlap from X_1 to X_k, ``float64[..., k]``."""
    depth = np.arange(1, common.shape[-1] + 1)
    agreement = common / depth
    weighted = agreement @ (PERSISTENCE**depth * (1 - PERSISTENCE) / PERSISTENCE)
    overlap: FloatArray = agreement[..., -1] * PERSISTENCE ** depth[-1] + weighted
    return overlap


def _correlation(equal: BoolArray) -> FloatArray:
    k = equal.shape[-1]
    rank = np.arange(1, k + 1)
    common = equal.sum(axis=(-2, -1))
    in_both = np.einsum("...ij,i,j->...", equal, rank, rank)
    alone = [((1 - equal.any(axis=axis)) * rank).sum(axis=-1) for axis in (-1, -2)]
    return _pearson(in_both + (alone[0] + alone[1]) * _behind(common, k), common, k)


def _behind(common: FloatArray, k: int) -> FloatArray:
    """The rank that the 2k - X - k passages share which a list lacks, the mean of k + 1 to 2k - X."""
    rank: FloatArray = (k + 1 + 2 * k - common) / 2
    return rank


def _pearson(products: FloatArray, common: FloatArray, k: int) -> FloatArray:
    """The correlation from the sum of the products of ranks; both lists have the same ranks, in another order."""
    n, rank = 2 * k - common, np.arange(1, k + 1)
    missing = k - common
    total = rank.sum() + missing * _behind(common, k)
    squares = (rank**2).sum() + missing * _behind(common, k) ** 2
    spread = squares - total**2 / n
    correlation: FloatArray = np.divide(
        products - total**2 / n, spread, out=np.ones(np.shape(spread)), where=spread > 0
    )
    return correlation
