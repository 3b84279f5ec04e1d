"""Scores of sparse vectors: inner products over the terms that a query and a passage have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xlbench.arrays import IntArray, VectorArray
from xlbench.engine.representations import SPARSE
from xlbench.engine.scores import TILE_PASSAGES, EmbeddedScores


@dataclass(frozen=True)
class SparseScores(EmbeddedScores):
    """Inner products of sparse vectors; each distinct text has one vector.

    A score is summed up in the order of the query's terms, whatever other queries and passages there are.
    """

    def select(self, passages: IntArray) -> SparseScores:
        """With the vectors of these passages in memory."""
        return SparseScores(self.queries, self.held(passages, SPARSE))

    def prepare(self, passages: slice | IntArray) -> Any:
        """The passages' vectors, a row a term: ``csr[V, passages]``."""
        return self.passages.vectors[passages].T.tocsr()

    def tiles(self, queries: IntArray, prepared: Any, out: VectorArray) -> VectorArray:
        """The products, laid out in tiles."""
        scores = (self.queries.vectors[queries] @ prepared).toarray()
        n_tiles = -(-scores.shape[1] // TILE_PASSAGES)
        for tile in range(n_tiles):
            columns = scores[:, tile * TILE_PASSAGES : (tile + 1) * TILE_PASSAGES]
            out[tile, : len(queries), : columns.shape[1]] = columns
        return out[:n_tiles]
