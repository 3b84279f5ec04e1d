"""Measures of retrieval from Ranks, equal to trec_eval's; names as in ir_measures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray
from xlbench.measures.measure import Family, Measure
from xlbench.measures.ranks import Ranks


def _sum(ranks: Ranks, values: FloatArray) -> FloatArray:
    return np.add.reduceat(values, ranks.starts[:-1]) if len(ranks) else np.zeros(0)


def _within(ranks: Ranks, cutoff: int) -> npt.NDArray[np.bool_]:
    return ranks.rank <= (cutoff or np.iinfo(np.int64).max)


def _average_precision(ranks: Ranks, cutoff: int) -> FloatArray:
    """Sum over relevant passages within the cut-off of (relevant so far / rank), divided by all relevant passages.

    trec_eval's ``map`` and ``map_cut``: the divisor is never min(R, cutoff).
    """
    precision = np.where(_within(ranks, cutoff), ranks.position / ranks.rank, 0.0)
    return _sum(ranks, precision) / ranks.n_relevant


def _recall(ranks: Ranks, cutoff: int) -> FloatArray:
    """Share of the relevant passages within the cut-off: trec_eval's ``recall``."""
    return _sum(ranks, _within(ranks, cutoff).astype(np.float64)) / ranks.n_relevant


def _precision(ranks: Ranks, cutoff: int) -> FloatArray:
    """Relevant passages within the cut-off, divided by the cut-off: trec_eval's ``P``."""
    return _sum(ranks, _within(ranks, cutoff).astype(np.float64)) / cutoff


def success(ranks: Ranks, cutoff: int) -> FloatArray:
    """1 if a relevant passage is within the cut-off, else 0: trec_eval's ``success``."""
    return _within(ranks, cutoff)[ranks.starts[:-1]].astype(np.float64)


def _reciprocal_rank(ranks: Ranks, cutoff: int) -> FloatArray:
    """1 / rank of the first relevant passage, 0 past the cut-off: trec_eval's ``recip_rank``."""
    first = ranks.starts[:-1]
    return np.where(_within(ranks, cutoff)[first], 1.0 / ranks.rank[first], 0.0)


def _ndcg(ranks: Ranks, cutoff: int) -> FloatArray:
    """Discounted gain, gain / log2(rank + 1), divided by that of the best order: trec_eval's ``ndcg`` and ``ndcg_cut``.

    (Järvelin and Kekäläinen 2002, with linear gains.)
    """
    ideal_gain = ranks.gain[np.lexsort((-ranks.gain.astype(np.int64), ranks.owner))]
    position = ranks.position
    gained = np.where(_within(ranks, cutoff), ranks.gain / np.log2(ranks.rank + 1), 0.0)
    within_ideal = np.ones(len(position), bool) if not cutoff else position <= cutoff
    ideal = np.where(within_ideal, ideal_gain / np.log2(position + 1), 0.0)
    return _sum(ranks, gained) / _sum(ranks, ideal)


def _family(
    name: str, about: str, value: Callable[..., FloatArray], trec_names: tuple[str, str], *, needs_cutoff: bool = False
) -> Family:
    """A family; ``trec_names`` are trec_eval's without and with a cut-off."""
    plain, cut = trec_names

    def make(full_name: str, cutoff: int) -> Measure:
        # trec_eval has no cut-off for recip_rank.
        trec_name = plain if not cutoff or plain == cut else f"{cut}.{cutoff}"
        return Measure(full_name, about, partial(value, cutoff=cutoff), cutoff=cutoff, trec_name=trec_name)

    return Family(name, make, needs_cutoff=needs_cutoff)


FAMILIES = (
    _family("AP", "Average precision, trec_eval's map.", _average_precision, ("map", "map_cut")),
    _family("R", "Share of the relevant passages that are found.", _recall, ("", "recall"), needs_cutoff=True),
    _family("P", "Share of the first passages that are relevant.", _precision, ("", "P"), needs_cutoff=True),
    _family("Success", "Whether a relevant passage is found.", success, ("", "success"), needs_cutoff=True),
    _family("RR", "1 / rank of the first relevant passage.", _reciprocal_rank, ("recip_rank", "recip_rank")),
    _family("nDCG", "Discounted gain (Järvelin and Kekäläinen 2002).", _ndcg, ("ndcg", "ndcg_cut")),
)
EXAMPLES = ("AP", "AP@20", "R@1", "R@10", "R@100", "nDCG", "nDCG@10", "RR", "RR@10", "P@10", "Success@10")
