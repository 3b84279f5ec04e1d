"""Sparse encoders of sentence-transformers: their vectors are the library's own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_models import TEXTS, make_network, one_thread
from xlbench.errors import EncoderError
from xlbench.models import load


@pytest.fixture(scope="module")
def masked(tmp_path_factory) -> str:
    """A tiny masked language model, of which SPLADE makes a sparse encoder."""
    from transformers import BertConfig, BertForMaskedLM

    return str(make_network(tmp_path_factory.mktemp("models") / "splade", BertForMaskedLM, BertConfig))


@pytest.fixture(scope="module")
def saved(masked, tmp_path_factory) -> str:
    """The same as SparseEncoder saves it, with prompts."""
    from sentence_transformers import SparseEncoder

    folder = tmp_path_factory.mktemp("models") / "saved"
    SparseEncoder(masked, device="cpu", prompts={"query": "query: ", "document": "passage: "}).save(str(folder))
    return str(folder)


@pytest.mark.parametrize("kind", ["masked", "saved"])
def test_vectors_are_those_of_the_library(kind, request):
    """Of queries and of passages, with the model's prompts, whatever the batch."""
    from sentence_transformers import SparseEncoder

    folder = request.getfixturevalue(kind)
    loaded = load(folder, arguments={"kind": "sparse"} if kind == "masked" else {})
    assert loaded.adapter == "sparse-encoder"
    with one_thread():
        library = SparseEncoder(folder, device="cpu")
        for ours, theirs in (
            (loaded.encoder.encode_queries, library.encode_query),
            (loaded.encoder.encode_passages, library.encode_document),
        ):
            found = ours(TEXTS)
            expected = np.stack([theirs(text, convert_to_sparse_tensor=False).numpy() for text in TEXTS])
            assert found.shape == expected.shape
            assert np.abs(found.toarray() - expected).max() < 1e-5


def test_a_masked_language_model_without_a_kind_is_refused(masked):
    """Dense and sparse encoders are made of it alike."""
    with pytest.raises(EncoderError, match="--kind"):
        load(masked)


def test_a_network_without_the_head_is_refused(tmp_path):
    """Its weights of terms would be random: the error names what is missing."""
    import json

    from transformers import BertConfig, BertModel

    folder = make_network(tmp_path / "bare", BertModel, BertConfig)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    with pytest.raises(EncoderError, match="does not fit its configuration: it lacks"):
        load(str(folder), arguments={"kind": "sparse"}).encoder.encode_queries(["one"])
