"""A checkpoint that does not fit its network is refused, with the names of the weights."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file, save_file

from tests.models.made_models import TEXTS, make_bert
from xlbench.errors import EncoderError
from xlbench.models.load import load


def renamed(weights):
    return {f"net.{name}": value for name, value in weights.items()}


def without_a_layer(weights):
    return {name: value for name, value in weights.items() if "layer.1." not in name}


def of_another_shape(weights):
    return weights | {"embeddings.LayerNorm.weight": weights["embeddings.LayerNorm.weight"][:8].clone()}


def with_heads(weights):
    return weights | {"cls.predictions.bias": weights["embeddings.LayerNorm.bias"].clone()}


def without_the_pooler(weights):
    return {name: value for name, value in weights.items() if not name.startswith("pooler.")}


def changed(folder, change=None, **configuration):
    """A tiny BERT whose weights or configuration were changed."""
    make_bert(folder)
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file(change(weights) if change else weights, path, metadata={"format": "pt"})
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | configuration))
    return str(folder)


@pytest.mark.parametrize(
    ("change", "configuration", "said"),
    [
        (renamed, {}, "it lacks .* weights, embeddings.LayerNorm.bias, .* which would be random"),
        (without_a_layer, {}, r"it lacks 16 weights, encoder.layer.1\..*would be random"),
        (None, {"num_hidden_layers": 3}, r"it lacks 16 weights, encoder.layer.2\."),
        (None, {"num_hidden_layers": 1}, r"it has 16 weights, encoder.layer.1\..*no place for"),
        (of_another_shape, {}, "embeddings.LayerNorm.weight"),
    ],
    ids=["prefix", "missing layer", "extra layer in the configuration", "layer too many", "shape"],
)
@pytest.mark.parametrize("with_modules", [True, False])
def test_weights_that_do_not_fit_are_named(tmp_path, change, configuration, said, with_modules):
    """They would be random, or left out, and every number wrong without a word."""
    folder = changed(tmp_path / "bert", change, **configuration)
    if with_modules:
        module = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}
        (tmp_path / "bert" / "modules.json").write_text(json.dumps([module]))
    with pytest.raises(EncoderError, match=said):
        load(folder, device="cpu").encoder.encode_queries(TEXTS)


@pytest.mark.parametrize("change", [with_heads, without_the_pooler])
def test_heads_that_are_not_used_may_be_there_or_not(tmp_path, change):
    """A head of language modelling in the checkpoint, and a pooler that the checkpoint lacks, change no vector."""
    found = load(changed(tmp_path / "changed", change), device="cpu").encoder.encode_queries(TEXTS)
    assert found == pytest.approx(load(changed(tmp_path / "whole"), device="cpu").encoder.encode_queries(TEXTS))
