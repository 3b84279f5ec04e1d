"""What a deep check encodes: a sample of queries, and with them all passages or the judged ones and a sample of others.

Whether a passage beats another for a query depends on these two alone, so that a part of the passages can be looked at
without the rest. A passage is drawn in its language, without replacement, and no submitter can know which.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np

from xlbench.arrays import BoolArray, FloatArray, IntArray
from xlbench.collection import Collection, Pairs, Texts

SEEDS = 2**32


def seed_of(digest: str, commit: str) -> int:
    """The seed that follows from a submission's digest and a commit made after it was taken.

    A submitter knows the digest only, a maintainer chooses neither, and everybody can compute the seed again.
    """
    return int.from_bytes(hashlib.sha256(f"{digest}\n{commit}".encode()).digest()[:4], "big")


@dataclass(frozen=True)
class DeepSample:
    """What is drawn for a deep check."""

    queries: int
    """How many queries; all if there are no more."""
    seed: int
    passages: float = 1.0
    """The share of the passages that are judged for none of these queries; 1 for the whole pool."""

    @property
    def is_whole(self) -> bool:
        """Whether all passages are compared."""
        return self.passages == 1

    def rows(self, n_queries: int) -> IntArray:
        """The rows of the queries that are drawn, ascending."""
        chosen = np.random.default_rng(self.seed).choice(n_queries, size=min(self.queries, n_queries), replace=False)
        return np.sort(chosen).astype(np.int64)

    def of_passages(self, collection: Collection) -> PassageSample:
        """The judged passages of a collection with the drawn queries, and a share of the others of each language."""
        language = collection.passages.language
        judged = np.zeros(len(language), bool)
        judged[collection.pairs.passage] = True
        rng = np.random.default_rng([self.seed, 1])
        rows, drawn, others = [], [], []
        for code in range(len(collection.languages)):
            certain, left = (np.flatnonzero((language == code) & which) for which in (judged, ~judged))
            size = min(math.ceil(self.passages * len(left)), len(left))
            chosen = np.sort(rng.choice(left, size=size, replace=False))
            rows += [certain, chosen]
            drawn.append(np.arange(len(certain) + size) >= len(certain))
            others.append(len(left))
        kept = np.concatenate(rows)
        return PassageSample(_with_passages(collection, kept), np.concatenate(drawn), np.array(others, np.int64))


@dataclass(frozen=True)
class PassageSample:
    """A collection with some of its passages: those that are judged, and in each language others that were drawn."""

    collection: Collection
    """Its passages: in each language first those that are judged, then those that were drawn."""
    drawn: BoolArray
    """``[Np]``, whether a passage was drawn; else it is judged."""
    n_others: IntArray
    """``[L]``, of how many passages of each language was drawn."""

    @property
    def language(self) -> IntArray:
        """``[Np]``, the language of each passage."""
        return self.collection.passages.language.astype(np.int64)

    @property
    def n_drawn(self) -> IntArray:
        """``[L]``, how many were drawn of each language."""
        return np.bincount(self.language[self.drawn], minlength=len(self.n_others))

    @property
    def weight(self) -> FloatArray:
        """``[L]``, for how many passages one that was drawn stands."""
        weight: FloatArray = self.n_others / np.maximum(self.n_drawn, 1)
        return weight


def _with_passages(collection: Collection, rows: IntArray) -> Collection:
    """The collection with these passages, all that are judged among them, in this order."""
    passages, pairs = collection.passages, collection.pairs
    place = np.full(len(passages), -1, np.int64)
    place[rows] = np.arange(len(rows))
    chosen = rows.tolist()
    return replace(
        collection,
        passages=Texts(
            ids=[passages.ids[row] for row in chosen],
            text=[passages.text[row] for row in chosen],
            language=passages.language[rows],
        ),
        pairs=Pairs(query=pairs.query, passage=place[pairs.passage], gain=pairs.gain),
    )
