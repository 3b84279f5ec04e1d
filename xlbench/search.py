"""The engine: counts, for each judged pair and language, the passages that beat the pair's passage for its query.

Passages are taken in shards and the counts of the shards are summed. Scores are computed in tiles of one fixed shape,
padded with zeros, so that a score does not depend on how many queries and passages there are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from xlbench.collection import Collection
from xlbench.counting import count_copies, count_first
from xlbench.embeddings import Embeddings
from xlbench.ranks import Ranking

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# 64 x larger tiles are no faster on a CPU, and a smaller query tile would waste the product on the pairs' own scores.
TILE_QUERIES = 256
TILE_PASSAGES = 512
SHARD_ROWS = 32 * TILE_PASSAGES


@contextmanager
def _full_precision() -> Iterator[None]:
    """Has torch compute float32 products in float32, whatever an encoder has asked it to do (TF32, bfloat16)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@_full_precision()
def scores(queries: FloatArray, passages: FloatArray) -> FloatArray:
    """The inner products of queries and passages, ``float32[q, p]``, each computed in a tile of the fixed shape."""
    padded = _padded(passages, TILE_PASSAGES)
    found = np.empty((len(queries), len(passages)), np.float32)
    for start in range(0, len(queries), TILE_QUERIES):
        tiles = _tile_scores(queries[start : start + TILE_QUERIES], padded)
        rows = tiles.transpose(1, 0, 2).reshape(TILE_QUERIES, -1)
        found[start : start + TILE_QUERIES] = rows[: len(queries) - start, : len(passages)]
    return found


