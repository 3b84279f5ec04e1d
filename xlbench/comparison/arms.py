"""Comparison of ways to train: models that differ in their seed alone are one arm, and arms are paired by seed.

Intervals and tests over questions say how sure a difference between two models is. Whether one way to train is better
than another is a question of all seeds: here the unit is the seed, and the questions are held fixed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xlbench import measures as known_measures
from xlbench.comparison.outcome import Verdict
from xlbench.comparison.refusals import check_comparable
from xlbench.errors import ResultError
from xlbench.results import Result
from xlbench.settings import KINDS
from xlbench.statistics.randomisation import holm
from xlbench.statistics.seeds import MeanOfSeeds, mean_of_seeds

_NAME = re.compile(r"(?P<arm>.*[^-_])[-_](?:seed[-_]?|s)?(?P<seed>\d+)(?P<rest>\+.*)?")


@dataclass(frozen=True)
class ArmFigure:
    """A value of an arm, or its difference from the baseline."""

    arm: str
    setting: str
    """A kind of setting, or the name of one."""
    measure: str
    over_seeds: MeanOfSeeds
    p_adjusted: float = np.nan
    """Of a difference: by Holm's method for all of them."""
    verdict: Verdict = "cannot be told apart"


@dataclass(frozen=True)
class SeedComparison:
    """Arms against the first of them."""

    task: str
    task_version: int
    baseline: str
    alpha: float
    equivalent: float | None
    figures: tuple[ArmFigure, ...]
    differences: tuple[ArmFigure, ...]
    """Of each arm but the baseline from it, over the seeds that both have."""


def compare_by_seed(
    results: Sequence[Result],
    *,
    names: Sequence[str],
    measures: Sequence[str] = (),
    settings: Sequence[str] = (),
    alpha: float = 0.05,
    equivalent: float | None = None,
) -> SeedComparison:
    """The comparison of arms; the first result is of the baseline. ``names`` are what errors call the results.

    A model's name says arm and seed: ``hybrid-0``, ``hybrid-seed0``, ``hybrid_s0``. A single arm has no differences.

    Raises:
        UnknownNameError: for a measure or a setting that a result does not have.
        ResultError: if a name has no seed, an arm has a seed twice, or results cannot be compared.

    """
    check_comparable(results, names)
    arms = _arms(results, names)
    chosen = list(measures) or [results[0].headline]
    wanted = list(settings) or [kind for kind in KINDS if kind in results[0].summary]
    figures, differences = [], []
    baseline, base = next(iter(arms.items()))
    for setting, measure in ((setting, measure) for measure in chosen for setting in wanted):
        if not settings and setting != "multi" and known_measures.of_bias(measure):
            continue
        values = {
            arm: {seed: result.value(setting, measure) for seed, result in by_seed.items()}
            for arm, by_seed in arms.items()
        }
        for arm, by_seed in values.items():
            over_seeds = mean_of_seeds(list(by_seed.values()), level=1 - alpha)
            figures.append(ArmFigure(arm, setting, measure, over_seeds))
            if arm == baseline:
                continue
            seeds = sorted({*by_seed} & {*base})
            if not seeds:
                raise ResultError(f"{arm} and {baseline} have no seed in common: expected the same seeds in both.")
            paired = [by_seed[seed] - values[baseline][seed] for seed in seeds]
            differences.append(ArmFigure(arm, setting, measure, mean_of_seeds(paired, level=1 - alpha)))
    return SeedComparison(
        results[0].task,
        results[0].task_version,
        baseline,
        alpha,
        equivalent,
        tuple(figures),
        tuple(_judged(differences, alpha, equivalent)),
    )


def _arms(results: Sequence[Result], names: Sequence[str]) -> Mapping[str, Mapping[int, Result]]:
    arms: dict[str, dict[int, Result]] = {}
    for result, name in zip(results, names, strict=True):
        model = str(result.model["name"])
        match = _NAME.fullmatch(model)
        if match is None:
            raise ResultError(f"{name} is of {model}, whose name does not end in a seed; expected such as hybrid-0.")
        by_seed = arms.setdefault(match["arm"] + (match["rest"] or ""), {})
        if int(match["seed"]) in by_seed:
            raise ResultError(f"{name} is the second result of {model}: expected one for each seed.")
        by_seed[int(match["seed"])] = result
    return arms


def _judged(differences: Sequence[ArmFigure], alpha: float, equivalent: float | None) -> list[ArmFigure]:
    """The differences with p-values adjusted for their number, and with verdicts; a single seed tells nothing apart."""
    tested = [i for i, of in enumerate(differences) if of.over_seeds.n > 1]
    adjusted = np.full(len(differences), np.nan)
    adjusted[tested] = holm(np.array([differences[i].over_seeds.p for i in tested]))
    return [
        ArmFigure(of.arm, of.setting, of.measure, of.over_seeds, float(p), _verdict(of, float(p), alpha, equivalent))
        for of, p in zip(differences, adjusted, strict=True)
    ]


def _verdict(of: ArmFigure, p: float, alpha: float, equivalent: float | None) -> Verdict:
    if equivalent is not None and -equivalent < of.over_seeds.low and of.over_seeds.high < equivalent:
        return "equivalent"
    if not p <= alpha:
        return "cannot be told apart"
    is_up = of.over_seeds.mean > 0
    direction = known_measures.better(of.measure)
    if direction in ("higher", "lower"):
        return "better" if is_up == (direction == "higher") else "worse"
    return "higher" if is_up else "lower"
