"""Measures of retrieval and of language bias: functions of ranks, each found by its name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from xlbench.errors import UnknownNameError
from xlbench.measures import answers, retrieval
from xlbench.measures.bias import families
from xlbench.measures.measure import Better, Family, Measure

__all__ = [
    "BIAS",
    "DISTANCE",
    "LOSSES",
    "ONE_TARGET",
    "PRECISION",
    "PREFERENCE",
    "Better",
    "Measure",
    "better",
    "depth",
    "find",
    "get",
    "of_bias",
]

FAMILIES: tuple[Family, ...] = (*retrieval.FAMILIES, *answers.FAMILIES, *families.FAMILIES)

# The names of the measures that other parts treat in a way of their own.
PRECISION = "AP"
"""The losses are parts of it."""
DISTANCE = families.DISTANCE.name
PREFERENCE = families.PREFERENCE.name
ONE_TARGET = families.ONE_TARGET.name
TARGETS = tuple(target.name for target in families.TARGETS)
"""AP where an answer exists in one language only: the query's own, and another."""
FIRST_PLACES = tuple(place.name for place in families.FIRST_PLACES)
"""The four kinds of first passage: relevant or not, in the query's language or not."""
IN_THE_POOL = (PRECISION, "R@20", "TLR@20", *TARGETS, DISTANCE, "RBO@10")
"""Those by which remedies for a mixed index are judged."""
OF_REMEDIES = (*IN_THE_POOL[:1], "nDCG@20", *IN_THE_POOL[1:], *FIRST_PLACES)
"""All that is measured of a remedy."""
LOSSES = tuple(loss.name for loss in families.LOSSES)
"""The two parts of what the pool of all languages costs in AP."""
BIAS = tuple(measure.name for measure in families.WITHOUT_CUTOFF)
"""The measures of bias without a cut-off."""
FIRST_RANK = "R@1"
"""Recall at the first rank: success where a pool has one relevant passage of a query."""
FIRST_RANKS = "R@10"
"""Recall at the first ranks: success where a pool has one for each language."""
OF_KNOWN_PASSAGES = (FIRST_RANK, FIRST_RANKS, PRECISION, *FIRST_PLACES)
"""All that is measured of queries that are known to be answered by one passage each."""
RECIPROCAL = "RR"
OWN_LANGUAGE = (PREFERENCE, ONE_TARGET)
"""Those that set the query's own language against the others, in which a favourite of all languages does not show."""
CHIEF = (PRECISION, "AP@20", FIRST_RANKS, DISTANCE)
"""Those that a table of the pool by language shows, where a task has them."""
USUAL = (PRECISION, "nDCG@10", "R@10", "R@100")
"""The measures of retrieval of one's own data."""
USUAL_BIAS = (*BIAS, "Share@10", "AWRF@10")
USUAL_OF_RUNS = ("nDCG@10", PRECISION, "R@100", "RR@10")
"""The measures of retrieval of a run, if none is named."""
USUAL_BIAS_OF_RUNS = (*USUAL_BIAS, "PEER@10")


def recall(cutoff: int) -> str:
    """The name of recall at a cut-off."""
    return f"R@{cutoff}"


@lru_cache(maxsize=256)
def find(name: str) -> Measure | None:
    """The measure of this name, such as ``AP``, ``nDCG@10`` or ``RankDistance``, or None if there is none."""
    for family in FAMILIES:
        if measure := family.find(name):
            return measure
    return None


def get(name: str) -> Measure:
    """The measure of this name.

    Raises:
        UnknownNameError: if no measure has the name.

    """
    if measure := find(name):
        return measure
    raise UnknownNameError("measure", name, [*retrieval.EXAMPLES, *BIAS, *USUAL_BIAS_OF_RUNS[len(BIAS) :]])


def of_bias(name: str) -> Measure | None:
    """The measure of language bias of this name, or None if it is none."""
    measure = find(name)
    return measure if measure and measure.is_bias else None


def of_lists(names: Iterable[str]) -> Measure | None:
    """The first measure of these names that compares the lists of a question's translations, or None."""
    return next((measure for name in names if (measure := find(name)) and measure.by_language), None)


def by_answers(name: str) -> bool:
    """Whether a measure is one of open retrieval that is judged by answer strings."""
    return any(family.find(name) for family in answers.FAMILIES)


def better(name: str) -> Better:
    """Which values of a measure are better; higher ones of a measure that is not known, such as one of an alignment."""
    measure = find(name)
    return measure.better if measure else "higher"


def depth(names: Iterable[str]) -> int:
    """How many of the best passages the measures of these names look at."""
    return max([measure.depth for name in names if (measure := find(name))], default=0)
