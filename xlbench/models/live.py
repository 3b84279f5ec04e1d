"""Models that are objects at hand: a SentenceTransformer, an object that encodes or scores, a function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models.protocols import Encoder, Model, Scorer

_UNHASHED = "live"
_HOLDERS = ("model", "_model", "encoder", "network", "module")
"""Attributes of an object that may hold the network."""


def model_of(candidate: Any, *, hash_weights: bool) -> Model:
    """The model that an object is.

    Its fingerprint is a hash of its weights (``state_dict``) and prompts. Where there are none, or ``hash_weights`` is
    false, it has no fingerprint, so that none of its vectors are stored: a name alone would give a changed model its
    old vectors.

    Raises:
        EncoderError: if the object does not encode or score.

    """
    weights = _weights_hash(candidate) if hash_weights else None
    revision = f"weights:{weights}" if weights else _UNHASHED
    encoder = _encoder_of(candidate, revision)
    return Model(encoder, "object", {}, fingerprint=weights)


def _encoder_of(candidate: Any, revision: str) -> Encoder | Scorer:
    has = [name for name in dir(candidate) if not name.startswith("__")]
    if {"encode_query", "encode_document", "similarity_fn_name"} <= {*has}:
        return SentenceTransformerObject(candidate, revision)
    for methods in (("encode_queries", "encode_passages"), ("fit", "score")):
        if all(callable(getattr(candidate, method, None)) for method in methods):
            return cast("Encoder | Scorer", _Named(candidate, revision))
    encode = getattr(candidate, "encode", None)
    if callable(encode):
        return FunctionEncoder(encode, _name_of(candidate), revision)
    if callable(candidate):
        return FunctionEncoder(candidate, _name_of(candidate), revision)
    raise EncoderError(
        f"{candidate!r:.60} is no model: expected a name, a SentenceTransformer, an object with encode, or with "
        "encode_queries and encode_passages, or with fit and score, or a function from texts to vectors."
    )


class _Named:
    """An object with a protocol's methods, and with a name and a revision if it has none of its own."""

    def __init__(self, candidate: Any, revision: str) -> None:
        self.name = _name_of(candidate)
        own = getattr(candidate, "revision", None)
        self.revision = f"{own}+{revision}" if isinstance(own, str) and own else revision
        self._candidate = candidate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._candidate, name)


class FunctionEncoder:
    """A function from a list of texts to an array, for queries and passages alike."""

    def __init__(self, encode: Callable[[list[str]], Any], name: str, revision: str) -> None:
        self.name = name
        self.revision = revision
        self._encode = encode

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these texts, ``float32[len(texts), D]``."""
        return np.asarray(_on_cpu(self._encode(list(texts))), np.float32)

    encode_passages = encode_queries


class SentenceTransformerObject:
    """A SentenceTransformer with its own prompts; vectors of a model made for cosine are normalised."""

    def __init__(self, model: Any, revision: str) -> None:
        self.name = _name_of(model)
        self.revision = revision
        self._model = model
        if model.similarity_fn_name not in ("cosine", "dot", None):
            raise EncoderError(
                f"The model is made for {model.similarity_fn_name} distance, and vectors are compared by inner product "
                "here."
            )

    @property
    def device(self) -> str:
        """Where it computes, as torch names it."""
        return str(self._model.device)

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``."""
        return self._encoded(self._model.encode_query, texts)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        return self._encoded(self._model.encode_document, texts)

    def provenance(self) -> dict[str, Any]:
        """The kind of device, the precision and the prompts."""
        from importlib.metadata import version

        return {
            "sentence_transformers": version("sentence-transformers"),
            "torch": version("torch"),
            "device": str(self._model.device).partition(":")[0],
            "dtype": str(next(iter(self._model.state_dict().values()), np.float32(0)).dtype).removeprefix("torch."),
            "prompts": dict(self._model.prompts or {}),
            "max_length": self._model.max_seq_length,
        }

    def _encoded(self, encode: Any, texts: Sequence[str]) -> VectorArray:
        normalize = self._model.similarity_fn_name != "dot"
        vectors = encode(list(texts), normalize_embeddings=normalize, convert_to_tensor=True, show_progress_bar=False)
        array: VectorArray = vectors.float().cpu().numpy()
        return array


def _on_cpu(vectors: Any) -> Any:
    """The vectors where numpy can read them, if they are a tensor."""
    for step in ("detach", "float", "cpu", "numpy"):
        if hasattr(vectors, "detach") or step != "detach":
            vectors = getattr(vectors, step)() if hasattr(vectors, step) else vectors
    return vectors


def _name_of(candidate: Any) -> str:
    """Its own name, the Hub id or folder that a SentenceTransformer is from, or the name of its class or function."""
    card = getattr(candidate, "model_card_data", None)
    own = (getattr(card, attribute, None) for attribute in ("model_id", "base_model"))
    for name in (getattr(candidate, "name", None), *own, getattr(candidate, "__name__", None)):
        if isinstance(name, str) and name.strip(". <>") and name != "<lambda>":
            return name
    return type(candidate).__name__


def _weights_hash(candidate: Any) -> str | None:
    """A hash of all weights, buffers and prompts; None if there are none."""
    holders = (candidate, *(getattr(candidate, name, None) for name in _HOLDERS))
    states = [holder.state_dict() for holder in holders if callable(getattr(holder, "state_dict", None))]
    if not states:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(states[0].items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        # As bytes, because numpy has no bfloat16.
        digest.update(_bytes_of(tensor))
    prompts = getattr(candidate, "prompts", None)
    settings = [type(candidate).__qualname__, prompts, getattr(candidate, "max_seq_length", None)]
    digest.update(repr(settings).encode())
    return digest.hexdigest()[:16]


def _bytes_of(tensor: Any) -> Any:
    import torch

    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
