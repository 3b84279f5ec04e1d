"""Measure: what is computed from a query's ranks; and Family, measures that differ in their cut-off."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from xlbench.arrays import FloatArray, Integers
from xlbench.settings import KINDS, Kind

Better = Literal["lower", "higher", "nearer", "neither"]
"""Which values are better: lower ones, higher ones, those nearer to the perfect one, or neither.

Neither is of parts of a loss, of which a model that finds little has little, and of shares of languages: whether a
reader wants their own language is theirs to say.
"""
PerQuery = Callable[[Any], FloatArray]
"""From ``Ranks``, or from ``PooledRanks`` for a measure of bias, to ``float64[m]``."""
_NAME = re.compile(r"([A-Za-z]+)(?:@([1-9][0-9]{0,8})(kt)?)?")


def _one(ranks: Any) -> FloatArray:
    return np.ones(len(ranks))


def _not_computed(ranks: Any) -> FloatArray:
    return np.full(len(ranks), np.nan)


@dataclass(frozen=True)
class Measure:
    """A measure of each query's ranks in a setting; ``name`` is as ir_measures spells it, where it has the measure."""

    name: str
    about: str
    """What it is and where it is from, in a sentence."""
    value: PerQuery
    """Its value for each query, NaN for queries for which it is not defined."""
    better: Better = "higher"
    decimals: int = 3
    """As reports show it."""
    kinds: tuple[Kind, ...] = KINDS
    """The kinds of setting that it is defined in."""
    perfect: PerQuery | None = _one
    """What a perfect ranking has; None where perfect rankings differ in it."""
    random: PerQuery = _not_computed
    """The mean of random rankings; NaN for measures of retrieval.

    For Share, AWRF and PEER it is that of 10,000 drawn ones: the same for the same collection, but with its languages
    in another order others are drawn.
    """
    depth: int = 0
    """How many of the best passages it looks at, beside the ranks."""
    cutoff: int = 0
    """The rank below which nothing matters to it; 0 if there is none."""
    needs_all_ranks: bool = True
    """Whether it needs the rank of every relevant passage; if not, those up to ``cutoff``, or that of the first."""
    needs_lists: bool = False
    """Whether it needs the best passages themselves, and those of other queries, which evidence does not have."""
    by_language: PerQuery | None = None
    """Of a measure that ``needs_lists``, its parts: with the translation into each language, ``float64[m, L]``."""
    is_constant: Callable[[Integers, Integers, Integers], bool] | None = None
    """Given each relevant passage's query, language and gain, whether all rankings have one value; None if never."""
    flatters_little: bool = False
    """Whether a model that finds little looks unbiased by it."""
    brief: str = ""
    """What it is in a few words, for those who read a report; empty for well-known ones."""
    trec_name: str = ""
    """What trec_eval calls it, as in ``map_cut.20``; empty if it does not have it."""

    @property
    def is_bias(self) -> bool:
        """Whether it is one of language bias: of rankings of the pool of all languages only."""
        return self.kinds == ("multi",)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Family:
    """Measures of one name with a cut-off or without, ``AP`` and ``AP@20``."""

    name: str
    make: Callable[[str, int], Measure]
    """The measure of a name and a cut-off, 0 for none."""
    needs_cutoff: bool = False
    takes_cutoff: bool = True
    largest_cutoff: int = 999_999_999
    unit: str = ""
    """What the cut-off counts, as it follows it: ``kt`` for a thousand tokens, nothing for passages."""

    def find(self, name: str) -> Measure | None:
        """The measure of this name, if the family has it."""
        match = _NAME.fullmatch(name)
        if match is None or match[1] != self.name or (match[3] or "") != self.unit:
            return None
        cutoff = int(match[2] or 0)
        fits = self.takes_cutoff and cutoff <= self.largest_cutoff if cutoff else not self.needs_cutoff
        return self.make(name, cutoff) if fits else None
