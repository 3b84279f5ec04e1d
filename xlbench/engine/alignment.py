"""Alignment of the vectors themselves: how near parallel passages lie, whatever the queries.

Two passages of different languages are parallel if they are relevant to the same query. Equal texts of a language are
one passage here. A zero vector has cosine 0 with every other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray
from xlbench.collection import Collection
from xlbench.engine.vectors import Embeddings

_DECIMALS = 6  # The last digits of a sum depend on its order, and so on the number of threads.
_TIE = 1e-6  # Cosines of equal directions differ by a few 1e-7 in float32.
_ROWS_AT_ONCE = 4096


def align(collection: Collection, passages: Embeddings) -> dict[str, Any]:
    """How near parallel passages lie, as numbers of 6 decimals; empty if no passages are parallel.

    ``parallel_cosine``
        Mean cosine of parallel passages.
    ``random_cosine``
        Mean cosine of two passages of these languages that are not parallel; None if there are no such two.
    ``bitext_accuracy``, ``bitext``
        By language and other language: the share of passages whose nearest one by cosine, among the other language's,
        is parallel (the similarity search of Tatoeba, Artetxe and Schwenk 2019, arXiv 1812.10464). Those of each of
        the two languages are the passages that have a parallel one in the other. Nearest is nearer than all that are
        not parallel: a tie is not found, so that a model with one vector for everything has 0.
    ``language_variance``
        Share of the variance of the vectors, scaled to length 1, that the means of the languages explain: sum of
        n_l |mean_l - mean|^2 / sum of |x - mean|^2 over all passages that have a parallel one (eta squared, Fisher
        1925). 0 if languages lie on top of each other.
    ``n_parallel``
        How many pairs of parallel passages there are.

    The cosines and the accuracy are means over pairs of languages of the mean in each.
    """
    parallel = _Parallel.of(collection, passages)
    bitext: dict[str, dict[str, float]] = {}
    pairs = []
    for a, b, links in parallel.by_languages():
        pair = _compare(parallel.vectors, links)
        pairs.append(pair)
        first, second = collection.languages[a], collection.languages[b]
        bitext.setdefault(first, {})[second] = round(pair.forth, _DECIMALS)
        bitext.setdefault(second, {})[first] = round(pair.back, _DECIMALS)
    if not pairs:
        return {}
    accuracy = [share for pair in pairs for share in (pair.forth, pair.back)]
    others = [pair.random for pair in pairs if pair.random is not None]
    return {
        "parallel_cosine": _mean([pair.parallel for pair in pairs]),
        "random_cosine": _mean(others) if others else None,
        "bitext_accuracy": _mean(accuracy),
        "bitext": {a: bitext[a] for a in collection.languages if a in bitext},
        "language_variance": round(variance_share(parallel.vectors, parallel.language), _DECIMALS),
        "n_parallel": len(parallel.links),
    }


@dataclass(frozen=True)
class _Parallel:
    """The passages that have a parallel one, equal texts of a language as one."""

    vectors: npt.NDArray[np.float32]
    """``[P, D]``, of length 1 or 0."""
    language: IntArray
    """``[P]``, non-decreasing."""
    links: IntArray
    """``[n_parallel, 2]``, rows of parallel passages, distinct; that of the earlier language first."""

    @classmethod
    def of(cls, collection: Collection, passages: Embeddings) -> _Parallel:
        n_vectors = len(passages.vectors)
        text = collection.passages.language * np.int64(n_vectors) + passages.row
        judged = zip(collection.pairs.query.tolist(), text[collection.pairs.passage].tolist(), strict=True)
        answers = {
            tuple(sorted({at for _, at in of_query}))
            for _, of_query in groupby(judged, key=lambda judgement: judgement[0])
        }
        links = {
            (a, b) for of_query in answers for a, b in combinations(of_query, 2) if a // n_vectors != b // n_vectors
        }
        texts, row = np.unique(np.array(sorted(links), np.int64).reshape(-1, 2), return_inverse=True)
        vectors = passages.vectors[texts % n_vectors].astype(np.float64)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(length > 0, length, 1.0)
        return cls(vectors.astype(np.float32), texts // max(n_vectors, 1), row.reshape(-1, 2))

    def by_languages(self) -> Iterator[tuple[int, int, IntArray]]:
        """Each pair of languages that has parallel passages, with their links."""
        language = self.language[self.links]
        # Sorted once, since of many languages there are thousands of pairs and millions of links.
        order = np.lexsort((language[:, 1], language[:, 0]))
        pairs, starts = np.unique(language[order], axis=0, return_index=True)
        for (a, b), rows in zip(pairs.tolist(), np.split(order, starts[1:]), strict=False):
            yield a, b, self.links[rows]


@dataclass(frozen=True)
class _Pair:
    """What one pair of languages has."""

    parallel: float
    """Mean cosine of parallel passages."""
    random: float | None
    """Mean cosine of others."""
    forth: float
    """Share of the first language's passages whose nearest one is parallel."""
    back: float
    """The same for the second language's."""


def _compare(vectors: npt.NDArray[np.float32], links: IntArray) -> _Pair:
    first, row = np.unique(links[:, 0], return_inverse=True)
    second, column = np.unique(links[:, 1], return_inverse=True)
    # The nearest parallel passage and the nearest other one, of each row and of each column.
    parallel = np.full(len(first), -np.inf), np.full(len(second), -np.inf)
    others = np.full(len(first), -np.inf), np.full(len(second), -np.inf)
    total = total_parallel = 0.0
    for start in range(0, len(first), _ROWS_AT_ONCE):
        cosine = vectors[first[start : start + _ROWS_AT_ONCE]] @ vectors[second].T
        mine = (start <= row) & (row < start + _ROWS_AT_ONCE)
        at = row[mine] - start, column[mine]
        own = cosine[at].astype(np.float64)
        total += float(cosine.sum(dtype=np.float64))
        total_parallel += float(own.sum())
        np.maximum.at(parallel[0], row[mine], own)
        np.maximum.at(parallel[1], column[mine], own)
        cosine[at] = -np.inf
        others[0][start : start + _ROWS_AT_ONCE] = cosine.max(axis=1)
        np.maximum(others[1], cosine.max(axis=0), out=others[1])
    n_others = len(first) * len(second) - len(links)
    forth, back = (float((mine > other + _TIE).mean()) for mine, other in zip(parallel, others, strict=True))
    return _Pair(
        parallel=total_parallel / len(links),
        random=(total - total_parallel) / n_others if n_others else None,
        forth=forth,
        back=back,
    )


def variance_share(vectors: npt.NDArray[np.float32], language: IntArray) -> float:
    """The share of the variance of vectors that the means of their languages explain."""
    centre = vectors.mean(axis=0, dtype=np.float64)
    between = within = 0.0
    for code in np.unique(language):
        mine = vectors[language == code].astype(np.float64)
        mean = mine.mean(axis=0)
        between += len(mine) * float(((mean - centre) ** 2).sum())
        within += float(((mine - mean) ** 2).sum())
    total = between + within
    # What is left of equal vectors is rounding.
    return between / total if total > len(vectors) * _TIE**2 else 0.0


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), _DECIMALS)
