"""PEER: whether passages of one relevance level have equal expected ranks in each language."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.bias.shapes import FloatArray, where_parallel
from xlbench.ranks import PooledRanks

IntArray = npt.NDArray[np.integer[Any]]

_DRAWS = 200


def peer(pooled: PooledRanks, k: int) -> FloatArray:
    """The probability of equal expected rank of each query (Yang et al., SIGIR 2024, arXiv 2405.00978).

    For each gain, the Kruskal-Wallis p-value that its passages have the same expected rank in each language, on the
    ranks up to k as they are; unretrieved ones share the rank (2 N + U + 1) / 2, with N passages of that gain of which
    U are unretrieved, as in the authors' code. 1 where one language has passages of that gain, or none is retrieved.
    The mean over the query's gains, each with the same weight. Higher is better.
    """
    ranks = pooled.ranks
    values = np.empty(len(ranks))
    for i in range(len(ranks)):
        rows = slice(ranks.starts[i], ranks.starts[i + 1])
        values[i] = _over_levels(ranks.rank[rows], ranks.gain[rows], ranks.language[rows], k)
    return where_parallel(pooled, values)


def _over_levels(rank: IntArray, gain: IntArray, language: IntArray, k: int) -> float:
    levels = [gain == level for level in np.unique(gain)]
    return float(np.mean([equal_rank_probability(rank[level], language[level], k) for level in levels]))


def equal_rank_probability(rank: IntArray, language: IntArray, k: int) -> float:
    """The Kruskal-Wallis p-value for passages of one gain, by their ranks and languages."""
    from scipy.special import chdtrc

    n, retrieved = len(rank), rank <= k
    groups, group = np.unique(language, return_inverse=True)
    if len(groups) < 2 or not retrieved.any():
        return 1.0
    positions = np.where(retrieved, rank, (2 * n + (~retrieved).sum() + 1) / 2)
    size = np.bincount(group)
    mean = np.bincount(group, weights=positions) / size
    between = float((size * (mean - positions.mean()) ** 2).sum())
    total = float(((positions - positions.mean()) ** 2).sum())
    if total == 0:  # All in one place: a single retrieved passage may share it with the unretrieved.
        return 1.0
    return float(chdtrc(len(groups) - 1, (n - 1) * between / total))


def is_constant(
    query: npt.NDArray[np.integer], language: npt.NDArray[np.integer], gain: npt.NDArray[np.integer]
) -> bool:
    """Whether PEER is the same for every ranking, given each relevant passage's query, language and gain, ``[Nr]``.

    It is where no query has two passages of one gain in one language: with one in each of G languages,
    Kruskal-Wallis' H is G - 1 for every order of them.
    """
    return len(set(zip(query.tolist(), language.tolist(), gain.tolist(), strict=True))) == len(query)


def perfect(pooled: PooledRanks) -> FloatArray:
    """1: the languages' passages have equal mean ranks."""
    return where_parallel(pooled, np.ones(len(pooled.ranks)))


def random(pooled: PooledRanks, k: int) -> FloatArray:
    """The mean over 200 random rankings of the pool, always the same, once for each make-up of relevant passages."""
    n_pool = int(pooled.n_passages.sum())
    ranks = pooled.ranks
    known: dict[tuple[tuple[int, int], ...], float] = {}
    values = np.empty(len(ranks))
    for i in range(len(ranks)):
        rows = slice(ranks.starts[i], ranks.starts[i + 1])
        relevant = tuple(sorted(zip(ranks.gain[rows].tolist(), ranks.language[rows].tolist(), strict=True)))
        if relevant not in known:
            known[relevant] = _random_mean(np.array(relevant), n_pool, k)
        values[i] = known[relevant]
    return where_parallel(pooled, values)


def _random_mean(relevant: IntArray, n_pool: int, k: int) -> float:
    """The mean over random rankings for relevant passages given as gain and language, ``int64[n, 2]``."""
    rng = np.random.default_rng(0)
    drawn = [rng.choice(n_pool, size=len(relevant), replace=False) + 1 for _ in range(_DRAWS)]
    return float(np.mean([_over_levels(rank, relevant[:, 0], relevant[:, 1], k) for rank in drawn]))
