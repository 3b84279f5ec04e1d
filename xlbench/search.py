"""The engine: counts, for each judged pair and language, the passages that beat the pair's passage for its query.

Passages are taken in shards and the counts of the shards are summed; scores come in tiles, see ``scores``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from xlbench.collection import Collection
from xlbench.counting import count_copies, count_first, keep_best
from xlbench.ranks import Best, Judged, Ranking, tie_order
from xlbench.scores import TILE_PASSAGES, TILE_QUERIES, Scores, buffer

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

SHARD_ROWS = 32 * TILE_PASSAGES


def rank(collection: Collection, scores: Scores, *, depth: int = 0, shard_rows: int = SHARD_ROWS) -> Ranking:
    """The ranking of every judged pair, from the scores of queries and passages.

    The ``depth`` best passages of each judged query are kept. ``shard_rows`` distinct passages are scored
    at a time; it bounds the memory and changes no result.
    """
    shard_rows = -(-min(shard_rows, max(1, scores.n_passages)) // TILE_PASSAGES) * TILE_PASSAGES
    judged = _Judged.of(collection, scores)
    above = np.zeros((len(judged.pair), len(collection.languages)), np.int32)
    best = judged.free_places(depth)
    columns = _Columns.of(collection, scores)
    n_threads = torch.get_num_threads()
    with ThreadPoolExecutor(n_threads) as pool:
        out = buffer(shard_rows)
        for first in range(0, scores.n_passages, shard_rows):
            shard = columns.shard(first, min(first + shard_rows, scores.n_passages))
            prepared = scores.prepare(np.arange(shard.first, shard.last))
            pairs = judged.starts, judged.column - shard.first, judged.order, judged.own
            counted = (shard.spans(), shard.order), shard.copies
            for start, stop in judged.query_tiles():
                tiles = scores.tiles(judged.query[start:stop], prepared, out)
                shares = np.linspace(start, stop, 2 * n_threads + 1).astype(np.int64)
                count = partial(_count, (tiles, start), pairs, counted, (above, best))
                list(pool.map(count, shares[:-1], shares[1:]))
    ordered = np.empty_like(above)
    ordered[judged.pair] = above
    kept = _best(collection, scores, judged, best)
    language = np.append(collection.passages.language, np.int16(-1))  # Row -1 is no passage.
    return Ranking(Judged.of(collection), above=ordered, top=language[kept.passage], best=kept if depth else None)


@dataclass(frozen=True)
class _Judged:
    """The judged pairs grouped by distinct query; queries that share passages are neighbours.

    Translations of one question have the same relevant passages, so a tile of neighbouring queries needs few columns
    for the pairs' own scores.
    """

    query: IntArray
    """``[G]``, distinct query."""
    starts: IntArray
    """``[G + 1]``: group ``g`` owns ``pair[starts[g]:starts[g + 1]]``."""
    pair: IntArray
    """``[Nr]``, index of the pair in the collection."""
    column: IntArray
    """``[Nr]``, distinct passage."""
    order: IntArray
    """``[Nr]``, tie order of the pair's passage."""
    own: FloatArray
    """``[Nr]``, score of the pair, as its tile gives it."""

    @classmethod
    def of(cls, collection: Collection, scores: Scores) -> _Judged:
        query = scores.query[collection.pairs.query].astype(np.int64)
        column = scores.passage[collection.pairs.passage].astype(np.int64)
        first_column = np.full(scores.n_queries, scores.n_passages, np.int64)
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
        judged._score(scores)
        return judged

    def free_places(self, depth: int) -> tuple[FloatArray, IntArray]:
        """Scores and tie orders of no passages yet, ``[G, depth]`` each."""
        shape = (len(self.query), depth)
        return np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64)

    def query_tiles(self) -> Iterator[tuple[int, int]]:
        for start in range(0, len(self.query), TILE_QUERIES):
            yield start, min(start + TILE_QUERIES, len(self.query))

    def _score(self, scores: Scores) -> None:
        for start, stop in self.query_tiles():
            pairs = slice(self.starts[start], self.starts[stop])
            columns, at = np.unique(self.column[pairs], return_inverse=True)
            row = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
            tiles = scores.tiles(self.query[start:stop], scores.prepare(columns), buffer(len(columns)))
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
    def of(cls, collection: Collection, scores: Scores) -> _Columns:
        order = tie_order(collection.passages.ids)
        first_copy = np.unique(scores.passage, return_index=True)[1]
        further = np.setdiff1d(np.arange(len(scores.passage)), first_copy)
        further = further[np.argsort(scores.passage[further], kind="stable")]
        language = collection.passages.language
        return cls(
            bounds=np.searchsorted(language[first_copy], np.arange(len(collection.languages) + 1)).astype(np.int64),
            order=order[first_copy],
            copies=np.stack([scores.passage[further], language[further], order[further]], axis=1).astype(np.int64),
            last=scores.n_passages,
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


def _count(
    tiles: tuple[FloatArray, int],
    pairs: tuple[IntArray, IntArray, IntArray, FloatArray],
    shard: tuple[tuple[IntArray, IntArray], IntArray],
    found: tuple[npt.NDArray[np.int32], tuple[FloatArray, IntArray]],
    *groups: int,
) -> None:
    """Adds the counts of some groups, the first and the last exclusive, to what was found; see ``counting``."""
    columns, copies = shard
    above, best = found
    count_first(*tiles, groups, pairs, columns, above)
    count_copies(*tiles, groups, pairs, copies, above)
    if best[0].shape[1]:
        keep_best(*tiles, groups, columns, copies, best)


def _best(collection: Collection, scores: Scores, judged: _Judged, best: tuple[FloatArray, IntArray]) -> Best:
    """The best passages of each query, from those of each group."""
    score, order = best
    group = np.full(scores.n_queries, -1)
    group[judged.query] = np.arange(len(judged.query))
    group = group[scores.query]
    asked = np.flatnonzero(group >= 0)
    passage_at = np.append(np.argsort(tie_order(collection.passages.ids)), -1)
    found = Best(
        passage=np.full((len(group), score.shape[1]), -1, np.int64),
        score=np.full((len(group), score.shape[1]), -np.inf, np.float32),
    )
    found.passage[asked] = passage_at[order[group[asked]]]
    found.score[asked] = score[group[asked]]
    return found
