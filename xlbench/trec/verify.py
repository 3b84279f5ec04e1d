"""Checks results against trec_eval: full rankings, scored by pytrec_eval and compared query by query."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xlbench import measures
from xlbench.collection import Collection
from xlbench.collection.answer_strings import n_tokens
from xlbench.engine.fusion import alone
from xlbench.engine.scores import TILE_QUERIES, Scores, matrix
from xlbench.errors import ResultError
from xlbench.measures import Measure
from xlbench.measures.best import Lists
from xlbench.measures.oracle import trec_scores
from xlbench.measures.ranks import PooledRanks, Ranks
from xlbench.measures.values import QueryValues
from xlbench.results import Result
from xlbench.settings import Setting
from xlbench.statistics import intervals
from xlbench.support.progress import Advance
from xlbench.trec.final_order import FinalOrder, pool_of

_LAST_DECIMAL = 1.5e-6
_QUERIES_AT_ONCE = 64  # A full ranking of 13,000 passages is a dict of 2 MB.


@dataclass(frozen=True)
class LargestDifference:
    """The largest difference of a measure between a result and trec_eval in one setting."""

    setting: Setting
    measure: str
    difference: float
    query: str
    """The query at which it occurs."""
    n_queries: int


def verify(
    collection: Collection,
    scores: Scores,
    reported: Sequence[QueryValues],
    *,
    settings: Sequence[Setting],
    final: FinalOrder | None = None,
    advance: Advance,
) -> Iterator[LargestDifference]:
    """The largest difference for each setting and measure between ``reported`` and full rankings that trec_eval scored.

    ``advance`` is called each time that some queries are done. Measures of bias, which trec_eval does not have, are
    taken from the sorted ranking. ``final`` does by hand what changes the order that the scores give.

    Raises:
        ResultError: if the result lacks a setting or has other queries in it.

    """
    by_setting = {of.setting: of for of in reported}
    named = dict.fromkeys(name for of in reported for name in of.values)
    depth = measures.depth(name for name in named if measures.get(name).needs_lists)
    everything = [Setting(language, None) for language in collection.languages] if depth else []
    final = (final or FinalOrder(collection)).with_candidates(scores, list(dict.fromkeys([*settings, *everything])))
    lists = _lists(collection, scores, final, depth) if depth else None
    for setting in settings:
        if setting not in by_setting:
            raise ResultError(
                f"The result has no scores for the setting '{setting}'; it has "
                f"{', '.join(map(str, by_setting)) or 'none'}."
            )
        claimed = by_setting[setting]
        recomputed = _recompute(collection, scores, setting, list(claimed.values), (final, lists), advance)
        if list(recomputed) != list(claimed.query):
            raise ResultError(
                f"The result has {len(claimed.query):,} queries in {setting}, "
                f"the task {len(recomputed):,}: they are not the same queries."
            )
        for measure, values in claimed.values.items():
            expected = np.array([by_measure[measure] for by_measure in recomputed.values()])
            # Not defined is the same as not defined; else a NaN would compare as no difference.
            difference = np.where(np.isnan(values) & np.isnan(expected), 0.0, np.abs(values - expected))
            difference = np.nan_to_num(difference, nan=np.inf)
            worst = int(difference.argmax())
            yield LargestDifference(
                setting, measure, float(difference[worst]), claimed.query[worst], len(claimed.query)
            )


def means_verified(result: Result, per_query: Sequence[QueryValues]) -> Iterator[LargestDifference]:
    """The difference between each mean of a result and the mean of these per-query values."""
    for of_setting in per_query:
        means = of_setting.means()
        for measure, reported in result.values[of_setting.setting].items():
            # A mean without per-query values would go unchecked, as would one that is compared with NaN.
            difference = abs(means.get(measure, math.inf) - reported)
            difference = math.inf if math.isnan(difference) else difference
            yield LargestDifference(of_setting.setting, measure, difference, "(mean)", len(of_setting.query))


def intervals_verified(result: Result, per_query: Sequence[QueryValues]) -> Iterator[LargestDifference]:
    """The difference between the intervals of a result's settings and those that follow from the per-query values."""
    recomputed = intervals(per_query)
    for of_setting in per_query:
        setting = of_setting.setting
        for measure, ends in recomputed[setting].items():
            reported = result.intervals[setting].get(measure, (math.inf, math.inf))
            difference = max(abs(a - b) for a, b in zip(ends, reported, strict=True))
            # The last decimal that is kept may be rounded the other way on another machine.
            difference = difference if difference > _LAST_DECIMAL else 0.0
            yield LargestDifference(setting, measure, difference, "(interval)", len(of_setting.query))


