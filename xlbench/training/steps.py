"""The batches of a run by step, and what they were made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlbench.training.data import Batch, Data
from xlbench.training.plan import Batches, Plan
from xlbench.training.recipes import KINDS


class Steps:
    """The texts of each step, made when they are asked for; each process gets its part of them."""

    def __init__(self, data: Data, plan: Plan, *, n_negatives: int = 0, part: int = 0, n_parts: int = 1) -> None:
        self._data = data
        self._plan = plan
        self._n_negatives = n_negatives
        self._part, self._n_parts = part, n_parts
        self._epochs: Iterator[Batches] = iter(())
        self._first, self._batches = 0, None  # type: tuple[int, Batches | None]

    def __len__(self) -> int:
        return self._plan.steps

    def __getitem__(self, step: int) -> Batch:
        if self._batches is None or step < self._first:
            self._epochs = self._plan.batches()
            self._first, self._batches = 0, next(self._epochs)
        while step >= self._first + len(self._batches):
            self._first, self._batches = self._first + len(self._batches), next(self._epochs)
        batch = self._data.batch(self._batches, step - self._first, n_negatives=self._n_negatives)
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

    def identity(self) -> dict[str, Any]:
        """For the record of a run."""
        return {"epochs": self.n_epochs, "batches": self.batches, "rows": self.rows, "pairs": self.pairs}


def used(data: Data, plan: Plan, steps: int) -> Used:
    """What the first so many steps of a plan are made of."""
    n_epochs = done = 0
    kinds: Counter[str] = Counter()
    rows = np.zeros(len(data.files), np.int64)
    pairs = np.zeros((len(data.languages),) * 2, np.int64)
    epochs = plan.batches()
    while done < steps:
        batches = next(epochs)
        here = slice(0, min(len(batches), steps - done))
        kinds.update(KINDS[kind] for kind in batches.kind[here].tolist())
        rows += np.bincount(data.file[batches.rows[here].ravel()], minlength=len(rows))
        np.add.at(pairs, (batches.query[here].ravel(), batches.passage[here].ravel()), 1)
        done, n_epochs = done + len(batches), n_epochs + 1
    counts = {
        f"{a}>{b}": int(pairs[i, j])
        for i, a in enumerate(data.languages)
        for j, b in enumerate(data.languages)
        if pairs[i, j]
    }
    return Used(n_epochs, {kind: kinds[kind] for kind in KINDS if kinds[kind]}, rows.tolist(), counts)
