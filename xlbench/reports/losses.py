"""What the pool of all languages costs in AP, and why: rows that add up."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from xlbench.measures import LOSSES, PRECISION
from xlbench.results import Result
from xlbench.settings import Kind, Setting


@dataclass(frozen=True)
class Loss:
    """AP of one language by itself, and what of it is lost in the pool of all."""

    mono: float
    irrelevant: float
    parallel: float

    @property
    def total(self) -> float:
        """The whole loss."""
        return self.irrelevant + self.parallel

    @property
    def multi(self) -> float:
        """AP in the pool of all languages."""
        return self.mono - self.total


def losses(result: Result) -> dict[Setting | Kind, Loss]:
    """By multilingual setting, and ``multi`` for their mean; empty if a part of it is not measured.

    All over the queries with an answer in their own language, for which alone the losses are defined: those of the
    monolingual setting. Without such a setting AP is over all queries.
    """
    parts: dict[Setting | Kind, Loss] = {}
    for setting, values in result.values.items():
        if setting.kind == "multi" and {PRECISION, *LOSSES} <= values.keys():
            mono = result.values.get(Setting(setting.query, setting.query), {})
            irrelevant, parallel = (values[measure] for measure in LOSSES)
            parts[setting] = Loss(mono.get(PRECISION, values[PRECISION] + irrelevant + parallel), irrelevant, parallel)
    if parts:
        columns = zip(*((loss.mono, loss.irrelevant, loss.parallel) for loss in parts.values()), strict=True)
        parts["multi"] = Loss(*map(fmean, columns))
    return parts
