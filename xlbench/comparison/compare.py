"""compare: from results to a Comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlbench.arrays import BoolArray, FloatArray
from xlbench.comparison.family import Tests
from xlbench.comparison.orders import orders, standings
from xlbench.comparison.outcome import (
    MEAN,
    Comparison,
    Difference,
    Quantity,
    Tradeoff,
    Verdict,
)
from xlbench.comparison.refusals import (
    asked_in,
    check_clusters,
    check_comparable,
    check_measures,
    check_per_query,
    check_queries,
    common_kinds,
    labels,
)
from xlbench.comparison.study import Study, perfect_value, quantities_of
from xlbench.errors import ResultError, UnknownNameError
from xlbench.measures import DISTANCE, better
from xlbench.results import Result
from xlbench.settings import KINDS, Kind, Setting
from xlbench.statistics import RESAMPLES, asked, difference_intervals, effect_sizes


def compare(
    *results: Result,
    measures: Sequence[str] = (),
    settings: Sequence[str] = (),
    languages: Sequence[str] = (),
    alpha: float = 0.05,
    equivalent: float | None = None,
    names: Sequence[str] = (),
) -> Comparison:
    """The comparison of results on one task with the first of them, which is the baseline.

    Args:
        results: Two or more, with their values of single queries.
        measures: The task's headline if none is named.
        settings: Kinds of setting or names of single ones; all kinds if none is named.
        languages: Only queries in these count, and means are over these.
        alpha: The level of the tests.
        equivalent: The largest difference that is negligible: means that are shown to differ by less are ``equivalent``
            (two one-sided tests, Schuirmann 1987). Without it nothing is: not told apart is not equal.
        names: What errors call the results.

    Raises:
        UnknownNameError: For a measure, a setting or a language of queries that no result has.
        ResultError: For results that cannot be compared, fewer than two, or queries of a single cluster.

    Example:
        >>> import xlbench
        >>> small, large = (
        ...     xlbench.evaluate("hash", "demo", arguments={"dimensions": n}, cache=None, quiet=True)
        ...     for n in (64, 1024)
        ... )
        >>> xlbench.compare(small, large, settings=["mono"]).differences[-1].verdict
        'better'

    """
    if len(results) < 2:
        raise ResultError(f"{len(results)} results were given; expected two or more, the baseline first.")
    names = list(names) or [f"the result of {result.model['name']}" for result in results]
    return compare_labelled(
        results,
        labels(results, names),
        names=names,
        measures=measures,
        settings=settings,
        languages=languages,
        alpha=alpha,
        equivalent=equivalent,
    )


def compare_labelled(
    results: Sequence[Result],
    labelled: Sequence[str],
    *,
    names: Sequence[str],
    measures: Sequence[str],
    settings: Sequence[str] = (),
    languages: Sequence[str] = (),
    alpha: float = 0.05,
    equivalent: float | None = None,
    means_only: bool = False,
) -> Comparison:
    """As ``compare``: the results against the first of them, with these labels of the models.

    With ``means_only`` nothing is tested but the mean of each kind of setting, and models have no order: the fewer
    tests, the smaller the differences that show.
    """
    check_per_query(results, names)
    check_comparable(results, names)
    results = asked_in(results, languages) if languages else results
    plan = _Plan.of(results, names, measures=measures, wanted=settings)
    plan = plan.of_means() if means_only else plan
    check_queries(results, names, plan.settings(results))
    whole = Study.of(results, names, list(dict.fromkeys([*plan.tested, *plan.overall])))
    check_clusters(whole, results[0].unit)
    overall = whole.only(plan.overall)
    lead = [quantity for quantity in plan.overall if quantity.measure == plan.lead]
    ordered = lead if len(results) > 2 and not means_only else []
    tests = Tests.of(whole, plan.tested, ordered, alpha=alpha)
    judged = _Judgement(alpha, equivalent, plan.lead)
    differences = _differences(whole.only(plan.tested), labelled, tests, judged)
    return Comparison(
        task=results[0].task,
        task_version=results[0].task_version,
        missing_languages=tuple(results[0].missing_languages),
        sample=results[0].sample,
        languages=tuple(languages),
        baseline=labelled[0],
        others=tuple(labelled[1:]),
        measures=plan.measures,
        alpha=alpha,
        resamples=RESAMPLES,
        equivalent=equivalent,
        lead=plan.lead,
        unit=results[0].unit,
        n_clusters=whole.n_clusters,
        draws=tests.draws,
        n_tests=len(tests.adjusted),
        perfect={m: perfect_value(results[0], names[0], m) for m in plan.measures if better(m) == "nearer"},
        differences=tuple(d for d in differences if d.quantity.measure in plan.measures),
        tradeoffs=tuple(_tradeoffs(differences, labelled[1:], plan.lead)),
        standings=tuple(standings(overall, labelled)) if plan.whole else (),
        orders=tuple(orders(whole.only(ordered), labelled, tests, alpha=alpha)) if ordered else (),
        left_out=tuple(plan.left_out),
    )


@dataclass(frozen=True)
class _Plan:
    """What is compared."""

    measures: tuple[str, ...]
    lead: str
    """The measure of orders of models and of trade-offs."""
    kinds: list[Kind]
    """Compared in whole."""
    left_out: list[Kind]
    tested: list[Quantity]
    overall: list[Quantity]
    """The means of the lead in each kind, and of RankDistance."""

    @property
    def whole(self) -> bool:
        """Whether mono and multi are compared in whole, so that one can be set against the other."""
        return {"mono", "multi"} <= {*self.kinds}

    def of_means(self) -> _Plan:
        """The part of it that is about means."""
        return replace(self, tested=[quantity for quantity in self.tested if quantity.name == MEAN])

    def settings(self, results: Sequence[Result]) -> list[Setting]:
        """The settings that the results must have in common."""
        measured = [setting for result in results for setting in result.values if setting.kind in self.kinds]
        return list(dict.fromkeys([*measured, *(setting for quantity in self.tested for setting in quantity.settings)]))

    @classmethod
    def of(
        cls, results: Sequence[Result], names: Sequence[str], *, measures: Sequence[str], wanted: Sequence[str]
    ) -> _Plan:
        baseline = results[0]
        measures = tuple(dict.fromkeys(measures)) or (baseline.headline,)
        check_measures(results, names, [*measures, baseline.headline])
        common, left_out = common_kinds(results)
        if not common:
            raise ResultError(f"{', '.join(names)} have no kind of setting in common, so there is nothing to compare.")
        known = {str(setting): setting for setting in baseline.values if setting.kind in common}
        for name in wanted:
            if name not in common and name not in known:
                hint = "Not all of these results have it." if name in left_out else ""
                raise UnknownNameError("setting", name, [*common, *known], hint=hint)
        kinds = [kind for kind in common if kind in wanted or not wanted]
        single = [known[name] for name in dict.fromkeys(wanted) if name not in KINDS]
        tested: list[Quantity] = []
        for measure in measures:
            of_measure = quantities_of(baseline, measure, kinds, single)
            if not of_measure:
                there = dict.fromkeys(q.kind for q in quantities_of(baseline, measure, KINDS))
                raise UnknownNameError(f"setting of {measure}", ", ".join(wanted or common), there)
            tested += of_measure
        # RankDistance has none in mono: the headline then leads.
        both = [m for m in measures if quantities_of(baseline, m, ["mono"])]
        lead = baseline.headline if baseline.headline in both or not both else both[0]
        overall = quantities_of(baseline, lead, kinds)
        if {"mono", "multi"} <= {*kinds} and all(DISTANCE in r.summary.get("multi", {}) for r in results):
            of_distance = quantities_of(baseline, DISTANCE, ["multi"])
            overall += of_distance
            tested += of_distance if DISTANCE not in measures and lead in measures else []
        return cls(measures, lead, kinds, left_out, tested, [q for q in overall if q.name == MEAN])


@dataclass(frozen=True)
class _Judgement:
    """By what a difference is judged."""

    alpha: float
    equivalent: float | None
    lead: str


def _differences(study: Study, labelled: Sequence[str], tests: Tests, judged: _Judgement) -> list[Difference]:
    """Each model against the first in each quantity."""
    present = asked(study.values[0], study.weights)
    changes = [study.values[other] - study.values[0] for other in range(1, len(labelled))]
    intervals = difference_intervals(changes, study.weights, study.cluster, level=1 - judged.alpha)
    small = _equivalent(study, changes, judged)
    baseline, n_questions = study.means(0), present.sum(axis=0)
    differences = []
    for other, ends, is_small in zip(range(1, len(labelled)), intervals, small, strict=True):
        value, gain = study.means(other), study.goodness(other) - study.goodness(0)
        d_z = effect_sizes(study.parts[other] - study.parts[0], present)
        for k, quantity in enumerate(study.quantities):
            test = (0, other, quantity)
            verdict: Verdict = "equivalent" if is_small[k] else "cannot be told apart"
            differences.append(
                Difference(
                    model=labelled[other],
                    quantity=quantity,
                    baseline=float(baseline[k]),
                    value=float(value[k]),
                    interval=(float(ends[0, k]), float(ends[1, k])),
                    p=tests.p[test],
                    p_adjusted=tests.adjusted[test],
                    p_is_bound=tests.adjusted[test] <= tests.bound,
                    d_z=float(d_z[k]),
                    n_questions=int(n_questions[k]),
                    is_primary=quantity.measure == judged.lead and quantity.name == MEAN,
                    verdict=_verdict(quantity.measure, gain[k]) if tests.adjusted[test] <= judged.alpha else verdict,
                )
            )
    return differences


def _equivalent(study: Study, changes: Sequence[FloatArray], judged: _Judgement) -> list[BoolArray]:
    """Whether each difference is shown to be within the bound, ``bool[K]`` a model; none is without a bound.

    Two one-sided tests at alpha are an interval at the level 1 - 2 alpha within the bound; alpha is shared out among
    all that are tested (Bonferroni).
    """
    if judged.equivalent is None:
        return [np.zeros(len(study.quantities), bool)] * len(changes)
    alpha = judged.alpha / (len(changes) * len(study.quantities))
    ends = difference_intervals(
        changes, study.weights, study.cluster, level=1 - 2 * alpha, resamples=max(RESAMPLES, math.ceil(20 / alpha))
    )
    return [(low > -judged.equivalent) & (high < judged.equivalent) for low, high in ends]


def _verdict(measure: str, gain: float) -> Verdict:
    if better(measure) == "neither":
        return "higher" if gain > 0 else "lower"
    return "better" if gain > 0 else "worse"


def _tradeoffs(differences: Sequence[Difference], others: Sequence[str], lead: str) -> Iterator[Tradeoff]:
    """What each model gains or loses in mono and in multi, for the languages that have both, and in the mean."""
    by_quantity = {(d.model, d.quantity.measure, d.quantity.kind, d.quantity.name): d for d in differences}
    for model in others:
        for d in differences:
            mono = by_quantity.get((model, lead, "mono", d.quantity.name))
            if mono and (d.model, d.quantity.measure, d.quantity.kind) == (model, lead, "multi"):
                yield Tradeoff(
                    model, d.quantity.name, mono, d, by_quantity.get((model, DISTANCE, "multi", d.quantity.name))
                )
