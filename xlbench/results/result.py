"""Result: the values of one model on one task with their provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xlbench.measures.ranks import Ranking
from xlbench.measures.values import QueryValues
from xlbench.settings import Kind, Setting

SCHEMA = 1


@dataclass(frozen=True)
class Result:
    """The values of one model on one task; ``files`` says how it is stored."""

    schema: int
    task: str
    task_version: int
    headline: str
    """The measure that sums up the task."""
    missing_languages: Sequence[str]
    """Languages of the task that were left out; empty if the result is whole."""
    model: Mapping[str, Any]
    """``name, revision, adapter, arguments``."""
    values: Mapping[Setting, Mapping[str, float]]
    """By setting and measure: the mean over the setting's queries."""
    queries: Mapping[Setting, int]
    """By setting: how many queries it has; a setting without any has no values."""
    summary: Mapping[Kind, Mapping[str, float]]
    """By kind of setting and measure: the macro mean; see ``summarise``."""
    intervals: Mapping[Setting | Kind, Mapping[str, Sequence[float]]]
    """By setting or kind, and measure: the lower and the upper end of the 95 % interval; see ``statistics``."""
    references: Mapping[str, Mapping[str, float]]
    """By measure of bias: its ``perfect`` and its ``random`` value in this collection, macro means."""
    matrices: Mapping[str, Mapping[str, Mapping[str, float]]]
    """``first_language`` and ``one_target`` of ``bias``, means by language of the query and of the passage."""
    alignment: Mapping[str, Any]
    """How close the vectors of parallel passages are; see ``alignment``. Empty for a model without vectors."""
    environment: Mapping[str, Any]
    timing: Mapping[str, float]
    """In seconds; ``encoded_share`` is the share of the texts that was encoded then, and not kept from an earlier run.

    The one part that differs between two equal runs.
    """
    per_query: tuple[QueryValues, ...] = field(default=(), compare=False)
    """Not in the JSON, but in the parquet file beside it; empty if ``load`` read the result, without that file."""
    ranking: Ranking | None = field(default=None, compare=False)
    """The evidence: the counts that all other figures but the alignment's follow from. Not in the JSON."""

    def is_of(self, *, task_version: int, model: Mapping[str, Any], settings: Sequence[Setting]) -> bool:
        """Whether this is the result of just such a run."""
        return (
            self.task_version == task_version
            and dict(self.model) == dict(model)
            and list(self.queries) == list(settings)
        )
