"""From the texts of a batch to tensors: tokens of each role, longest first, so that pieces hold little padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlbench.arrays import RowArray
from xlbench.errors import TrainingError
from xlbench.training.data import Batch, SourcePrompts

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
    sources: tuple[SourcePrompts, ...] = ()
    """By file; empty if all texts have the prompts of their roles."""

    def with_sources(self, sources: tuple[SourcePrompts, ...]) -> Tokeniser:
        """The same with prompts by file.

        Raises:
            TrainingError: if there are some, and the model pools without its prompt, which must be one for that.

        """
        if sources and not all(getattr(module, "include_prompt", True) for module in self.model):
            raise TrainingError(
                "The model leaves its prompt out when it pools, so that all texts of a role need the same: leave "
                "--pairs-prompt out."
            )
        return replace(self, sources=sources)

    def collate(self, batch: Batch) -> dict[str, Any]:
        """The ``features`` and ``labels`` that ``PairLoss`` takes."""
        n = max(len(batch), 1)
        of_queries = np.tile(batch.source, len(batch.queries) // n)
        of_passages = np.concatenate([batch.source, np.repeat(batch.source, len(batch.passages) // n - 1)])
        prompts = [self.query.prompt if one.query is None else one.query for one in self.sources]
        queries, query_order = self.tokens(_prompted(batch.queries, of_queries, prompts), self.query)
        prompts = [self.passage.prompt if one.passage is None else one.passage for one in self.sources]
        passages, passage_order = self.tokens(_prompted(batch.passages, of_passages, prompts), self.passage)
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
        """The tokens of these texts, longest first, and where each then is; with the role's prompt if all have that."""
        length = {} if role.max_length is None else {"max_length": role.max_length}
        prompt = None if self.sources else role.prompt or None
        tokens = self.model.preprocess(list(texts), prompt=prompt, task=role.task, **length)
        lengths = tokens["attention_mask"].sum(dim=1).numpy()
        order = torch.from_numpy(np.argsort(-lengths, kind="stable"))
        sorted_tokens = {
            name: value[order] if isinstance(value, Tensor) and value.ndim and len(value) == len(texts) else value
            for name, value in tokens.items()
        }
        return sorted_tokens, torch.argsort(order)


def _prompted(texts: tuple[str, ...], source: RowArray, prompts: Sequence[str]) -> tuple[str, ...]:
    """The texts, each after the prompt of its file; as they are if files have none."""
    if not prompts:
        return texts
    return tuple(prompts[of] + text for of, text in zip(source.tolist(), texts, strict=True))
