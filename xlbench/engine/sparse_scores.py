"""Scores of sparse vectors: inner products over the terms that a query and a passage have in common."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from xlbench.arrays import Array, IntArray, VectorArray
from xlbench.engine.counting import add_products
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
        """The products, laid out in tiles; threads take some of the queries."""
        asked = self.queries.vectors[queries]
        tiles = out[: -(-prepared.shape[1] // TILE_PASSAGES)]
        n_threads = torch.get_num_threads()

        def fill(span: tuple[int, int]) -> None:
            # scipy's product makes a sparse matrix first, of which nearly all numbers are there.
            add_products(_arrays(asked), _arrays(prepared), span, tiles)

        ends = np.linspace(0, len(queries), n_threads + 1).astype(np.int64).tolist()
        with ThreadPoolExecutor(n_threads) as threads:
            list(threads.map(fill, pairwise(ends)))
        return tiles


def _arrays(rows: Any) -> tuple[Array, Array, VectorArray]:
    """The arrays of a csr array."""
    return rows.indptr, rows.indices, rows.data
