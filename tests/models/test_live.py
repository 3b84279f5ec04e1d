"""Models that are objects: what is taken for one, its name, and when its vectors may be stored."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_models import TEXTS, make_sentence_bert
from xlbench import models
from xlbench.errors import EncoderError


def lengths(texts):
    """A vector of the length of each text."""
    return [[float(len(text)), 1.0] for text in texts]


class WithEncode:
    """An object with encode."""

    def encode(self, texts):
        return np.array(lengths(texts))


class WithMethods:
    """An encoder without name and revision."""

    def encode_queries(self, texts):
        return np.array(lengths(texts))

    def encode_passages(self, texts):
        return -np.array(lengths(texts))


@pytest.mark.parametrize(
    ("candidate", "name"),
    [
        (lengths, "lengths"),
        (WithEncode(), "WithEncode"),
        (WithMethods(), "WithMethods"),
        (lambda t: lengths(t), "function"),
    ],
)
def test_functions_and_objects_are_models(candidate, name):
    """Each gives float32 vectors under a name of its own, and has no fingerprint: nothing of it is stored."""
    model = models.load(candidate)
    assert (model.name, model.adapter, model.fingerprint) == (name, "object", None)
    assert np.asarray(model.encoder.encode_queries(["a", "bb"])).tolist() == [[1.0, 1.0], [2.0, 1.0]]
    assert models.load(candidate, name="mine").identity()["name"] == "mine"


def test_queries_and_passages_may_differ():
    """An object with the methods of an Encoder is asked by role."""
    assert models.load(WithMethods()).encoder.encode_passages(["a"]).tolist() == [[-1.0, -1.0]]


@pytest.mark.parametrize("candidate", [3, None, object()])
def test_what_does_not_encode_is_refused(candidate):
    """The message says what is taken for a model."""
    with pytest.raises(
        EncoderError, match="is no model: expected a name, a SentenceTransformer, an object with encode"
    ):
        models.load(candidate)


def test_an_object_takes_no_arguments():
    """They would have no effect, and are refused."""
    with pytest.raises(EncoderError, match="takes neither arguments nor a device"):
        models.load(lengths, arguments={"size": 3})


def test_a_sentence_transformer_gives_the_vectors_of_its_folder(tmp_path):
    """Prompts and normalisation are its own, as for the folder that it is from; its fingerprint is of its weights."""
    from sentence_transformers import SentenceTransformer

    folder = make_sentence_bert(tmp_path / "tiny", prompts={"query": "query : ", "document": "passage : "})
    live = SentenceTransformer(str(folder), device="cpu")
    model, of_folder = models.load(live), models.load(str(folder))
    for role in ("encode_queries", "encode_passages"):
        expected = getattr(of_folder.encoder, role)(TEXTS)
        np.testing.assert_allclose(getattr(model.encoder, role)(TEXTS), expected, atol=1e-6)
    assert model.revision == f"weights:{model.fingerprint}"
    again = models.load(SentenceTransformer(str(folder), device="cpu"))
    assert again.fingerprint == model.fingerprint
    live.prompts["query"] = "other : "
    assert models.load(live).fingerprint != model.fingerprint
    assert models.load(live, hash_weights=False).fingerprint is None
