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
def count_first(tile, tile_start, groups, pairs, columns, above):
    """Adds to ``above`` the columns that beat each pair of some groups, counting each column as its first copy.

    ``tile`` is ``float32[TILE_QUERIES, columns]`` with group ``tile_start`` in row 0. ``groups`` are the first and the
    last group, exclusive. ``pairs`` are the arrays ``starts, column, order, own`` of the judged pairs; a column counts
    from the tile's first and may lie outside the tile. ``columns`` are the bounds of the languages in the tile, and
    the tie order of each column.
    """
    starts, column, order, own = pairs
    bounds, column_order = columns
    for group in range(groups[0], groups[1]):
        row = tile[group - tile_start]
        for pair in range(starts[group], starts[group + 1]):
            threshold = own[pair]
            for language in range(len(bounds) - 1):
                first, last = bounds[language], bounds[language + 1]
                # Indexing a slice by its own range, not iterating, is what lets the compiler use vector instructions.
                segment = row[first:last]
                greater = 0
                equal = 0
                for j in range(len(segment)):
                    greater += segment[j] > threshold
                    equal += segment[j] == threshold
                mine = column[pair]
                if first <= mine < last:
                    # A text ties with itself by definition, however the product rounds.
                    greater += (column_order[mine] > order[pair]) - (row[mine] > threshold)
                    equal -= row[mine] == threshold
                if equal:
                    for j in range(first, last):
                        tied = j != mine and row[j] == threshold
                        greater += tied and beats(row[j], column_order[j], threshold, order[pair])
                above[pair, language] += greater


@compiled
def count_copies(tile, tile_start, groups, pairs, copies, above):
    """Adds to ``above`` the further copies of equal passages that beat each pair of some groups.

    ``copies`` is ``int64[C, 3]``: column in the tile, language, tie order. The others are as in ``count_first``.
    """
    starts, column, order, own = pairs
    for group in range(groups[0], groups[1]):
        row = tile[group - tile_start]
        for pair in range(starts[group], starts[group + 1]):
            for i in range(len(copies)):
                j, language, copy_order = copies[i]
                score = own[pair] if j == column[pair] else row[j]
                above[pair, language] += beats(score, copy_order, own[pair], order[pair])
