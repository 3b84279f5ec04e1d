"""Tests of averaging the weights of models."""

from __future__ import annotations

import pytest
import torch
from sentence_transformers import SentenceTransformer

from tests.models.made_models import make_llama, make_sentence_bert, one_thread
from xlbench.errors import EncoderError
from xlbench.training.average import average

PROMPTS = {"query": "query : "}


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def weights(folder) -> dict[str, torch.Tensor]:
    """The weights of a model in a folder."""
    return SentenceTransformer(str(folder), device="cpu").state_dict()


def changed(folder, source):
    """A copy of a model with other weights."""
    model = SentenceTransformer(str(source), device="cpu")
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter)
    model.save(str(folder), create_model_card=False)
    return folder


def test_each_weight_is_the_mean_of_those_of_the_models(tmp_path):
    """Weights are taken in proportion, and need not add up to 1; prompts are the first model's."""
    first = make_sentence_bert(tmp_path / "first", prompts=PROMPTS)
    second = changed(tmp_path / "second", first)
    shares = average([str(first), str(second)], [1, 3], tmp_path / "out")
    assert shares == [0.25, 0.75]
    a, b, found = (weights(tmp_path / name) for name in ("first", "second", "out"))
    assert list(found) == list(a)
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, 0.25 * a[name] + 0.75 * b[name], rtol=1e-6, atol=1e-7)
    assert SentenceTransformer(str(tmp_path / "out"), device="cpu").prompts["query"] == "query : "


def test_the_mean_of_a_model_with_itself_is_that_model(tmp_path):
    """Thirds of the same weights add up to them, to the last bit."""
    first = str(make_sentence_bert(tmp_path / "first"))
    average([first] * 3, [1, 1, 1], tmp_path / "out")
    before, after = weights(first), weights(tmp_path / "out")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_card_names_models_weights_and_command(tmp_path):
    """The card says what was averaged, and no path of the machine."""
    first = make_sentence_bert(tmp_path / "first")
    average([str(first), str(changed(tmp_path / "second", first))], [1, 1], tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text()
    assert "xlbench average first second --weight 0.5 0.5 --output out" in text
    assert "| second | `sha256:" in text
    assert str(tmp_path) not in text


def test_models_of_another_architecture_are_refused(tmp_path):
    """Weights that only one of them has are named, and nothing is written."""
    first, other = make_sentence_bert(tmp_path / "first"), make_llama(tmp_path / "llama")
    with pytest.raises(EncoderError, match=r"cannot be averaged: only .* has the weights '.*\.weight'"):
        average([str(first), str(other)], [1, 1], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_of_another_vocabulary_are_refused(tmp_path):
    """Weights of another shape are named with both shapes."""
    first = make_sentence_bert(tmp_path / "first")
    model = SentenceTransformer(str(first), device="cpu")
    model[0].auto_model.resize_token_embeddings(25)
    model.save(str(tmp_path / "larger"), create_model_card=False)
    with pytest.raises(EncoderError, match=r"word_embeddings.*\(20, 16\) and \(25, 16\)"):
        average([str(first), str(tmp_path / "larger")], [1, 1], tmp_path / "out")
