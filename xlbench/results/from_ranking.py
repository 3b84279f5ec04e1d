"""Figures: all that follows from a ranking, and so can be recomputed by anyone who has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xlbench import measures
from xlbench.arrays import FloatArray
from xlbench.measures.bias import parallel_passages
from xlbench.measures.measure import Measure
from xlbench.measures.ranks import PooledRanks, Ranking, RanksInEach
from xlbench.measures.values import QueryValues, summarise
from xlbench.settings import Kind, Setting
from xlbench.statistics import INTERVAL_DECIMALS, intervals


@dataclass(frozen=True)
class Figures:
    """The part of a result that follows from the ranking; the fields are those of ``Result``."""

    values: Mapping[Setting, Mapping[str, float]]
    queries: Mapping[Setting, int]
    summary: Mapping[Kind, Mapping[str, float]]
    intervals: Mapping[Setting | Kind, Mapping[str, Sequence[float]]]
    references: Mapping[str, Mapping[str, float]]
    matrices: Mapping[str, Mapping[str, Mapping[str, float]]]
    per_query: tuple[QueryValues, ...]


def figures(
    ranking: Ranking,
    wanted: Sequence[Setting],
    measure_names: Sequence[str],
    *,
    known: Mapping[str, Mapping[str, float]] | None = None,
    interval_decimals: int = INTERVAL_DECIMALS,
) -> Figures:
    """The figures of a ranking in these settings.

    ``known`` are references of a ranking with the same judged pairs, of which they are a function alone: to draw
    random rankings takes longer than all else.
    """
    pools = pooled_ranks(ranking, wanted)
    per_query = score(ranking, wanted, measure_names, pools=pools)
    means = {s.setting: s.means() for s in per_query}
    summary = summarise(means)
    return Figures(
        values=means,
        queries=dict.fromkeys(wanted, 0) | {s.setting: len(s.query) for s in per_query},
        summary=summary,
        intervals=intervals(per_query, decimals=interval_decimals),
        references=references(pools, summary.get("multi", {})) if known is None else known,
        matrices=matrices(pools, ranking.judged.languages)
        | consistency(pools, ranking.judged.languages, summary.get("multi", {})),
        per_query=per_query,
    )


def score(
    ranking: Ranking,
    wanted: Sequence[Setting],
    measure_names: Sequence[str],
    *,
    pools: Mapping[Setting, PooledRanks] | None = None,
) -> tuple[QueryValues, ...]:
    """The values of each query in each setting that has queries; measures of bias in the multilingual settings only.

    A measure of bias that is not defined for any query of some language is left out for all languages: a mean over a
    part of them would look like the whole. So are those that divide up what is lost from mono to multi where the two
    have rankings of their own, as in a fusion: it would not be what the passages of other languages cost in one.
    ``pools`` are those that ``pooled_ranks`` gives, if they are known.
    """
    of_retrieval = [measures.get(name) for name in measure_names if not measures.of_bias(name)]
    ids = ranking.judged.query_ids
    pools = pooled_ranks(ranking, wanted) if pools is None else pools
    of_bias = _bias_values(
        pools, [name for name in measure_names if ranking.alone is None or name not in measures.LOSSES]
    )
    of_settings = []
    clusters = ranking.judged.clusters.of_query
    asked: dict[bytes, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    alone = {language: _Alone(ranking, language, of_retrieval) for language in ranking.judged.languages}
    for setting in wanted:
        if setting.passages is None:
            rows, values = _in_pool(pools.get(setting), of_retrieval)
        else:
            rows, values = alone[setting.query].of(setting.passages)
        if len(rows):
            values |= of_bias.get(setting, {})
            # In the task's order.
            values = {name: values[name] for name in measure_names if name in values}
            key = rows.tobytes()
            if key not in asked:  # Most settings of a language have the same queries.
                asked[key] = tuple(ids[row] for row in rows), tuple(clusters[row] for row in rows)
            query, cluster = asked[key]
            of_settings.append(QueryValues(setting=setting, query=query, values=values, cluster=cluster))
    return tuple(of_settings)


class _Alone:
    """The values of one language's queries in the pools of single languages: each measure is computed once for all."""

    def __init__(self, ranking: Ranking, language: str, of_retrieval: Sequence[Measure]) -> None:
        self._ranking, self._language, self._measures = ranking, language, of_retrieval

    def of(self, passages: str) -> tuple[npt.NDArray[np.int32], dict[str, FloatArray]]:
        """The rows of the queries in the pool of a language, and the values of each measure."""
        code = self._ranking.judged.languages.index(passages)
        pool = slice(*self._each.bounds[code : code + 2])
        return self._each.ranks.query[pool], {name: values[pool] for name, values in self._values.items()}

    @cached_property
    def _each(self) -> RanksInEach:
        return self._ranking.in_each(self._language)

    @cached_property
    def _values(self) -> dict[str, FloatArray]:
        return {measure.name: measure.value(self._each.ranks) for measure in self._measures}


