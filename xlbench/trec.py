"""Checks results against trec_eval: full rankings, scored by pytrec_eval and compared query by query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench import measures
from xlbench.bias import BIAS_MEASURES
from xlbench.collection import Collection
from xlbench.embeddings import Embeddings
from xlbench.errors import ResultError
from xlbench.measures import Measure
from xlbench.progress import Advance
from xlbench.ranks import Ranks
from xlbench.results import QueryScores
from xlbench.search import TILE_QUERIES, scores, tie_order
from xlbench.settings import Setting

_QUERIES_AT_ONCE = 64  # A full ranking of 13,000 passages is a dict of 2 MB.
_TREC_NAMES = {
    "AP": ("map", "map_cut"),
    "R": (None, "recall"),
    "P": (None, "P"),
    "Success": (None, "success"),
    "RR": ("recip_rank", "recip_rank"),
    "nDCG": ("ndcg", "ndcg_cut"),
}


@dataclass(frozen=True)
class Difference:
    """The largest difference of a measure between a result and trec_eval in one setting."""

    setting: str
    measure: str
    difference: float
    query: str
    """The query at which it occurs."""
    n_queries: int


def verify(
    collection: Collection,
    queries: Embeddings,
    passages: Embeddings,
    reported: Sequence[QueryScores],
    *,
    settings: Sequence[Setting],
    advance: Advance,
) -> Iterator[Difference]:
    """The largest difference for each setting and measure between ``reported`` and full rankings that trec_eval scored.

    ``advance`` is called each time that some queries are done. RankDistance, which trec_eval does not
    have, is taken from the sorted ranking.

    Raises:
        ResultError: if the result lacks a setting or has other queries in it.

    """
    by_setting = {scores.setting: scores for scores in reported}
    for setting in settings:
        if setting.name not in by_setting:
            raise ResultError(
                f"The result has no scores for the setting {setting.name!r}; it has {', '.join(by_setting) or 'none'}."
            )
        found = by_setting[setting.name]
        recomputed = _recompute(collection, queries, passages, setting, list(found.values), advance)
        if list(recomputed) != list(found.query):
            raise ResultError(
                f"The result has {len(found.query):,} queries in {setting.name}, "
                f"the task {len(recomputed):,}: they are not the same queries."
            )
        for measure, values in found.values.items():
            difference = np.abs(values - np.array([by_measure[measure] for by_measure in recomputed.values()]))
            # A NaN would compare as no difference.
            difference = np.nan_to_num(difference, nan=np.inf)
            worst = int(difference.argmax())
            yield Difference(setting.name, measure, float(difference[worst]), found.query[worst], len(found.query))


def _recompute(
    collection: Collection,
    queries: Embeddings,
    passages: Embeddings,
    setting: Setting,
    measure_names: Sequence[str],
    advance: Advance,
) -> dict[str, dict[str, float]]:
    """The value of each measure for each query of the setting, from full rankings."""
    pool = np.flatnonzero(
        np.isin(collection.passages.language, [collection.languages.index(language) for language in setting.pool])
    )
    asked = collection.queries.rows(collection.languages.index(setting.query))
    qrels = _qrels(collection, asked, set(pool.tolist()))
    ids = [collection.passages.ids[row] for row in pool]
    order = tie_order(collection.passages.ids)[pool]
    trec = [measures.parse(name) for name in measure_names if name not in BIAS_MEASURES]
    bias = [name for name in measure_names if name in BIAS_MEASURES]
    rows = [row for row in range(asked.start, asked.stop) if collection.queries.ids[row] in qrels]
    vectors = passages.vectors[passages.row[pool]]
    found: dict[str, dict[str, float]] = {}
    for start in range(0, len(rows), TILE_QUERIES):
        some = rows[start : start + TILE_QUERIES]
        lines = dict(zip(some, scores(queries.vectors[queries.row[some]], vectors), strict=True))
        for first in range(0, len(some), _QUERIES_AT_ONCE):
            chunk = {collection.queries.ids[row]: lines[row] for row in some[first : first + _QUERIES_AT_ONCE]}
            run = {id_: dict(zip(ids, line.tolist(), strict=True)) for id_, line in chunk.items()}
            by_query = trec_scores({id_: qrels[id_] for id_ in run}, run, trec)
            for id_, line in chunk.items():
                found[id_] = by_query[id_] | _bias(line, order, ids, qrels[id_], bias)
            advance(texts=len(chunk), characters=len(chunk), stored=False)
    return found


def trec_scores(
    qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]], wanted: Sequence[Measure]
) -> dict[str, dict[str, float]]:
    """trec_eval's value of each measure for each query of ``run``, by query id and measure name."""
    import pytrec_eval

    evaluated: dict[str, dict[str, float]] = pytrec_eval.RelevanceEvaluator(
        qrels, {_trec_name(m, ".") for m in wanted}
    ).evaluate(run)
    found = {}
    for query, values in evaluated.items():
        found[query] = {str(m): values[_trec_name(m, "_")] for m in wanted}
        for m in wanted:
            # trec_eval has no cut-off for recip_rank: RR@k is recip_rank, zero past k.
            if m.family == "RR" and m.cutoff is not None and found[query][str(m)] < 1 / m.cutoff * (1 - 1e-9):
                found[query][str(m)] = 0.0
    return found


def _trec_name(measure: Measure, separator: str) -> str:
    plain, cut = _TREC_NAMES[measure.family]
    if measure.cutoff is None or measure.family == "RR":
        return str(plain)
    return f"{cut}{separator}{measure.cutoff}"


def _qrels(collection: Collection, asked: slice, pool: set[int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    pairs = collection.pairs
    first, last = np.searchsorted(pairs.query, [asked.start, asked.stop])
    for query, passage, gain in zip(
        pairs.query[first:last], pairs.passage[first:last], pairs.gain[first:last], strict=True
    ):
        if int(passage) in pool:
            found.setdefault(collection.queries.ids[query], {})[collection.passages.ids[passage]] = int(gain)
    return found


def _bias(
    line: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    ids: Sequence[str],
    relevant: Mapping[str, int],
    measure_names: Sequence[str],
) -> dict[str, float]:
    """The bias measures of one query, from its sorted ranking."""
    ranked = np.lexsort((-order, -line)) if measure_names else np.empty(0, np.int64)
    at = [(rank, ids[i]) for rank, i in enumerate(ranked.tolist(), start=1) if ids[i] in relevant]
    ranks = Ranks(
        query=np.zeros(1, np.int32),
        starts=np.array([0, len(at)]),
        rank=np.array([rank for rank, _ in at], np.int64),
        gain=np.array([relevant[id_] for _, id_ in at], np.int16),
        language=np.zeros(len(at), np.int16),
    )
    return {name: float(BIAS_MEASURES[name](ranks)[0]) for name in measure_names}
