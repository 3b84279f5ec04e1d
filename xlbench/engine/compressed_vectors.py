"""Vectors with fewer dimensions and fewer bits, made from the whole ones when they are asked for.

Codes are those of sentence-transformers' ``quantize_embeddings``: int8 between the least and the greatest number that
the passages have in a dimension, binary whether a number is above 0. Scores are inner products of codes, -1 and 1 for
binary ones; where queries stay as they are, int8 codes are first put back to the numbers that they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray, VectorArray
from xlbench.engine.scores import VectorScores
from xlbench.engine.vectors import Vectors
from xlbench.errors import EncoderError
from xlbench.models.compression import Compression

_ROWS_AT_ONCE = 8192
_UNIT = 1e-3


def compressed(scores: VectorScores, compression: Compression) -> VectorScores:
    """The scores of compressed vectors; int8 is calibrated on the passages.

    Raises:
        EncoderError: if the vectors have fewer dimensions.

    """
    n_dimensions = int(scores.passages.vectors.shape[1])
    if compression.dimensions is not None and compression.dimensions > n_dimensions:
        raise EncoderError(
            f"--dimensions is {compression.dimensions}, but the vectors have {n_dimensions}; expected at most as many."
        )
    kept = compression.dimensions or n_dimensions
    queries = scores.queries.vectors[:]
    # What does not have length 1 is compared by inner product, which the length is a part of.
    unit = bool((np.abs(np.linalg.norm(queries, axis=1) - 1) < _UNIT).all())
    cut = _Cut(kept, unit=unit)
    ranges = _ranges(scores.passages.vectors, cut) if compression.precision == "int8" else np.zeros((2, kept))
    of_queries = _Coding(cut, compression.precision if compression.of_queries else "", ranges, restored=False)
    of_passages = _Coding(cut, compression.precision, ranges, restored=not compression.of_queries)
    return replace(
        scores,
        queries=replace(scores.queries, vectors=of_queries(queries)),
        passages=replace(scores.passages, vectors=_Compressed(scores.passages.vectors, of_passages, kept)),
    )


@dataclass(frozen=True)
class _Cut:
    """The first dimensions."""

    kept: int
    unit: bool
    """Whether what is left is scaled to length 1."""

    def __call__(self, vectors: VectorArray) -> VectorArray:
        left = vectors[:, : self.kept]
        if not self.unit or left.shape[1] == vectors.shape[1]:
            return left
        return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-12), np.float32)


@dataclass(frozen=True)
class _Coding:
    """Vectors as their codes are compared."""

    cut: _Cut
    precision: str
    ranges: npt.NDArray[np.float64]
    """``[2, D]``, of the passages."""
    restored: bool
    """Whether codes are put back to the numbers that they stand for."""

    def __call__(self, vectors: VectorArray) -> VectorArray:
        from sentence_transformers.util import quantize_embeddings

        left = self.cut(vectors)
        if self.precision == "binary":
            bits = np.asarray(quantize_embeddings(left, "ubinary"))
            positive: BoolArray = np.unpackbits(bits, axis=1, count=left.shape[1]) == 1
            return np.where(positive, np.float32(1), np.float32(-1))
        if self.precision != "int8":
            return left
        codes = np.asarray(quantize_embeddings(left, "int8", ranges=self.ranges)).astype(np.float32)
        if not self.restored:
            return codes
        low, high = self.ranges.astype(np.float32)
        return np.asarray(low + (codes + np.float32(128.5)) * (high - low) / np.float32(255), np.float32)


@dataclass(frozen=True)
class _Compressed:
    """Vectors that are compressed when they are asked for, so that they need not be in memory."""

    vectors: Vectors
    coding: _Coding
    n_dimensions: int

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), self.n_dimensions

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> VectorArray:
        return self.coding(self.vectors[rows])


def _ranges(vectors: Vectors, cut: _Cut) -> npt.NDArray[np.float64]:
    """The least and the greatest number of each dimension, ``[2, D]``."""
    low, high = np.full(cut.kept, np.inf), np.full(cut.kept, -np.inf)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = cut(vectors[slice(start, start + _ROWS_AT_ONCE)])
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
    return np.stack([low, high])
