"""compare_alike: those results of many that can be compared with the first, and why the others cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlbench.comparison.compare import compare_labelled
from xlbench.comparison.outcome import MEAN, Comparison, Difference
from xlbench.comparison.refusals import check_comparable, check_measures, check_per_query, check_queries, common_kinds
from xlbench.errors import XlbenchError
from xlbench.results import Result

Key = tuple[str, str, str, str]
"""Label of the model, kind of setting, measure, and name of the quantity: ``mean`` or a language."""


@dataclass(frozen=True)
class Tested:
    """What could be compared of several results."""

    comparison: Comparison | None
    """None if nothing could."""
    differences: Mapping[Key, Difference]
    letters: Mapping[Key, str]
    """The groups of models that cannot be told apart, for the means in which models have an order."""
    reasons: tuple[str, ...]
    """Why the others could not."""

    def verdict(self, key: Key) -> str:
        """The verdict, empty where there is none."""
        return self.differences[key].verdict if key in self.differences else ""


def compare_alike(results: Sequence[Result], labelled: Sequence[str], *, measures: Sequence[str]) -> Tested:
    """The comparison of the results with the first of them, by those of the measures that all of them have.

    A result that cannot be compared with the first is left out, with the reason.
    """
    kept, reasons = [0], []
    for i in range(1, len(results)):
        try:
            _check([results[0], results[i]], [labelled[0], labelled[i]])
            kept.append(i)
        except XlbenchError as error:
            reasons.append(str(error))
    comparison = None
    if len(kept) > 1:
        chosen, names = [results[i] for i in kept], [labelled[i] for i in kept]
        common = [m for m in measures if all(any(m in v for v in r.summary.values()) for r in chosen)]
        try:
            comparison = compare_labelled(chosen, names, names=names, measures=common)
        except XlbenchError as error:
            reasons.append(str(error))
    if comparison and comparison.left_out:
        reasons.append(f"Not all results have {' and '.join(comparison.left_out)} settings.")
    return Tested(
        comparison,
        differences={
            (d.model, d.quantity.kind, d.quantity.measure, d.quantity.name): d
            for d in (comparison.differences if comparison else ())
        },
        letters={
            (ranked.model, order.quantity.kind, order.quantity.measure, MEAN): ranked.letters
            for order in (comparison.orders if comparison else ())
            for ranked in order.ranked
        },
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _check(pair: Sequence[Result], names: Sequence[str]) -> None:
    """Returns if the second result can be compared with the first."""
    check_per_query(pair, names)
    check_comparable(pair, names)
    check_measures(pair, names, [pair[0].headline])
    kinds, _ = common_kinds(pair)
    settings = [setting for setting in pair[0].values if setting.kind in kinds]
    check_queries(pair, names, settings)
