"""Measures of language bias: how a ranking of the pool of all languages treats the languages against each other.

They are defined in the multilingual setting only. A query for which a measure is not defined has the value NaN: unless
stated otherwise, one whose relevant passages are all in one language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from xlbench.arrays import FloatArray, Integers
from xlbench.measures.bias import attribution, exposure, parallel, peer
from xlbench.measures.bias.parallel import first_language, one_target
from xlbench.measures.ranks import PooledRanks

__all__ = [
    "BIAS_MEASURES",
    "LOSSES",
    "RANK_DISTANCE",
    "Better",
    "BiasMeasure",
    "better",
    "depth",
    "find",
    "first_language",
    "one_target",
]

Better = Literal["lower", "higher", "nearer", "neither"]
PerQuery = Callable[[PooledRanks], FloatArray]
RANK_DISTANCE = "RankDistance"
LOSSES = ("IrrelevantLoss", "ParallelLoss")
"""The two parts of what the pool of all languages costs in AP."""


@dataclass(frozen=True)
class BiasMeasure:
    """A measure of each query's ranks in the pool, and the values that place a number.

    ``value``, ``perfect`` and ``random`` give ``float64[m]``, NaN for queries for which it is not defined.
    """

    name: str
    better: Better
    """Whether lower values are better, higher ones, those nearer to the perfect one, or neither.

    Neither is of parts of a loss: a model that finds little has little to lose.
    """
    decimals: int
    """As reports show it."""
    value: PerQuery
    perfect: PerQuery
    """What a perfect ranking has."""
    random: PerQuery
    """The mean of random rankings.

    For Share, AWRF and PEER it is that of 10,000 drawn ones: the same for the same collection, but with its languages
    in another order others are drawn.
    """
    depth: int = 0
    """How many of the best passages it looks at."""
    cutoff: int = 0
    """The rank below which nothing matters to it; 0 if there is none."""
    needs_all_ranks: bool = True
    """Whether it needs the rank of every relevant passage; if not, those up to ``cutoff``, or that of the first."""
    is_constant: Callable[[Integers, Integers, Integers], bool] | None = None
    """Given each relevant passage's query, language and gain, whether all rankings have one value; None if never."""


_FIXED = (
    BiasMeasure(RANK_DISTANCE, "lower", 0, parallel.rank_distance, parallel.perfect_distance, parallel.random_distance),
    BiasMeasure("MaxRankNorm", "higher", 1, parallel.max_rank_norm, parallel.perfect_norm, parallel.random_norm),
    BiasMeasure(
        "LPR", "nearer", 3, parallel.own_first, parallel.fair_share, parallel.fair_share, needs_all_ranks=False
    ),
    BiasMeasure(
        "OneTargetBias", "nearer", 3, parallel.one_target_bias, parallel.unbiased, parallel.random_one_target_bias
    ),
    BiasMeasure(
        LOSSES[0], "neither", 3, attribution.irrelevant_loss, attribution.no_loss, attribution.random_irrelevant
    ),
    BiasMeasure(LOSSES[1], "neither", 3, attribution.parallel_loss, attribution.no_loss, attribution.random_parallel),
)
BIAS_MEASURES: Mapping[str, BiasMeasure] = {measure.name: measure for measure in _FIXED}
"""Those without a cut-off, by the name that task files and results use."""
WITH_CUTOFF = ("Share", "AWRF", "PEER")
"""Families of measures of the k best passages: ``Share@10``."""


def find(name: str) -> BiasMeasure | None:
    """The measure of this name, such as ``RankDistance`` or ``Share@10``, or None if no measure of bias has it."""
    match = re.fullmatch(r"([A-Za-z]+)@([1-9][0-9]{0,3})", name)
    if not match:
        return BIAS_MEASURES.get(name)
    k = int(match[2])
    if match[1] == "Share":
        return _of_best(name, exposure.share, exposure.equal, k)
    if match[1] == "AWRF":
        return _of_best(name, exposure.attention_weighted_fairness, exposure.attention, k)
    if match[1] == "PEER":
        return BiasMeasure(
            name,
            "higher",
            3,
            partial(peer.peer, k=k),
            peer.perfect,
            partial(peer.random, k=k),
            cutoff=k,
            needs_all_ranks=False,
            is_constant=peer.is_constant,
        )
    return None


def better(name: str) -> Better:
    """Which values of a measure are better, be it one of bias or one of retrieval, of which higher ones are."""
    measure = find(name)
    return measure.better if measure else "higher"


def depth(names: Iterable[str]) -> int:
    """How many of the best passages the measures of bias among these names look at."""
    return max([measure.depth for name in names if (measure := find(name))], default=0)


def _of_best(
    name: str, value: Callable[[PooledRanks, int], FloatArray], weights: Callable[[int], FloatArray], k: int
) -> BiasMeasure:
    return BiasMeasure(
        name,
        "higher",
        3,
        lambda pooled: value(pooled, k),
        exposure.perfect(weights, k),
        exposure.random(weights, k),
        depth=k,
        cutoff=k,
        needs_all_ranks=False,
    )
