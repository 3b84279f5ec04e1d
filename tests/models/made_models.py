"""Tiny random models in folders, as save_pretrained writes them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORDS = ["one", "two", "three", "four", "five", "six"]
TEXTS = ["one", "two three", "six five four three two one", "one two six", "two", "four four four four five"]
LONG = " ".join(WORDS * 10)
ROOM = 24
"""Tokens that fit into a tiny model."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Lets torch compute on one thread: threads that wait for each other are most of the time of a tiny model."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_tokenizer(
    folder: Path, *, padding_side: str = "right", pad_token: str | None = "[PAD]", limit: int | None = ROOM
):
    """A tokenizer of whole words; with ``[CLS]`` and ``[SEP]`` around a text if it has a token for padding."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {
        word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", "passage", ":", *WORDS])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if pad_token:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    arguments = {"model_max_length": limit} if limit else {}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token=pad_token,
        eos_token="[SEP]",
        padding_side=padding_side,
        **arguments,
    )
    fast.save_pretrained(folder)


def make_bert(folder: Path, **tokenizer) -> Path:
    """A bidirectional model with absolute positions."""
    from transformers import BertConfig, BertModel

    return make_network(folder, BertModel, BertConfig, **tokenizer)


def make_llama(folder: Path, **tokenizer) -> Path:
    """A causal model with relative positions, so that padding on the left changes nothing."""
    from transformers import LlamaConfig, LlamaModel

    return make_network(folder, LlamaModel, LlamaConfig, **tokenizer)


def make_network(folder: Path, model: type, config: type, **tokenizer) -> Path:
    """A network of these classes with seeded random weights, and its tokenizer."""
    import torch

    torch.manual_seed(0)
    sizes = config(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=ROOM,
        initializer_range=0.5,
    )
    model(sizes).save_pretrained(folder)
    make_tokenizer(folder, **tokenizer)
    return folder


def make_sentence_bert(folder: Path, *, prompts: dict[str, str] | None = None, similarity: str = "cosine") -> Path:
    """A tiny BERT with mean pooling as a sentence-transformers folder."""
    from sentence_transformers import SentenceTransformer

    bert = make_bert(folder.with_name(f"{folder.name}-bert"))
    model = SentenceTransformer(str(bert), device="cpu", similarity_fn_name=similarity)
    model.save(str(folder))
    config_file = folder / "config_sentence_transformers.json"
    config = json.loads(config_file.read_text())
    config_file.write_text(json.dumps(config | {"prompts": prompts or {}, "similarity_fn_name": similarity}))
    return folder


def unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors at unit length."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
