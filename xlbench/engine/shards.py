"""Shards: which texts are stored together. That depends on the collection alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from xlbench.collection import Texts

_SHARD_TEXTS = 1024
_SHARD_CHARACTERS = 1 << 17
# A long language is encoded window by window, so that not all of its texts are in memory to be sorted by length; its
# shards are larger, for there would be hundreds of thousands of files.
_WINDOW_ROWS = 1 << 15
_SHARD_CHARACTERS_OF_MANY = 1 << 20


def shards_of(texts: Texts) -> Iterator[tuple[npt.NDArray[np.int64], list[str]]]:
    """The distinct texts of each shard, by index and as text: of one language, of like length, longest first."""
    distinct = texts.distinct
    language = texts.language[distinct.first]
    for code in np.unique(language):
        mine = np.flatnonzero(language == code)
        window = (distinct.first[mine] - distinct.first[mine[0]]) // _WINDOW_ROWS
        most = _SHARD_CHARACTERS if window[-1] == 0 else _SHARD_CHARACTERS_OF_MANY
        for number in np.unique(window):
            some = mine[window == number]
            start = int(distinct.first[some[0]])
            of_window = texts.text[start : int(distinct.first[some[-1]]) + 1]
            some = some[np.argsort(-distinct.n_characters[some], kind="stable")]
            for first, last in _spans(distinct.n_characters[some].tolist(), most):
                shard = some[first:last]
                yield shard, [of_window[row - start] for row in distinct.first[shard].tolist()]


def _spans(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """The first and the last text, exclusive, of each shard."""
    first = characters = 0
    for i, length in enumerate(lengths):
        if i > first and (i - first == _SHARD_TEXTS or characters + length > most):
            yield first, i
            first, characters = i, 0
        characters += length
    yield first, len(lengths)
