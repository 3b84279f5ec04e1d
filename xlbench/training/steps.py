"""The batches of a run by step, and what they were made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlbench.errors import TrainingError
from xlbench.training.data import Batch, Data
from xlbench.training.hard_negatives import HardNegatives
from xlbench.training.plan import Batches, Plan
from xlbench.training.recipes import KINDS, Kind


class Steps:
    """The texts of each step, made when they are asked for; each process gets its part of them."""

    def __init__(
        self, data: Data, plan: Plan, *, hard: HardNegatives | None = None, part: int = 0, n_parts: int = 1
    ) -> None:
        self._data = data
        self._plan = plan
        self._hard = hard
        self._part, self._n_parts = part, n_parts
        self._epoch = -1
        self._batches: Batches | None = None

    def __len__(self) -> int:
        return self._plan.steps

    def __getitem__(self, step: int) -> Batch:
        epoch, number = divmod(step, self._plan.epoch_steps)
        if self._batches is None or epoch != self._epoch:
            self._epoch, self._batches = epoch, self._plan.epoch(epoch)
        losses = self._plan.recipe.stages[int(self._plan.schedule.stage[step])].losses
        batch = self._data.batch(self._batches, number, hard=self._hard, step=step, losses=losses)
        return batch.part(self._part, self._n_parts)


@dataclass(frozen=True)
class Used:
    """What the batches of some steps were made of."""

    n_epochs: int
    """Begun, not necessarily ended."""
    batches: dict[str, int]
    """By kind."""
    rows: list[int]
    """Uses of rows by file."""
    pairs: dict[str, int]
    """Uses by languages of query and passage, such as ``de>en``."""

    def shares(self) -> str:
        """The share of each kind of batch that the steps had, in words."""
        n = sum(self.batches.values())
        return ", ".join(f"{count / n:.3f} {kind} ({count:,})" for kind, count in self.batches.items())

    def identity(self) -> dict[str, Any]:
        """For the record of a run."""
        return {"epochs": self.n_epochs, "batches": self.batches, "rows": self.rows, "pairs": self.pairs}


def used(data: Data, plan: Plan, steps: int) -> Used:
    """What the first so many steps of a plan are made of."""
    done = 0
    kinds: Counter[str] = Counter()
    rows = np.zeros(len(data.files), np.int64)
    pairs = np.zeros((len(data.languages),) * 2, np.int64)
    n_epochs = -(-steps // plan.epoch_steps)
    for batches in map(plan.epoch, range(n_epochs)):
        here = slice(0, min(len(batches), steps - done))
        kinds.update(KINDS[kind] for kind in batches.kind[here].tolist())
        rows += np.bincount(data.file[batches.rows[here].ravel()], minlength=len(rows))
        np.add.at(pairs, (batches.query[here].ravel(), batches.passage[here].ravel()), 1)
        done += len(batches)
    counts = {
        f"{a}>{b}": int(pairs[i, j])
        for i, a in enumerate(data.languages)
        for j, b in enumerate(data.languages)
        if pairs[i, j]
    }
    return Used(n_epochs, {kind: kinds[kind] for kind in KINDS if kinds[kind]}, rows.tolist(), counts)


def check_shares(plan: Plan, batches: Mapping[Kind, int]) -> None:
    """Refuses batches of which some kind has another share than the recipe says.

    Raises:
        TrainingError: if a number of batches is off by more than three binomial deviations.

    """
    for kind in KINDS:
        mean, deviation = plan.expected(kind)
        n = batches.get(kind, 0)
        # Each stage has whole batches.
        if abs(n - mean) > 3 * deviation + len(plan.recipe.stages):
            raise TrainingError(
                f"{n:,} of {sum(batches.values()):,} batches are {kind}; the recipe {plan.recipe.name} expects "
                f"{mean:,.0f}, give or take {3 * deviation:,.0f}. Nothing was trained: please report this."
            )
