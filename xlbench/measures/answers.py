"""Measures of open retrieval that is judged by answer strings: such a task has these only, and no other has them."""

from __future__ import annotations

from functools import partial
from math import inf, lgamma

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.measures.measure import Family, Measure
from xlbench.measures.ranks import PooledRanks
from xlbench.measures.retrieval import success

_PASSAGES_A_KILOTOKEN = 100
"""More than there are in a thousand tokens, if a passage has 10 of them or more."""


def _within_tokens(pooled: PooledRanks, kilotokens: int) -> FloatArray:
    """1 if the first passage with an answer ends within the first tokens, else 0; NaN where passages are not known."""
    ranks = pooled.ranks
    if pooled.lists is None or pooled.lists.n_tokens is None:
        return np.full(len(ranks), np.nan)
    n_fitting = (np.cumsum(pooled.lists.n_tokens[ranks.query], axis=1) <= 1000 * kilotokens).sum(axis=1)
    within: FloatArray = (ranks.rank[ranks.starts[:-1]] <= n_fitting).astype(np.float64)
    return within


def _found(pooled: PooledRanks) -> FloatArray:
    return np.ones(len(pooled.ranks))


def _by_chance(pooled: PooledRanks, kilotokens: int) -> FloatArray:
    """The chance that a passage with an answer is among as many drawn ones as there are tokens for, on average."""
    ranks, n_passages = pooled.ranks, int(pooled.n_passages.sum())
    if pooled.lists is None or pooled.lists.n_tokens is None:
        return np.full(len(ranks), np.nan)
    listed = pooled.lists.n_tokens[ranks.query]
    mean = listed.sum(axis=1) / np.maximum((listed > 0).sum(axis=1), 1)
    n_drawn = np.minimum(1000 * kilotokens / np.maximum(mean, 1), n_passages).astype(np.int64)
    missed = [
        _ways(n_passages - n_relevant, n) - _ways(n_passages, n)
        for n_relevant, n in zip(ranks.n_relevant.tolist(), n_drawn.tolist(), strict=True)
    ]
    return 1.0 - np.exp(missed)


def _ways(n: int, k: int) -> float:
    """The logarithm of how many ways there are to draw ``k`` of ``n``."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) if k <= n else -inf


def _first(name: str, k: int) -> Measure:
    about = "Whether a passage with an answer string is found (arXiv 2004.04906); by answer string, not judged."
    return Measure(
        name,
        about,
        partial(success, cutoff=k),
        brief=f"whether one of the first {k} passages contains an answer string",
        cutoff=k,
        needs_all_ranks=False,
        trec_name=f"success.{k}",
    )


def _tokens(name: str, kilotokens: int) -> Measure:
    return Measure(
        name,
        f"Whether a passage with an answer string ends within the first {kilotokens:,},000 tokens (XOR-Retrieve, arXiv "
        "2010.11856); by answer string, not judged.",
        partial(_within_tokens, kilotokens=kilotokens),
        brief=f"whether the first {kilotokens:,},000 tokens of passages contain an answer string",
        kinds=("multi",),
        perfect=_found,
        random=partial(_by_chance, kilotokens=kilotokens),
        depth=_PASSAGES_A_KILOTOKEN * kilotokens,
        needs_all_ranks=False,
        needs_lists=True,
    )


FAMILIES = (
    Family("Answer", _first, needs_cutoff=True),
    Family("R", _tokens, needs_cutoff=True, largest_cutoff=10, unit="kt"),
)
