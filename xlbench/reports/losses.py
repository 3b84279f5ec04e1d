"""What the pool of all languages costs in AP, and why: rows that add up."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from xlbench.measures.bias import LOSSES
from xlbench.results import Result
from xlbench.settings import kind_of


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


def losses(result: Result) -> dict[str, Loss]:
    """By multilingual setting, and ``multi`` for their mean; empty if a part of it is not measured.

    All over the queries with an answer in their own language, for which alone the losses are defined: those of the
    monolingual setting. Without such a setting AP is over all queries.
    """
    found = {}
    for name, values in result.scores.items():
        if kind_of(name) == "multi" and {"AP", *LOSSES} <= values.keys():
            language = name.partition(">")[0]
            irrelevant, parallel = (values[measure] for measure in LOSSES)
            alone = result.scores.get(f"{language}>{language}", {}).get("AP", values["AP"] + irrelevant + parallel)
            found[name] = Loss(alone, irrelevant, parallel)
    if found:
        parts = zip(*((loss.mono, loss.irrelevant, loss.parallel) for loss in found.values()), strict=True)
        found["multi"] = Loss(*map(fmean, parts))
    return found
