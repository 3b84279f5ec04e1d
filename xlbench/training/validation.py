"""Validation: the loss on pairs that are not trained on, and how well each setting finds their passages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.engine.scores import VectorScores
from xlbench.engine.search import rank
from xlbench.engine.vectors import Embeddings
from xlbench.measures import RECIPROCAL, get
from xlbench.settings import settings
from xlbench.training.data import Data
from xlbench.training.loss import Objective, PairLoss
from xlbench.training.plan import Plan
from xlbench.training.steps import Steps
from xlbench.training.tokens import Role, Tokeniser

_MOST_ROWS = 200
"""Rows of a file that are ranked, and whose loss is computed: enough to see a curve, and cheap."""
_PIECE = 64


@dataclass(frozen=True)
class Validation:
    """Measures a model on pair files, each by itself."""

    files: tuple[tuple[str, Data], ...]
    """By name; one file each."""
    plan: Plan
    """Its recipe, batch size and seed are those of the training."""
    objective: Objective
    tokeniser: Tokeniser

    def __call__(self) -> Mapping[str, float]:
        """``loss``, and for each file ``NAME_loss``, ``NAME_mono``, ``NAME_cross`` and ``NAME_multi``.

        The last three are RR, means over the settings of the kind.
        """
        model = self.tokeniser.model
        was_training = model.training
        model.eval()
        found: dict[str, float] = {}
        with torch.no_grad():
            for name, data in self.files:
                found[f"{name}_loss"] = self._loss(data)
                found |= {f"{name}_{kind}": value for kind, value in self._ranks(data).items()}
        model.train(was_training)
        return {"loss": float(np.mean([found[f"{name}_loss"] for name, _ in self.files])), **found}

    def _loss(self, data: Data) -> float:
        """The mean over the batches that the recipe makes of the file, always the same ones."""
        plan = replace(self.plan, presence=data.presence, uses=None)
        size = min(plan.size, plan.room())
        steps = Steps(data, replace(plan, size=size, steps=max(1, min(len(data.rows), _MOST_ROWS) // size)))
        loss = PairLoss(self.tokeniser.model, self.objective, cache_rows=_PIECE, piece_tokens=0, alone=True)
        device = self.tokeniser.model.device
        total = 0.0
        for step in range(len(steps)):
            inputs = _to(self.tokeniser.collate(steps[step]), device)
            total += float(loss(inputs["features"], inputs["labels"]))
        return total / len(steps)

    def _ranks(self, data: Data) -> dict[str, float]:
        """RR by kind of setting, of the first rows."""
        collection = _collection(data)
        scores = VectorScores(
            self._embedded(collection.queries, self.tokeniser.query),
            self._embedded(collection.passages, self.tokeniser.passage),
        )
        ranking = rank(collection, scores)
        reciprocal = get(RECIPROCAL)
        by_kind: dict[str, list[float]] = {}
        for setting in settings(("mono", "cross", "multi"), collection.asked, pooled=collection.pooled):
            ranks = ranking.ranks(setting)
            if len(ranks):
                by_kind.setdefault(setting.kind, []).append(float(reciprocal.value(ranks).mean()))
        return {kind: float(np.mean(values)) for kind, values in by_kind.items()}

    def _embedded(self, texts: Texts, role: Role) -> Embeddings:
        distinct = [texts.text[i] for i in texts.distinct.first]
        order = np.argsort([-len(text) for text in distinct], kind="stable")
        pieces = [
            self._vectors([distinct[i] for i in order[start : start + _PIECE]], role)
            for start in range(0, len(order), _PIECE)
        ]
        return Embeddings(np.concatenate(pieces)[np.argsort(order)], row=texts.distinct.row)

    def _vectors(self, texts: list[str], role: Role) -> npt.NDArray[np.float32]:
        tokens, order = self.tokeniser.tokens(tuple(texts), role)
        vectors = self.tokeniser.model(_to(tokens, self.tokeniser.model.device))["sentence_embedding"]
        found: npt.NDArray[np.float32] = torch.nn.functional.normalize(vectors.float(), dim=1)[order].cpu().numpy()
        return found


def _collection(data: Data) -> Collection:
    """The first rows as a collection: a query is answered by its row's passages and by those of its group."""
    rows, groups = data.rows[:_MOST_ROWS], data.group[:_MOST_ROWS].tolist()
    of_group: dict[int, list[str]] = {}
    passages = []
    for i, (row, group) in enumerate(zip(rows, groups, strict=True)):
        for language in (language for language in data.languages if language in row.passages):
            passages.append(Text(f"{language}:{i}", language, row.passages[language]))
            of_group.setdefault(group, []).append(passages[-1].id)
    asked = [
        (Text(f"{language}:{i}", language, row.queries[language]), group)
        for i, (row, group) in enumerate(zip(rows, groups, strict=True))
        for language in data.languages
        if language in row.queries
    ]
    judgements = [Judgement(query.id, passage, 1) for query, group in asked for passage in of_group.get(group, [])]
    return Collection.build(data.languages, [query for query, _ in asked], passages, judgements)


def _to(value: Any, device: torch.device) -> Any:
    """The same with all tensors on this device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: _to(part, device) for name, part in value.items()}
    return [_to(part, device) for part in value] if isinstance(value, list) else value
