"""Certainty: intervals, tests and groups, with the cluster as the unit.

Queries are not independent of each other: the questions of a collection are the same in all its languages, and several
are about one article. What is resampled, and what is swapped between two models, is a cluster with all of its queries.
On XQuAD-R, standard errors by article are 1.4 to 2.0 times those by question.
"""

from xlbench.statistics.bootstrap import (
    FEW_CLUSTERS,
    INTERVAL_DECIMALS,
    LEVEL,
    RESAMPLES,
    difference_intervals,
    intervals,
)
from xlbench.statistics.groups import groups
from xlbench.statistics.question_values import Values, by_cluster, column_means, macro_weights, summary_weights
from xlbench.statistics.randomisation import DRAWS, asked, contributions, effect_sizes, holm, p_values

__all__ = [
    "DRAWS",
    "FEW_CLUSTERS",
    "INTERVAL_DECIMALS",
    "LEVEL",
    "RESAMPLES",
    "Values",
    "asked",
    "by_cluster",
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
