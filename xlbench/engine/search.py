"""The engine: counts, for each judged pair and language, the passages that beat the pair's passage for its query.

Passages are taken in shards and the counts of the shards are summed; scores come in tiles, see ``scores``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.collection.answer_strings import n_tokens
from xlbench.engine.counted_tiles import PART_ROWS, Counts, Part, count_shared, count_warm
from xlbench.engine.device_counting import Columns, JudgedPairs, count_on_device
from xlbench.engine.scores import (
    SHARD_ROWS,
    TILE_PASSAGES,
    TILE_QUERIES,
    Scores,
    VectorScores,
    buffer,
    full_precision,
    makes_in_threads,
    one_thread_each,
)
from xlbench.measures.best import Best
from xlbench.measures.ranks import Judged, Lists, Ranking
from xlbench.support.checkpoint import Checkpoint
from xlbench.support.progress import Advance

_Pools = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Work:
    """How long counting goes on."""

    checkpoint: Path | None = None
    """What is counted is kept in this file every few seconds, so that a run that was killed goes on there.

    The file must be named by all that identifies the scores.
    """
    advance: Advance | None = None
    """Is told how many passages are done."""

    def tell(self, n_passages: int, *, stored: bool = False) -> None:
        """Says that so many more are done."""
        if self.advance:
            self.advance(texts=n_passages, characters=n_passages, stored=stored)


_BRIEF = Work()


def rank(
    collection: Collection,
    scores: Scores,
    *,
    depth: int = 0,
    by_language: bool = False,
    shard_rows: int = SHARD_ROWS,
    work: Work = _BRIEF,
) -> Ranking:
    """The ranking of every judged pair, from the scores of queries and passages.

    The ``depth`` best passages of each judged query are kept: those of the pool of all languages or, with
    ``by_language``, those of each language, from which those of any pool follow. ``shard_rows`` distinct passages are
    scored at a time; it bounds the memory and changes no result.
    """
    shard_rows = -(-min(shard_rows, max(1, scores.n_passages)) // TILE_PASSAGES) * TILE_PASSAGES
    n_languages = len(collection.languages)
    sizes = np.bincount(collection.passages.language, minlength=n_languages)
    everything = tuple(np.flatnonzero(sizes).tolist())
    pools = tuple((code,) for code in range(n_languages)) if by_language else (everything,)
    places = min(depth, max((int(sizes[list(pool)].sum()) for pool in pools), default=0))
    judged = _Judged.of(collection, scores)
    columns = _Columns.of(collection, scores)
    slots = np.arange(n_languages) * by_language
    counts = Counts.start((len(judged.pair), n_languages), (len(judged.query), len(pools), places), slots)
    if isinstance(scores, VectorScores) and scores.device:
        pairs = JudgedPairs(judged.query, judged.starts, judged.column, judged.order)
        passages = Columns(columns.bounds, columns.order, columns.copies)
        count_on_device(scores, pairs, passages, counts.arrays, slots=slots, file=work.checkpoint, tell=work.tell)
        return _ranking(collection, scores, judged, counts, pools=pools, depth=depth)
    in_one_shard = scores.n_passages <= shard_rows
    warm = makes_in_threads(scores)
    if warm or not in_one_shard:
        judged.score(scores)
    # In one shard there is nothing to go on from: its counts are all there are.
    file = None if in_one_shard else work.checkpoint
    saved = Checkpoint(file, judged.own, columns.order, columns.copies) if file else None
    done = saved.load(counts.arrays) if saved else 0
    if done:
        work.tell(done, stored=True)
    groups = list(judged.query_tiles())
    with full_precision(), one_thread_each() if warm else ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for first in range(done, scores.n_passages, shard_rows):
            last = min(first + shard_rows, scores.n_passages)
            parts = _parts(scores, judged, columns, range(first, last, PART_ROWS if warm else shard_rows))
            if warm:
                steps = count_warm(threads, scores, parts, judged.query, groups, counts)
            else:
                steps = _count_in_turn(threads, scores, parts[0], judged, counts, take=in_one_shard)
            n_steps = len(parts) * len(groups)
            for step, _ in enumerate(steps):
                if in_one_shard:
                    work.tell(last * (step + 1) // n_steps - last * step // n_steps)
            if saved:
                saved.save(counts.arrays, done=last)
            if not in_one_shard:
                work.tell(last - first)
    if saved:
        saved.remove()
    return _ranking(collection, scores, judged, counts, pools=pools, depth=depth)


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
    own: VectorArray
    """``[Nr]``, score of the pair, as its tile gives it; to be filled in."""

    @classmethod
    def of(cls, collection: Collection, scores: Scores) -> _Judged:
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

    def query_tiles(self) -> Iterator[tuple[int, int]]:
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
        order = collection.passages.tie_order
        first_copy = np.empty(scores.n_passages, np.int64)
        first_copy[scores.passage[::-1]] = np.arange(len(scores.passage))[::-1]  # Of several the first is written last.
        is_further = np.ones(len(scores.passage), bool)
        is_further[first_copy] = False
        further = np.flatnonzero(is_further)
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


def _parts(scores: Scores, judged: _Judged, columns: _Columns, starts: range) -> list[Part]:
    """Columns from each start to the next as the compiled loops take them."""
    return [_part(scores, judged, columns.shard(*ends)) for ends in pairwise([*starts, starts.stop])]


def _part(scores: Scores, judged: _Judged, columns: _Columns) -> Part:
    """Some columns as the compiled loops take them."""
    return Part(
        prepared=scores.prepare(slice(columns.first, columns.last)),
        pairs=(judged.starts, judged.column - columns.first, judged.order, judged.own),
        columns=(columns.spans(), columns.order),
        copies=columns.copies,
    )


def _count_in_turn(
    threads: ThreadPoolExecutor, scores: Scores, part: Part, judged: _Judged, counts: Counts, *, take: bool
) -> Iterator[None]:
    """Counts all groups, a tile after the other, and yields after each; ``take`` takes the pairs' scores from them."""
    out = buffer(len(part.columns[1]))
    for start, stop in judged.query_tiles():
        tiles = scores.tiles(judged.query[start:stop], part.prepared, out)
        if take:
            judged.take(tiles, start, stop)
        count_shared(threads, tiles, part, (start, stop), counts)
        yield


