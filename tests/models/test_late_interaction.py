"""Late interaction of sentence-transformers: the token vectors are the library's own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_models import LONG, ROOM, TEXTS, make_bert, make_sentence_bert, one_thread
from xlbench.models import load


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> str:
    """A tiny model as MultiVectorEncoder saves it, with a projection and prompts."""
    from sentence_transformers import MultiVectorEncoder

    folder = tmp_path_factory.mktemp("models")
    bert = make_bert(folder / "bert")
    model = MultiVectorEncoder(str(bert), device="cpu", prompts={"query": "query: ", "document": "passage: "})
    model.save(str(folder / "saved"))
    return str(folder / "saved")


def test_vectors_are_those_of_the_library(saved):
    """Of the tokens of queries and of passages, with the model's prompts, whatever the batch."""
    from sentence_transformers import MultiVectorEncoder

    loaded = load(saved)
    assert loaded.adapter == "late-interaction"
    with one_thread():
        library = MultiVectorEncoder(saved, device="cpu")
        for ours, theirs in (
            (loaded.encoder.encode_queries, library.encode_query),
            (loaded.encoder.encode_passages, library.encode_document),
        ):
            found = ours(TEXTS)
            expected = [theirs(text, convert_to_numpy=True) for text in TEXTS]
            assert found.lengths.tolist() == [len(vectors) for vectors in expected]
            assert np.abs(found.vectors - np.concatenate(expected)).max() < 1e-5
    assert not loaded.encoder.mean_of_tokens
    assert loaded.notes == ()


def test_a_dense_model_has_its_token_vectors_without_a_projection(tmp_path):
    """The library would make a random one; that nobody has trained it for this is said."""
    from sentence_transformers import SentenceTransformer

    folder = make_sentence_bert(tmp_path / "dense", prompts={"query": "query: "})
    loaded = load(str(folder), arguments={"kind": "late"})
    with one_thread():
        found = loaded.encoder.encode_queries(["two three"])
        tokens = (
            SentenceTransformer(str(folder), device="cpu")
            .encode(["query: two three"], output_value="token_embeddings", convert_to_numpy=False)[0]
            .numpy()
        )
    assert np.abs(found.vectors - tokens / np.linalg.norm(tokens, axis=1, keepdims=True)).max() < 1e-5
    assert ["nobody has trained it" in note for note in loaded.notes] == [True]
    assert loaded.arguments == {"kind": "late"}


def test_a_passage_that_is_longer_than_the_model_is_said(tmp_path):
    """With how many there are and how long the longest is; a query is not, nor a passage that just fits."""
    folder = make_sentence_bert(tmp_path / "dense")
    encoder = load(str(folder), arguments={"kind": "late"}).encoder
    with one_thread():
        encoder.encode_queries([LONG])
        encoder.encode_passages(["one two", " ".join(["one"] * (ROOM - 2))])
        assert not any("cut" in note for note in encoder.notes)
        encoder.encode_passages([LONG, "one"])
        encoder.encode_passages([f"{LONG} one"])
    said = f"2 passages have more tokens than the {ROOM} that the model takes, up to 63: their ends are cut."
    assert said in encoder.notes
