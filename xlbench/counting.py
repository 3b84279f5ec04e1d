"""The compiled loops of the engine: which passages beat a judged one, counted over a tile of scores."""

from __future__ import annotations

from numba import njit


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
        for pair in range(starts[group], starts[group + 1]):
            threshold = own[pair]
            mine = column[pair]
            for span in range(len(spans)):
                tile, language, first, last = spans[span]
                offset = tile * tiles.shape[2]
                # Indexing a slice by its own range, not iterating, is what lets the compiler use vector instructions.
                segment = tiles[tile, group - tile_start, first - offset : last - offset]
                greater = 0
                equal = 0
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
