"""Character trigrams, hashed into one vector: a lexical baseline, and a smoke test that needs no model."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError


class HashEncoder:
    """Counts a text's character trigrams in hashed buckets; unit length, inner product is cosine."""

    name = "hash"
    revision = "1"

    def __init__(self, *, dimensions: int = 1024) -> None:
        """``dimensions`` is the number of buckets."""
        if type(dimensions) is not int or dimensions < 1:
            raise EncoderError(f"dimensions is {dimensions!r}; expected a number, at least 1.")
        self._dimensions = dimensions

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these texts, ``float32[len(texts), dimensions]``."""
        return (
            np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self._dimensions), np.float32)
        )

    encode_passages = encode_queries

    def _vector(self, text: str) -> VectorArray:
        spaced = f" {unicodedata.normalize('NFKC', text).lower()} "
        code = np.frombuffer(spaced.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
        # Odd 64-bit constants mix the three characters; the high bits of the product are the bucket.
        mixed = code[:-2] * np.uint64(0x9E3779B97F4A7C15) + code[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F) + code[2:]
        bucket = (mixed * np.uint64(0xD6E8FEB86659FD93) >> np.uint64(32)) % np.uint64(self._dimensions)
        counts = np.sqrt(np.bincount(bucket.astype(np.intp), minlength=self._dimensions))
        vector: VectorArray = (counts / np.linalg.norm(counts)).astype(np.float32)
        return vector
