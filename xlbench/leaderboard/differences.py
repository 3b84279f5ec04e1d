"""What a result claims and its evidence does not give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlbench.errors import shown
from xlbench.results import Result
from xlbench.results.from_ranking import Figures

TOLERANCE = 1e-9
INTERVAL_TOLERANCE = 0.5e-6 + TOLERANCE
"""A result keeps the ends of intervals to 6 decimals."""
_PARTS = ("queries", "values", "summary", "intervals", "references", "matrices")
_IN_WORDS = {
    "queries": "number of queries of {0}",
    "values": "{1} of {0}",
    "summary": "mean {1} of {0}",
    "intervals": "interval of {1} of {0}, end {2}",
    "references": "{1} {0}",
    "matrices": "{0}, {1} to {2}",
}


@dataclass(frozen=True)
class FalseClaim:
    """A number that is claimed, and what follows from the evidence instead."""

    what: str
    """Names the measure and the setting."""
    claimed: float | None
    """None if it is missing."""
    recomputed: float | None
    """None if there is no such number."""

    def __str__(self) -> str:
        return f"{self.what}: {_number(self.claimed)} is claimed, and the evidence gives {_number(self.recomputed)}"


def differences(claimed: Result, recomputed: Figures) -> Iterator[FalseClaim]:
    """Each number of a result that its evidence does not give to 1e-9.

    What does not follow from ranks is not compared: the alignment of vectors, and timing.
    """
    for part in _PARTS:
        ours = dict(_numbers(getattr(recomputed, part)))
        theirs = dict(_numbers(getattr(claimed, part)))
        tolerance = INTERVAL_TOLERANCE if part == "intervals" else TOLERANCE
        for path in dict.fromkeys([*ours, *theirs]):
            expected, claim = ours.get(path), theirs.get(path)
            if expected is None or claim is None or not abs(claim - expected) <= tolerance:
                yield FalseClaim(_in_words(part, path), claim, expected)


def alignment_fault(alignment: Mapping[str, Any]) -> str | None:
    """What is impossible in figures of alignment, which do not follow from ranks; None if nothing is."""
    for name, value in _numbers(alignment):
        least, most = (0, math.inf) if name[0] == "n_parallel" else (-1, 1) if "cosine" in name[0] else (0, 1)
        if not least - 1e-6 <= value <= most + 1e-6:
            return f"'alignment' has {shown(' '.join(name))} {value!r}; expected a value from {least} to {most}"
    return None


def _numbers(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    """Each number in nested mappings and sequences, with the names that lead to it; None is no number."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, (*path, str(name)))
    elif isinstance(value, Sequence):
        for end, inner in zip(("low", "high"), value, strict=True):
            yield from _numbers(inner, (*path, end))
    elif value is not None:
        yield path, value


def _in_words(part: str, path: tuple[str, ...]) -> str:
    names = [shown(name).strip("'") for name in path]
    return _IN_WORDS[part].format(*names, "", "")


def _number(value: float | None) -> str:
    return "nothing" if value is None else repr(value)
