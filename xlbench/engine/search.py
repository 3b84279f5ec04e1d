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

from xlbench.collection import Collection
from xlbench.collection.answer_strings import n_tokens
from xlbench.engine.counted_tiles import PART_ROWS, Counts, Part, count_shared, count_warm
from xlbench.engine.device_counting import count_on_device
from xlbench.engine.distinct_columns import DistinctColumns
from xlbench.engine.judged_groups import JudgedGroups
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
from xlbench.measures.best import Best, Lists
from xlbench.measures.ranks import Judged, Ranking
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
    sums: bool = False,
    shard_rows: int = SHARD_ROWS,
    work: Work = _BRIEF,
) -> Ranking:
    """The ranking of every judged pair, from the scores of queries and passages.

    The ``depth`` best passages of each judged query are kept: those of the pool of all languages or, with
    ``by_language``, those of each language, from which those of any pool follow. With ``sums`` the counts of languages
    are added up. ``shard_rows`` distinct passages are scored at a time; it bounds the memory and changes no result.
    """
    shard_rows = -(-min(shard_rows, max(1, scores.n_passages)) // TILE_PASSAGES) * TILE_PASSAGES
    n_languages = len(collection.languages)
    sizes = np.bincount(collection.passages.language, minlength=n_languages)
    everything = tuple(np.flatnonzero(sizes).tolist())
    pools = tuple((code,) for code in range(n_languages)) if by_language else (everything,)
    places = min(depth, max((int(sizes[list(pool)].sum()) for pool in pools), default=0))
    judged = JudgedGroups.of(collection, scores)
    columns = DistinctColumns.of(collection, scores)
    slots = np.arange(n_languages) * by_language
    languages = judged.languages(collection) if sums else None
    counts = Counts.start(len(judged.pair), (len(judged.query), len(pools), places), slots, languages=languages)
    if isinstance(scores, VectorScores) and scores.device:
        count_on_device(scores, judged, columns, counts, file=work.checkpoint, tell=work.tell)
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


def _parts(scores: Scores, judged: JudgedGroups, columns: DistinctColumns, starts: range) -> list[Part]:
    """Columns from each start to the next as the compiled loops take them."""
    return [_part(scores, judged, columns.shard(*ends)) for ends in pairwise([*starts, starts.stop])]


def _part(scores: Scores, judged: JudgedGroups, columns: DistinctColumns) -> Part:
    """Some columns as the compiled loops take them."""
    return Part(
        prepared=scores.prepare(slice(columns.first, columns.last)),
        pairs=(judged.starts, judged.column - columns.first, judged.order, judged.own),
        columns=(columns.spans(), columns.order),
        copies=columns.copies,
    )


def _count_in_turn(
    threads: ThreadPoolExecutor, scores: Scores, part: Part, judged: JudgedGroups, counts: Counts, *, take: bool
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
    collection: Collection, scores: Scores, judged: JudgedGroups, counts: Counts, *, pools: _Pools, depth: int
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
    return Ranking(
        said,
        above=above,
        top=top,
        best=best if depth else None,
        lists=lists if depth else None,
        has_sums=counts.languages is not None,
    )


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
