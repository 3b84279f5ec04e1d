"""The model that is trained is prepared as the one that is evaluated."""

from __future__ import annotations

import json

import pytest

from tests.models.made_models import TEXTS, make_bert, make_llama, make_network
from xlbench.errors import EncoderError
from xlbench.models.load import load as load_encoder
from xlbench.training.model_folder import load
from xlbench.training.run import Init


def init(folder, **options) -> Init:
    """The model in a folder, to be trained."""
    return Init(str(folder), {"pooling": "last"}, **options)


def test_texts_end_with_the_token_that_the_configuration_asks_for(tmp_path):
    """A model whose tokenizer says add_eos_token is trained on the tokens that it is evaluated with."""
    folder = make_llama(tmp_path / "llama", pad_token=None)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"add_eos_token": True}))
    loaded = load(init(folder))
    tokens, _ = loaded.tokeniser.tokens(("one two",), loaded.tokeniser.query)
    encoder = load_encoder(str(folder), device="cpu", arguments={"pooling": "last"}).encoder
    assert tokens["input_ids"][0].tolist() == encoder._model.tokenizer("one two")["input_ids"]
    assert tokens["input_ids"][0, -1] == encoder._model.tokenizer.eos_token_id


def test_padding_on_the_left_changes_no_vector_that_is_trained(tmp_path):
    """GPT-2 would give a text another vector beside a longer one: it is padded on the right."""
    from transformers import GPT2Config, GPT2Model

    model = load(init(make_network(tmp_path / "gpt2", GPT2Model, GPT2Config, padding_side="left"))).model
    together = model.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        assert together[i] == pytest.approx(model.encode([text])[0], abs=1e-5)


def test_a_longest_input_beyond_the_positions_is_refused(tmp_path):
    """The error names the option, the model and what it takes."""
    with pytest.raises(EncoderError, match=r"max_query_length is 99, but .* takes 24 tokens at most"):
        load(Init(str(make_bert(tmp_path / "bert")), {}, max_query_length=99))
