"""What is minimised: losses by name, each a function of the vectors of a batch, and the sum that a run takes of them.

``info-nce``: for a query q with the answer p among the passages P of the batch, the answers of all rows and hard
negatives (van den Oord et al. 2018, arXiv 1807.03748),

    -log( exp(cos(q, p) / T) / sum over x in P of exp(cos(q, x) / T) )

where the sum leaves out each x but p that is a passage of q's group: the same passage under another row, its
translations, or the answer to the same question asked elsewhere.

``margin-mse`` and ``kl`` take the scores t of another model for a row's answer and hard negatives, beside s = cos / T,
the mean over negatives n of ((s(p) - s(n)) - (t(p) - t(n)))^2 (Hofstätter et al. 2020, arXiv 2010.02666), and the
Kullback-Leibler divergence of softmax(s) from softmax(t) over answer and negatives.

``teacher``: half of |q - q'|^2 + |p - p'|^2, of unit vectors, where q' and p' are those that a teacher gives the
English query and passage of the row (after MIMO, arXiv 2605.31171).

``parallel``: the mean of both Kullback-Leibler divergences between the distributions softmax(cos / T) over the passages
of the batch for a query and for the same query in another language (after LaKDA, arXiv 2509.06195).

Each gives a value for each query, 0 where a row lacks what it needs, so that the mean is the same over several
processes. Over the sizes of ``--matryoshka`` the sum is taken, of vectors cut at each and made unit vectors again
(Kusupati et al. 2022, arXiv 2205.13147).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, normalize

from xlbench.training.recipes import INFO_NCE, LossName

_LEAST = -1e4
"""A score that no probability is left of."""


@dataclass(frozen=True)
class Objective:
    """What is minimised, but for the weights of the losses, which a recipe has by stage."""

    temperature: float
    symmetric: bool = False
    """Whether in ``info-nce`` each passage has to find its query too: the mean of both directions."""
    dimensions: tuple[int, ...] = ()
    """The sizes at which vectors are cut; empty for the whole vectors alone."""


@dataclass(frozen=True)
class Seen:
    """The unit vectors of a batch, and what is known of its texts."""

    objective: Objective
    queries: Tensor
    """``[queries, D]``, of this process."""
    passages: Tensor
    """``[passages, D]``, of all processes: of each, the answers and then the negatives."""
    all_queries: Tensor
    """``[all queries, D]``"""
    parallel: Tensor
    """``[queries, D]``, the same queries in another language, as far as the batch has them; else ``[0, D]``."""
    rank: int
    """The number of this process."""
    labels: Mapping[str, Tensor]
    """``groups`` of the queries, ``all_groups``, ``passage_groups``; ``scores`` ``[queries, 1 + negatives]``;
    ``query_targets`` and ``passage_targets`` ``[queries, D]``; NaN stands for what is not known."""

    def cut(self, size: int) -> Seen:
        """The same in the first dimensions."""
        targets = {
            name: normalize(value[:, :size], dim=1) for name, value in self.labels.items() if name.endswith("_targets")
        }
        queries, passages, all_queries, parallel = (
            normalize(vectors[:, :size], dim=1)
            for vectors in (self.queries, self.passages, self.all_queries, self.parallel)
        )
        labels = {**self.labels, **targets}
        return Seen(self.objective, queries, passages, all_queries, parallel, self.rank, labels)

    def own(self, n_each: int) -> Tensor:
        """``[queries]``, the place of each query's own text among those of all processes, which have so many each."""
        return self.rank * n_each + torch.arange(len(self.queries), device=self.queries.device)

    @property
    def n_passages(self) -> int:
        """Passages of each process."""
        return len(self.passages) * len(self.queries) // len(self.all_queries)

    def candidates(self) -> Tensor:
        """``[queries, 1 + negatives, D]``, the passages of each row: its answer, then its negatives."""
        n, each = len(self.queries), self.n_passages
        mine = self.passages[self.rank * each : (self.rank + 1) * each]
        negatives = mine[n:].reshape(n, each // n - 1, mine.shape[1])
        return torch.cat([mine[:n, None], negatives], dim=1)

    def logits(self) -> Tensor:
        """``[queries, 1 + negatives]``: cos / T of each query with its answer and its negatives."""
        return torch.einsum("qd,qpd->qp", self.queries, self.candidates()) / self.objective.temperature


def total(seen: Seen, weights: Mapping[LossName, float]) -> Tensor:
    """``[queries]``, the sum of the losses by their weights, over the sizes of the vectors."""
    sizes = seen.objective.dimensions or (seen.queries.shape[1],)
    parts = [seen if size == seen.queries.shape[1] else seen.cut(size) for size in sizes]
    terms = [weight * LOSSES[name](part) for part in parts for name, weight in weights.items()]
    return torch.stack(terms).sum(dim=0)


def info_nce(seen: Seen) -> Tensor:
    """InfoNCE over cosine, in which no passage that may answer a query counts against it. ``[queries]``."""
    groups, temperature = seen.labels["groups"], seen.objective.temperature
    own = seen.own(seen.n_passages)
    losses = _info_nce(seen.queries, seen.passages, _mask(groups, seen.labels["passage_groups"], own), own, temperature)
    if not seen.objective.symmetric:
        return losses
    asked = seen.own(len(seen.queries))
    mask = _mask(groups, seen.labels["all_groups"], asked)
    return (losses + _info_nce(seen.passages[own], seen.all_queries, mask, asked, temperature)) / 2


def margin_mse(seen: Seen) -> Tensor:
    """The squared differences of margins between answer and negatives, their mean over a row. ``[queries]``."""
    scores, logits = seen.labels["scores"], seen.logits()
    wanted = scores[:, :1] - scores[:, 1:]
    known = wanted.isfinite()
    errors = ((logits[:, :1] - logits[:, 1:]) - wanted.nan_to_num()) ** 2
    return (errors * known).sum(dim=1) / known.sum(dim=1).clamp(min=1)


def kl(seen: Seen) -> Tensor:
    """The divergence of the model's distribution over answer and negatives from that of the scores. ``[queries]``."""
    scores = seen.labels["scores"]
    known = scores.isfinite()
    whole = known[:, 0] & known[:, 1:].any(dim=1)
    known = known | ~whole[:, None]
    logits = log_softmax(seen.logits().masked_fill(~known, -torch.inf), dim=1).masked_fill(~known, 0)
    wanted = log_softmax(scores.nan_to_num().masked_fill(~known, -torch.inf), dim=1)
    return (wanted.exp() * (wanted.masked_fill(~known, 0) - logits)).sum(dim=1) * whole


def teacher(seen: Seen) -> Tensor:
    """Half the squared distances of query and answer from the teacher's vectors. ``[queries]``."""
    answers = seen.candidates()[:, 0]
    losses = torch.zeros(len(answers), device=answers.device)
    for vectors, targets in ((seen.queries, "query_targets"), (answers, "passage_targets")):
        wanted = seen.labels[targets]
        known = wanted.isfinite().all(dim=1)
        losses = losses + ((vectors - wanted.nan_to_num()) ** 2).sum(dim=1) * known / 2
    return losses


def parallel(seen: Seen) -> Tensor:
    """The mean of both divergences between the distributions of a query in two languages. ``[queries]``."""
    nobody = (seen.labels["passage_groups"] < 0)[None, :]
    one, other = (
        log_softmax((vectors @ seen.passages.T / seen.objective.temperature).masked_fill(nobody, _LEAST), dim=1)
        for vectors in (seen.queries, seen.parallel)
    )
    divergence = ((one.exp() - other.exp()) * (one - other)).sum(dim=1) / 2
    return divergence * seen.labels["has_parallel"]


LOSSES: Mapping[LossName, Callable[[Seen], Tensor]] = {
    INFO_NCE: info_nce,
    "margin-mse": margin_mse,
    "kl": kl,
    "teacher": teacher,
    "parallel": parallel,
}


def _info_nce(texts: Tensor, others: Tensor, mask: Tensor, own: Tensor, temperature: float) -> Tensor:
    """The loss of each text, whose own other text is at ``own``. ``[texts]``."""
    scores = (texts @ others.T / temperature).masked_fill(mask, -torch.inf)  # [texts, others]
    return cross_entropy(scores, own, reduction="none")


def _mask(groups: Tensor, other_groups: Tensor, own: Tensor) -> Tensor:
    """Which others count for nothing: those of a text's own group but its own, and those of nobody."""
    mask = (groups[:, None] == other_groups[None, :]) | (other_groups < 0)[None, :]  # [texts, others]
    return mask.scatter(1, own[:, None], value=False)
