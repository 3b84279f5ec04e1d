"""Counts in torch on the device that encodes: those of the compiled loops. Here the device is the CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench import models
from xlbench.collection import Collection, Judgement, Text
from xlbench.engine import device_counting as module
from xlbench.engine.counting import beats
from xlbench.engine.device_counting import order_keys, scores_and_orders
from xlbench.engine.model_scores import score_collection
from xlbench.engine.search import Work, rank
from xlbench.errors import EncoderError
from xlbench.job import Job

FLOATS = st.floats(width=32, allow_nan=False)
ORDERS = st.integers(-1, 2**31 - 1)
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(5, 40))


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 8 queries and 16 passages, so that small collections have several of both, and several shards."""
    monkeypatch.setattr(module, "_OTHER_SHAPE", (8, 16))


def both(collection, scores, **options):
    """The ranking by the compiled loops, and that in torch."""
    return rank(collection, scores, **options), rank(collection, replace(scores, device="cpu"), **options)


def assert_same(expected, found):
    """Counts and best passages are equal, scores included."""
    np.testing.assert_array_equal(found.above, expected.above)
    for name in ("order", "score"):
        np.testing.assert_array_equal(getattr(found.best, name), getattr(expected.best, name))
    np.testing.assert_array_equal(found.top, expected.top)


@given(FLOATS, ORDERS, FLOATS, ORDERS)
@example(0.0, 1, -0.0, 2)
@example(-0.0, 2, 0.0, 1)
def test_keys_sort_as_the_engine_ranks(score, order, other_score, other_order):
    """A key is greater exactly where ``beats`` says so: by score, 0 and -0 being equal, and then by tie order."""
    keys = order_keys(torch.tensor([score, other_score], dtype=torch.float32), torch.tensor([order, other_order]))
    one, other = np.float32(score), np.float32(other_score)
    assert bool(keys[0] > keys[1]) == beats(one, order, other, other_order)


@given(FLOATS, ORDERS)
def test_a_key_has_its_score_and_order(score, order):
    """Both come back from a key, infinite scores and free places too."""
    found, place = scores_and_orders(order_keys(torch.tensor([score], dtype=torch.float32), torch.tensor([order])))
    assert (float(found), int(place)) == (np.float32(score), order)


@given(SIZES, st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans())
def test_counts_and_best_are_those_of_the_compiled_loops(small_tiles, sizes, seed, depth, by_language):
    """On integer vectors every count, best passage and score is equal: ties, copies, tiles and shards included."""
    n_languages, n_queries, n_passages = sizes
    collection = random_collection(
        np.random.default_rng(seed), n_languages=n_languages, n_queries=n_queries, n_passages=n_passages
    )
    expected, found = both(collection, vector_scores(collection, integer_vector), depth=depth, by_language=by_language)
    assert_same(expected, found)


def test_without_places_only_counts_are_kept(small_tiles):
    """Depth 0 keeps no passage, and no pairs give an empty table."""
    collection = random_collection(np.random.default_rng(3), n_passages=60)
    expected, found = both(collection, vector_scores(collection, integer_vector))
    np.testing.assert_array_equal(found.above, expected.above)
    assert found.best is None


def test_real_vectors_give_the_counts_of_the_cpu():
    """With hash on the built-in collection all counts are equal; scores differ by a rounding of float32 at most."""
    job = Job.of("demo")
    collection = job.read(data_dir=None, cache_dir=None)
    scores = score_collection(collection, models.load("hash"), cache_dir=None)
    expected, found = both(collection, scores, depth=20)
    np.testing.assert_array_equal(found.above, expected.above)
    np.testing.assert_allclose(found.best.score, expected.best.score, atol=1e-6)
    np.testing.assert_array_equal(found.best.order, expected.best.order)


def test_a_text_ties_with_itself_however_the_product_rounds(small_tiles, monkeypatch):
    """A product that rounds otherwise each time it is taken changes no rank among copies of one judged text."""
    passages = [Text(id_, language, "same") for language, id_ in zip("aabbb", ["10", "9", "1", "é", "99"], strict=True)]
    judged = [Judgement("q", passage.id, 1) for passage in passages]
    collection = Collection.build(["a", "b"], [Text("q", "a", "same")], passages, judged)
    scores = vector_scores(collection, integer_vector)
    n_products, product = iter(range(1, 99)), torch.mm
    monkeypatch.setattr(torch, "mm", lambda *of, out: product(*of, out=out).add_(1e-3 * next(n_products)))
    expected, found = both(collection, scores, depth=5)
    assert next(n_products) > 2
    np.testing.assert_array_equal(found.above, expected.above)
    np.testing.assert_array_equal(found.best.order, expected.best.order)


def test_counting_that_was_interrupted_goes_on(small_tiles, tmp_path, monkeypatch):
    """After an end behind a shard the others are counted, with the same counts and best passages."""
    monkeypatch.setattr("xlbench.support.checkpoint._SAVE_EVERY_S", 0.0)
    collection = random_collection(np.random.default_rng(7), n_passages=300)
    scores = replace(vector_scores(collection, integer_vector), device="cpu")
    expected = rank(collection, scores, depth=5)
    told = []

    def advance(*, texts, characters, stored):
        del characters
        told.append((texts, stored))
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank(collection, scores, depth=5, work=Work(tmp_path / "counts.npz", advance))
    found = rank(collection, scores, depth=5, work=Work(tmp_path / "counts.npz", advance))
    assert told[2] == (64, True)
    assert_same(expected, found)
    assert not (tmp_path / "counts.npz").exists()


def test_a_device_without_memory_is_a_sentence(small_tiles, monkeypatch):
    """What torch raises becomes an EncoderError that names the device and what to do."""

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.")

    collection = random_collection(np.random.default_rng(7))
    monkeypatch.setattr(torch, "mm", full)
    with pytest.raises(EncoderError, match=r"ran out of memory on cpu: CUDA out of memory.*What was encoded is kept"):
        rank(collection, replace(vector_scores(collection, integer_vector), device="cpu"))


@pytest.mark.parametrize(
    ("device", "counted_on"), [("cuda:0", "cuda:0"), ("mps", "mps"), ("cpu", None), ("auto", None), (None, None)]
)
def test_vectors_are_counted_where_the_model_computes(device, counted_on):
    """An encoder on a GPU has its vectors counted there, and any other has the compiled loops."""
    encoder = models.load("hash").encoder
    if device:
        encoder.device = device
    collection = random_collection(np.random.default_rng(7))
    scores = score_collection(collection, replace(models.load("hash"), encoder=encoder), cache_dir=None)
    assert scores.device == counted_on
