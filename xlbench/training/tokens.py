"""From the texts of a batch to tensors: tokens of each role, longest first, so that pieces hold little padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlbench.training.data import Batch

Tokens = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """How the texts of a role are encoded."""

    prompt: str
    task: str
    """As sentence-transformers calls the role."""
    max_length: int | None
    """In tokens, or None for the model's."""


@dataclass(frozen=True)
class Tokeniser:
    """Makes tensors with a model's own tokenizer."""

    model: Any
    query: Role
    passage: Role

    def collate(self, batch: Batch) -> dict[str, Any]:
        """The ``features`` and ``labels`` that ``PairLoss`` takes."""
        queries, query_order = self.tokens(batch.queries, self.query)
        passages, passage_order = self.tokens(batch.passages, self.passage)
        labels = {
            "query_order": query_order,
            "passage_order": passage_order,
            "groups": torch.from_numpy(batch.groups),
            "passage_groups": torch.from_numpy(batch.passage_groups),
            "scores": torch.from_numpy(batch.scores).float(),
            "has_parallel": torch.from_numpy(batch.has_parallel),
        }
        return {"features": [queries, passages], "labels": labels}

    def tokens(self, texts: tuple[str, ...], role: Role) -> tuple[Tokens, Tensor]:
        """The tokens of these texts, longest first, and where each text then is."""
        length = {} if role.max_length is None else {"max_length": role.max_length}
        tokens = self.model.preprocess(list(texts), prompt=role.prompt or None, task=role.task, **length)
        lengths = tokens["attention_mask"].sum(dim=1).numpy()
        order = torch.from_numpy(np.argsort(-lengths, kind="stable"))
        sorted_tokens = {
            name: value[order] if isinstance(value, Tensor) and value.ndim and len(value) == len(texts) else value
            for name, value in tokens.items()
        }
        return sorted_tokens, torch.argsort(order)
