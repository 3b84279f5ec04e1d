"""Ranks of many models that say no more than the tests do: all pairs are tested, and corrected.

A model's rank is 1 + the number of models that are significantly better. Two models are tested as ``xlbench compare``
tests them, by the paired randomisation test over clusters of questions, and Holm's method corrects for all pairs of
models in all kinds of setting. Random draws cannot show a p-value below 1 / (1 + draws), and with hundreds of models
Holm asks for far smaller ones. There the p-value is bounded from above instead, which costs no draw: for sign flips s
of the clusters' differences D with the sum t, P(abs(sum of s D) >= t) <= 2 exp(-t^2 / (2 sum D^2)) (Hoeffding 1963).
Up to some forty models the verdicts are those of ``xlbench compare``; of more, two models that are only just apart may
share a rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.statistics import DRAWS, holm, p_values

ALPHA = 0.05
_MOST_DRAWS = 100_000
_PAIRS_AT_ONCE = 500


def ranks(
    parts: Sequence[FloatArray], *, confirmed: Sequence[bool] | None = None, alpha: float = ALPHA
) -> npt.NDArray[np.int64]:
    """The rank of each model in each quantity of which more is better, ``int64[M, K]``.

    With ``confirmed``, one a model, a model that is not takes no place from one that is: it counts for others that are
    not alone.

    ``parts`` is one ``[G, K]`` a model, what each cluster adds to each quantity (``statistics.by_cluster``). Models
    that have no other significantly better than they are share rank 1, whatever their values.
    """
    n_models, n_quantities = len(parts), parts[0].shape[1]
    first, second = np.triu_indices(n_models, k=1)
    totals = np.stack([part.sum(axis=0) for part in parts])
    p = np.stack([_bounds(np.stack([part[:, k] for part in parts]))[first, second] for k in range(n_quantities)])
    draws = _draws(p.size, alpha)
    resolved = p <= 1 / (1 + draws)
    # The smallest p-value that draws can show, corrected, for whoever is the first of those that are left.
    if (~resolved).sum() / (1 + draws) <= alpha:
        for k, of_pair in enumerate(resolved):
            left = np.flatnonzero(~of_pair)
            for chunk in np.split(left, range(_PAIRS_AT_ONCE, len(left), _PAIRS_AT_ONCE)):
                drawn = [parts[second[i]][:, k] - parts[first[i]][:, k] for i in chunk]
                p[k, chunk] = p_values(np.stack(drawn, axis=1), draws=draws) if drawn else p[k, chunk]
    else:
        p[~resolved] = 1.0
    apart = holm(p.ravel()).reshape(p.shape) <= alpha
    is_confirmed = np.ones(n_models, bool) if confirmed is None else np.array(confirmed, bool)
    counts = [is_confirmed[j] | ~is_confirmed[i] for i, j in ((first, second), (second, first))]
    ranks_of = np.ones((n_models, n_quantities), np.int64)
    for k in range(n_quantities):
        gain = totals[second, k] - totals[first, k]
        np.add.at(ranks_of[:, k], first[apart[k] & (gain > 0) & counts[0]], 1)
        np.add.at(ranks_of[:, k], second[apart[k] & (gain < 0) & counts[1]], 1)
    return ranks_of


def _draws(n_tests: int, alpha: float) -> int:
    """As many as ``xlbench compare`` takes, but never more than can be drawn in seconds."""
    return max(DRAWS, min(math.ceil(50 * n_tests / alpha), _MOST_DRAWS))


def _bounds(part: FloatArray) -> FloatArray:
    """The bound of the p-value of each pair of models in one quantity, ``[M, Q]`` to ``float64[M, M]``."""
    totals, products = part.sum(axis=1), part @ part.T
    squares = np.diagonal(products)
    spread = squares[:, None] + squares[None, :] - 2 * products
    reached = (totals[:, None] - totals[None, :]) ** 2
    # Of two equal models the spread is 0, or what rounding leaves of it.
    alike = spread <= 1e-12 * (squares[:, None] + squares[None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        bounds: FloatArray = np.where(alike, 1.0, np.minimum(2 * np.exp(-reached / (2 * spread)), 1.0))
    return bounds
