"""JudgedGroups: the judged pairs of a collection as the engine counts them, grouped by distinct query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.scores import TILE_PASSAGES, TILE_QUERIES, Scores, buffer


@dataclass(frozen=True)
class JudgedGroups:
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
    own: VectorArray
    """``[Nr]``, score of the pair, as its tile gives it; to be filled in."""

    @classmethod
    def of(cls, collection: Collection, scores: Scores) -> JudgedGroups:
        """The pairs of a collection that these scores are compared for."""
        query = scores.query[collection.pairs.query]
        column = scores.passage[collection.pairs.passage]
        first_column = np.full(scores.n_queries, scores.n_passages, np.int64)
        np.minimum.at(first_column, query, column)
        pair = np.lexsort((column, query, first_column[query]))
        starts = np.flatnonzero(np.diff(query[pair], prepend=-1))
        return cls(
            query=query[pair][starts],
            starts=np.append(starts, len(pair)),
            pair=pair,
            column=column[pair],
            order=collection.passages.tie_order[collection.pairs.passage[pair]],
            own=np.empty(len(pair), np.float32),
        )

    def languages(self, collection: Collection) -> IntArray:
        """The languages of each pair's passage and query, ``int64[2, Nr]``."""
        passage, query = collection.pairs.passage[self.pair], collection.pairs.query[self.pair]
        of = collection.passages.language[passage], collection.queries.language[query]
        return np.stack(of).astype(np.int64)

    def query_tiles(self) -> Iterator[tuple[int, int]]:
        """The first and the last group of each tile, exclusive."""
        for start in range(0, len(self.query), TILE_QUERIES):
            yield start, min(start + TILE_QUERIES, len(self.query))

    def score(self, scores: Scores) -> None:
        """Fills in all scores of the pairs."""
        judged, judged_column = np.unique(self.column, return_inverse=True)
        selected = scores.select(judged)
        for start, stop in self.query_tiles():
            mine = slice(self.starts[start], self.starts[stop])
            columns, at = np.unique(judged_column[mine], return_inverse=True)
            tiles = selected.tiles(self.query[start:stop], selected.prepare(columns), buffer(len(columns)))
            self.take(tiles, start, stop, at)

    def take(self, tiles: VectorArray, start: int, stop: int, columns: IntArray | None = None) -> None:
        """Fills in the scores of some groups from their tiles, which have all distinct passages or these columns."""
        mine = slice(self.starts[start], self.starts[stop])
        column = self.column[mine] if columns is None else columns
        row = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
        self.own[mine] = tiles[column // TILE_PASSAGES, row, column % TILE_PASSAGES]
