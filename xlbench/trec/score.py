"""Scores a run that anyone made: trec_eval's measures, and those of language bias where the languages are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from xlbench import measures
from xlbench.arrays import FloatArray
from xlbench.errors import DataError, shown
from xlbench.measures import Measure, oracle
from xlbench.measures.oracle import TrecMeasure
from xlbench.measures.ranks import PooledRanks
from xlbench.trec.inputs import judgements_of, languages_of, run_of
from xlbench.trec.pools import Languages, Pool, pools
from xlbench.trec.read import Judgements, Run

if TYPE_CHECKING:
    import pandas as pd

_ByLanguage = dict[str, dict[str, float]]

_MOST_LINES = 10
_QUERIES_AT_ONCE = 64  # A ranking as a dict takes some 150 bytes a passage.


class Wanted(NamedTuple):
    """The measures to compute, each once."""

    retrieval: tuple[TrecMeasure, ...]
    bias: tuple[Measure, ...]


@dataclass(frozen=True, repr=False)
class RunValues:
    """The values of a run."""

    queries: tuple[str, ...]
    """``[m]``, all that are judged."""
    asked: tuple[str, ...]
    """Language of each query; empty if no languages are known."""
    values: dict[str, FloatArray]
    """By measure, ``float64[m]``; NaN where a measure of bias is not defined."""
    totals: dict[str, float]
    """By measure of retrieval: the mean over all queries, or the sum for counts such as NumRel, as in trec_eval."""
    languages: _ByLanguage
    """By language of the queries and measure: the mean over the queries for which it is defined."""
    summary: dict[str, float]
    """By measure: the mean over the languages, as in the multilingual setting of a result."""
    references: dict[str, dict[str, float]]
    """By measure of bias: its ``perfect`` and its ``random`` value, means over the languages."""
    notes: tuple[str, ...]
    """What was passed over, and which measures are left out, and why."""

    def __repr__(self) -> str:
        """The means, at most eleven of them, and how many queries they are over."""
        means = [f"{name} {value:.4f}" for name, value in {**self.totals, **self.summary}.items()]
        more = [f"and {len(means) - _MOST_LINES} more"] if len(means) > _MOST_LINES else []
        return "\n  ".join([f"{len(self.queries):,} queries", *means[:_MOST_LINES], *more])

    def to_frame(self) -> pd.DataFrame:
        """A pandas frame with a row for each query and measure."""
        import pandas as pd

        asked = self.asked or (None,) * len(self.queries)
        return pd.DataFrame(
            [
                {"query": query, "language": language, "measure": name, "value": float(column[i])}
                for name, column in self.values.items()
                for i, (query, language) in enumerate(zip(self.queries, asked, strict=True))
            ]
        )


def choose(names: Sequence[str], *, with_bias: bool) -> Wanted:
    """The measures of these names; the usual ones if none is named, and those of bias if none of them is named.

    Raises:
        UnknownNameError: if no measure has one of the names; those of bias are unknown without ``with_bias``.

    """
    of_bias = [name for name in names if with_bias and measures.of_bias(name)]
    retrieval = [name for name in names if name not in of_bias] or ([] if of_bias else measures.USUAL_OF_RUNS)
    by_name = {measure.name: measure for measure in map(oracle.find, retrieval)}
    wanted = dict.fromkeys(of_bias or (measures.USUAL_BIAS_OF_RUNS if with_bias else ()))
    return Wanted(tuple(by_name.values()), tuple(measure for name in wanted if (measure := measures.of_bias(name))))


def score(
    run: object,
    judgements: object,
    measures: Sequence[str] = (),
    *,
    languages: object = None,
    query_languages: object = None,
) -> RunValues:
    """The values of a run, by trec_eval's rules.

    Args:
        run: ``{query: {passage: score}}``, a frame with ``query_id``, ``doc_id`` and ``score``, ir_measures' records,
            or a TREC file.
        judgements: ``{query: {passage: gain}}``, a frame with ``relevance``, ir_measures' records, or a TREC file.
        measures: As ir_measures names them, or measures of language bias; the usual ones if none is named.
        languages: The language of each passage, by id or in a file; measures of language bias need them.
        query_languages: The language of each query; if it is not given, an id begins with it, as in ``de:42``.

    Raises:
        UnknownNameError: For a measure that does not exist.
        DataError: For input of another form, or a run that can give none of the measures.

    Example:
        >>> import xlbench
        >>> run = {"q1": {"a": 0.9, "b": 0.5}, "q2": {"b": 0.7}}
        >>> xlbench.score(run, {"q1": {"b": 1}, "q2": {"b": 1}}, ["RR", "R@1"]).totals
        {'RR': 0.75, 'R@1': 0.5}

    """
    known = languages_of(languages, query_languages)
    wanted = choose(measures, with_bias=known is not None)
    return score_run(run_of(run), judgements_of(judgements), wanted, languages=known)


def score_run(run: Run, judgements: Judgements, wanted: Wanted, *, languages: Languages | None = None) -> RunValues:
    """The values of a run, by trec_eval's rules.

    All queries with a relevant passage count, as with ``trec_eval -c``: one that the run does not have has the value 0.
    Queries without one are left out, as in all results of xlbench, where trec_eval counts them 0: no measure can tell
    models apart by them. Queries that are not judged are passed over. A gain of 0 or less is not relevant.

    Measures of bias need ``languages``. One that needs the rank of every relevant passage is left out, with a note, if
    the run does not have them all. One with a cut-off is over the queries of which the run has as many passages, and
    LPR over those of which it has a relevant one.

    Raises:
        DataError: if no query of the run is judged, the language of a query or passage is not known, or the run can
            give none of the measures.

    """
    relevant = {query: gains for query, gains in judgements.items() if max(gains.values()) > 0}
    notes = _check_queries(run, judgements, relevant)
    judgements = relevant
    queries = tuple(judgements)
    values = _retrieval(run, judgements, wanted.retrieval)
    totals = {m.name: float(values[m.name].sum() if m.is_count else values[m.name].mean()) for m in wanted.retrieval}
    if languages is None:
        return RunValues(queries, (), values, totals, {}, {}, {}, tuple(notes))
    asked = languages.of_queries(queries)
    depth = max((measure.depth for measure in wanted.bias), default=0)
    parts = list(pools(run, judgements, languages, depth=depth))
    references = {}
    for measure in wanted.bias:
        if reason := _reason_against(measure, parts):
            notes.append(f"{measure.name} is left out: {reason}.")
        else:
            values[measure.name] = _bias(measure, parts, queries)
            references[measure.name] = _references(measure, parts)
            notes += _where_not_defined(measure, values[measure.name], sum(len(part.queries) for part in parts))
    if not values:
        raise DataError(f"The run can give none of the measures. {' '.join(notes)}")
    by_language = {
        language: {name: _mean(column[[a == language for a in asked]]) for name, column in values.items()}
        for language in dict.fromkeys(asked)
    }
    summary = {name: _mean([means[name] for means in by_language.values()]) for name in values}
    return RunValues(queries, tuple(asked), values, totals, by_language, summary, references, tuple(notes))


def _check_queries(run: Run, judgements: Judgements, relevant: Judgements) -> list[str]:
    """What to say of queries that are in one file only or without a relevant passage; an error if none is left."""
    if not any(query in run.rows for query in judgements):
        first, judged = shown(next(iter(run.rows))), shown(next(iter(judgements)))
        raise DataError(
            f"None of the {len(run.rows):,} queries of the run is judged: the run begins with {first}, "
            f"the judgements with {judged}. Expected the same ids in both."
        )
    if not relevant:
        raise DataError("No judged query has a relevant passage; expected a gain of 1 or more.")
    counted = {
        "Judged queries that the run does not have, which count 0": sum(query not in run.rows for query in relevant),
        "Judged queries without a relevant passage, which are left out": len(judgements) - len(relevant),
        "Queries of the run that are not judged, which are passed over": sum(
            query not in judgements for query in run.rows
        ),
    }
    notes = [f"{what}: {n:,}." for what, n in counted.items() if n]
    return notes + _unjudged(run, {query: gains for query, gains in relevant.items() if query in run.rows})


def _unjudged(run: Run, judgements: Judgements) -> list[str]:
    """A sentence if no passage of the run is judged, which says that the ids are of two kinds."""
    for query, gains in judgements.items():
        if not gains.keys().isdisjoint(run.ranking(query)):
            return []
    if not judgements or not run.ranking(query := next(iter(judgements))):
        return []
    theirs, ours = shown(run.ranking(query)[0]), shown(next(iter(judgements[query])))
    return [
        f"No passage of the run is judged for its query: for {shown(query)} the run has {theirs}, and the judgements "
        f"{ours}. Are they ids of the same passages?"
    ]


def _retrieval(run: Run, judgements: Judgements, wanted: Sequence[TrecMeasure]) -> dict[str, FloatArray]:
    queries = list(judgements)
    columns: dict[str, list[float]] = {measure.name: [] for measure in wanted}
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        some = {query: judgements[query] for query in queries[start : start + _QUERIES_AT_ONCE]}
        by_query = oracle.values(some, {query: run.ranking(query) for query in some}, wanted)
        for query in some:
            for name, value in by_query[query].items():
                columns[name].append(value)
    return {name: np.array(column) for name, column in columns.items()}


def _reason_against(measure: Measure, parts: Sequence[Pool]) -> str | None:
    """Why the run cannot give a measure of bias, or None if it can."""
    lacking = sum(int((part.n_retrieved < part.ranked.ranks.n_relevant).sum()) for part in parts)
    if measure.needs_all_ranks and lacking:
        return (
            f"it needs the rank of every relevant passage, and of {lacking:,} queries the run does not have them all; "
            "keep more passages of each query"
        )
    depth = max(int(part.depth.max()) for part in parts)
    if depth < _least(measure, parts[0]):
        return f"the run has {depth} passages of a query at most"
    judged = [part.ranked.ranks for part in parts]
    if measure.is_constant and all(measure.is_constant(of.owner, of.language, of.gain) for of in judged):
        return "no query has two relevant passages in a language, and all rankings have the same value then"
    for part in parts:
        if not np.isfinite(_where_known(measure, part, measure.value)).any():
            return f"it is defined for no query in the language of {shown(part.queries[0])}"
    return None


def _where_known(measure: Measure, part: Pool, values: Callable[[PooledRanks], FloatArray]) -> FloatArray:
    """The value of each query, NaN where it is not defined or the run does not tell the measure."""
    known = part.depth >= _least(measure, part) if measure.cutoff else part.n_retrieved > 0
    with np.errstate(invalid="ignore"):  # No passages have no shares: 0 / 0.
        return np.where(known, values(part.ranked), np.nan)


def _least(measure: Measure, part: Pool) -> int:
    """How many passages a query needs for a measure with a cut-off: as many, or all that there are."""
    return min(measure.cutoff, int(part.ranked.n_passages.sum()))


def _bias(measure: Measure, parts: Sequence[Pool], queries: Sequence[str]) -> FloatArray:
    by_query: dict[str, float] = {}
    for part in parts:
        by_query |= dict(zip(part.queries, _where_known(measure, part, measure.value).tolist(), strict=True))
    return np.array([by_query.get(query, np.nan) for query in queries])


def _references(measure: Measure, parts: Sequence[Pool]) -> dict[str, float]:
    ends = {"perfect": measure.perfect, "random": measure.random}
    return {
        end: _mean([_mean(_where_known(measure, part, value)) for part in parts])
        for end, value in ends.items()
        if value
    }


def _where_not_defined(measure: Measure, values: FloatArray, n_queries: int) -> list[str]:
    n = int(np.isfinite(values).sum())
    if n == n_queries:
        return []
    lacks = f"fewer than {measure.cutoff} passages" if measure.cutoff else "no relevant passage"
    why = "it is not defined" if measure.needs_all_ranks else f"it is not defined, or the run has {lacks} of them"
    return [f"{measure.name} is over {n:,} of the {n_queries:,} queries with relevant passages: for the others {why}."]


def _mean(values: npt.ArrayLike) -> float:
    """The mean of those that are defined; NaN if none is."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    return float(finite.mean()) if len(finite) else float("nan")
