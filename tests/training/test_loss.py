"""Tests of the loss, on tiny models."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss

from tests.models.made_models import WORDS, make_sentence_bert, one_thread
from xlbench.training.data import Batch
from xlbench.training.loss import PairLoss
from xlbench.training.objective import Objective
from xlbench.training.tokens import Role, Tokeniser

QUERY, PASSAGE = Role("query : ", "query", 8), Role("passage : ", "document", None)


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SentenceTransformer:
    """A tiny model without dropout, so that two computations are comparable."""
    folder = make_sentence_bert(tmp_path_factory.mktemp("models") / "tiny")
    found = SentenceTransformer(str(folder), device="cpu")
    for module in found.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return found


def texts(n: int, seed: int) -> tuple[str, ...]:
    """So many texts of one to nine words."""
    rng = np.random.default_rng(seed)
    return tuple(" ".join(rng.choice(WORDS, rng.integers(1, 10))) for _ in range(n))


def batch(n: int, *, groups: list[int] | None = None, passages: tuple[str, ...] = (), others: tuple[int, ...] = ()):
    """A batch of random texts; further passages are hard negatives of the groups ``others``."""
    own = np.array(range(n) if groups is None else groups, np.int32)
    names = tuple(map(str, range(n)))
    all_groups = np.concatenate([own, np.array(others, np.int32)])
    scores = np.full((n, 1 + len(passages) // n), np.nan)
    return Batch(texts(n, 1), (*texts(n, 2), *passages), own, all_groups, names, scores)


def computed(model: SentenceTransformer, made: Batch, *, symmetric: bool = False, cache_rows: int | None = None):
    """The loss of a batch with a fresh gradient of the model's weights."""
    model.zero_grad()
    model.train()
    inputs = Tokeniser(model, QUERY, PASSAGE).collate(made)
    loss = PairLoss(model, Objective(0.1, symmetric), cache_rows=cache_rows, piece_tokens=40)
    value = loss(inputs["features"], inputs["labels"])
    value.backward()
    return value.item(), [weight.grad.clone() for weight in model.parameters() if weight.grad is not None], loss


def vectors(model: SentenceTransformer, some: tuple[str, ...], role: Role) -> np.ndarray:
    """Unit vectors by the library's own encode, which cuts nothing here but what the role cuts."""
    model.eval()
    model.max_seq_length = role.max_length or 24
    found = model.encode(list(some), prompt=role.prompt, normalize_embeddings=True).astype(np.float64)
    model.max_seq_length = 24
    return found


def by_hand(model: SentenceTransformer, made: Batch, masked: set[tuple[int, int]], *, symmetric: bool = False) -> float:
    """The loss by its formula, in float64; ``masked`` are pairs of a query and a passage that count for nothing."""
    scores = vectors(model, made.queries, QUERY) @ vectors(model, made.passages, PASSAGE).T / 0.1
    for pair in masked:
        scores[pair] = -np.inf
    n = len(made)
    forwards = np.log(np.exp(scores).sum(1)) - scores.diagonal()
    backwards = np.log(np.exp(scores[:, :n]).sum(0)) - scores.diagonal()
    return float(((forwards + backwards) / 2 if symmetric else forwards).mean())


@pytest.mark.parametrize("symmetric", [False, True])
def test_the_loss_is_info_nce_over_cosine(model, symmetric):
    """Without shared passages, it is the formula computed by hand, whatever pieces the batch is encoded in."""
    made = batch(7)
    assert computed(model, made, symmetric=symmetric)[0] == pytest.approx(
        by_hand(model, made, set(), symmetric=symmetric), abs=1e-5
    )