def tie_order(ids: tuple[str, ...]) -> IntArray:
    """The order in which equal scores rank, ``int64[N]``: the higher comes first, as in trec_eval (descending id)."""
    order = np.empty(len(ids), np.int64)
    order[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return order


@_full_precision()
def rank(collection: Collection, queries: Embeddings, passages: Embeddings, *, shard_rows: int = SHARD_ROWS) -> Ranking:
    """The ranking of every judged pair, from the vectors of queries and passages.

    ``shard_rows`` distinct passages are scored at a time; it bounds the memory and changes no result.
    """
    shard_rows = -(-min(shard_rows, max(1, len(passages.vectors))) // TILE_PASSAGES) * TILE_PASSAGES
    judged = _Judged.of(collection, queries, passages)
    above = np.zeros((len(judged.pair), len(collection.languages)), np.int32)
    columns = _Columns.of(collection, passages)
    n_threads = torch.get_num_threads()
    with ThreadPoolExecutor(n_threads) as pool:
        buffer = _tiles(shard_rows // TILE_PASSAGES)
        for first in range(0, len(passages.vectors), shard_rows):
            shard = columns.shard(first, min(first + shard_rows, len(passages.vectors)))
            padded = _padded(passages.vectors[shard.first : shard.last], TILE_PASSAGES)
            pairs = judged.starts, judged.column - shard.first, judged.order, judged.own
            counted = (shard.spans(), shard.order), shard.copies
            for start, stop in judged.query_tiles():
                tiles = _tile_scores(queries.vectors[judged.query[start:stop]], padded, out=buffer)
                shares = np.linspace(start, stop, 2 * n_threads + 1).astype(np.int64)
                count = partial(_count, (tiles, start), pairs, counted, above)
                list(pool.map(count, shares[:-1], shares[1:]))
    ordered = np.empty_like(above)
    ordered[judged.pair] = above
    return Ranking(collection=collection, above=ordered)


@dataclass(frozen=True)
class _Judged:
    """The judged pairs grouped by distinct query; queries that share passages are neighbours.

    Translations of one question have the same relevant passages, so a tile of neighbouring queries needs few columns
    for the pairs' own scores.
    """

    query: IntArray
    """``[G]``, row of the query vectors."""
    starts: IntArray
    """``[G + 1]``: group ``g`` owns ``pair[starts[g]:starts[g + 1]]``."""
    pair: IntArray
    """``[Nr]``, index of the pair in the collection."""
    column: IntArray
    """``[Nr]``, row of the passage vectors."""
    order: IntArray
    """``[Nr]``, tie order of the pair's passage."""
    own: FloatArray
    """``[Nr]``, score of the pair, as its tile gives it."""

    @classmethod
    def of(cls, collection: Collection, queries: Embeddings, passages: Embeddings) -> _Judged:
        query = queries.row[collection.pairs.query].astype(np.int64)
        column = passages.row[collection.pairs.passage].astype(np.int64)
        first_column = np.full(len(queries.vectors), len(passages.vectors), np.int64)
        np.minimum.at(first_column, query, column)
        pair = np.lexsort((column, query, first_column[query]))
        starts = np.flatnonzero(np.diff(query[pair], prepend=-1))
        judged = cls(
            query=query[pair][starts],
            starts=np.append(starts, len(pair)),
            pair=pair,
            column=column[pair],
            order=tie_order(collection.passages.ids)[collection.pairs.passage[pair]],
            own=np.empty(len(pair), np.float32),
        )
        judged._score(queries, passages)
        return judged

    def query_tiles(self) -> Iterator[tuple[int, int]]:
        for start in range(0, len(self.query), TILE_QUERIES):
            yield start, min(start + TILE_QUERIES, len(self.query))

    def _score(self, queries: Embeddings, passages: Embeddings) -> None:
        for start, stop in self.query_tiles():
            pairs = slice(self.starts[start], self.starts[stop])
            columns, at = np.unique(self.column[pairs], return_inverse=True)
            row = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
            relevant = _padded(passages.vectors[columns], TILE_PASSAGES)
            tiles = _tile_scores(queries.vectors[self.query[start:stop]], relevant)
            self.own[pairs] = tiles[at // TILE_PASSAGES, row, at % TILE_PASSAGES]


@dataclass(frozen=True)
class _Columns:
    """The distinct passages in the order of their first copy, hence sorted by its language; and the other copies."""

    bounds: IntArray
    """``[L + 1]``: the first copies in language ``l`` are the columns ``bounds[l]:bounds[l + 1]``."""
    order: IntArray
    """``[U]``, tie order of each first copy."""
    copies: IntArray
    """``[C, 3]``: column, language and tie order of each further copy, sorted by column."""
    first: int = 0
    """The first column of the shard."""
    last: int = 0
    """The column after the shard's last."""

    @classmethod
    def of(cls, collection: Collection, passages: Embeddings) -> _Columns:
        order = tie_order(collection.passages.ids)
        first_copy = np.unique(passages.row, return_index=True)[1]
        further = np.setdiff1d(np.arange(len(passages.row)), first_copy)
        further = further[np.argsort(passages.row[further], kind="stable")]
        language = collection.passages.language
        return cls(
            bounds=np.searchsorted(language[first_copy], np.arange(len(collection.languages) + 1)).astype(np.int64),
            order=order[first_copy],
            copies=np.stack([passages.row[further], language[further], order[further]], axis=1).astype(np.int64),
            last=len(passages.vectors),
        )

    def spans(self) -> IntArray:
        """The runs of columns of one language in one tile: tile, language, first and last column, ``int64[S, 4]``."""
        runs = []
        for language, (start, stop) in enumerate(pairwise(self.bounds.tolist())):
            edges = [start, *range((start // TILE_PASSAGES + 1) * TILE_PASSAGES, stop, TILE_PASSAGES), stop]
            runs += [(first // TILE_PASSAGES, language, first, last) for first, last in pairwise(edges) if first < last]
        return np.array(runs, dtype=np.int64).reshape(-1, 4)

    def shard(self, first: int, last: int) -> _Columns:
        """The columns ``first:last``, counted from 0 in ``bounds`` and ``copies``."""
        copies = self.copies[slice(*np.searchsorted(self.copies[:, 0], [first, last]))]
        return _Columns(
            bounds=np.clip(self.bounds, first, last) - first,
            order=self.order[first:last],
            copies=copies - np.array([first, 0, 0]),
            first=first,
            last=last,
        )


def _padded(vectors: FloatArray, multiple: int) -> torch.Tensor:
    """The vectors with rows of zeros up to a multiple, and with zeros up to 16 dimensions: ``float32[n', D']``."""
    rows = -(-len(vectors) // multiple) * multiple
    dimensions = -(-vectors.shape[1] // 16) * 16
    padded = np.zeros((rows, dimensions), np.float32)
    padded[: len(vectors), : vectors.shape[1]] = vectors
    return torch.from_numpy(padded)


def _tiles(n_tiles: int) -> torch.Tensor:
    """Room for tiles of scores, on the CPU and in float32 whatever torch's defaults are."""
    return torch.empty(n_tiles, TILE_QUERIES, TILE_PASSAGES, dtype=torch.float32, device="cpu")


def _tile_scores(queries: FloatArray, passages: torch.Tensor, *, out: torch.Tensor | None = None) -> FloatArray:
    """Scores of at most a tile of queries with padded passages, ``float32[tiles, TILE_QUERIES, TILE_PASSAGES]``.

    The tiles are one batched product: threads then take whole tiles, where in one product after the other they would
    wait for each other at the end of each, for seconds on a busy machine. ``out`` is a buffer to reuse: fresh memory
    for each call costs a tenth of the product's time.
    """
    n_tiles = len(passages) // TILE_PASSAGES
    padded = _padded(queries, TILE_QUERIES)
    found = _tiles(n_tiles) if out is None else out[:n_tiles]
    torch.bmm(padded.expand(n_tiles, -1, -1), passages.view(n_tiles, TILE_PASSAGES, -1).transpose(1, 2), out=found)
    array: FloatArray = found.numpy()
    return array


def _count(
    tiles: tuple[FloatArray, int],
    pairs: tuple[IntArray, IntArray, IntArray, FloatArray],
    shard: tuple[tuple[IntArray, IntArray], IntArray],
    above: npt.NDArray[np.int32],
    *groups: int,
) -> None:
    """Adds the counts of some groups, the first and the last exclusive, to ``above``; see ``counting``."""
    columns, copies = shard
    count_first(*tiles, groups, pairs, columns, above)
    count_copies(*tiles, groups, pairs, copies, above)
