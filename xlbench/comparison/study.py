"""Study: the quantities of a comparison, as arrays over questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlbench import measures
from xlbench.arrays import FloatArray, IntArray
from xlbench.comparison.outcome import MEAN, Quantity
from xlbench.errors import ResultError
from xlbench.measures.values import QueryValues
from xlbench.results import Result
from xlbench.settings import Kind, Setting
from xlbench.statistics import Values, by_cluster, contributions, macro_weights, p_values


def quantities_of(
    result: Result, measure: str, kinds: Sequence[Kind], single: Sequence[Setting] = ()
) -> list[Quantity]:
    """What is known by a measure: for each kind its languages and their mean, then these settings by themselves."""
    having = [setting for setting, values in result.values.items() if measure in values]
    quantities = []
    for kind in kinds:
        settings = [setting for setting in having if setting.kind == kind]
        asked = list(dict.fromkeys(setting.query for setting in settings))
        for language in asked if len(asked) > 1 else ():
            of_language = tuple(setting for setting in settings if setting.query == language)
            quantities.append(Quantity(measure, kind, language, of_language))
        if settings:
            quantities.append(Quantity(measure, kind, MEAN, tuple(settings)))
    there = {quantity.settings for quantity in quantities}
    more = (setting for setting in single if setting in having and (setting,) not in there)
    return [*quantities, *(Quantity(measure, setting.kind, str(setting), (setting,)) for setting in more)]


@dataclass(frozen=True)
class Study:
    """The values of several models of the same quantities and for the same questions."""

    quantities: tuple[Quantity, ...]
    """``K`` of them."""
    values: tuple[FloatArray, ...]
    """One ``[Q, C]`` a model: by question, and by setting and measure; NaN in the same places."""
    weights: FloatArray
    """``[C, K]``."""
    parts: tuple[FloatArray, ...]
    """One ``[Q, K]`` a model: what each question adds to each quantity, which is their sum."""
    cluster: IntArray
    """``[Q]``, which of the clusters each question belongs to."""
    perfect: FloatArray
    """``[K]``, the perfect value; NaN unless the nearer value is better."""
    direction: FloatArray
    """``[K]``, -1 where lower values are better, else 1."""

    @classmethod
    def of(cls, results: Sequence[Result], names: Sequence[str], quantities: Sequence[Quantity]) -> Study:
        """The study of these quantities in results that have the same queries in them.

        Raises:
            ResultError: if a measure is defined for a query in one result and not in another.

        """
        wanted: dict[Setting, list[str]] = {}
        for quantity in quantities:
            for setting in quantity.settings:
                if quantity.measure not in wanted.setdefault(setting, []):
                    wanted[setting].append(quantity.measure)
        of_results = [Values.of(list(_chosen(result, wanted))) for result in results]
        columns = of_results[0].columns
        defined = np.isfinite(of_results[0].value)
        for other, name in zip(of_results[1:], names[1:], strict=True):
            differs = (defined != np.isfinite(other.value)).any(axis=0)
            if differs.any():
                setting, measure = columns[int(differs.argmax())]
                raise ResultError(
                    f"{measure} in '{setting}' is defined for other queries in {names[0]} than in {name}: the data of "
                    "one of them was changed. Run both again with --force."
                )
        column = {key: i for i, key in enumerate(columns)}
        weights = np.stack(
            [macro_weights(columns, [column[setting, q.measure] for setting in q.settings]) for q in quantities], axis=1
        )
        return cls(
            quantities=tuple(quantities),
            values=tuple(values.value for values in of_results),
            weights=weights,
            parts=tuple(contributions(values.value, weights) for values in of_results),
            cluster=of_results[0].cluster,
            perfect=np.array([perfect_value(results[0], names[0], q.measure) for q in quantities]),
            direction=np.array([-1.0 if measures.better(q.measure) == "lower" else 1.0 for q in quantities]),
        )

    @property
    def n_clusters(self) -> int:
        """How many clusters the questions belong to."""
        return int(self.cluster.max(initial=-1)) + 1

    def only(self, quantities: Sequence[Quantity]) -> Study:
        """The study of some of the quantities."""
        kept = [self.quantities.index(quantity) for quantity in quantities]
        return replace(
            self,
            quantities=tuple(quantities),
            weights=self.weights[:, kept],
            parts=tuple(part[:, kept] for part in self.parts),
            perfect=self.perfect[kept],
            direction=self.direction[kept],
        )

    def means(self, model: int) -> FloatArray:
        """The value of each quantity, ``float64[K]``."""
        means: FloatArray = self.parts[model].sum(axis=0)
        return means

    def goodness(self, model: int) -> FloatArray:
        """The value of each quantity turned so that more is better, ``float64[K]``."""
        means = self.means(model)
        return np.where(np.isnan(self.perfect), self.direction * means, -np.abs(means - self.perfect))

    def p_values(self, pairs: Sequence[tuple[int, int]], *, draws: int) -> FloatArray:
        """The p-value of each pair of models in each quantity, ``float64[len(pairs), K]``.

        Where the nearer value is better, it is that of the difference of the two distances from the perfect value c.
        A swap keeps m, the mean of the two models, so that with their difference S the distances differ by
        ``| |m + S/2 - c| - |m - S/2 - c| | = min(|S|, 2 |m - c|)``.
        """
        differences = [self.parts[b] - self.parts[a] for a, b in pairs]
        sums = np.stack([np.abs(difference.sum(axis=0)) for difference in differences])
        means = np.stack([self.means(model) for model in range(len(self.parts))])
        middle = np.stack([(means[a] + means[b]) / 2 for a, b in pairs])
        reached = np.where(np.isnan(self.perfect), sums, np.minimum(sums, 2 * np.abs(middle - self.perfect)))
        drawn = by_cluster(np.hstack(differences), self.cluster)
        return p_values(drawn, threshold=reached.ravel(), draws=draws).reshape(len(pairs), -1)


def perfect_value(result: Result, name: str, measure: str) -> float:
    """The perfect value of a measure of which the nearer value is better, NaN for other measures.

    Raises:
        ResultError: if the result does not say it.

    """
    if measures.better(measure) != "nearer":
        return float("nan")
    try:
        return float(result.references[measure]["perfect"])
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(
            f"{name} has no perfect value of {measure} in 'references', but the nearer value is the better one. "
            "Run again with --force."
        ) from error


def _chosen(result: Result, wanted: dict[Setting, list[str]]) -> Iterator[QueryValues]:
    of_setting = {scores.setting: scores for scores in result.per_query}
    for setting, names in wanted.items():
        scores = of_setting[setting]
        yield replace(scores, values={measure: scores.values[measure] for measure in names})
