"""The loss of a batch under a model: texts encoded in pieces, gathered from all processes, and given to the objective.

sentence-transformers' losses have no mask of linked rows, and want as many negatives for each row. Its gradient cache
(Gao et al. 2021, arXiv 2101.06983) is used here as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from sentence_transformers.base.losses.gradcache import CachedLossMixin
from sentence_transformers.util import all_gather, all_gather_with_grad
from torch import Tensor
from torch.nn.functional import normalize

from xlbench.training.objective import Objective, Seen, total
from xlbench.training.recipes import INFO_NCE, LossName


class PairLoss(CachedLossMixin, torch.nn.Module):
    """The loss of a batch under a model, encoded in pieces of texts of like length.

    With ``cache_rows`` so many texts are encoded at a time, without keeping what the gradient needs: they are encoded
    again, piece by piece, when the gradient of their vectors is known. Else pieces have ``piece_tokens`` tokens.
    """

    def __init__(self, model: Any, objective: Objective, *, cache_rows: int | None, piece_tokens: int) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.mini_batch_size = cache_rows or 1
        self.mini_batch_num_tokens = None if cache_rows else piece_tokens
        self.cached = cache_rows is not None
        self.weights: Mapping[LossName, float] = {INFO_NCE: 1.0}
        """Of the losses, in the batch at hand."""
        self.losses = torch.empty(0)
        """``[queries]``, the loss of each query of the last batch."""

    def forward(self, features: list[dict[str, Tensor]], labels: Any) -> Tensor:
        """The mean loss of the queries of this process.

        ``features`` are the tokens of the queries and of the passages; they and the ``labels`` are what
        ``Tokeniser.collate`` gives, and for a teacher what ``Teacher.targets`` does.
        """
        if self.cached:
            loss: Tensor = self.forward_cached(features, labels)
            return loss
        vectors = [
            [piece for piece, _ in self.embed_minibatch_iter(role, with_grad=True, copy_random_state=False)]
            for role in map(dict, features)
        ]
        return self.calculate_loss(vectors, labels)

    def calculate_loss(
        self,
        reps: list[list[Tensor]],
        labels: Any = None,
        *,
        with_backward: bool = False,
    ) -> Tensor:
        """The mean loss from the vectors of the pieces; ``with_backward`` propagates it back to them."""
        queries, passages = (
            normalize(torch.cat(pieces).float(), dim=1)[labels[f"{role}_order"]]
            for pieces, role in zip(reps, ("query", "passage"), strict=True)
        )
        n = len(labels["groups"])
        losses = total(self._seen(queries[:n], passages, queries[n:], labels), self.weights)
        self.losses = losses.detach()
        loss = losses.mean()
        if with_backward:
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def _seen(self, queries: Tensor, passages: Tensor, parallel: Tensor, labels: Any) -> Seen:
        """The vectors of all processes, as far as the objective asks for them."""
        all_queries, rank, gathered = queries, 0, {"all_groups": labels["groups"]}
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            rank = torch.distributed.get_rank()
            passages, all_queries = all_gather_with_grad(passages), all_gather_with_grad(queries)
            gathered = {
                "passage_groups": all_gather(labels["passage_groups"]),
                "all_groups": all_gather(labels["groups"]),
            }
        return Seen(self.objective, queries, passages, all_queries, parallel, rank, {**labels, **gathered})
