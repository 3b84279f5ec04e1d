"""Sparse vectors and late interaction: their scores are those of the definition, stored, in parts and in whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from tests.conftest import random_collection, torch_threads
from tests.engine.made_representations import LateMade, SparseMade, product
from xlbench.arrays import TokenVectors
from xlbench.collection import Collection
from xlbench.engine import late_scores
from xlbench.engine.late_scores import LateScores
from xlbench.engine.model_scores import from_store, score_collection, warnings_of
from xlbench.engine.representations import LATE, SPARSE
from xlbench.engine.scores import matrix
from xlbench.engine.search import rank
from xlbench.engine.sparse_scores import SparseScores
from xlbench.engine.vectors import Embeddings, HeldVectors
from xlbench.errors import EncoderError
from xlbench.models import load
from xlbench.models.protocols import Model
from xlbench.models.transform import Debiasing, Transform

KINDS = pytest.mark.parametrize("kind", [SparseMade, LateMade])
COLLECTION = random_collection(np.random.default_rng(3), n_queries=30, n_passages=400)


def model(encoder: Any) -> Model:
    """As one of xlbench's own, so that its vectors are stored."""
    return Model(encoder, "made", {})


def all_products(collection: Collection, kind: type) -> np.ndarray:
    """All scores from the definition."""
    known = {
        (query, passage): product(query, passage, kind)
        for query in set(collection.queries.text)
        for passage in set(collection.passages.text)
    }
    return np.array(
        [[known[query, passage] for passage in collection.passages.text] for query in collection.queries.text]
    )


@KINDS
def test_scores_are_those_of_the_definition(kind, tmp_path):
    """Inner products over terms, and the sum over a query's tokens of the largest product; also from the store."""
    expected = all_products(COLLECTION, kind)
    for folder in (None, tmp_path, tmp_path):
        scores = score_collection(COLLECTION, model(kind()), cache_dir=folder)
        assert np.array_equal(matrix(scores, scores.query, scores.passage), expected)
    assert "8 of them were encoded again and agree" in from_store(scores)


@KINDS
def test_counts_are_the_same_whatever_the_shards_and_threads(kind):
    """One passage tile at a time or all at once."""
    scores = score_collection(COLLECTION, model(kind()), cache_dir=None)
    whole = rank(COLLECTION, scores, depth=5)
    products = all_products(COLLECTION, kind)
    by_id = np.argsort(np.array(COLLECTION.passages.ids))[::-1]
    for n_threads in (1, 2):
        with torch_threads(n_threads):
            parts = rank(COLLECTION, scores, depth=5, shard_rows=1)
        assert np.array_equal(parts.above, whole.above)
        assert np.array_equal(parts.top, whole.top)
    for pair in range(0, len(COLLECTION.pairs), 17):
        query, passage = COLLECTION.pairs.query[pair], COLLECTION.pairs.passage[pair]
        order = by_id[np.argsort(-products[query, by_id], kind="stable")].tolist()
        before = COLLECTION.passages.language[order[: order.index(passage)]]
        assert whole.above[pair].tolist() == np.bincount(before, minlength=3).tolist()


@KINDS
def test_a_stored_run_reads_the_same_bytes(kind, tmp_path):
    """Two runs write the same files."""
    for name in ("first", "second"):
        score_collection(COLLECTION, model(kind()), cache_dir=tmp_path / name)
    first, second = (sorted((tmp_path / name).rglob("*.npz")) for name in ("first", "second"))
    assert len(first) > 1
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


@KINDS
@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_file_is_encoded_again(kind, damage, tmp_path):
    """A file that is cut off, or is something else, is as if it were not there."""
    score_collection(COLLECTION, model(kind()), cache_dir=tmp_path)
    files = sorted(tmp_path.rglob("*.npz"))
    before = [file.read_bytes() for file in files]
    files[0].write_bytes(before[0][: len(before[0]) // 2] if damage is None else damage)
    score_collection(COLLECTION, model(kind()), cache_dir=tmp_path)
    assert [file.read_bytes() for file in files] == before


@KINDS
def test_changed_vectors_under_one_name_are_found_out(kind, tmp_path):
    """The probe compares sparse and token vectors too."""
    score_collection(COLLECTION, model(kind()), cache_dir=tmp_path)

    class Changed(kind):
        def encode_queries(self, texts):
            found = super().encode_queries(texts)
            return TokenVectors(found.vectors * 1.01, found.starts) if kind is LateMade else found * np.float32(1.01)

    with pytest.raises(EncoderError, match="is not what the model gives now"):
        score_collection(COLLECTION, model(Changed()), cache_dir=tmp_path)


@KINDS
def test_half_precision_is_stored_in_half_the_space(kind, tmp_path):
    """Small integers are exact in it."""
    half = Model(kind(), "made", {}, stored_as="float16")
    for _ in range(2):
        scores = score_collection(COLLECTION, half, cache_dir=tmp_path)
        assert np.array_equal(matrix(scores, scores.query, scores.passage), all_products(COLLECTION, kind))


@KINDS
def test_equal_vectors_for_everything_are_said(kind):
    """As of a model of dense vectors."""

    class Same(kind):
        def encode_queries(self, texts):
            return super().encode_queries(["the same"] * len(texts))

        encode_passages = encode_queries

    assert len(warnings_of(score_collection(COLLECTION, model(Same()), cache_dir=None))) == 2


@KINDS
def test_there_is_nothing_to_transform(kind):
    """Debiasing is for one dense vector a text."""
    debiased = Model(kind(), "made", {}, debiasing=Debiasing(Transform("center")))
    with pytest.raises(EncoderError, match="one dense vector a text"):
        score_collection(COLLECTION, debiased, cache_dir=None)


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        (SparseMade, np.zeros((1, 3)), "gave ndarray for 1 texts; expected sparse"),
        (LateMade, np.zeros((1, 3)), "gave ndarray for 1 texts; expected TokenVectors"),
        (LateMade, TokenVectors(np.zeros((0, 3), np.float32), np.array([0, 0])), "no vector of a token for the text"),
        (LateMade, TokenVectors(np.full((2, 3), np.nan, np.float32), np.array([0, 2])), "NaN or infinity for the text"),
        (
            LateMade,
            TokenVectors(np.ones((2, 3), np.float32), np.array([0, 1, 2])),
            "TokenVectors of 2 texts for 1 texts",
        ),
        (LateMade, TokenVectors(np.ones((2, 3), np.float32), np.array([0, 5])), "starts from 0 to 5 for 1 texts"),
    ],
)
def test_unusable_answers_are_refused(kind, answer, message):
    """With what was expected, and the id of the text where there is one."""
    alone = random_collection(np.random.default_rng(1), n_queries=1, n_passages=4)

    class Bad(kind):
        def encode_queries(self, texts):
            return answer if len(texts) == 1 else super().encode_queries(texts)

    with pytest.raises(EncoderError, match=message):
        score_collection(alone, model(Bad()), cache_dir=None)


