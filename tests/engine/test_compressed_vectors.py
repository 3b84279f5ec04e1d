"""Fewer dimensions and fewer bits: what is compared is what sentence-transformers makes of the same vectors."""

from __future__ import annotations

import numpy as np
import pytest
from sentence_transformers.util import quantize_embeddings

from xlbench.engine.compressed_vectors import compressed
from xlbench.engine.scores import VectorScores, matrix
from xlbench.engine.vectors import Embeddings
from xlbench.errors import EncoderError, UnknownNameError, UsageError
from xlbench.models.compression import Compression, parse


def vectors(n: int, seed: int, *, unit: bool = True) -> np.ndarray:
    """Random vectors of 48 dimensions, longer in the first."""
    found = np.random.default_rng(seed).standard_normal((n, 48)) * np.linspace(2, 0.2, 48)
    return (found / np.linalg.norm(found, axis=1, keepdims=True) if unit else found).astype(np.float32)


def scores_of(queries: np.ndarray, passages: np.ndarray) -> VectorScores:
    """Their scores."""
    return VectorScores(Embeddings(queries, np.arange(len(queries))), Embeddings(passages, np.arange(len(passages))))


def found(queries: np.ndarray, passages: np.ndarray, dimensions: int | None, quantize: str | None) -> np.ndarray:
    """All scores of the compressed vectors."""
    scores = compressed(scores_of(queries, passages), Compression(dimensions, quantize))
    return matrix(scores, np.arange(len(queries)), np.arange(len(passages)))


QUERIES, PASSAGES = vectors(20, 1), vectors(600, 2)


def test_fewer_dimensions_are_the_first_scaled_to_length_1():
    """As truncate_dim with normalisation; all of them change nothing."""
    cut = [of[:, :16] / np.linalg.norm(of[:, :16], axis=1, keepdims=True) for of in (QUERIES, PASSAGES)]
    assert np.allclose(found(QUERIES, PASSAGES, 16, None), cut[0] @ cut[1].T, atol=1e-6)
    assert np.allclose(found(QUERIES, PASSAGES, 48, None), QUERIES @ PASSAGES.T, atol=1e-6)


def test_vectors_of_other_lengths_keep_theirs():
    """Of a model that is compared by inner product the length is a part of the score."""
    queries, passages = vectors(5, 1, unit=False), vectors(30, 2, unit=False)
    assert np.allclose(found(queries, passages, 16, None), queries[:, :16] @ passages[:, :16].T, atol=1e-4)


def test_int8_codes_are_the_librarys_calibrated_on_the_passages():
    """Their products are exact."""
    ranges = np.stack([PASSAGES.min(axis=0), PASSAGES.max(axis=0)])
    codes = [quantize_embeddings(of, "int8", ranges=ranges).astype(int) for of in (QUERIES, PASSAGES)]
    assert np.array_equal(found(QUERIES, PASSAGES, None, "int8"), codes[0] @ codes[1].T)


def test_binary_codes_are_the_librarys():
    """D - 2 x the Hamming distance of its bits."""
    bits = [np.unpackbits(quantize_embeddings(of, "ubinary"), axis=1) for of in (QUERIES, PASSAGES)]
    hamming = (bits[0][:, None] != bits[1][None]).sum(axis=2)
    assert np.array_equal(found(QUERIES, PASSAGES, None, "binary"), 48 - 2 * hamming)


def test_of_passages_alone_queries_stay_as_they_are():
    """Signs are summed up with the query's numbers, and int8 codes stand for the middle of their step."""
    signs = np.where(PASSAGES > 0, 1, -1)
    assert np.allclose(found(QUERIES, PASSAGES, None, "binary-passages"), QUERIES @ signs.T, atol=1e-5)
    restored = found(QUERIES, PASSAGES, None, "int8-passages")
    width = (PASSAGES.max(axis=0) - PASSAGES.min(axis=0)) / 255
    assert np.abs(restored - QUERIES @ PASSAGES.T).max() < (np.abs(QUERIES) @ width).max()


def test_both_together_are_one_after_the_other():
    """First the dimensions, then their bits."""
    cut = [of[:, :16] / np.linalg.norm(of[:, :16], axis=1, keepdims=True) for of in (QUERIES, PASSAGES)]
    assert np.array_equal(
        found(QUERIES, PASSAGES, 16, "binary"), np.where(cut[0] > 0, 1, -1) @ np.where(cut[1] > 0, 1, -1).T
    )


@pytest.mark.parametrize(
    ("dimensions", "quantize", "name", "n_bytes"),
    [(None, "int8", "int8", 384), (128, None, "128d", 512), (64, "binary-passages", "64d-binary-passages", 8),
     (10, "binary", "10d-binary", 2)],
)  # fmt: skip
def test_it_names_the_result_and_says_how_large_a_passage_is(dimensions, quantize, name, n_bytes):
    """Of 384 dimensions."""
    compression = parse(dimensions, quantize)
    assert compression.identity({"name": "m"})["name"] == f"m+{name}"
    assert compression.n_bytes(384) == n_bytes


def test_what_cannot_be_is_refused():
    """More dimensions than there are, none, or an unknown precision."""
    with pytest.raises(EncoderError, match="--dimensions is 64, but the vectors have 48"):
        compressed(scores_of(QUERIES, PASSAGES), Compression(64))
    with pytest.raises(UsageError, match="expected 1 or more"):
        Compression(0)
    with pytest.raises(UnknownNameError, match=r"Did you mean .int8"):
        parse(None, "int4")
    assert parse(None, None) is None
