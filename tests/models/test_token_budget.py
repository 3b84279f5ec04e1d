"""A token budget that is too large for the device's memory is halved, and nothing is lost."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.models.made_models import LONG, TEXTS, make_sentence_bert, one_thread
from xlbench.errors import EncoderError
from xlbench.models.load import load
from xlbench.models.token_batches import token_batches
from xlbench.models.token_budget import TokenBudget

LENGTHS = st.lists(st.integers(0, 40), max_size=60)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("MPS backend out of memory (9 GB)"),
]


def device_with(room, lengths, computed, error=ERRORS[0]):
    """A computation that raises above so many tokens, and keeps the batches that it could do."""

    def compute(rows):
        if len(rows) * lengths[rows[0]] > room:
            raise error
        computed.append(rows)
        return rows

    return compute


@given(LENGTHS, st.integers(40, 200), st.sampled_from(ERRORS))
def test_every_text_is_computed_once_longest_first(lengths, room, error):
    """Whatever the memory has room for, each text is in one batch that fits, and lengths fall."""
    budget, done = TokenBudget(400), []
    parts = list(budget.within(token_batches(lengths, 400), lengths, device_with(room, lengths, done, error)))
    order = [int(i) for rows, _ in parts for i in rows]
    assert order == sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    assert all(len(rows) == 1 or len(rows) * lengths[rows[0]] <= room for rows in done)


def test_the_budget_stays_halved_and_that_is_said_once(caplog):
    """Later batches are split before they are tried, and one warning says with what to begin."""
    lengths, tried = [10] * 64, []
    budget, full = TokenBudget(320), device_with(100, lengths, [])

    def compute(rows):
        tried.append(len(rows))
        return full(rows)

    with caplog.at_level(logging.WARNING, "xlbench"):
        list(budget.within(token_batches(lengths, 320), lengths, compute))
    assert tried == [32, 16, *[8] * 8]
    assert budget.tokens == 80
    (said,) = caplog.messages
    assert "out of memory on a batch of 320 tokens" in said
    assert "batch_tokens=160" in said


def test_a_single_text_that_does_not_fit_is_a_sentence():
    """It names the length of the text and what to do; other errors pass as they are."""
    with pytest.raises(EncoderError, match="one text of 40 tokens: try a smaller --max-length"):
        list(TokenBudget(100).within([np.array([0])], [40], device_with(39, [40], [])))
    with pytest.raises(RuntimeError, match="another"):
        list(TokenBudget(100).within([np.array([0])], [40], device_with(39, [40], [], RuntimeError("another"))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model."""
    with one_thread():
        yield str(make_sentence_bert(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.mark.parametrize("method", ["encode_queries", "encode_passages"])
def test_a_model_without_memory_gives_the_same_vectors(folder, method, monkeypatch):
    """A network that cannot take 30 tokens at once encodes all texts, in smaller batches, within the probe's bounds."""
    texts = [*TEXTS, LONG] * 3
    expected = getattr(load(folder, device="cpu").encoder, method)(texts)
    encoder = load(folder, device="cpu").encoder
    forward, refused = encoder._forward, []

    def small(features, task):
        if features["input_ids"].numel() > 30:
            refused.append(features["input_ids"].numel())
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(features, task)

    monkeypatch.setattr(encoder, "_forward", small)
    np.testing.assert_allclose(getattr(encoder, method)(texts), expected, atol=1e-5)
    assert refused
    assert encoder.meter.n_tokens > 100
