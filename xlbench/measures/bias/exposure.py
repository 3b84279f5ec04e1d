"""Whether the languages of the best passages are shared out as those of the relevant passages are."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.bias.shapes import counts, where_parallel
from xlbench.measures.ranks import PooledRanks

_DRAWS = 10_000


def share(pooled: PooledRanks, k: int) -> FloatArray:
    """How close the languages of the k best passages are to those of the relevant ones, for each query.

    1 - the Jensen-Shannon divergence (natural logarithm) of the shares of the languages among the k best passages and
    among the relevant passages. Higher is better, and 1 - ln 2 the least. It is 1 only if k passages can be shared
    out so: with 11 parallel passages the 10 best cannot.
    """
    return _fairness(pooled, equal(k))


def attention_weighted_fairness(pooled: PooledRanks, k: int) -> FloatArray:
    """As ``share``, but each of the k best passages counts with the attention that its rank gets, 1 / log2(max(r, 2)).

    (AWRF of the TREC Fair Ranking Track 2021, with that track's attention and distance.)
    """
    return _fairness(pooled, attention(k))


def equal(k: int) -> FloatArray:
    """``[k]``, the same attention for ranks 1 to k."""
    return np.ones(k)


def attention(k: int) -> FloatArray:
    """``[k]``, the attention that ranks 1 to k get."""
    found: FloatArray = 1 / np.log2(np.arange(1, k + 1).clip(2))
    return found


def perfect(weights: Callable[[int], FloatArray], k: int) -> Callable[[PooledRanks], FloatArray]:
    """The value of the fairest choice of k passages, found greedily: each is of the language that it helps most.

    That is the fairest of all where ranks have the same attention, since the divergence is a sum of convex functions,
    one a language. Where they have not, the fairest of all may be a few thousandths higher.
    """

    def of(pooled: PooledRanks) -> FloatArray:
        depth = min(k, int(pooled.n_passages.sum()))
        return _of_target(pooled, lambda target: _fairest(target, weights(depth), pooled.n_passages))

    return of


def random(weights: Callable[[int], FloatArray], k: int) -> Callable[[PooledRanks], FloatArray]:
    """The mean value of random rankings: 10,000 draws, always the same."""

    def of(pooled: PooledRanks) -> FloatArray:
        drawn = _draw(tuple(pooled.n_passages.tolist()), min(k, int(pooled.n_passages.sum())))
        exposed = _exposure(drawn, weights(drawn.shape[1]), len(pooled.n_passages))
        return _of_target(pooled, lambda target: float(_similarity(exposed, target[None]).mean()))

    return of


def _fairness(pooled: PooledRanks, weights: FloatArray) -> FloatArray:
    if pooled.top.shape[1] < len(weights):
        raise ValueError(f"the {len(weights)} best passages are needed, but {pooled.top.shape[1]} were kept")
    exposed = _exposure(pooled.top[:, : len(weights)], weights, len(pooled.n_passages))
    return where_parallel(pooled, _similarity(exposed, _target(pooled)))


def _target(pooled: PooledRanks) -> FloatArray:
    relevant = counts(pooled)
    found: FloatArray = relevant / relevant.sum(axis=1, keepdims=True)
    return found


def _exposure(top: npt.NDArray[np.int16], weights: FloatArray, n_languages: int) -> FloatArray:
    """The attention that each language gets, ``float64[m, L]``, summing to 1."""
    found = np.stack([np.where(top == language, weights, 0.0).sum(axis=1) for language in range(n_languages)], axis=1)
    shares: FloatArray = found / found.sum(axis=1, keepdims=True)
    return shares


def _similarity(exposed: FloatArray, target: FloatArray) -> FloatArray:
    """1 - Jensen-Shannon divergence, by row."""
    found: FloatArray = 1 - _terms(exposed, target).sum(axis=1)
    return found


def _terms(exposed: FloatArray, target: FloatArray) -> FloatArray:
    """What each language adds to the Jensen-Shannon divergence."""
    from scipy.special import rel_entr

    middle = (exposed + target) / 2
    found: FloatArray = (rel_entr(exposed, middle) + rel_entr(target, middle)) / 2
    return found


def _of_target(pooled: PooledRanks, value: Callable[[FloatArray], float]) -> FloatArray:
    """The value for each query, computed once for each distribution of relevant passages over languages."""
    targets, which = np.unique(_target(pooled), axis=0, return_inverse=True)
    return where_parallel(pooled, np.array([value(target) for target in targets])[which.ravel()])


def _fairest(target: FloatArray, weights: FloatArray, n_passages: npt.NDArray[np.int64]) -> float:
    exposed, taken = np.zeros(len(target)), np.zeros(len(target), np.int64)
    weights = weights / weights.sum()
    for weight in weights:
        gained = _terms(exposed, target) - _terms(exposed + weight, target)
        language = int(np.where(taken < n_passages, gained, -np.inf).argmax())
        exposed[language] += weight
        taken[language] += 1
    return float(1 - _terms(exposed, target).sum())


@lru_cache(maxsize=8)
def _draw(n_passages: tuple[int, ...], k: int) -> npt.NDArray[np.int16]:
    """Languages of the first k passages of random rankings, ``[draws, k]``; the same for all query languages."""
    rng = np.random.default_rng(0)
    left = np.repeat(np.array([n_passages]), _DRAWS, axis=0)
    drawn = np.empty((_DRAWS, k), np.int16)
    for i in range(k):
        ball = rng.integers(0, left.sum(axis=1))
        drawn[:, i] = (ball[:, None] >= np.cumsum(left, axis=1)).sum(axis=1)
        left[np.arange(_DRAWS), drawn[:, i]] -= 1
    return drawn