def test_it_equals_the_librarys_loss_where_nothing_is_shared(model):
    """Loss and gradients are those of sentence-transformers' MultipleNegativesRankingLoss."""
    made = batch(6)
    value, gradients, _ = computed(model, made)
    model.zero_grad()
    model.train()
    features = [model.preprocess(list(made.queries), prompt=QUERY.prompt, task="query", max_length=8)]
    features.append(model.preprocess(list(made.passages), prompt=PASSAGE.prompt, task="document"))
    expected = MultipleNegativesRankingLoss(model, scale=10.0)(features, torch.empty(0))
    expected.backward()
    assert value == pytest.approx(expected.item(), abs=1e-5)
    for found, weight in zip(gradients, (w for w in model.parameters() if w.grad is not None), strict=True):
        torch.testing.assert_close(found, weight.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cache_rows", [None, 4])
def test_matryoshka_equals_the_librarys_sum_over_sizes(model, cache_rows):
    """Loss and gradients are those of sentence-transformers' MatryoshkaLoss, with a gradient cache too."""
    made = batch(6)
    model.zero_grad()
    model.train()
    inputs = Tokeniser(model, QUERY, PASSAGE).collate(made)
    objective = Objective(0.1, dimensions=(16, 8, 3))
    value = PairLoss(model, objective, cache_rows=cache_rows, piece_tokens=40)(inputs["features"], inputs["labels"])
    value.backward()
    gradients = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    features = [model.preprocess(list(made.queries), prompt=QUERY.prompt, task="query", max_length=8)]
    features.append(model.preprocess(list(made.passages), prompt=PASSAGE.prompt, task="document"))
    inner = MultipleNegativesRankingLoss(model, scale=10.0)
    expected = MatryoshkaLoss(model, inner, [16, 8, 3])(features, torch.empty(0))
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), abs=1e-5)
    for found, weight in zip(gradients, (w for w in model.parameters() if w.grad is not None), strict=True):
        torch.testing.assert_close(found, weight.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("symmetric", [False, True])
def test_rows_of_one_group_are_no_negatives_of_each_other(model, symmetric):
    """Passages of other rows of a query's group are left out of its sum, in both directions."""
    made = batch(5, groups=[0, 1, 0, 1, 4])
    masked = {(0, 2), (2, 0), (1, 3), (3, 1)}
    value = computed(model, made, symmetric=symmetric)[0]
    assert value == pytest.approx(by_hand(model, made, masked, symmetric=symmetric), abs=1e-5)
    assert abs(value - computed(model, batch(5), symmetric=symmetric)[0]) > 1e-3


def test_hard_negatives_count_for_all_rows_but_those_whose_passage_they_are(model):
    """A hard negative that is the passage of a row's group is left out for it, and one that is missing for all."""
    made = batch(3, passages=("one two", "three four five", ""), others=(9, 0, -1))
    masked = {(0, 4), *((i, 5) for i in range(3))}
    assert computed(model, made)[0] == pytest.approx(by_hand(model, made, masked), abs=1e-5)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("rows", [1, 4, 64])
def test_a_gradient_cache_changes_no_gradient(model, symmetric, rows):
    """With the cache, loss and gradients are equal to those without it to 1e-5."""
    made = batch(12, groups=[0, 0, *range(2, 12)], passages=texts(12, 3), others=tuple(range(20, 32)))
    value, expected, _ = computed(model, made, symmetric=symmetric)
    cached, found, _ = computed(model, made, symmetric=symmetric, cache_rows=rows)
    assert cached == pytest.approx(value, abs=1e-5)
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_a_gradient_cache_repeats_dropout(tmp_path):
    """With dropout too, the gradients are those of the very vectors that the loss was computed from."""
    model = SentenceTransformer(str(make_sentence_bert(tmp_path / "tiny")), device="cpu")
    twin = copy.deepcopy(model)
    torch.manual_seed(5)
    value, found, _ = computed(model, batch(4), cache_rows=64)
    torch.manual_seed(5)
    expected_value, expected, _ = computed(twin, batch(4), cache_rows=64)
    assert value == expected_value
    assert value != computed(model, batch(4), cache_rows=64)[0]
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


def test_the_loss_of_each_row_is_kept(model):
    """The losses of the last batch are there by row, so that a row that is not finite can be named."""
    made = batch(5)
    value, _, loss = computed(model, made)
    assert loss.losses.shape == (5,)
    assert loss.losses.mean().item() == pytest.approx(value)


def test_texts_are_cut_at_the_length_of_their_role(model):
    """Queries have at most their own number of tokens, passages the model's, and each text keeps its place."""
    made = Batch(
        ("one " * 20, "two"),
        ("three", "four " * 40),
        *([np.arange(2, dtype=np.int32)] * 2),
        ("a", "b"),
        np.zeros((2, 1)),
    )
    inputs = Tokeniser(model, QUERY, PASSAGE).collate(made)
    queries, passages = inputs["features"]
    assert queries["attention_mask"].sum(1).tolist() == [8, 5]
    assert passages["attention_mask"].sum(1).tolist() == [24, 5]
    assert inputs["labels"]["query_order"].tolist() == [0, 1]
    assert inputs["labels"]["passage_order"].tolist() == [1, 0]
