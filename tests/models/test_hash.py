"""The encoder of hashed character trigrams."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.errors import EncoderError
from xlbench.models.hash import HashEncoder
from xlbench.models.load import load

TEXTS = ["Who wrote it?", "Wer schrieb es?", "谁写的", "who wrote it?", "\U0001f600"]


def test_vectors_are_the_same_on_every_machine():
    """The buckets and the bytes of some vectors are fixed, since the encoder's revision is.

    Made with TEXTS of this file by::

        v = HashEncoder(dimensions=64).encode_queries(TEXTS)
        print(v[0].nonzero()[0].tolist(), hashlib.sha256((v > 0).tobytes()).hexdigest()[:16])
    """
    vectors = HashEncoder(dimensions=64).encode_queries(TEXTS)
    assert vectors[0].nonzero()[0].tolist() == [3, 4, 15, 21, 23, 24, 27, 40, 41, 43, 48, 63]
    assert hashlib.sha256((vectors > 0).tobytes()).hexdigest()[:16] == "58445842042125c3"


@given(st.lists(st.text(st.characters(), min_size=1).filter(lambda text: not text.isspace()), min_size=1, max_size=5))
def test_vectors_have_unit_length_and_stand_alone(texts):
    """Any text has a vector of unit length that does not depend on the texts around it."""
    encoder = HashEncoder(dimensions=256)
    vectors = encoder.encode_passages(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(encoder.encode_queries([text])[0], vector)


def test_case_and_width_do_not_count():
    """Upper case, and the full-width forms of letters, have the vector of the plain text."""
    plain, upper, wide, other = HashEncoder().encode_queries(["abc", "ABC", "ａｂｃ", "abd"])
    np.testing.assert_array_equal(plain, upper)
    np.testing.assert_array_equal(plain, wide)
    assert not np.array_equal(plain, other)


def test_texts_that_share_trigrams_are_near():
    """A text is nearer to one with the same words than to one with others, and nearest to itself."""
    vectors = HashEncoder().encode_queries(["the river Nile", "a river, the Nile", "photosynthesis"])
    scores = vectors @ vectors[0]
    assert scores[0] == pytest.approx(1)
    assert scores[0] > scores[1] > scores[2]


def test_dimensions_are_an_argument():
    """The number of buckets is the length of the vectors, by default 1,024; no texts have no vectors."""
    assert load("hash").encoder.encode_queries(["a"]).shape == (1, 1024)
    assert load("hash", arguments={"dimensions": 7}).encoder.encode_queries(["a", "b"]).shape == (2, 7)
    assert HashEncoder(dimensions=7).encode_queries([]).shape == (0, 7)


@pytest.mark.parametrize("dimensions", [0, -1, "many", 1.5, None])
def test_a_number_of_dimensions_that_is_none_is_refused(dimensions):
    """Dimensions that are no positive number are an EncoderError."""
    with pytest.raises(EncoderError, match=r"dimensions is .*; expected a number, at least 1"):
        load("hash", arguments={"dimensions": dimensions})
