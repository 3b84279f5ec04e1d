"""Scores of late interaction, MaxSim: the sum over a query's tokens of the largest inner product with a passage's.

(ColBERT, Khattab and Zaharia 2020, arXiv 2004.12832.) Exact: every token of every passage is compared. Products are
computed in blocks of one fixed shape, so that a score does not depend on the texts beside it, and each is reduced to
maxima while it is in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from xlbench.arrays import IntArray, TokenVectors, VectorArray
from xlbench.engine.counting import add_up, keep_largest
from xlbench.engine.representations import LATE
from xlbench.engine.scores import TILE_PASSAGES, EmbeddedScores, full_precision, one_thread_each, padded

_QUERY_TOKENS = 256
_PASSAGE_TOKENS = 2048


@dataclass(frozen=True)
class LateScores(EmbeddedScores):
    """MaxSim of the tokens' vectors; each distinct text has its own."""

    mean: bool = False
    """Whether a score is divided by the number of the query's tokens."""

    shard_rows = 8 * TILE_PASSAGES
    """Passages in memory at once: they have many vectors each."""

    def select(self, passages: IntArray) -> LateScores:
        """With the vectors of these passages in memory."""
        return LateScores(self.queries, self.held(passages, LATE), self.mean)

    def prepare(self, passages: slice | IntArray) -> tuple[TokenVectors, torch.Tensor]:
        """The passages' token vectors, and these with rows of zeros up to whole blocks."""
        tokens: TokenVectors = self.passages.vectors[passages]
        return tokens, padded(tokens.vectors, _PASSAGE_TOKENS)

    def tiles(self, queries: IntArray, prepared: tuple[TokenVectors, torch.Tensor], out: VectorArray) -> VectorArray:
        """The scores, tile by tile; threads take whole tiles."""
        passages, blocks = prepared
        asked: TokenVectors = self.queries.vectors[queries]
        tokens = padded(asked.vectors, _QUERY_TOKENS)
        n_tiles = -(-len(passages) // TILE_PASSAGES)

        def fill(tile: int) -> None:
            some = slice(tile * TILE_PASSAGES, min((tile + 1) * TILE_PASSAGES, len(passages)))
            starts = passages.starts[some.start : some.stop + 1]
            best = np.full((len(tokens), some.stop - some.start), -np.inf, np.float32)
            product = torch.empty((_QUERY_TOKENS, _PASSAGE_TOKENS))
            first_block = int(starts[0]) // _PASSAGE_TOKENS
            for block in range(first_block, -(-int(starts[-1]) // _PASSAGE_TOKENS)):
                of_block = blocks[block * _PASSAGE_TOKENS : (block + 1) * _PASSAGE_TOKENS].T
                for first in range(0, len(tokens), _QUERY_TOKENS):
                    torch.mm(tokens[first : first + _QUERY_TOKENS], of_block, out=product)
                    keep_largest(product.numpy(), block * _PASSAGE_TOKENS, starts, best[first:])
            add_up(best, asked.starts, self.mean, out[tile])

        with full_precision(), one_thread_each() as threads:
            list(threads.map(fill, range(n_tiles)))
        return out[:n_tiles]
