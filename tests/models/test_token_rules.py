"""What holds for the tokens of every network, against sentence-transformers itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.made_models import LONG, ROOM, TEXTS, make_bert, make_llama, make_network, make_sentence_bert
from xlbench.errors import EncoderError
from xlbench.models import token_rules
from xlbench.models.load import load
from xlbench.models.token_batches import token_batches


def encoder(folder, **arguments):
    """The model as xlbench loads it."""
    return load(str(folder), device="cpu", arguments=arguments).encoder


def one_by_one(folder, **arguments):
    """The vectors of texts that are encoded each in a batch of its own."""
    return encoder(folder, batch_tokens=1, **arguments).encode_queries(TEXTS)


@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_changes_no_vector_of_gpt2(tmp_path, side, pooling):
    """GPT-2 counts positions from the start of a row: padding on the left would be a part of the text."""
    from transformers import GPT2Config, GPT2Model

    folder = make_network(tmp_path / "gpt2", GPT2Model, GPT2Config, padding_side=side)
    together = encoder(folder, pooling=pooling, batch_tokens=4096).encode_queries([*TEXTS, LONG])[: len(TEXTS)]
    np.testing.assert_allclose(together, one_by_one(folder, pooling=pooling), atol=1e-5)


def test_a_network_that_any_padding_disturbs_is_encoded_in_batches_of_one_length():
    """Vectors that depend on the padding's side and number are compared without any padding."""

    class Tokenizer:
        padding_side = "left"

    def encode(texts):
        longest = max(map(len, texts))
        return np.array([[1.0, longest - len(text)] for text in texts], np.float32)

    assert not token_rules.batches_are_padded([Tokenizer()], encode, source="it", dtype="float32")
    batches = token_batches([3, 5, 3, 5, 5, 2], budget=100, alike=True)
    assert [batch.tolist() for batch in batches] == [[1, 3, 4], [0, 2], [5]]


def test_a_network_whose_vectors_depend_on_the_batch_is_refused():
    """Even beside a text of its own length: nothing can be compared then."""

    class Tokenizer:
        padding_side = "right"

    def encode(texts):
        return np.full((len(texts), 1), float(len(texts)), np.float32)

    with pytest.raises(EncoderError, match="gives a text another vector in a batch than alone"):
        token_rules.batches_are_padded([Tokenizer()], encode, source="it", dtype="float32")


@pytest.mark.parametrize("with_modules", [True, False])
def test_texts_are_cut_where_the_positions_end(tmp_path, with_modules):
    """XLM-R leaves out two positions; a folder whose tokenizer names no limit is cut at what is left of them."""
    from sentence_transformers import SentenceTransformer
    from transformers import XLMRobertaConfig, XLMRobertaModel

    folder = make_network(tmp_path / "xlmr", XLMRobertaModel, XLMRobertaConfig, limit=None)
    if with_modules:
        SentenceTransformer(str(folder), device="cpu").save(str(tmp_path / "st"))
        folder = tmp_path / "st"
    found = encoder(folder).encode_queries([LONG, TEXTS[0]])
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = ROOM - 2
    np.testing.assert_allclose(found, model.encode([LONG, TEXTS[0]], normalize_embeddings=True), atol=1e-5)


@pytest.mark.parametrize("with_modules", [True, False])
def test_the_encoder_alone_of_t5_is_loaded_and_nothing_is_cut(tmp_path, with_modules):
    """A network without positions and a tokenizer without a limit take texts as they are."""
    from sentence_transformers import SentenceTransformer
    from transformers import T5Config, T5Model

    folder = make_network(tmp_path / "t5", T5Model, T5Config, limit=None)
    config = json.loads((folder / "config.json").read_text())
    del config["max_position_embeddings"]  # Which T5 does not have.
    (folder / "config.json").write_text(json.dumps(config))
    if with_modules:
        SentenceTransformer(str(folder), device="cpu").save(str(tmp_path / "st"))
        folder = tmp_path / "st"
    found = encoder(folder).encode_queries([LONG * 9, TEXTS[0]])
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = 5000
    np.testing.assert_allclose(found, model.encode([LONG * 9, TEXTS[0]], normalize_embeddings=True), atol=1e-5)


