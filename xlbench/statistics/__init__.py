"""Certainty: intervals, tests and groups, with the question as the unit.

The questions of a collection are the same in all its languages, so that queries are not independent of each other: what
is resampled and what is swapped between two models is a question with all its queries. Questions are not independent
either: several ask about one paragraph, some share their answer's sentence, so that intervals by question are still
somewhat narrow.
"""

from xlbench.statistics.bootstrap import INTERVAL_DECIMALS, LEVEL, RESAMPLES, difference_intervals, intervals
from xlbench.statistics.groups import groups
from xlbench.statistics.question_values import Values, column_means, macro_weights, summary_weights
from xlbench.statistics.randomisation import DRAWS, asked, contributions, effect_sizes, holm, p_values

__all__ = [
    "DRAWS",
    "INTERVAL_DECIMALS",
    "LEVEL",
    "RESAMPLES",
    "Values",
    "asked",
    "column_means",
    "contributions",
    "difference_intervals",
    "effect_sizes",
    "groups",
    "holm",
    "intervals",
    "macro_weights",
    "p_values",
    "summary_weights",
]
