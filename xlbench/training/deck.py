"""A deck of rows, dealt to the places of batches: each place names the languages that its row must have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray, FloatArray, RowArray
from xlbench.engine.counting import compiled
from xlbench.training.presence import Presence


class Deck:
    """The rows of an epoch in random order, each as often as it is used.

    A pair of languages is the number ``query * languages + passage``. It takes the next row that has both and that no
    place has taken. When none is left, the rows that have both are shuffled anew, for this pair alone, as often as
    needed. A row occurs twice in a batch only if all rows of the pair are in it.
    """

    def __init__(self, rng: np.random.Generator, presence: Presence, uses: FloatArray | None) -> None:
        self._rng = rng
        self._presence = presence
        self._uses = uses
        n, n_pairs = len(presence), len(presence.languages) ** 2
        self._cards = _repeated(rng, np.arange(n, dtype=np.int32), uses)
        rng.shuffle(self._cards)
        self._taken = np.zeros(len(self._cards), np.bool_)
        self._in_batch = np.full(n, -1, np.int32)
        self._at = np.zeros(n_pairs, np.int64)
        self._end = np.full(n_pairs, len(self._cards), np.int64)
        self._own = np.zeros(n_pairs, np.bool_)
        self._places: dict[int, int] = {}
        self._rows: dict[int, RowArray] = {}

    def deal(self, pairs: npt.NDArray[np.int16], size: int) -> RowArray:
        """``[places]``, the row of each place, from the pair of each; every ``size`` places are a batch."""
        rows: RowArray = np.empty(len(pairs), np.int32)
        state = (self._cards, self._taken, self._in_batch, self._at, self._end, self._own)
        place, fresh = 0, -1
        while (place := _deal(pairs, size, place, rows, state, self._presence.queries, self._presence.passages)) < len(
            pairs
        ):
            pair = int(pairs[place])
            if fresh == place:  # All rows of the pair are in the batch.
                rows[place] = self._rng.choice(self._having(pair))
                place += 1
            else:
                self._refill(pair)
                fresh = place
                state = (self._cards, *state[1:])
        return rows

    def _refill(self, pair: int) -> None:
        """Shuffles the rows of a pair, for itself alone."""
        having = self._having(pair)
        uses = None if self._uses is None else self._uses[having] / self._uses[having].max()
        fresh = self._rng.permutation(_repeated(self._rng, having, uses))
        if pair not in self._places:
            self._places[pair] = len(self._cards)
            self._cards = np.concatenate([self._cards, having])
        start = self._places[pair]
        self._cards[start : start + len(fresh)] = fresh
        self._at[pair], self._end[pair], self._own[pair] = start, start + len(fresh), True

    def _having(self, pair: int) -> RowArray:
        if pair not in self._rows:
            query, passage = divmod(pair, len(self._presence.languages))
            having = self._presence.queries[:, query] & self._presence.passages[:, passage]
            if self._uses is not None:
                having &= self._uses > 0
            self._rows[pair] = np.flatnonzero(having).astype(np.int32)
        return self._rows[pair]


def _repeated(rng: np.random.Generator, rows: RowArray, uses: FloatArray | None) -> RowArray:
    """Each row as often as it is used; a fraction is a probability."""
    if uses is None:
        return rows
    whole = np.floor(uses)
    times = whole.astype(np.int64) + (rng.random(len(rows)) < uses - whole)
    return np.repeat(rows, times)


@compiled  # type: ignore[untyped-decorator]
def _deal(
    pairs: Any, size: int, first: int, rows: Any, state: tuple[Any, ...], queries: BoolArray, passages: BoolArray
) -> int:
    """Deals rows from the place ``first`` on; gives the place at which a pair ran out, or the number of places."""
    cards, taken, in_batch, at, end, own = state
    n_languages = queries.shape[1]
    for place in range(first, len(pairs)):
        pair = pairs[place]
        query, passage = pair // n_languages, pair % n_languages
        batch = place // size
        row = -1
        skipped = -1  # The first card that waits for the next batch, because its row is in this one.
        card = at[pair]
        while row < 0 and card < end[pair]:
            candidate = cards[card]
            if own[pair] or (not taken[card] and queries[candidate, query] and passages[candidate, passage]):
                if in_batch[candidate] != batch:
                    row = candidate
                elif skipped < 0:
                    skipped = card
            card += 1
        if row < 0:
            return place
        at[pair] = card if skipped < 0 else skipped
        if not own[pair]:
            taken[card - 1] = True
        elif skipped >= 0:
            cards[card - 1] = cards[skipped]
            at[pair] = skipped + 1
        rows[place] = row
        in_batch[row] = batch
    return len(pairs)