def _ranking(
    collection: Collection, scores: Scores, judged: _Judged, counts: Counts, *, pools: _Pools, depth: int
) -> Ranking:
    """What was counted, in the order of the collection."""
    above = np.empty_like(counts.above)
    above[judged.pair] = counts.above
    group = np.full(scores.n_queries, -1)
    group[judged.query] = np.arange(len(judged.query))
    passage_at = np.full(len(collection.passages) + 1, -1)
    passage_at[collection.passages.tie_order] = np.arange(len(collection.passages))
    best = Best(pools, group[scores.query], score=counts.best_score, order=counts.best_order, passage_at=passage_at)
    said = Judged.of(collection)
    top, lists = best_of_all(collection, said, best, depth)
    return Ranking(said, above=above, top=top, best=best if depth else None, lists=lists if depth else None)


def best_of_all(collection: Collection, judged: Judged, best: Best, depth: int) -> tuple[npt.NDArray[np.int16], Lists]:
    """The ``depth`` best passages of each query in the pool of all languages: languages ``[Nq, depth]``, and lists."""
    language = np.append(collection.passages.language, np.int16(-1))  # Row -1 is no passage.
    passages = np.empty((len(collection.queries), depth), np.int32)
    for start in range(0, len(passages), TILE_QUERIES):  # To merge them takes many times their memory.
        rows = np.arange(start, min(start + TILE_QUERIES, len(passages)))
        passages[rows] = best.top(judged.everything, rows, depth).passage
    lists = Lists.of(passages, judged.query_ids, judged.query_language, judged.languages)
    if collection.by_answers:
        lists = replace(lists, n_tokens=n_tokens(collection.passages.text, passages))
    return language[passages], lists