def with_configuration(folder, **changes):
    """The folder with these keys in its tokenizer's configuration."""
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def test_add_eos_token_is_honoured_and_last_token_pooling_says_what_it_takes(tmp_path):
    """The configuration or an argument ends a text with the end token, which the result's note names."""
    folder = make_llama(tmp_path / "plain", pad_token=None)
    said = with_configuration(make_llama(tmp_path / "said", pad_token=None), add_eos_token=True)
    texts = [f"{text} [SEP]" for text in TEXTS]
    expected = encoder(folder, pooling="last").encode_queries(texts)
    plain, ended, asked = (
        encoder(folder, pooling="last"),
        encoder(said, pooling="last"),
        encoder(folder, pooling="last", add_eos_token=True),
    )
    for of in (ended, asked):
        np.testing.assert_allclose(of.encode_queries(TEXTS), expected, atol=1e-5)
        assert of.notes == ("The vector of a text is that of the token that ends it, '[SEP]'.",)
    assert not np.allclose(plain.encode_queries(TEXTS), expected, atol=1e-2)
    assert "its last word piece, since the tokenizer adds no end token" in plain.notes[0]
    assert asked.provenance()["add_eos_token"] is True
    assert "add_eos_token" not in plain.provenance()


def test_an_end_token_that_is_always_added_cannot_be_left_out(tmp_path):
    """The error names the token."""
    with pytest.raises(EncoderError, match=r"always adds '\[SEP\]'"):
        encoder(make_bert(tmp_path / "bert"), add_eos_token=False).encode_queries(TEXTS)


def test_a_tokenizer_without_padding_takes_its_end_token(tmp_path):
    """In a sentence-transformers folder as in a plain one: what is padded is masked."""
    from sentence_transformers import SentenceTransformer

    folder = make_llama(tmp_path / "llama", pad_token=None)
    SentenceTransformer(str(folder), device="cpu").save(str(tmp_path / "st"))
    for path in (folder, tmp_path / "st"):
        together = encoder(path).encode_queries([*TEXTS, LONG])[: len(TEXTS)]
        np.testing.assert_allclose(together, one_by_one(path), atol=1e-5)


def test_static_and_word_vectors_are_those_of_the_library(tmp_path):
    """StaticEmbedding, WordEmbeddings and BoW have tokenizers of another kind, and no limit."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW, Pooling, StaticEmbedding, WordEmbeddings
    from sentence_transformers.sentence_transformer.modules.tokenizer import WhitespaceTokenizer
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["one", "two", "three", "four", "five", "six"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["[UNK]", *words])}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    kinds = {
        "static": [StaticEmbedding(tokenizer, embedding_weights=weights)],
        "words": [WordEmbeddings(WhitespaceTokenizer(words), weights[1:]), Pooling(4)],
        "bow": [BoW(words)],
    }
    for name, modules in kinds.items():
        SentenceTransformer(modules=modules, device="cpu", similarity_fn_name="cosine").save(str(tmp_path / name))
        found = encoder(tmp_path / name).encode_passages([*TEXTS, LONG])
        theirs = SentenceTransformer(str(tmp_path / name), device="cpu").encode([*TEXTS, LONG])
        lengths = np.linalg.norm(theirs, axis=1, keepdims=True)
        np.testing.assert_allclose(found, theirs / np.where(lengths, lengths, 1), atol=1e-5)


def test_a_sentence_bert_is_padded(tmp_path):
    """The probe costs a bidirectional network nothing: its texts share batches."""
    assert encoder(make_sentence_bert(tmp_path / "tiny"))._is_padded
