"""What trec_eval says of rankings, query by query, and ir_measures' further measures by the same rules."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from xlbench.errors import UnknownNameError
from xlbench.measures import retrieval
from xlbench.measures.measure import Measure

if TYPE_CHECKING:
    import ir_measures

# Of several that have a measure the first one computes it. The others of ir_measures are slow, round, or leave out
# queries that the run does not have.
_PROVIDERS = ("pytrec_eval", "cwl_eval", "judged", "msmarco")
_EXAMPLES = ("nDCG@10", "AP", "R@100", "RR@10", "P@5", "Success@1", "Rprec", "Bpref", "infAP", "AP(rel=2)", "Judged@10")
_COUNTS = ("NumQ", "NumRel", "NumRet", "NumRelRet")

Qrels = Mapping[str, Mapping[str, int]]
"""Gains by query and passage."""
Values = dict[str, dict[str, float]]
"""By query, and by passage (scores of a run) or measure."""


def trec_scores(qrels: Qrels, run: Values, wanted: Sequence[Measure]) -> Values:
    """trec_eval's value of each measure for each query of ``run``, by query id and measure name."""
    import pytrec_eval

    evaluated: Values = pytrec_eval.RelevanceEvaluator(qrels, {m.trec_name for m in wanted}).evaluate(run)
    by_query: Values = {}
    for query, values in evaluated.items():
        by_query[query] = {m.name: values[m.trec_name.replace(".", "_")] for m in wanted}
        for m in wanted:
            # trec_eval has no cut-off for recip_rank: RR@k is recip_rank, zero past k.
            cut = m.cutoff and "." not in m.trec_name
            if cut and by_query[query][m.name] < 1 / m.cutoff * (1 - 1e-9):
                by_query[query][m.name] = 0.0
    return by_query


@dataclass(frozen=True)
class TrecMeasure:
    """A measure by its name in ir_measures: one that trec_eval's own rules give, or one of a provider."""

    name: str
    own: Measure | None
    """None for a measure of a provider."""
    provider: str = ""
    theirs: ir_measures.Measure | None = None

    @property
    def is_count(self) -> bool:
        """Whether trec_eval adds it up over the queries, instead of taking the mean."""
        return self.name.partition("(")[0] in _COUNTS


def find(name: str) -> TrecMeasure:
    """The measure of this name or of one of its aliases in ir_measures, such as ``MAP`` for ``AP``.

    Raises:
        UnknownNameError: if no measure has the name, or none of the providers at hand computes it.

    """
    if (own := _own(name)) is not None:
        return own
    import ir_measures

    try:
        with warnings.catch_warnings():
            # Its parser uses names of `ast` that Python 3.12 calls deprecated and that Python 3.14 no longer has.
            warnings.simplefilter("ignore", DeprecationWarning)
            measure = ir_measures.parse_measure(name)
        able = [provider for provider in map(_provider, _PROVIDERS) if provider.supports(measure)]
    except (ValueError, NameError, AssertionError, AttributeError, TypeError) as error:
        # An assertion of ir_measures names the parameter; what is absent prints as an object.
        said = re.sub(r"=<object.*", " is missing", f"{error}.") if isinstance(error, AssertionError) else ""
        raise UnknownNameError("measure", name, _EXAMPLES, hint=said.capitalize()) from error
    canonical = str(measure)
    if (own := _own(canonical)) is not None:
        return own
    if measure.params.get("cutoff", 1) < 1:
        raise UnknownNameError("measure", name, _EXAMPLES, hint="A cut-off is 1 or more.")
    for provider in able:
        if provider.is_available():
            return TrecMeasure(canonical, None, provider.NAME, measure)
    missing = " or ".join(provider.install_instructions() for provider in able)
    hint = (
        f"ir_measures computes it with another package: {missing}."
        if missing
        else f"ir_measures has it, but none of {', '.join(_PROVIDERS)} computes it."
    )
    raise UnknownNameError("measure", name, [], hint=hint)


def _provider(name: str) -> Any:
    import ir_measures

    return ir_measures.providers.registry[name]


def _own(name: str) -> TrecMeasure | None:
    measure = next((measure for family in retrieval.FAMILIES if (measure := family.find(name))), None)
    return TrecMeasure(name, measure) if measure else None


def values(qrels: Qrels, rankings: Mapping[str, Sequence[str]], wanted: Sequence[TrecMeasure]) -> Values:
    """The value of each measure for each query of ``qrels``, by query and name; ``rankings`` are passages, best first.

    A query without a ranking is scored as one for which nothing was retrieved.
    """
    # Without ties every provider agrees with trec_eval's order, whichever way it breaks them.
    run = {query: {id_: -float(i) for i, id_ in enumerate(rankings.get(query, ()))} for query in qrels}
    # pytrec_eval crashes where all gains of a query are negative. As with gains of 0, nothing is relevant there.
    qrels = {query: gains if max(gains.values()) >= 0 else dict.fromkeys(gains, 0) for query, gains in qrels.items()}
    own = [measure.own for measure in wanted if measure.own]
    by_query = trec_scores(qrels, run, own) if own else {query: {} for query in qrels}
    # A rate of no passages may be 0 / 0; ir_measures itself gives a query that is not there 0. Counts need them all.
    retrieved = {query: scores for query, scores in run.items() if scores}
    for name, is_count in product(_PROVIDERS, (False, True)):
        theirs = [m.theirs for m in wanted if m.theirs and (m.provider, m.is_count) == (name, is_count)]
        if theirs:
            for metric in _provider(name).evaluator(theirs, qrels).iter_calc(run if is_count else retrieved):
                by_query[metric.query_id][str(metric.measure)] = float(metric.value)
    return {query: {measure.name: by_query[query][measure.name] for measure in wanted} for query in qrels}
