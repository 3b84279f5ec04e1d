"""The tables of a comparison by seed, and what its figures are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from xlbench.comparison.arms import ArmFigure, SeedComparison
from xlbench.reports.cells import EMPTY, Cell, Table, row
from xlbench.reports.comparison_tables import signed
from xlbench.reports.formats import Record
from xlbench.reports.words import KIND_TITLES
from xlbench.results.shown import number


def seed_tables(by_seed: SeedComparison) -> list[Table]:
    """The means of the arms, and their differences from the baseline if there are other arms."""
    columns = list(dict.fromkeys((of.setting, of.measure) for of in by_seed.figures))
    arms = dict.fromkeys(of.arm for of in by_seed.figures)
    means = {(of.arm, of.setting, of.measure): of for of in by_seed.figures}
    tables = [
        Table(
            f"{by_seed.task}: means over seeds",
            ("arm", *(f"{_title(setting)} {measure}" for setting, measure in columns), "seeds"),
            tuple(
                row(arm, *(_mean(means[arm, *column]) for column in columns), means[arm, *columns[0]].over_seeds.n)
                for arm in arms
            ),
        ),
        Table(
            f"{by_seed.task}: differences from {by_seed.baseline}, of models with the same seed",
            ("arm", "", "difference", "p", "verdict", "seeds"),
            tuple(
                row(
                    of.arm,
                    f"{_title(of.setting)} {of.measure}",
                    _mean(of, signed),
                    EMPTY if math.isnan(of.p_adjusted) else Cell(_p(of.p_adjusted), of.p_adjusted),
                    of.verdict,
                    of.over_seeds.n,
                )
                for of in by_seed.differences
            ),
            " ".join(explanation(by_seed)),
        ),
    ]
    return tables if by_seed.differences else tables[:1]


def explanation(by_seed: SeedComparison) -> list[str]:
    """What brackets and p are, and what they do not show."""
    n = len(by_seed.differences)
    said = [
        f"Brackets: {100 * (1 - by_seed.alpha):g} % t intervals over seeds, not corrected for their number.",
        *([f"p: paired t tests over seeds, corrected by Holm's method for all {n}."] if n else []),
        "What is asked is held fixed: the figures are of this collection, and of models trained on the same data.",
    ]
    if by_seed.equivalent is not None:
        said.append(f"equivalent: the interval lies within {number(by_seed.equivalent, '')} of 0.")
    return said


def seed_records(by_seed: SeedComparison) -> list[Record]:
    """One record for each mean and each difference, in full precision."""
    return [
        {"task": by_seed.task, "task_version": by_seed.task_version, "arm": of.arm, "baseline": baseline}
        | {"setting": of.setting, "measure": of.measure, "mean": of.over_seeds.mean, "n_seeds": of.over_seeds.n}
        | {name: _known(getattr(of.over_seeds, name)) for name in ("low", "high", "deviation")}
        | {"p_adjusted": _known(of.p_adjusted), "verdict": of.verdict if baseline else None}
        for baseline, figures in ((None, by_seed.figures), (by_seed.baseline, by_seed.differences))
        for of in figures
    ]


def sentences(by_seed: SeedComparison) -> list[str]:
    """One sentence for each arm."""
    arms = dict.fromkeys(of.arm for of in by_seed.differences)
    return [
        f"{arm} against {by_seed.baseline} on {by_seed.task}: {', '.join(_parts(by_seed.differences, arm))}."
        for arm in arms
    ]


def _parts(differences: Sequence[ArmFigure], arm: str) -> list[str]:
    chosen = [of for of in differences if of.arm == arm]
    return [f"{of.setting} {of.measure} {of.verdict} ({_mean(of, signed).figure})" for of in chosen]


def _title(setting: str) -> str:
    return {str(kind): title for kind, title in KIND_TITLES.items()}.get(setting, setting)


def _mean(of: ArmFigure, show: Callable[[float, str], str] = number) -> Cell:
    seeds = of.over_seeds
    values = (seeds.mean, seeds.low, seeds.high)
    shown, low, high = (show(value, of.measure) for value in values)
    return Cell(shown, seeds.mean) if seeds.n < 2 else Cell(f"{shown} [{low}, {high}]", seeds.mean, values[1:])


def _p(p: float) -> str:
    return "<.001" if p < 0.001 else number(p, "")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