def _recompute(
    collection: Collection,
    scores: Scores,
    setting: Setting,
    measure_names: Sequence[str],
    of_pool: tuple[FinalOrder, Lists | None],
    advance: Advance,
) -> dict[str, dict[str, float]]:
    """The value of each measure for each query of the setting, from full rankings.

    ``of_pool`` is how the final order is made, and the best passages of all queries in the pool of all languages.
    """
    final, lists = of_pool
    pool = pool_of(collection, setting)
    asked_language = collection.languages.index(setting.query)
    asked = collection.queries.rows(asked_language)
    qrels = _qrels(collection, asked, set(pool.tolist()))
    ids = [collection.passages.ids[row] for row in pool.tolist()]
    order = collection.passages.tie_order[pool]
    scores = scores if setting.passages is None else alone(scores)
    of_bias = [measure for name in measure_names if (measure := measures.of_bias(name))]
    trec = [measures.get(name) for name in measure_names if not measures.of_bias(name)]
    language = collection.passages.language[pool]
    row_of = {id_: row for row, id_ in enumerate(ids)}
    rows = [row for row in range(asked.start, asked.stop) if collection.queries.ids[row] in qrels]
    by_id: dict[str, dict[str, float]] = {}
    for start in range(0, len(rows), TILE_QUERIES):
        some = rows[start : start + TILE_QUERIES]
        of_model = matrix(scores, scores.query[some], scores.passage[pool])
        lines = {row: final.scores(row, line, setting) for row, line in zip(some, of_model, strict=True)}
        for first in range(0, len(some), _QUERIES_AT_ONCE):
            chunk = {collection.queries.ids[row]: lines[row] for row in some[first : first + _QUERIES_AT_ONCE]}
            run = {id_: dict(zip(ids, line.tolist(), strict=True)) for id_, line in chunk.items()}
            by_query = trec_scores({id_: qrels[id_] for id_ in run}, run, trec)
            for row, (id_, line) in zip(some[first : first + _QUERIES_AT_ONCE], chunk.items(), strict=True):
                relevant = {row_of[passage]: gain for passage, gain in qrels[id_].items()}
                asked_as = row, asked_language, lists
                by_id[id_] = by_query[id_] | _bias(line, order, language, relevant, asked_as, of_bias)
            advance(texts=len(chunk), characters=len(chunk), stored=False)
    return by_id


def _lists(collection: Collection, scores: Scores, final: FinalOrder, depth: int) -> Lists:
    """The best passages of every judged query in the pool of all languages, each list sorted whole."""
    order, asked = collection.passages.tie_order, collection.queries.language
    best = np.full((len(collection.queries), depth), -1, np.int32)
    judged = np.unique(collection.pairs.query)
    for start in range(0, len(judged), TILE_QUERIES):
        some = judged[start : start + TILE_QUERIES]
        for row, plain in zip(some.tolist(), matrix(scores, scores.query[some], scores.passage), strict=True):
            line = final.scores(row, plain, Setting(collection.languages[asked[row]], None))
            ranked = np.lexsort((-order, -line))[:depth]
            best[row, : len(ranked)] = ranked
    lists = Lists.of(best, collection.queries.ids, asked, collection.languages)
    return replace(lists, n_tokens=n_tokens(collection.passages.text, best)) if collection.by_answers else lists


def _qrels(collection: Collection, asked: slice, pool: set[int]) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    pairs = collection.pairs
    first, last = np.searchsorted(pairs.query, [asked.start, asked.stop])
    for query, passage, gain in zip(
        pairs.query[first:last], pairs.passage[first:last], pairs.gain[first:last], strict=True
    ):
        if int(passage) in pool:
            qrels.setdefault(collection.queries.ids[query], {})[collection.passages.ids[passage]] = int(gain)
    return qrels


def _bias(
    line: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    language: npt.NDArray[np.int16],
    relevant: Mapping[int, int],
    asked_as: tuple[int, int, Lists | None],
    wanted: Sequence[Measure],
) -> dict[str, float]:
    """The bias measures of one query, from its sorted ranking; ``relevant`` are gains by row of the pool.

    ``asked_as`` is the row of the query, its language, and the lists of all queries.
    """
    row, asked, lists = asked_as
    if not wanted:
        return {}
    ranked = np.lexsort((-order, -line))
    at = np.flatnonzero(np.isin(ranked, list(relevant)))
    above_own = np.cumsum(language[ranked] == asked)[at] - (language[ranked[at]] == asked)
    pooled = PooledRanks(
        ranks=Ranks(
            query=np.array([row], np.int32),
            starts=np.array([0, len(at)]),
            rank=at + 1,
            gain=np.array([relevant[passage] for passage in ranked[at].tolist()], np.int16),
            language=language[ranked[at]],
        ),
        asked=asked,
        n_passages=np.bincount(language, minlength=int(max(language.max(), asked)) + 1),
        above_own=above_own,
        top=_padded(language[ranked], max(measure.depth for measure in wanted))[None],
        lists=lists,
    )
    return {measure.name: float(measure.value(pooled)[0]) for measure in wanted}


def _padded(language: npt.NDArray[np.int16], depth: int) -> npt.NDArray[np.int16]:
    """The first ``depth`` languages, -1 past the end of the pool."""
    return np.pad(language[:depth], (0, max(0, depth - len(language))), constant_values=-1)
