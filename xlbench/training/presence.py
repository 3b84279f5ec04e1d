"""Which languages the rows have, and what batches they can therefore be in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray, FloatArray
from xlbench.training.recipes import Kind


@dataclass(frozen=True)
class Presence:
    """Which languages each row has."""

    languages: tuple[str, ...]
    queries: BoolArray
    """``[rows, languages]``"""
    passages: BoolArray
    """``[rows, languages]``"""

    def __len__(self) -> int:
        return len(self.queries)

    def only(self, languages: tuple[str, ...] | None) -> Presence:
        """The same rows in these languages only."""
        if languages is None:
            return self
        kept = np.array([language in languages for language in self.languages])
        return Presence(self.languages, self.queries & kept, self.passages & kept)


def rows_of(kind: Kind, presence: Presence) -> BoolArray:
    """Which rows can be in such a batch: ``[rows, languages]`` for mono, ``[rows, 1]`` for others."""
    both = presence.queries & presence.passages
    if kind == "mono":
        return both
    if kind == "mixed":
        return np.reshape(both.any(axis=1), (-1, 1))
    n_queries, n_passages = presence.queries.sum(axis=1), presence.passages.sum(axis=1)
    same = (n_queries == 1) & (n_passages == 1) & both.any(axis=1)
    found: BoolArray = np.reshape((n_queries > 0) & (n_passages > 0) & ~same, (-1, 1))
    return found


def draw(rng: np.random.Generator, weights: FloatArray) -> npt.NDArray[np.intp]:
    """A column for each row, with probabilities in proportion to ``weights[rows, columns]``."""
    bounds = weights.cumsum(axis=1)
    # Below the last bound even after rounding, so that no column of weight 0 is drawn.
    at = np.minimum(rng.random(len(weights)) * bounds[:, -1], np.nextafter(bounds[:, -1], 0))
    found: npt.NDArray[np.intp] = (bounds > at[:, None]).argmax(axis=1)
    return found
