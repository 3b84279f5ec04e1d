"""Measures of retrieval from Ranks, equal to trec_eval's; names as in ir_measures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.errors import UnknownNameError
from xlbench.measures.ranks import Ranks


@dataclass(frozen=True)
class Measure:
    """A measure of one query's ranks, with its cut-off if it has one; prints as ir_measures spells it."""

    family: str
    cutoff: int | None = None

    def __str__(self) -> str:
        return self.family if self.cutoff is None else f"{self.family}@{self.cutoff}"

    def __call__(self, ranks: Ranks) -> FloatArray:
        """The value for each query, ``float64[m]``, between 0 and 1."""
        return _FAMILIES[self.family](ranks, self.cutoff)


def parse(name: str) -> Measure:
    """The measure of this name, such as ``AP`` or ``nDCG@10``.

    Raises:
        UnknownNameError: if no measure has the name.

    """
    match = re.fullmatch(r"([A-Za-z]+)(?:@([1-9][0-9]{0,8}))?", name)
    if match and match[1] in _FAMILIES and (match[2] or match[1] not in _NEED_CUTOFF):
        return Measure(match[1], int(match[2]) if match[2] else None)
    examples = ["AP", "AP@20", "R@1", "R@10", "R@100", "nDCG", "nDCG@10", "RR", "RR@10", "P@10", "Success@10"]
    raise UnknownNameError("measure", name, examples)


def _sum(ranks: Ranks, values: FloatArray) -> FloatArray:
    return np.add.reduceat(values, ranks.starts[:-1]) if len(ranks) else np.zeros(0)


def _within(ranks: Ranks, cutoff: int | None) -> npt.NDArray[np.bool_]:
    return ranks.rank <= (np.iinfo(np.int64).max if cutoff is None else cutoff)


def _average_precision(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """Sum over relevant passages within the cut-off of (relevant so far / rank), divided by all relevant passages.

    trec_eval's ``map`` and ``map_cut``: the divisor is never min(R, cutoff).
    """
    precision = np.where(_within(ranks, cutoff), ranks.position / ranks.rank, 0.0)
    return _sum(ranks, precision) / ranks.n_relevant


def _recall(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """Share of the relevant passages within the cut-off: trec_eval's ``recall``."""
    return _sum(ranks, _within(ranks, cutoff).astype(np.float64)) / ranks.n_relevant


def _precision(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """Relevant passages within the cut-off, divided by the cut-off: trec_eval's ``P``."""
    if cutoff is None:
        raise ValueError("P needs a cut-off")
    return _sum(ranks, _within(ranks, cutoff).astype(np.float64)) / cutoff


def _success(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """1 if a relevant passage is within the cut-off, else 0: trec_eval's ``success``."""
    return _within(ranks, cutoff)[ranks.starts[:-1]].astype(np.float64)


def _reciprocal_rank(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """1 / rank of the first relevant passage, 0 past the cut-off: trec_eval's ``recip_rank``."""
    first = ranks.starts[:-1]
    return np.where(_within(ranks, cutoff)[first], 1.0 / ranks.rank[first], 0.0)


def _ndcg(ranks: Ranks, cutoff: int | None) -> FloatArray:
    """Discounted gain, gain / log2(rank + 1), divided by that of the best order: trec_eval's ``ndcg`` and ``ndcg_cut``.

    (Järvelin and Kekäläinen 2002, with linear gains.)
    """
    ideal_gain = ranks.gain[np.lexsort((-ranks.gain.astype(np.int64), ranks.owner))]
    position = ranks.position
    gained = np.where(_within(ranks, cutoff), ranks.gain / np.log2(ranks.rank + 1), 0.0)
    within_ideal = np.ones(len(position), bool) if cutoff is None else position <= cutoff
    ideal = np.where(within_ideal, ideal_gain / np.log2(position + 1), 0.0)
    return _sum(ranks, gained) / _sum(ranks, ideal)


_FAMILIES: dict[str, Callable[[Ranks, int | None], FloatArray]] = {
    "AP": _average_precision,
    "R": _recall,
    "P": _precision,
    "Success": _success,
    "RR": _reciprocal_rank,
    "nDCG": _ndcg,
}
_NEED_CUTOFF = {"R", "P", "Success"}