def test_an_unknown_representation_is_refused():
    """The error names those that there are."""

    class Odd(SparseMade):
        representation = "graph"

    with pytest.raises(EncoderError, match="dense, sparse, late"):
        score_collection(COLLECTION, model(Odd()), cache_dir=None)


def real_tokens(rng: np.random.Generator, n: int, *, longest: int) -> HeldVectors:
    """Random vectors of unit length for the tokens of ``n`` texts."""
    lengths = rng.integers(1, longest + 1, size=n)
    vectors = rng.standard_normal((lengths.sum(), 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return HeldVectors(TokenVectors(vectors, np.append(0, np.cumsum(lengths))), LATE)


@pytest.mark.parametrize("mean", [False, True])
def test_late_scores_are_those_of_sentence_transformers(mean, monkeypatch):
    """Of its maxsim and mean_maxsim, over texts that lie across the borders of blocks."""
    import torch
    from sentence_transformers.util.similarity import maxsim, mean_maxsim

    monkeypatch.setattr(late_scores, "_QUERY_TOKENS", 16)
    monkeypatch.setattr(late_scores, "_PASSAGE_TOKENS", 64)
    rng = np.random.default_rng(5)
    queries, passages = real_tokens(rng, 40, longest=30), real_tokens(rng, 700, longest=150)
    scores = LateScores(Embeddings(queries, np.arange(40)), Embeddings(passages, np.arange(700)), mean)
    found = matrix(scores, np.arange(40), np.arange(700))
    listed = [[torch.from_numpy(of[np.array([i])].vectors) for i in range(len(of))] for of in (queries, passages)]
    expected = (mean_maxsim if mean else maxsim)(*listed).numpy()
    assert np.abs(found - expected).max() < 1e-5


def test_a_late_score_does_not_depend_on_the_texts_beside_it():
    """Alone, among others, in another order: the same bits."""
    rng = np.random.default_rng(6)
    queries, passages = real_tokens(rng, 30, longest=20), real_tokens(rng, 600, longest=60)
    scores = LateScores(Embeddings(queries, np.arange(30)), Embeddings(passages, np.arange(600)))
    whole = matrix(scores, np.arange(30), np.arange(600))
    some = rng.permutation(600)[:50]
    assert np.array_equal(matrix(scores, np.array([7, 3]), some), whole[[7, 3]][:, some])
    assert np.array_equal(matrix(scores.select(some), np.arange(30), np.arange(50)), whole[:, some])


def test_a_sparse_score_is_that_of_scipy_whatever_is_beside_it():
    """Summed in the order of the query's terms, on any threads, to the last bit."""
    rng = np.random.default_rng(9)
    rows = [random_array((n, 300), density=0.1, rng=rng, dtype=np.float32, format="csr") for n in (40, 700)]
    queries, passages = (
        Embeddings(HeldVectors(of, SPARSE), row=np.arange(of.shape[0])) for of in (csr_array(of) for of in rows)
    )
    scores = SparseScores(queries, passages)
    expected = (rows[0] @ rows[1].T).toarray()
    for n_threads in (1, 2, 64):
        with torch_threads(n_threads):
            assert np.array_equal(matrix(scores, np.arange(40), np.arange(700)), expected)
    some = rng.permutation(700)[:50]
    assert np.array_equal(matrix(scores, np.array([7, 3]), some), expected[[7, 3]][:, some])


@KINDS
def test_a_class_of_ones_own_may_give_them(kind):
    """``representation`` says what it gives; by name as any other class."""
    loaded = load(f"tests.engine.made_representations:{kind.__name__}")
    assert loaded.encoder.representation in ("sparse", "late")
