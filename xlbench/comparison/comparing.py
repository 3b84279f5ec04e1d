"""compare: from results to a Comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from xlbench.comparison.comparable import check_comparable, check_measures, check_queries, common_kinds, labels
from xlbench.comparison.records import MEAN, Cell, Comparison, Difference, Ranked, Ranking, Standing, Tradeoff, Verdict
from xlbench.comparison.study import Study, better, cells_of, perfect_value
from xlbench.errors import ResultError, UnknownNameError
from xlbench.results import Result
from xlbench.settings import KINDS, Kind, kind_of
from xlbench.statistics import (
    DRAWS,
    RESAMPLES,
    difference_intervals,
    effect_sizes,
    groups,
    holm,
    n_questions,
)

DISTANCE = "RankDistance"
_MANY_DRAWS = 100_000


def compare(
    baseline: Result,
    others: Sequence[Result],
    *,
    measures: Sequence[str] = (),
    settings: Sequence[str] = (),
    alpha: float = 0.05,
    names: Sequence[str] = (),
) -> Comparison:
    """The comparison of results with per-query scores: ``others`` against ``baseline``.

    ``measures`` are those of the cells, by default the task's headline; ``settings`` are kinds of setting or names of
    single ones, by default all kinds; ``names`` are what errors call the results, the baseline first.

    Raises:
        UnknownNameError: for a measure or a setting that no result has.
        ResultError: for results that cannot be compared.

    """
    results = [baseline, *others]
    names = list(names) or [f"the result of {result.model['name']}" for result in results]
    check_comparable(results, names)
    plan = _Plan.of(results, names, measures=measures, wanted=settings)
    check_queries(results, names, plan.settings(results))
    whole, labelled = (
        Study.of(results, names, list(dict.fromkeys([*plan.cells, *plan.overall]))),
        labels(results, names),
    )
    study, overall = whole.of_cells(plan.cells), whole.of_cells(plan.overall)
    n_tests = len(plan.cells) * len(others)
    draws = _enough_draws(n_tests, alpha)
    differences = _differences(study, labelled, alpha=alpha, draws=draws)
    return Comparison(
        task=baseline.task,
        task_version=baseline.task_version,
        missing_languages=tuple(baseline.missing_languages),
        baseline=labelled[0],
        others=tuple(labelled[1:]),
        measures=plan.measures,
        alpha=alpha,
        resamples=RESAMPLES,
        draws=draws,
        n_tests=n_tests,
        perfect={m: perfect_value(baseline, names[0], m) for m in plan.measures if better(m) == "nearer"},
        differences=tuple(d for d in differences if d.cell.measure in plan.measures),
        tradeoffs=tuple(_tradeoffs(differences, labelled[1:], plan.lead)),
        standings=tuple(_standings(overall, labelled)) if plan.whole else (),
        rankings=tuple(_rankings(overall, labelled, plan.lead, alpha=alpha)) if len(results) > 2 else (),
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
    cells: list[Cell]
    """Those that are tested."""
    overall: list[Cell]
    """The means of the lead in each kind, and of RankDistance."""

    @property
    def whole(self) -> bool:
        """Whether mono and multi are compared in whole, so that one can be set against the other."""
        return {"mono", "multi"} <= {*self.kinds}

    def settings(self, results: Sequence[Result]) -> list[str]:
        """The settings that the results must have in common."""
        found = [setting for result in results for setting in result.scores if kind_of(setting) in self.kinds]
        return list(dict.fromkeys([*found, *(setting for cell in self.cells for setting in cell.settings)]))

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
        known = [setting for setting in baseline.scores if kind_of(setting) in common]
        for name in wanted:
            if name not in common and name not in known:
                hint = "Not all of these results have it." if name in left_out else ""
                raise UnknownNameError("setting", name, [*common, *known], hint=hint)
        kinds = [kind for kind in common if kind in wanted or not wanted]
        single = [name for name in dict.fromkeys(wanted) if name not in KINDS]
        cells: list[Cell] = []
        for measure in measures:
            of_measure = cells_of(baseline, measure, kinds, single)
            if not of_measure:
                there = dict.fromkeys(cell.kind for cell in cells_of(baseline, measure, KINDS))
                raise UnknownNameError(f"setting of {measure}", ", ".join(wanted or common), there)
            cells += of_measure
        # RankDistance has none in mono: the headline then leads.
        both = [m for m in measures if cells_of(baseline, m, ["mono"])]
        lead = baseline.headline if baseline.headline in both or not both else both[0]
        overall = cells_of(baseline, lead, kinds)
        if {"mono", "multi"} <= {*kinds} and all(DISTANCE in r.summary.get("multi", {}) for r in results):
            of_distance = cells_of(baseline, DISTANCE, ["multi"])
            overall += of_distance
            cells += of_distance if DISTANCE not in measures and lead in measures else []
        return cls(measures, lead, kinds, left_out, cells, [cell for cell in overall if cell.name == MEAN])


def _enough_draws(n_tests: int, alpha: float) -> int:
    """So many draws that the smallest p-value they can give, times the number of tests, is well below alpha.

    A fiftieth of it, or a half where that takes too many.
    """
    return max(DRAWS, min(math.ceil(50 * n_tests / alpha), _MANY_DRAWS), math.ceil(2 * n_tests / alpha))


def _differences(study: Study, labelled: Sequence[str], *, alpha: float, draws: int) -> list[Difference]:
    """Each model against the first in each cell."""
    others = range(1, len(labelled))
    p = study.p_values([(0, other) for other in others], draws=draws)
    adjusted = holm(p.ravel()).reshape(p.shape)
    baseline = study.means(0)
    changes = [study.values[other] - study.values[0] for other in others]
    intervals = difference_intervals(changes, study.weights, level=1 - alpha)
    found = []
    for other, change, ends in zip(others, changes, intervals, strict=True):
        value, gain = study.means(other), study.goodness(other) - study.goodness(0)
        effect, n = effect_sizes(change, study.weights), n_questions(change, study.weights)
        found += [
            Difference(
                model=labelled[other],
                cell=cell,
                baseline=float(baseline[k]),
                value=float(value[k]),
                interval=(float(ends[0, k]), float(ends[1, k])),
                p=float(p[other - 1, k]),
                p_adjusted=float(adjusted[other - 1, k]),
                effect=float(effect[k]),
                n_questions=int(n[k]),
                verdict=_verdict(gain[k], adjusted[other - 1, k], alpha),
            )
            for k, cell in enumerate(study.cells)
        ]
    return found


def _verdict(gain: float, p: float, alpha: float) -> Verdict:
    if p > alpha:
        return "cannot be told apart"
    return "better" if gain > 0 else "worse"


def _tradeoffs(differences: Sequence[Difference], others: Sequence[str], lead: str) -> Iterator[Tradeoff]:
    """What each model gains or loses in mono and in multi, for the languages that have both, and in the mean."""
    found = {(d.model, d.cell.measure, d.cell.kind, d.cell.name): d for d in differences}
    for model in others:
        for d in differences:
            mono = found.get((model, lead, "mono", d.cell.name))
            if mono and (d.model, d.cell.measure, d.cell.kind) == (model, lead, "multi"):
                yield Tradeoff(model, d.cell.name, mono, d, found.get((model, DISTANCE, "multi", d.cell.name)))


def _standings(overall: Study, labelled: Sequence[str]) -> Iterator[Standing]:
    """Each model with the models that dominate it."""
    columns = [f"{cell.kind} {cell.measure}" for cell in overall.cells]
    kept = [k for k, cell in enumerate(overall.cells) if cell.kind != "cross"]
    good = np.stack([overall.goodness(model) for model in range(len(labelled))])[:, kept]
    for model, label in enumerate(labelled):
        means = overall.means(model)
        dominating = (good >= good[model]).all(axis=1) & (good > good[model]).any(axis=1)
        yield Standing(
            label,
            {columns[k]: float(means[k]) for k in kept},
            tuple(label for label, is_better in zip(labelled, dominating, strict=True) if is_better),
        )


def _rankings(overall: Study, labelled: Sequence[str], lead: str, *, alpha: float) -> Iterator[Ranking]:
    """The models from the best to the worst in each kind; all pairs of them are tested, corrected for their number."""
    kept = [k for k, cell in enumerate(overall.cells) if cell.measure == lead]
    models = range(len(labelled))
    pairs = list(combinations(models, 2))
    if not kept:
        return
    p = overall.p_values(pairs, draws=_enough_draws(len(pairs) * len(kept), alpha))[:, kept]
    adjusted = holm(p.ravel()).reshape(p.shape)
    means, good = ([of(model) for model in models] for of in (overall.means, overall.goodness))
    for at, k in enumerate(kept):
        order = sorted(models, key=lambda model: -good[model][k])
        apart = np.zeros((len(models), len(models)), bool)
        for (a, b), p_pair in zip(pairs, adjusted[:, at], strict=True):
            apart[[a, b], [b, a]] = p_pair <= alpha
        runs = groups(apart[np.ix_(order, order)])
        yield Ranking(
            overall.cells[k],
            tuple(
                Ranked(labelled[m], float(means[m][k]), tuple(g for g, run in enumerate(runs) if place in run))
                for place, m in enumerate(order)
            ),
        )
