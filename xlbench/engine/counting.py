"""The compiled loops of the engine: counts over a tile of scores, sparse products, the largest of late interaction."""

from __future__ import annotations

import numpy as np
from numba import njit

_BLOCK = 128


def compiled(function):
    """The function, compiled to run without the interpreter's lock."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # Neither the package's folder nor the user's cache folder can be written.
        return njit(nogil=True)(function)


@compiled
def beats(score, order, other_score, other_order):
    """Whether a passage ranks before another: by score, and among equal scores by descending id, as in trec_eval."""
    return score > other_score or (score == other_score and order > other_order)


@compiled
def count_first(tiles, tile_start, groups, pairs, columns, above):
    """Adds to ``above`` the columns that beat each pair of some groups, counting each column as its first copy.

    ``tiles`` is ``float32[tiles, queries, passages]`` with group ``tile_start`` in row 0. ``groups`` are the first and
    the last group, exclusive. ``pairs`` are the arrays ``starts, column, order, own`` of the judged pairs; a column
    counts from the first tile's first and may lie outside the tiles. ``columns`` are the runs of columns of one
    language in one tile, ``int64[S, 4]``, and the tie order of each column.
    """
    starts, column, order, own = pairs
    spans, column_order = columns
    for group in range(groups[0], groups[1]):
        for span in range(len(spans)):
            tile, language, first, last = spans[span]
            offset = tile * tiles.shape[2]
            # A segment is in the first cache for all pairs of its query.
            segment = tiles[tile, group - tile_start, first - offset : last - offset]
            for pair in range(starts[group], starts[group + 1]):
                threshold = own[pair]
                mine = column[pair]
                greater = 0
                equal = 0
                # Indexing a slice by its own range, not iterating, is what lets the compiler use vector instructions.
                for j in range(len(segment)):
                    greater += segment[j] > threshold
                    equal += segment[j] == threshold
                if first <= mine < last:
                    # A text ties with itself by definition, however the product rounds.
                    score = segment[mine - first]
                    greater += (column_order[mine] > order[pair]) - (score > threshold)
                    equal -= score == threshold
                if equal:
                    for j in range(first, last):
                        tied = j != mine and segment[j - first] == threshold
                        greater += tied and beats(threshold, column_order[j], threshold, order[pair])
                above[pair, language] += greater


@compiled
def count_copies(tiles, tile_start, groups, pairs, copies, above):
    """Adds to ``above`` the further copies of equal passages that beat each pair of some groups.

    ``copies`` is ``int64[C, 3]``: column, language, tie order. The others are as in ``count_first``.
    """
    starts, column, order, own = pairs
    width = tiles.shape[2]
    for group in range(groups[0], groups[1]):
        for pair in range(starts[group], starts[group + 1]):
            for i in range(len(copies)):
                j, language, copy_order = copies[i]
                score = own[pair] if j == column[pair] else tiles[j // width, group - tile_start, j % width]
                above[pair, language] += beats(score, copy_order, own[pair], order[pair])


@compiled
def keep_best(tiles, tile_start, groups, columns, copies, best):
    """Puts the passages of the tiles among the best of each group, where they belong there.

    ``best`` is ``float32[G, S, k]`` scores and ``int32[G, S, k]`` tie orders, best first, and the slot of each
    language, ``int64[L]``; a tie order of -1 is a free place. The others are as in ``count_first`` and
    ``count_copies``.
    """
    spans, column_order = columns
    best_score, best_order, slots = best
    width = tiles.shape[2]
    for group in range(groups[0], groups[1]):
        row = group - tile_start
        for span in range(len(spans)):
            tile, language, first, last = spans[span]
            scores, orders = best_score[group, slots[language]], best_order[group, slots[language]]
            offset = tile * width
            segment = tiles[tile, row, first - offset : last - offset]
            for start in range(0, len(segment), _BLOCK):
                block = segment[start : start + _BLOCK]
                # Counting is done with vector instructions, and most blocks have nothing to insert.
                last_score = scores[-1]
                candidates = 0
                for j in range(len(block)):
                    candidates += block[j] >= last_score
                if candidates:
                    for j in range(len(block)):
                        if block[j] >= scores[-1]:
                            _insert(block[j], column_order[first + start + j], scores, orders)
        for i in range(len(copies)):
            j, language, order = copies[i]
            slot = slots[language]
            _insert(tiles[j // width, row, j % width], order, best_score[group, slot], best_order[group, slot])


@compiled
def _insert(score, order, best_score, best_order):
    """Inserts a passage where it beats one of the best, and drops the last of them."""
    i = len(best_score)
    while i > 0 and beats(score, order, best_score[i - 1], best_order[i - 1]):
        i -= 1
    for j in range(len(best_score) - 1, i, -1):
        best_score[j] = best_score[j - 1]
        best_order[j] = best_order[j - 1]
    if i < len(best_score):
        best_score[i] = score
        best_order[i] = order


@compiled
def keep_largest(product, first_token, starts, best):
    """Raises each maximum ``best[query token, passage]`` to what a block of products has for it.

    The block's first column is the passage token ``first_token``; passage ``p`` has the tokens
    ``starts[p]:starts[p + 1]``.
    """
    n_columns = product.shape[1]
    for passage in range(len(starts) - 1):
        start = max(starts[passage] - first_token, 0)
        stop = min(starts[passage + 1] - first_token, n_columns)
        if start >= stop:
            continue
        for row in range(product.shape[0]):
            segment = product[row, start:stop]
            largest = best[row, passage]
            for j in range(len(segment)):
                largest = max(largest, segment[j])
            best[row, passage] = largest


@compiled
def add_up(best, starts, mean, tile):
    """Writes the sums over each query's tokens, in their order, to ``tile[query, passage]``."""
    for query in range(len(starts) - 1):
        for passage in range(best.shape[1]):
            total = np.float32(0)
            for row in range(starts[query], starts[query + 1]):
                total += best[row, passage]
            tile[query, passage] = total / np.float32(starts[query + 1] - starts[query]) if mean else total


@compiled
def add_products(queries, passages, span, tiles):
    """Writes the products of some sparse queries with all passages to ``tiles[tile, query, passage]``.

    ``queries`` are the arrays ``starts, terms, weights`` of a row a query, ``passages`` those of a row a term, with
    passages for terms. ``span`` is the first and the last query, exclusive. A sum is in the order of the query's terms.
    """
    starts, terms, weights = queries
    term_starts, columns, column_weights = passages
    width = tiles.shape[2]
    scores = np.empty(tiles.shape[0] * width, np.float32)
    for query in range(span[0], span[1]):
        scores[:] = 0
        for at in range(starts[query], starts[query + 1]):
            weight = weights[at]
            for i in range(term_starts[terms[at]], term_starts[terms[at] + 1]):
                scores[columns[i]] += weight * column_weights[i]
        for tile in range(tiles.shape[0]):
            tiles[tile, query] = scores[tile * width : (tile + 1) * width]
