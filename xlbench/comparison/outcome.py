"""What a comparison says, as named records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Literal

from xlbench.collection.clusters import counted
from xlbench.collection.sample import Sample
from xlbench.settings import Kind, Setting

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES = 10
Verdict = Literal["better", "worse", "higher", "lower", "equivalent", "cannot be told apart"]
"""``higher`` and ``lower`` of measures of which neither is better; ``equivalent`` only where a bound was given."""
MEAN = "mean"
"""The name of the quantity that is the macro mean of its kind."""


@dataclass(frozen=True)
class Quantity:
    """What is known of each model: a measure in one or more settings."""

    measure: str
    kind: Kind
    name: str
    """``mean`` for all settings of the kind, a language for those that ask in it, or the name of a setting."""
    settings: tuple[Setting, ...]
    """The mean is over these: by language of the queries first, then over these languages."""


@dataclass(frozen=True)
class Difference:
    """One model against the baseline in one quantity."""

    model: str
    quantity: Quantity
    baseline: float
    """Value of the baseline."""
    value: float
    """Value of the model."""
    interval: tuple[float, float]
    """Of the difference, at the level 1 - alpha; not corrected for the number of differences."""
    p: float
    p_adjusted: float
    """After Holm, over all tests of the comparison."""
    p_is_bound: bool
    """Whether ``p_adjusted`` is no more than an upper bound, as no draw was as extreme as what was found."""
    d_z: float
    """Standardised mean difference over questions; NaN where all questions have the same difference."""
    n_questions: int
    is_primary: bool
    """Whether it is a mean of the leading measure, and not exploratory."""
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
    """A model's place among all, by several means at once."""

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
    """Numbers of its groups, from 0: two models have one in common if and only if they are not told apart."""

    @property
    def letters(self) -> str:
        """Its groups as letters: ``a b``, and ``aa`` after ``z``."""
        return " ".join(map(_letter, self.groups))


def _letter(number: int) -> str:
    before, last = divmod(number, len(ascii_lowercase))
    return (_letter(before - 1) if before else "") + ascii_lowercase[last]


@dataclass(frozen=True)
class Order:
    """Models from the best to the worst, with the groups that cannot be told apart."""

    quantity: Quantity
    ranked: tuple[Ranked, ...]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Models against a baseline on one task.

    Example:
        >>> import xlbench
        >>> first, second = (
        ...     xlbench.evaluate("hash", "demo", arguments={"dimensions": n}, settings=["mono"], cache=None, quiet=True)
        ...     for n in (16, 512)
        ... )
        >>> list(xlbench.compare(first, second).to_frame()["verdict"])[-1]
        'better'

    """

    task: str
    task_version: int
    missing_languages: Sequence[str]
    """Languages of the task that all results leave out."""
    sample: Sample | None
    """How much of the task was drawn for all results; None if nothing was left out."""
    languages: tuple[str, ...]
    """Only queries in these languages count; empty if all do."""
    baseline: str
    """Label of the baseline: its name, and what tells it from others of that name."""
    others: tuple[str, ...]
    measures: tuple[str, ...]
    lead: str
    """The leading measure, the task's headline if it is compared; all but its means is exploratory."""
    unit: str
    """What intervals and tests draw: ``article``, ``page``, ``question``."""
    n_clusters: int
    """How many of these the questions belong to."""
    alpha: float
    equivalent: float | None
    """The largest difference that is negligible; None if nothing was tested for equivalence."""
    resamples: int
    draws: int
    """Sign flips of the test, where there are too many to take all."""
    n_tests: int
    """Tests over which p-values were corrected: differences from the baseline, and pairs of models in an order."""
    perfect: Mapping[str, float]
    """The perfect value of each measure of which the nearer value is better."""
    differences: tuple[Difference, ...]
    """Of the measures asked for: by model, measure, kind; the languages, then their mean."""
    tradeoffs: tuple[Tradeoff, ...]
    standings: tuple[Standing, ...]
    orders: tuple[Order, ...]
    """With three or more models: in mono and in multi."""
    left_out: tuple[str, ...]
    """Kinds of setting that only some of the results have."""

    @property
    def clusters(self) -> str:
        """What intervals and tests drew, ``48 articles``."""
        return counted(self.n_clusters, self.unit)

    def __repr__(self) -> str:
        """A line for each model, measure and kind of setting, at most twelve."""
        lines = [
            f"Comparison on {self.task}: {len(self.others)} against {self.baseline}, alpha {self.alpha:g}, "
            f"by {self.clusters}"
        ]
        means = [d for d in self.differences if d.quantity.name == MEAN or ">" in d.quantity.name]
        for d in means[:_MOST_LINES]:
            place = d.quantity.kind if d.quantity.name == MEAN else d.quantity.name
            low, high = d.interval
            lines.append(
                f"  {d.model}, {place} {d.quantity.measure}: {d.difference:+.3f} [{low:+.3f}, {high:+.3f}] {d.verdict}"
            )
        if len(means) > _MOST_LINES:
            lines.append(f"  and {len(means) - _MOST_LINES} more; see to_frame()")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """The differences as a pandas frame, a row each.

        ``setting`` is a kind for the mean of its settings, a language for the mean of those that ask in it, or a
        setting. ``low`` and ``high`` are the ends of the interval, which is not corrected; ``p_adjusted`` is, after
        Holm, over all tests. ``unit`` says what was drawn, and ``n_clusters`` how many of it there are.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "model": d.model,
                    "baseline": self.baseline,
                    "kind": d.quantity.kind,
                    "setting": d.quantity.kind if d.quantity.name == MEAN else d.quantity.name,
                    "measure": d.quantity.measure,
                    "baseline_value": d.baseline,
                    "value": d.value,
                    "difference": d.difference,
                    "low": d.interval[0],
                    "high": d.interval[1],
                    "p": d.p,
                    "p_adjusted": d.p_adjusted,
                    "d_z": d.d_z,
                    "n_questions": d.n_questions,
                    "unit": self.unit,
                    "n_clusters": self.n_clusters,
                    "is_primary": d.is_primary,
                    "verdict": d.verdict,
                }
                for d in self.differences
            ]
        )
