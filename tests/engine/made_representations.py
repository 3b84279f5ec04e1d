"""Encoders of sparse and of token vectors of small integers, so that sums are exact and ties plentiful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from xlbench.arrays import TokenVectors

N_TERMS = 12
WIDTH = 5


def terms_of(text: str) -> np.ndarray:
    """A text's weights of terms, mostly 0."""
    drawn = np.random.default_rng([1, *text.encode()])
    return (drawn.integers(0, 3, size=N_TERMS) * (drawn.random(N_TERMS) < 0.4)).astype(np.float32)


def tokens_of(text: str) -> np.ndarray:
    """A text's vectors of 1 to 6 tokens."""
    drawn = np.random.default_rng([2, *text.encode()])
    return drawn.integers(-2, 3, size=(drawn.integers(1, 7), WIDTH)).astype(np.float32)


class SparseMade:
    """An encoder of sparse vectors."""

    name, revision, representation = "sparse-made", "1", "sparse"

    def encode_queries(self, texts: Sequence[str]) -> csr_array:
        """The vectors of these texts."""
        return csr_array(np.stack([terms_of(text) for text in texts]))

    encode_passages = encode_queries


class LateMade:
    """An encoder of token vectors."""

    name, revision, representation = "late-made", "1", "late"

    def encode_queries(self, texts: Sequence[str]) -> TokenVectors:
        """The vectors of the tokens of these texts."""
        found = [tokens_of(text) for text in texts]
        return TokenVectors(np.concatenate(found), np.append(0, np.cumsum([len(part) for part in found])))

    encode_passages = encode_queries


def product(query: str, passage: str, kind: type) -> float:
    """The score of two texts, from the definition."""
    if kind is SparseMade:
        return float(terms_of(query) @ terms_of(passage))
    return float((tokens_of(query) @ tokens_of(passage).T).max(axis=1).sum())


class SeveralMade:
    """An encoder of a dense vector, weighted terms and token vectors from one encoding; it counts its calls."""

    name, revision, representation = "several-made", "1", ("dense", "sparse", "late")

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> dict[str, object]:
        """All three of these texts."""
        self.texts += texts
        return {
            "dense": np.stack([terms_of(text)[:3] for text in texts]),
            "sparse": SparseMade().encode_queries(texts),
            "late": LateMade().encode_queries(texts),
        }

    encode_passages = encode_queries
