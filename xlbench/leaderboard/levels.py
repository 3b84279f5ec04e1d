"""How far the numbers of a row were checked."""

from __future__ import annotations

from typing import Literal

Level = Literal["reported", "verified", "sample-verified", "deep-verified"]
"""What each means is in docs/leaderboard.md; each is stronger than the one before."""
CONFIRMED: frozenset[Level] = frozenset({"sample-verified", "deep-verified"})
"""The levels of rows whose model was run again: the ranks of all others may have been invented."""


def level_of(passages: float) -> Level:
    """The level of a submission whose model was run again, with this share of the passages that are not judged."""
    return "deep-verified" if passages == 1 else "sample-verified"
