"""Tests of the losses by themselves, on random vectors, against sentence-transformers' and formulas in numpy."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss, MarginMSELoss, MSELoss
from torch.nn.functional import cosine_similarity, normalize

from xlbench.training.objective import LOSSES, Objective, Seen, kl, margin_mse, parallel, teacher, total
from xlbench.training.recipes import LossName

N, EACH, SIZE, TEMPERATURE = 5, 3, 8, 0.2


def seen(scores: np.ndarray | None = None, *, rank: int = 0, **labels) -> Seen:
    """Random unit vectors of a batch; with a rank, those of a first process stand before them."""
    torch.manual_seed(3)
    queries = normalize(torch.randn(N, SIZE, requires_grad=True), dim=1)
    passages = normalize(torch.randn(N * (1 + EACH), SIZE), dim=1)
    others = normalize(torch.randn(rank * N * (1 + EACH), SIZE), dim=1)
    groups = torch.arange(N)
    labels |= {"groups": groups, "passage_groups": torch.arange((1 + rank) * len(passages)) - rank * len(passages)}
    labels |= {"scores": torch.tensor(scores, dtype=torch.float32)} if scores is not None else {}
    all_queries, translated = queries.repeat(1 + rank, 1), normalize(torch.randn(N, SIZE), dim=1)
    return Seen(Objective(TEMPERATURE), queries, torch.cat([others, passages]), all_queries, translated, rank, labels)


def columns(batch: Seen) -> list[torch.Tensor]:
    """The vectors as sentence-transformers' losses take them: queries, answers, first negatives, second ones..."""
    mine = batch.passages[-N * (1 + EACH) :]
    return [batch.queries, mine[:N], *(mine[N + i :: EACH] for i in range(EACH))]


def similarity(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return cosine_similarity(a, b) / TEMPERATURE


def given_scores() -> np.ndarray:
    """A score for each row's answer and negatives."""
    return np.random.default_rng(0).normal(size=(N, 1 + EACH)) * 3


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("loss", "library"),
    [
        (margin_mse, MarginMSELoss(None, similarity_fct=similarity)),
        (kl, DistillKLDivLoss(None, similarity_fct=similarity, temperature=1.0)),
    ],
)
def test_distillation_equals_the_librarys_losses(loss, library, rank):
    """MarginMSE and KL over answer and negatives are sentence-transformers', in whatever process the rows are."""
    scores = given_scores()
    batch = seen(scores, rank=rank)
    expected = library.compute_loss_from_embeddings(columns(batch), torch.tensor(scores, dtype=torch.float32))
    assert loss(batch).mean().item() == pytest.approx(expected.item(), rel=1e-5)


def test_rows_that_lack_scores_are_compared_in_what_they_have():
    """A missing negative is left out of its row, a row without an answer's or any negative's score gives 0; no NaN."""
    scores = given_scores()
    scores[0, 2] = scores[1, 0] = np.nan
    scores[2, 1:] = np.nan
    batch = seen(scores)
    logits = np.stack([similarity(batch.queries, column).detach().numpy() for column in columns(batch)[1:]], axis=1)
    there = [0, 1, 3]
    margins = (logits[0, 0] - logits[0, [1, 3]]) - (scores[0, 0] - scores[0, [1, 3]])
    mse, divergence = margin_mse(batch), kl(batch)
    assert mse[0].item() == pytest.approx((margins**2).mean(), rel=1e-5)
    t, s = (np.exp(values) / np.exp(values).sum() for values in (scores[0, there], logits[0, there]))
    assert divergence[0].item() == pytest.approx((t * np.log(t / s)).sum(), rel=1e-4)
    assert mse[1:3].tolist() == divergence[1:3].tolist() == [0, 0]
    gradient = torch.autograd.grad((mse + divergence).sum(), batch.queries)[0]
    assert gradient.isfinite().all()
    assert not gradient[1:3].any()
    assert gradient[[0, 3, 4]].any(dim=1).all()


def test_the_teachers_loss_is_the_librarys_times_the_dimensions():
    """The distances of queries and answers from the teacher's vectors; a text without one counts nothing."""
    targets = normalize(torch.randn(2, N, SIZE), dim=2)
    batch = seen(query_targets=targets[0], passage_targets=targets[1])
    expected = MSELoss(None).compute_loss_from_embeddings(columns(batch)[:2], list(targets)) * SIZE
    assert teacher(batch).mean().item() == pytest.approx(expected.item(), rel=1e-5)
    targets[0, 1] = targets[1, 1] = targets[1, 2] = torch.nan
    lacking = teacher(seen(query_targets=targets[0], passage_targets=targets[1]))
    assert lacking[1] == 0
    assert lacking[2].item() == pytest.approx(((batch.queries[2] - targets[0, 2]) ** 2).sum().item() / 2, rel=1e-5)
    none = torch.full((N, 1), torch.nan)
    assert teacher(seen(query_targets=none, passage_targets=none)).tolist() == [0] * N


def test_losses_are_summed_by_their_weights_and_over_sizes():
    """The total is the weighted sum, of vectors and targets cut at each size and made unit vectors again."""
    targets = normalize(torch.randn(2, N, SIZE), dim=2)
    batch = seen(given_scores(), query_targets=targets[0], passage_targets=targets[1])
    both = total(batch, {"kl": 2.0, "teacher": 0.5})
    torch.testing.assert_close(both, 2 * kl(batch) + teacher(batch) / 2)
    cut = Seen(Objective(TEMPERATURE, dimensions=(SIZE, 3)), *(getattr(batch, name) for name in SEEN))
    torch.testing.assert_close(total(cut, {"teacher": 1.0}), teacher(batch) + teacher(batch.cut(3)))
    queries, wanted = normalize(batch.queries[:, :3], dim=1), normalize(targets[0][:, :3], dim=1)
    answers, others = normalize(columns(batch)[1][:, :3], dim=1), normalize(targets[1][:, :3], dim=1)
    expected = ((queries - wanted) ** 2).sum(1) / 2 + ((answers - others) ** 2).sum(1) / 2
    torch.testing.assert_close(teacher(batch.cut(3)), expected)


SEEN = ("queries", "passages", "all_queries", "parallel", "rank", "labels")


def test_parallel_queries_are_compared_by_both_divergences():
    """The formula over all passages of the batch but those that nobody has; 0 where there is no other language."""
    there = torch.tensor([True, True, False, True, True])
    batch = seen(has_parallel=there)
    batch.labels["passage_groups"][[6, 11]] = -1
    passages = np.delete(batch.passages.numpy().astype(np.float64), [6, 11], axis=0)
    p, q = (
        (exp := np.exp(vectors.detach().numpy().astype(np.float64) @ passages.T / TEMPERATURE)) / exp.sum(1)[:, None]
        for vectors in (batch.queries, batch.parallel)
    )
    expected = ((p * np.log(p / q)).sum(1) + (q * np.log(q / p)).sum(1)) / 2 * there.numpy()
    np.testing.assert_allclose(parallel(batch).detach().numpy(), expected, rtol=1e-4)
    assert parallel(batch)[2] == 0
    assert torch.autograd.grad(parallel(batch).sum(), batch.queries)[0][[0, 1, 3, 4]].any(dim=1).all()


def test_each_name_has_a_loss():
    """What recipes may name is what there is."""
    assert set(LOSSES) == set(get_args(LossName))
