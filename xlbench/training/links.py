"""Which rows share a text: one rule for the mask of the loss, for validation, and for the mining of negatives.

Rows are linked by one passage id, and by any text that is the same by its letters and digits (``same_text``). Whoever
is linked to one of them belongs to them too. A text without letters, such as the "???" of a translation that failed,
links nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import RowArray
from xlbench.collection.same_text import plain
from xlbench.errors import TrainingError, shown

MOST = 0.1
"""The largest share of a file's rows that one group may have."""
_FEW = 20
"""Rows of a group that are never too many."""


@dataclass(frozen=True)
class Linkable:
    """What a row may share with others."""

    passage: Hashable
    """The identity of its passage."""
    texts: tuple[str, ...]


def link_key(text: str) -> str:
    """What two texts have in common just if they link their rows; empty for a text without letters."""
    key = plain(text)
    return key if any(map(str.isalpha, key)) else ""


def groups(rows: Iterable[Linkable]) -> RowArray:
    """``[rows]``: the number of the group of each row, one for all that are linked."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    node: dict[Hashable, int] = {}
    ends: list[int] = []
    starts: list[int] = []
    n = 0
    for row in rows:
        keys = [("passage", row.passage), *filter(None, map(link_key, row.texts))]
        ends += [node.setdefault(key, len(node)) for key in keys]
        starts += [n] * len(keys)
        n += 1
    # A graph of rows and of what they have; rows that are connected through it are of one group.
    places = np.array(starts, np.int32), np.array(ends, np.int32) + n
    graph = coo_matrix((np.ones(len(ends), np.bool_), places), shape=(n + len(node),) * 2)
    label: RowArray = connected_components(graph, directed=False)[1][:n]
    return label.astype(np.int32)


def check_groups(group: RowArray, rows: Sequence[Linkable], where: object) -> None:
    """Refuses a file of which one group has more than a tenth of the rows.

    Raises:
        TrainingError: naming the text that most of these rows have.

    """
    sizes = np.bincount(group) if len(group) else np.zeros(1, np.int64)
    most = int(sizes.max())
    if most <= max(_FEW, MOST * len(group)):
        return
    counts: Counter[str] = Counter()
    for i in np.flatnonzero(group == sizes.argmax()).tolist():
        counts.update({key for text in rows[i].texts if (key := link_key(text))})
    text, n = counts.most_common(1)[0] if counts else ("", most)
    raise TrainingError(
        f"{where}: {most:,} of {len(group):,} rows are linked by texts that they share, such as {shown(text)} in {n:,} "
        f"of them, and linked rows are no negatives of each other; expected {MOST:.0%} at most. If the text stands for "
        "one that is missing, leave its language out of these rows."
    )
