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
_MOST_CHOICES = 300_000
_SAME = 1e-12


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
    weights: FloatArray = 1 / np.log2(np.arange(1, k + 1).clip(2))
    return weights


def perfect(weights: Callable[[int], FloatArray], k: int) -> Callable[[PooledRanks], FloatArray]:
    """The value of the fairest choice of k passages.

    Where ranks have the same attention it is found greedily, each passage of the language that it helps most, which is
    the fairest of all, since the divergence is a sum of convex functions, one a language. Where they have not, all
    choices are tried; only where there are too many of them is it the greedy one, and a lower bound: a ranking may be
    fairer than ``perfect`` there.
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
    shares: FloatArray = relevant / relevant.sum(axis=1, keepdims=True)
    return shares


def _exposure(top: npt.NDArray[np.int16], weights: FloatArray, n_languages: int) -> FloatArray:
    """The attention that each language gets, ``float64[m, L]``, summing to 1."""
    exposure = np.stack(
        [np.where(top == language, weights, 0.0).sum(axis=1) for language in range(n_languages)], axis=1
    )
    shares: FloatArray = exposure / exposure.sum(axis=1, keepdims=True)
    return shares


def _similarity(exposed: FloatArray, target: FloatArray) -> FloatArray:
    """1 - Jensen-Shannon divergence, by row."""
    similarity: FloatArray = 1 - _terms(exposed, target).sum(axis=1)
    return similarity


def _terms(exposed: FloatArray, target: FloatArray) -> FloatArray:
    """What each language adds to the Jensen-Shannon divergence."""
    from scipy.special import rel_entr

    middle = (exposed + target) / 2
    terms: FloatArray = (rel_entr(exposed, middle) + rel_entr(target, middle)) / 2
    return terms


def _of_target(pooled: PooledRanks, value: Callable[[FloatArray], float]) -> FloatArray:
    """The value for each query, computed once for each distribution of relevant passages over languages."""
    targets, which = np.unique(_target(pooled), axis=0, return_inverse=True)
    return where_parallel(pooled, np.array([value(target) for target in targets])[which.ravel()])


def _fairest(target: FloatArray, weights: FloatArray, n_passages: npt.NDArray[np.int64]) -> float:
    if (weights != weights[0]).any():
        room = np.minimum(n_passages, len(weights))
        languages = tuple(sorted(zip(target.tolist(), room.tolist(), strict=True)))
        exact = _fairest_of_all(languages, tuple(weights.tolist()))
        if exact is not None:
            return exact
    return _greedy(target, weights, n_passages)


@lru_cache(maxsize=1024)
def _fairest_of_all(languages: tuple[tuple[float, int], ...], weights: tuple[float, ...]) -> float | None:
    """The value of the fairest choice, by trying all, rank after rank; None if there are too many.

    ``languages`` are the target and the number of passages, at most as many as ranks, of each. Those that are alike in
    both can be exchanged: of choices that differ by that alone, one is kept.
    """
    target, room = (np.array(column) for column in zip(*languages, strict=True))
    alike = [np.flatnonzero((target == t) & (room == r)) for t, r in sorted(set(languages))]
    attention = np.array(weights) / sum(weights)
    exposed, taken = np.zeros((1, len(target))), np.zeros((1, len(target)), np.int64)
    for weight in attention:
        if len(exposed) * len(target) > _MOST_CHOICES:
            return None
        state, language = np.nonzero(taken < room)
        exposed, taken = exposed[state], taken[state]
        exposed[np.arange(len(state)), language] += weight
        taken[np.arange(len(state)), language] += 1
        # Two ranks have the attention 1: so that equal sums are equal, they are compared as integers.
        key = np.rint(exposed / _SAME).astype(np.int64) * (len(weights) + 1) + taken
        for group in alike:
            order = key[:, group].argsort(axis=1)
            for states in (key, exposed, taken):
                states[:, group] = np.take_along_axis(states[:, group], order, axis=1)
        _, first = np.unique(key.view(f"V{key.itemsize * key.shape[1]}").ravel(), return_index=True)
        exposed, taken = exposed[first], taken[first]
    return float(_similarity(exposed, target[None]).max())


def _greedy(target: FloatArray, weights: FloatArray, n_passages: npt.NDArray[np.int64]) -> float:
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
