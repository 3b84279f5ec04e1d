"""BGE-M3's form: dense vector, terms and token vectors of one encoding, against the formulas text by text."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.models.made_models import TEXTS, make_sentence_bert, one_thread, unit
from xlbench.errors import EncoderError
from xlbench.models import load
from xlbench.models.m3 import M3Encoder

WIDTH = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random model with the two heads, as BGE-M3 lies in a folder."""
    folder = make_sentence_bert(tmp_path_factory.mktemp("m3") / "tiny")
    torch.manual_seed(1)
    for name, n in (("sparse_linear.pt", 1), ("colbert_linear.pt", 8)):
        head = torch.nn.Linear(WIDTH, n)
        torch.save({**head.state_dict(), "bias": head.bias.data + 1}, folder / name)
    return folder


def by_hand(folder, text):
    """The three representations of one text, alone, from the formulas."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    heads = [torch.load(folder / name, weights_only=True) for name in ("sparse_linear.pt", "colbert_linear.pt")]
    features = tokenizer([text], return_tensors="pt")
    with torch.no_grad():
        hidden = network(**features).last_hidden_state[0].numpy()
    sparse, late = ((hidden @ head["weight"].numpy().T + head["bias"].numpy()) for head in heads)
    terms = np.zeros(len(tokenizer), np.float32)
    for id_, weight in zip(features["input_ids"][0].tolist(), np.maximum(sparse[:, 0], 0), strict=True):
        if id_ not in tokenizer.all_special_ids:
            terms[id_] = max(terms[id_], weight)
    return unit(hidden.mean(axis=0, keepdims=True))[0], terms, unit(late[1:])


def test_representations_are_those_of_the_formulas(folder):
    """Whatever texts are in the batch beside it; the tiny model's own pooling is the mean."""
    with one_thread():
        rows = M3Encoder(str(folder), device="cpu").encode_passages(TEXTS)
        for i, text in enumerate(TEXTS):
            dense, terms, tokens = by_hand(folder, text)
            np.testing.assert_allclose(rows["dense"][i], dense, atol=1e-5)
            np.testing.assert_allclose(rows["sparse"][[i]].toarray()[0], terms, atol=1e-5)
            mine = rows["late"].vectors[rows["late"].starts[i] : rows["late"].starts[i + 1]]
            np.testing.assert_allclose(mine, tokens, atol=1e-5)
    assert rows["sparse"].nnz > 0


def test_a_folder_is_loaded_as_dense_or_as_several(folder):
    """Dense unless the kind is said."""
    assert load(str(folder)).adapter == "sentence-transformers"
    several = load(str(folder), arguments={"kind": "several"})
    assert (several.adapter, several.encoder.representation) == ("m3", ("dense", "sparse", "late"))


def test_a_folder_without_the_heads_is_refused(tmp_path):
    """With the files that were expected."""
    plain = make_sentence_bert(tmp_path / "plain")
    with pytest.raises(EncoderError, match=r"expected a dense model with sparse_linear.pt and colbert_linear.pt"):
        load(str(plain), arguments={"kind": "several"})


def test_a_broken_head_is_refused(folder, tmp_path):
    """With its path."""
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "sparse_linear.pt").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match=r"sparse_linear.pt cannot be read as the weights of a linear layer"):
        M3Encoder(str(broken), device="cpu").encode_queries(["one"])
