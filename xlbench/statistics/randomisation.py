"""The paired randomisation test over clusters, Holm's correction, and the size of an effect.

If two models were alike, the labels of a cluster's two sets of values could be swapped without changing anything but
chance. All values of a cluster swap together, of all its questions in all their languages and settings, which are not
independent. (Fisher 1935; Smucker, Allan and Carterette 2007 for retrieval.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray

DRAWS = 10_000
_CHUNK = 1000
_TOLERANCE = 1e-11
_NEGLIGIBLE = 1e-6
_ENOUGH = 1000


def contributions(difference: FloatArray, weights: FloatArray) -> FloatArray:
    """What each question adds to each weighted mean of differences, ``float64[Q, K]``: the mean is the sum over q.

    ``D[q, k] = sum over columns c of weights[c, k] * difference[q, c] / n[c]``, where ``n[c]`` is how many questions
    column c has. ``difference`` is ``[Q, C]`` with NaN where there is none, ``weights`` ``[C, K]``.
    """
    present = np.isfinite(difference)
    contribution: FloatArray = np.where(present, difference, 0.0) @ (
        weights / np.maximum(present.sum(axis=0), 1)[:, None]
    )
    return contribution


def p_values(
    contribution: FloatArray, *, threshold: FloatArray | None = None, draws: int = DRAWS, seed: int = 0
) -> FloatArray:
    """The two-sided p-value of each sum over units, ``[G, K]`` to ``float64[K]``: clusters, or questions if they are.

    It is the share of sign flips whose sum is at least as far from 0 as ``threshold``, by default the sum found. Where
    there are at most ``draws`` flips, all are taken; else ``draws`` random ones and the one found,
    p = (1 + hits) / (1 + draws), which is never 0 (Phipson and Smyth 2010). After 10,000 draws those with 1,000 hits
    are drawn no more (Besag and Clifford 1991). Those that any draw reaches with a chance below one in a million are
    not drawn at all: P(abs(S) >= t) <= 2 exp(-t^2 / (2 sum D^2)) (Hoeffding 1963).
    """
    n_units = len(contribution)
    total = contribution.sum(axis=0)
    reached = np.abs(total) if threshold is None else threshold
    # A flip that gives the very same sum must count, whatever its rounding.
    reached = reached - _TOLERANCE * np.abs(contribution).sum(axis=0)
    exact = 2**n_units <= draws
    likely = reached**2 / 2 <= (contribution**2).sum(axis=0) * np.log(2 * draws / _NEGLIGIBLE)
    tried = np.flatnonzero(likely | exact)
    hits, drawn = np.zeros(len(reached), np.int64), np.full(len(reached), draws)
    drawn[tried] = 0
    for flipped in _all_flips(n_units) if exact else _random_flips(n_units, draws, seed):
        sums = total[tried] - 2 * (flipped.astype(np.float64) @ contribution[:, tried])
        hits[tried] += (np.abs(sums) >= reached[tried]).sum(axis=0)
        drawn[tried] += len(flipped)
        tried = tried[(hits[tried] < _ENOUGH) | (drawn[tried] < DRAWS)]
    p_value: FloatArray = hits / drawn if exact else (1 + hits) / (1 + drawn)
    return p_value


def _all_flips(n_units: int) -> Iterator[npt.NDArray[np.integer]]:
    codes = np.arange(2**n_units)[:, None]
    yield codes >> np.arange(n_units) & 1


def _random_flips(n_units: int, draws: int, seed: int) -> Iterator[npt.NDArray[np.integer]]:
    """Chunks of draws, each a row with 1 for the units that are flipped, else 0."""
    rng = np.random.default_rng(seed)
    for start in range(0, draws, _CHUNK):
        # Bits from bytes: one random number for each unit takes as long as the rest of the test.
        size = (min(_CHUNK, draws - start), (n_units + 7) // 8)
        yield np.unpackbits(rng.integers(0, 256, size=size, dtype=np.uint8), axis=1, count=n_units)


def holm(p: FloatArray) -> FloatArray:
    """The p-values adjusted for their number, in the same order: Holm's step-down method (1979).

    The i-th smallest of n is multiplied by n - i + 1, is no less than those before it, and at most 1. Rejecting those
    up to alpha keeps the chance of any false rejection at alpha, however the tests depend on each other.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def asked(value: FloatArray, weights: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each weighted mean has a value of each question, ``[Q, C]`` and ``[C, K]`` to ``bool[Q, K]``."""
    is_asked: npt.NDArray[np.bool_] = np.isfinite(value).astype(np.float64) @ (weights > 0) > 0
    return is_asked


def effect_sizes(contribution: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    """The standardised mean difference of each weighted mean, ``[Q, K]`` to ``float64[K]``: Cohen's d_z over questions.

    The mean of the questions' contributions divided by their standard deviation (Cohen 1988), over the questions that
    are ``present``. A mean over languages varies less than one of them. NaN for fewer than two questions, or if all
    have the same difference.
    """
    n = present.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = contribution.sum(axis=0) / n
        deviation = np.where(present, contribution - mean, 0.0)
        spread = np.sqrt((deviation**2).sum(axis=0) / (n - 1))
        effect: FloatArray = np.where(spread > _TOLERANCE * np.abs(contribution).max(axis=0), mean / spread, np.nan)
    return effect
