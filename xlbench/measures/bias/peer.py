"""PEER: whether passages of one relevance level have equal expected ranks in each language."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray, Integers
from xlbench.measures.bias.shapes import where_parallel
from xlbench.measures.ranks import PooledRanks

_DRAWS = 10_000


def peer(pooled: PooledRanks, k: int) -> FloatArray:
    """The probability of equal expected rank of each query (Yang et al., SIGIR 2024, arXiv 2405.00978).

    For each gain, the Kruskal-Wallis p-value that its passages have the same expected rank in each language, on the
    ranks up to k as they are; unretrieved ones share the rank (2 N + U + 1) / 2, with N passages of that gain of which
    U are unretrieved, as in the authors' code. 1 where one language has passages of that gain, or none is retrieved.
    The mean over the query's gains, each with the same weight.

    Higher is better, but a high value need not be a good ranking: where k is small beside the pool, a random ranking
    retrieves nothing that is relevant and has about 1.
    """
    return _by_make_up(pooled, lambda relevant, rank: _over_gains(relevant, rank, k))


def _by_make_up(pooled: PooledRanks, value: Callable[[Integers, Integers], FloatArray]) -> FloatArray:
    """The value of each query, computed at once for all whose relevant passages are alike.

    ``value`` is given gain and language of n relevant passages, ``[n, 2]``, and their ranks for m queries, ``[m, n]``.
    """
    ranks = pooled.ranks
    order = np.lexsort((ranks.language, ranks.gain, ranks.owner))
    relevant = np.stack([ranks.gain, ranks.language], axis=1)[order]
    alike: dict[bytes, list[int]] = {}
    for i in range(len(ranks)):
        alike.setdefault(relevant[ranks.starts[i] : ranks.starts[i + 1]].tobytes(), []).append(i)
    values = np.empty(len(ranks))
    for queries in alike.values():
        rows = ranks.starts[queries, None] + np.arange(ranks.n_relevant[queries[0]])
        values[queries] = value(relevant[rows[0]], ranks.rank[order[rows]])
    return where_parallel(pooled, values)


def _over_gains(relevant: Integers, rank: Integers, k: int) -> FloatArray:
    gain, language = relevant.T
    levels = [gain == level for level in np.unique(gain)]
    probabilities = [equal_rank_probability(rank[:, level], language[level], k) for level in levels]
    mean: FloatArray = np.mean(probabilities, axis=0)
    return mean


def equal_rank_probability(rank: Integers, language: Integers, k: int) -> FloatArray:
    """The Kruskal-Wallis p-values, ``float64[m]``, of m rankings of n passages of one gain.

    They are given by their ranks, ``[m, n]``, and languages, ``[n]``.
    """
    from scipy.special import chdtrc

    probability = np.ones(len(rank))
    groups, size = np.unique(language, return_counts=True)
    some = (rank <= k).any(axis=1)
    if len(groups) < 2 or not some.any():
        return probability
    rank, n = rank[some], len(language)
    retrieved = rank <= k
    shared = (2 * n + (~retrieved).sum(axis=1, keepdims=True) + 1) / 2
    position = np.where(retrieved, rank, shared)
    centre = position.mean(axis=1, keepdims=True)
    means = np.stack([position[:, language == group].mean(axis=1) for group in groups], axis=1)
    between = (size * (means - centre) ** 2).sum(axis=1)
    total = ((position - centre) ** 2).sum(axis=1)
    # All in one place, 0 / 0, is no difference: a single retrieved passage may share it with the unretrieved.
    h = np.divide((n - 1) * between, total, out=np.zeros(len(total)), where=total > 0)
    probability[some] = chdtrc(len(groups) - 1, h)
    return probability


def is_constant(
    query: npt.NDArray[np.integer], language: npt.NDArray[np.integer], gain: npt.NDArray[np.integer]
) -> bool:
    """Whether PEER is the same for every ranking, given each relevant passage's query, language and gain, ``[Nr]``.

    It is where no query has two passages of one gain in one language: with one in each of G languages,
    Kruskal-Wallis' H is G - 1 for every order of them.
    """
    return len(set(zip(query.tolist(), language.tolist(), gain.tolist(), strict=True))) == len(query)


def perfect(pooled: PooledRanks) -> FloatArray:
    """1: the languages' passages have equal mean ranks. Often no ranking that retrieves them can have that.

    Two passages of each of two languages have it at the ranks 1, 4 and 2, 3; with one of each, one must be first.
    """
    return where_parallel(pooled, np.ones(len(pooled.ranks)))


def random(pooled: PooledRanks, k: int) -> FloatArray:
    """The mean over 10,000 random rankings of the pool, always the same, once for each make-up of relevant passages."""
    drawn = _drawn(int(pooled.ranks.n_relevant.max(initial=0)), int(pooled.n_passages.sum()))

    def mean(relevant: Integers, rank: Integers) -> FloatArray:
        return np.full(len(rank), _over_gains(relevant, drawn[: len(relevant)].T, k).mean())

    return _by_make_up(pooled, mean)


def _drawn(n: int, n_pool: int) -> Integers:
    """The ranks of n passages in random rankings of the pool, ``int64[n, draws]``.

    The first rows are the same for any n, so that a query's value does not depend on the other queries.
    """
    rng = np.random.default_rng(0)
    rank = np.empty((n, _DRAWS), np.int64)
    free_below = np.empty((0, _DRAWS), np.int64)  # How many ranks are free before each that is taken, ascending.
    for i in range(n):
        free = rng.integers(n_pool - i, size=_DRAWS)
        rank[i] = 1 + free + (free_below <= free).sum(axis=0)
        free_below = np.sort(rank[: i + 1], axis=0) - np.arange(1, i + 2)[:, None]
    return rank
