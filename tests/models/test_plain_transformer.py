"""Plain transformers models with a pooling of one's choice."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.models.made_models import LONG, ROOM, TEXTS, make_bert, make_llama, make_tokenizer, one_thread, unit
from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models.load import load

pytest.importorskip("transformers", reason="transformers is not installed")

MODELS = {
    "bert-right": (make_bert, {"padding_side": "right"}),
    "llama-right": (make_llama, {"padding_side": "right"}),
    "llama-left": (make_llama, {"padding_side": "left"}),
    "llama-without-padding-token": (make_llama, {"pad_token": None, "padding_side": "left"}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for each tiny model."""
    root = tmp_path_factory.mktemp("models")
    with one_thread():
        yield {name: str(make(root / name, **tokenizer)) for name, (make, tokenizer) in MODELS.items()}


def encoder(folder, **arguments):
    """The model as xlbench loads it."""
    return load(folder, device="cpu", arguments=arguments).encoder


def hidden_of(folder, text, *, limit=ROOM):
    """The last hidden states of a text alone, without padding, ``[tokens, D]``."""
    import torch

    tokenizer, network = loaded(folder)
    tokens = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
    with torch.inference_mode():
        return network(**tokens).last_hidden_state[0].numpy()


@cache
def loaded(folder):
    """The tokenizer and the network of a folder, as transformers loads them."""
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


POOLED = {"mean": lambda hidden: hidden.mean(0), "cls": lambda hidden: hidden[0], "last": lambda hidden: hidden[-1]}


@pytest.mark.parametrize("pooling", POOLED)
@pytest.mark.parametrize("name", MODELS)
def test_pooling_equals_the_computation_by_hand(folders, name, pooling):
    """In a padded batch, a text's vector is the mean, first or last of its own tokens' states, as if it stood alone."""
    texts = [*TEXTS, LONG]
    expected = np.stack([POOLED[pooling](hidden_of(folders[name], text)) for text in texts])
    found = encoder(folders[name], pooling=pooling, normalize=False).encode_passages(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_default_is_the_mean_at_unit_length(folders):
    """Without arguments the mean is taken and brought to length 1, for queries and passages alike."""
    folder = folders["bert-right"]
    expected = unit(np.stack([hidden_of(folder, text).mean(0) for text in TEXTS]))
    np.testing.assert_allclose(encoder(folder).encode_queries(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder(folder).encode_passages(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 16, 4096])
def test_batches_do_not_change_the_vectors(folders, batch_tokens):
    """With any budget of tokens the vectors are the same."""
    folder = folders["llama-left"]
    expected = encoder(folder).encode_queries(TEXTS)
    np.testing.assert_allclose(encoder(folder, batch_tokens=batch_tokens).encode_queries(TEXTS), expected, atol=1e-5)


def test_prompts_stand_before_the_texts(folders):
    """query_prompt and passage_prompt are put before queries and passages, and are part of the provenance."""
    folder = folders["bert-right"]
    plain, ours = encoder(folder), encoder(folder, query_prompt="query: ", passage_prompt="passage: ")
    for prompt, encode in (("query: ", ours.encode_queries), ("passage: ", ours.encode_passages)):
        expected = plain.encode_queries([prompt + text for text in TEXTS])
        np.testing.assert_allclose(encode(TEXTS), expected, atol=1e-5)
    assert ours.provenance().items() >= {"query_prompt": "query: ", "passage_prompt": "passage: "}.items()


def test_texts_are_cut_at_the_length_that_is_given(folders):
    """max_length counts tokens, those at both ends included."""
    folder = folders["bert-right"]
    expected = unit(hidden_of(folder, LONG, limit=5).mean(0)[None])
    np.testing.assert_allclose(encoder(folder, max_length=5).encode_queries([LONG]), expected, atol=1e-5)


def test_texts_are_cut_where_the_model_ends(tmp_path):
    """Where the tokenizer names no limit, a text is cut at the number of positions that the model has."""
    folder = str(make_bert(tmp_path / "limitless", limit=None))
    expected = unit(hidden_of(folder, LONG, limit=ROOM).mean(0)[None])
    np.testing.assert_allclose(encoder(folder).encode_queries([LONG]), expected, atol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.1), ("float16", 0.01)])
def test_half_precision_gives_float32_near_the_full(folders, dtype, tolerance):
    """A model at half precision computes so, and still gives float32 of unit length."""
    full = encoder(folders["bert-right"]).encode_queries(TEXTS)
    vectors = encoder(folders["bert-right"], dtype=dtype).encode_queries(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, full, atol=tolerance)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert not np.allclose(vectors, full, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"pooling": "men"}, UnknownNameError, r"Unknown pooling 'men'\. Did you mean 'mean'\?"),
        ({"pooling": "max"}, UnknownNameError, r"Unknown pooling 'max'\. Known: mean, cls, last"),
        ({"pooling": None}, UnknownNameError, r"Unknown pooling 'None'"),
        ({"dtype": "float64"}, UnknownNameError, r"Unknown dtype 'float64'\. Did you mean 'float16'\?"),
        ({"max_length": 0}, EncoderError, r"max_length is 0; expected a number of tokens, at least 1"),
        ({"max_length": "long"}, EncoderError, r"max_length is 'long'; expected a number of tokens"),
        ({"batch_tokens": -5}, EncoderError, r"batch_tokens is -5; expected a number of tokens"),
        ({"poling": "mean"}, UnknownNameError, r"Unknown model argument 'poling'\. Did you mean 'pooling'\?"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_loaded(folders, arguments, error, said):
    """An argument that does not exist or has no such value is refused when the model is made."""
    with pytest.raises(error, match=said):
        encoder(folders["bert-right"], **arguments)


def test_a_device_that_is_not_here_is_refused(folders):
    """A device that torch does not have is an EncoderError with its reason."""
    with pytest.raises(EncoderError, match="The device 'tpu:9' cannot be used here: "):
        load(folders["bert-right"], device="tpu:9").encoder.encode_queries(["one"])


def test_the_positions_that_roberta_leaves_out_are_not_counted(tmp_path):
    """Of RoBERTa's 16 positions 14 are for tokens: a longer text is cut there, and a greater max_length is refused."""
    from transformers import RobertaConfig, RobertaModel

    sizes = {"vocab_size": 20, "hidden_size": 16, "intermediate_size": 16}
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2}
    RobertaModel(RobertaConfig(**sizes, **layers, max_position_embeddings=16)).save_pretrained(tmp_path)
    make_tokenizer(tmp_path)
    assert np.isfinite(encoder(str(tmp_path)).encode_passages([LONG])).all()
    with pytest.raises(EncoderError, match="14 tokens at most"):
        encoder(str(tmp_path), max_length=15).encode_passages(["one"])


@pytest.mark.parametrize("name", ["query_prompt", "passage_prompt"])
def test_a_prompt_that_is_no_text_is_refused(folders, name):
    """A prompt that was read as a number is refused before anything is loaded."""
    with pytest.raises(EncoderError, match=f"{name} is 5; expected text"):
        encoder(folders["bert-right"], **{name: 5})