def _in_pool(
    pooled: PooledRanks | None, of_retrieval: Sequence[Measure]
) -> tuple[npt.NDArray[np.int32], dict[str, FloatArray]]:
    """The rows of the queries in the pool of all languages, and the values of each measure of retrieval."""
    if pooled is None:
        return np.zeros(0, np.int32), {}
    return pooled.ranks.query, {measure.name: measure.value(pooled.ranks) for measure in of_retrieval}


def _bias_values(
    pools: Mapping[Setting, PooledRanks], measure_names: Sequence[str]
) -> dict[Setting, dict[str, FloatArray]]:
    """The values of the measures of bias, by multilingual setting and measure."""
    of_bias = [measure for name in measure_names if (measure := measures.of_bias(name))]
    by_setting = {name: {measure.name: measure.value(pooled) for measure in of_bias} for name, pooled in pools.items()}
    undefined = {name for values in by_setting.values() for name, value in values.items() if np.isnan(value).all()}
    return {
        setting: {name: value for name, value in values.items() if name not in undefined}
        for setting, values in by_setting.items()
    }


def pooled_ranks(ranking: Ranking, wanted: Sequence[Setting]) -> dict[Setting, PooledRanks]:
    """What measures of bias are computed from, by multilingual setting that has queries."""
    pooled_by_setting = {setting: ranking.pooled(setting) for setting in wanted if setting.kind == "multi"}
    return {name: pooled for name, pooled in pooled_by_setting.items() if len(pooled.ranks)}


def references(pools: Mapping[Setting, PooledRanks], names: Iterable[str]) -> dict[str, dict[str, float]]:
    """The perfect and the random value of measures of bias: means by language of the queries, then over languages.

    A measure in which perfect rankings differ has no perfect value.
    """
    by_measure = {}
    for measure in (measure for name in names if (measure := measures.of_bias(name))):
        ends = {"perfect": measure.perfect, "random": measure.random}
        by_measure[measure.name] = {
            end: float(np.mean([np.nanmean(value(pooled)) for pooled in pools.values()]))
            for end, value in ends.items()
            if value
        }
    return by_measure


def matrices(pools: Mapping[Setting, PooledRanks], languages: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """The preference and the one-target matrix, by language of the query and of the passage.

    A cell without queries is not there.
    """
    by_name: dict[str, dict[str, dict[str, float]]] = {"first_language": {}, "one_target": {}}
    for pooled in pools.values():
        for name, values in (
            ("first_language", parallel_passages.first_language(pooled)),
            ("one_target", parallel_passages.one_target(pooled)),
        ):
            by_name[name][languages[pooled.asked]] = {
                language: float(np.nanmean(column))
                for language, column in zip(languages, values.T, strict=True)
                if np.isfinite(column).any()
            }
    return by_name


def consistency(
    pools: Mapping[Setting, PooledRanks], languages: Sequence[str], names: Iterable[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """The matrix of the first measure of lists among ``names``, by language of the query and of its translation.

    Nothing where there is none: the lists themselves are no part of the evidence.
    """
    measure = measures.of_lists(names)
    if measure is None or measure.by_language is None:
        return {}
    matrix = {}
    for pooled in pools.values():
        columns = zip(languages, measure.by_language(pooled).T, strict=True)
        matrix[languages[pooled.asked]] = {a: float(np.nanmean(of)) for a, of in columns if np.isfinite(of).any()}
    return {"consistency": matrix}
