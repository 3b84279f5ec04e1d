"""Full rankings, as the tests of bias spell or draw them, and what follows from them by plain counting.

A ranking is a list of passages, best first, each its language and its gain, 0 for an irrelevant one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from xlbench.measures import BIAS, Measure, find
from xlbench.measures.ranks import PooledRanks, Ranks


class Passage(NamedTuple):
    """A passage in a ranking."""

    language: int
    gain: int


ALL_MEASURES = [*BIAS, "RankShift", "Share@3", "AWRF@3", "PEER@3"]


def measure(name: str) -> Measure:
    """The measure of this name, which there is."""
    found = find(name)
    assert found is not None, name
    return found


def spelled(ranking: str) -> list[Passage]:
    """``aBb`` is an irrelevant passage in language 0, then a relevant and an irrelevant one in language 1."""
    return [Passage(ord(letter.lower()) - ord("a"), int(letter.isupper())) for letter in ranking]


def pooled(
    rankings: Sequence[Sequence[Passage]], *, asked: int = 0, n_languages: int | None = None, depth: int = 10
) -> PooledRanks:
    """The pooled ranks of queries with these rankings of one pool."""
    if n_languages is None:
        n_languages = max([passage.language for ranking in rankings for passage in ranking], default=0) + 1
    n_passages = np.bincount(
        [p.language for p in rankings[0]] if rankings else range(n_languages), minlength=n_languages
    )
    relevant = [[(i, p) for i, p in enumerate(ranking) if p.gain] for ranking in rankings]
    of_all = [(ranking, i, p) for ranking, found in zip(rankings, relevant, strict=True) for i, p in found]
    top = np.full((len(rankings), depth), -1, np.int16)
    for row, ranking in zip(top, rankings, strict=True):
        row[: len(ranking)] = [p.language for p in ranking[:depth]]
    return PooledRanks(
        ranks=Ranks(
            query=np.arange(len(rankings), dtype=np.int32),
            starts=np.cumsum([0, *map(len, relevant)], dtype=np.int64),
            rank=np.array([i + 1 for _, i, _ in of_all], np.int64),
            gain=np.array([p.gain for _, _, p in of_all], np.int16),
            language=np.array([p.language for _, _, p in of_all], np.int16),
        ),
        asked=asked,
        n_passages=n_passages,
        above_own=np.array([sum(p.language == asked for p in ranking[:i]) for ranking, i, _ in of_all], np.int64),
        top=top,
    )


def all_orders(passages: Sequence[Passage]) -> list[list[Passage]]:
    """All rankings of these passages; those that cannot be told apart as often as they occur."""
    return [list(order) for order in permutations(passages)]


def drawn(rng: np.random.Generator, pool: Sequence[Passage], *, n: int) -> list[list[Passage]]:
    """``n`` random rankings of these passages."""
    return [[pool[i] for i in rng.permutation(len(pool))] for _ in range(n)]


def average_precision(ranking: Sequence[Passage]) -> float:
    """AP by its definition, NaN without a relevant passage."""
    ranks = [i for i, passage in enumerate(ranking, start=1) if passage.gain]
    return float(np.mean([sum(r <= rank for r in ranks) / rank for rank in ranks])) if ranks else np.nan


def random_rankings(rng: np.random.Generator, *, n: int, n_languages: int = 3) -> list[list[Passage]]:
    """Random rankings of one pool with other relevant passages each: ragged, graded, several a language."""
    languages = [*range(n_languages), *rng.integers(0, n_languages, size=rng.integers(4, 15))]
    found = []
    for _ in range(n):
        gains = rng.integers(1, 4, size=len(languages)) * (rng.random(len(languages)) < rng.uniform(0.1, 0.8))
        gains[rng.integers(len(languages))] = 1
        order = rng.permutation(len(languages))
        found.append([Passage(int(languages[i]), int(gains[i])) for i in order])
    return found


def seeds() -> st.SearchStrategy[np.random.Generator]:
    """Random generators, for ``random_rankings``."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


def answered(ranking: Sequence[Passage]) -> set[int]:
    """The languages in which a ranking has relevant passages."""
    return {passage.language for passage in ranking if passage.gain}
