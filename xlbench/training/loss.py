"""The loss: InfoNCE over cosine with temperature, in which no passage that may answer a query counts against it.

For a query q with the answer p among the passages P of the batch, positives of all rows and hard negatives (van den
Oord et al. 2018, arXiv 1807.03748):

    -log( exp(cos(q, p) / T) / sum over x in P of exp(cos(q, x) / T) )

where the sum leaves out each x but p that is a passage of q's group: the same passage under another row, its
translations, or the answer to the same question asked elsewhere. The loss is the mean over the queries.

sentence-transformers' ``MultipleNegativesRankingLoss`` has no such mask. Its gradient cache (Gao et al. 2021, arXiv
2101.06983) is used here as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from sentence_transformers.base.losses.gradcache import CachedLossMixin
from sentence_transformers.util import all_gather, all_gather_with_grad
from torch import Tensor
from torch.nn.functional import normalize


@dataclass(frozen=True)
class Objective:
    """What is minimised."""

    temperature: float
    symmetric: bool = False
    """Whether each passage has to find its query too; the loss is then the mean of both directions."""


class PairLoss(CachedLossMixin, torch.nn.Module):
    """The loss of a batch under a model, encoded in pieces of texts of like length.

    With ``cache_rows`` so many texts are encoded at a time, without keeping what the gradient needs: they are encoded
    again, piece by piece, when the gradient of their vectors is known. Else pieces have ``piece_tokens`` tokens.
    """

    def __init__(
        self, model: Any, objective: Objective, *, cache_rows: int | None, piece_tokens: int, alone: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.objective = objective
        self.mini_batch_size = cache_rows or 1
        self.mini_batch_num_tokens = None if cache_rows else piece_tokens
        self.cached = cache_rows is not None
        self.alone = alone
        """Whether the passages of other processes are no negatives."""
        self.losses = torch.empty(0)
        """``[queries]``, the loss of each query of the last batch."""

    def forward(self, features: list[dict[str, Tensor]], labels: Any) -> Tensor:
        """The mean loss of the queries of this process.

        ``features`` are the tokens of the queries and of the passages; they and the ``labels`` are what
        ``Tokeniser.collate`` gives.
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
        n = len(queries)
        groups, passage_groups = labels["groups"], labels["passage_groups"]
        first = 0
        if self._gathers():
            first = torch.distributed.get_rank() * len(passages)
            passages, passage_groups = all_gather_with_grad(passages), all_gather(passage_groups)
        own = first + torch.arange(n, device=queries.device)
        losses = _info_nce(queries, passages, _mask(groups, passage_groups, own), own, self.objective.temperature)
        if self.objective.symmetric:
            losses = (losses + self._backwards(queries, passages[own], groups)) / 2
        self.losses = losses.detach()
        loss = losses.mean()
        if with_backward:
            loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def _gathers(self) -> bool:
        return not self.alone and torch.distributed.is_available() and torch.distributed.is_initialized()

    def _backwards(self, queries: Tensor, passages: Tensor, groups: Tensor) -> Tensor:
        """The losses of the passages of this process, each with the queries of all. ``[queries]``."""
        all_queries, all_groups, first = queries, groups, 0
        if self._gathers():
            first = torch.distributed.get_rank() * len(queries)
            all_queries, all_groups = all_gather_with_grad(queries), all_gather(groups)
        own = first + torch.arange(len(queries), device=queries.device)
        return _info_nce(passages, all_queries, _mask(groups, all_groups, own), own, self.objective.temperature)


def _info_nce(texts: Tensor, others: Tensor, mask: Tensor, own: Tensor, temperature: float) -> Tensor:
    """The loss of each text, whose own other text is at ``own``. ``[texts]``."""
    scores = (texts @ others.T / temperature).masked_fill(mask, -torch.inf)  # [texts, others]
    return torch.nn.functional.cross_entropy(scores, own, reduction="none")


def _mask(groups: Tensor, other_groups: Tensor, own: Tensor) -> Tensor:
    """Which others count for nothing: those of a text's own group but its own, and those of nobody."""
    mask = (groups[:, None] == other_groups[None, :]) | (other_groups < 0)[None, :]  # [texts, others]
    return mask.scatter(1, own[:, None], value=False)
