"""Findings: what is odd about a collection, how much it matters, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

Weight = Literal["wrong", "doubtful", "note"]
WEIGHTS: tuple[Weight, ...] = get_args(Weight)
_LISTED = 12


@dataclass(frozen=True)
class Count:
    """How many of a language's texts something is true of."""

    language: str
    n: int
    of: int
    examples: tuple[str, ...] = ()
    """A few of them, by id."""


@dataclass(frozen=True)
class Rule:
    """What is counted, and from which share of the texts on it matters."""

    about: str
    meaning: str
    """What it does to the numbers, and what to do."""
    doubtful: float = inf
    """The share from which numbers are affected."""
    wrong: float = inf
    """The share from which numbers say something else than they seem to."""
    least: int = 1
    """How many texts there must be for more than a note."""

    def weight(self, count: Count) -> Weight:
        """How much a count matters."""
        share = count.n / count.of
        if count.of < self.least:
            return "note"
        return "wrong" if share >= self.wrong else "doubtful" if share >= self.doubtful else "note"


@dataclass(frozen=True)
class Finding:
    """Something odd about a collection."""

    weight: Weight
    about: str
    """In a few words."""
    sentence: str
    """Where and how much."""
    meaning: str
    """What it does to the numbers, and what to do."""
    where: tuple[str, ...] = ()
    """Languages or settings."""
    counts: tuple[Count, ...] = ()


def counted(rule: Rule, counts: Sequence[Count]) -> list[Finding]:
    """What was counted as findings, one a weight; nothing of languages without any."""
    findings = []
    for weight in WEIGHTS:
        mine = tuple(count for count in counts if count.n and rule.weight(count) == weight)
        if mine:
            where = tuple(count.language for count in mine)
            findings.append(Finding(weight, rule.about, _sentence(mine), rule.meaning, where, mine))
    return findings


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED:,} more" if len(names) > _LISTED else shown


def _sentence(counts: Sequence[Count]) -> str:
    most = max(counts, key=lambda count: count.n)
    numbers = ", ".join(f"{count.language} {count.n:,} of {count.of:,}" for count in counts)
    return f"{numbers}; such as {', '.join(most.examples)}." if most.examples else f"{numbers}."
