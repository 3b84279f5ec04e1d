"""What a comparison says, as named records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from xlbench.settings import Kind

Verdict = Literal["better", "worse", "cannot be told apart"]
MEAN = "mean"
"""The name of the cell that is the macro mean of its kind."""


@dataclass(frozen=True)
class Cell:
    """One figure of each model: a measure in one or more settings."""

    measure: str
    kind: Kind
    name: str
    """``mean`` for all settings of the kind, a language for those that ask in it, or the name of a setting."""
    settings: tuple[str, ...]
    """The mean is over these: by language of the queries first, then over these languages."""


@dataclass(frozen=True)
class Difference:
    """One model against the baseline in one cell."""

    model: str
    cell: Cell
    baseline: float
    """Value of the baseline."""
    value: float
    """Value of the model."""
    interval: tuple[float, float]
    """Of the difference, at the level 1 - alpha; not corrected for the number of cells."""
    p: float
    p_adjusted: float
    """After Holm, over all cells of the comparison."""
    effect: float
    """Standardised mean difference over questions; NaN where all questions have the same difference."""
    n_questions: int
    verdict: Verdict

    @property
    def difference(self) -> float:
        """The model's value less the baseline's."""
        return self.value - self.baseline


@dataclass(frozen=True)
class Tradeoff:
    """What a model gains or loses against the baseline for one language: alone, and with all languages in the pool."""

    model: str
    name: str
    """``mean`` or a language."""
    mono: Difference
    multi: Difference
    distance: Difference | None
    """RankDistance; None where it is not measured."""


@dataclass(frozen=True)
class Standing:
    """A model's place among all, by its means in several cells at once."""

    model: str
    values: Mapping[str, float]
    """By kind and measure: ``mono AP``, ``multi AP``, ``multi RankDistance``, as far as they are measured."""
    dominated_by: tuple[str, ...]
    """Models that are nowhere worse and somewhere better."""


@dataclass(frozen=True)
class Ranked:
    """A model in an order of models."""

    model: str
    value: float
    groups: tuple[int, ...]
    """Numbers of its groups, from 0: two models with a group in common cannot be told apart."""


@dataclass(frozen=True)
class Ranking:
    """Models from the best to the worst, with the groups that cannot be told apart."""

    cell: Cell
    ranked: tuple[Ranked, ...]


@dataclass(frozen=True)
class Comparison:
    """Models against a baseline on one task."""

    task: str
    task_version: int
    missing_languages: Sequence[str]
    """Languages of the task that all results leave out."""
    baseline: str
    """Label of the baseline: its name, and what tells it from others of that name."""
    others: tuple[str, ...]
    measures: tuple[str, ...]
    alpha: float
    resamples: int
    draws: int
    """Sign flips of the test, where there are too many to take all."""
    n_tests: int
    """Cells over which p-values were corrected."""
    perfect: Mapping[str, float]
    """The perfect value of each measure of which the nearer value is better."""
    differences: tuple[Difference, ...]
    """Of the measures asked for: by model, measure, kind; the languages, then their mean."""
    tradeoffs: tuple[Tradeoff, ...]
    standings: tuple[Standing, ...]
    rankings: tuple[Ranking, ...]
    """With three or more models: in mono and in multi."""
    left_out: tuple[str, ...]
    """Kinds of setting that only some of the results have."""
