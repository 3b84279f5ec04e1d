"""Representations: what an encoder gives for a text, and how that is checked, stored, joined and compared.

Dense: a vector, ``float32[n, D]``. Sparse: a vector with few numbers that are not 0, ``csr[n, V]`` of scipy. Late: a
vector for each token, ``TokenVectors``.
"""

from __future__ import annotations

import io
import tokenize
import zipfile
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xlbench.arrays import Array, IntArray, TokenVectors, VectorArray
from xlbench.engine.checked_vectors import checked, checked_tokens, expected_finite
from xlbench.errors import EncoderError

Rows = Any
"""What a representation gives for some texts: a numpy array, a csr array of scipy, or ``TokenVectors``."""
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    tokenize.TokenError,
    MemoryError,
    KeyError,
    zipfile.BadZipFile,
)
"""What numpy raises for a file that is damaged: a header may be no Python literal, or ask for more memory than is."""


class Form(Protocol):
    """What is to be known of rows to check them and to hold them against others."""

    def checked(self, answer: object, ids: Sequence[str]) -> Rows:
        """An encoder's answer for the texts ``ids``, usable.

        Raises:
            EncoderError: if it is anything else, with the id of the text where there is one.

        """
        ...

    def width(self, rows: Rows) -> Any:
        """How many numbers a vector has, ``int``; a tuple of several representations."""
        ...

    def take(self, rows: Rows, which: slice | IntArray) -> Rows:
        """Some of the rows, float32."""
        ...

    def n_rows(self, rows: Rows) -> int:
        """How many texts there are."""
        ...

    def difference(self, rows: Rows, others: Rows, row: int, other: int) -> float:
        """How far a row of one is from one of the other, as a share of its length."""
        ...

    def all_equal(self, rows: Rows, first: Rows) -> bool:
        """Whether all rows are as the only one of ``first``."""
        ...


class Representation(Form, Protocol):
    """One of the three forms."""

    suffix: str
    """Of a file of it."""

    def content(self, rows: Rows, dtype: npt.DTypeLike) -> memoryview:
        """The content of a file of these rows."""
        ...

    def read(self, content: memoryview, *, dtype: npt.DTypeLike | None = None) -> Rows:
        """The rows in a file's content, in the type that they are stored in; if one is named, ValueError for another.

        Raises:
            ValueError, ...: those of ``UNREADABLE``.

        """
        ...

    def joined(self, parts: Sequence[Rows], width: int) -> Rows:
        """The rows of several parts of this width, one after the other."""
        ...


class _Dense:
    suffix = ".npy"

    def checked(self, answer: object, ids: Sequence[str]) -> VectorArray:
        return checked(answer, ids)

    def width(self, rows: VectorArray) -> int:
        return int(rows.shape[1])

    def content(self, rows: VectorArray, dtype: npt.DTypeLike) -> memoryview:
        # numpy's own writing to a file does not say why it failed, so that a full disk could not be told from a bug.
        file = io.BytesIO()
        np.save(file, _stored(rows, dtype), allow_pickle=False)
        return file.getbuffer()

    def read(self, content: memoryview, *, dtype: npt.DTypeLike | None = None) -> Array:
        rows: Array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        if (dtype is not None and rows.dtype != dtype) or rows.ndim != 2 or not np.isfinite(rows).all():
            raise ValueError("not what is stored here")
        return rows

    def take(self, rows: Array, which: slice | IntArray) -> VectorArray:
        return rows[which].astype(np.float32, copy=False)

    def joined(self, parts: Sequence[VectorArray], width: int) -> VectorArray:
        return np.concatenate(parts) if parts else np.zeros((0, width), np.float32)

    def n_rows(self, rows: Array) -> int:
        return len(rows)

    def difference(self, rows: Array, others: Array, row: int, other: int) -> float:
        return _distance(rows[row], others[other])

    def all_equal(self, rows: Array, first: Array) -> bool:
        return bool((rows == first).all())


class _Sparse:
    suffix = ".npz"

    def checked(self, answer: object, ids: Sequence[str]) -> Any:
        from scipy.sparse import csr_array, issparse

        if not issparse(answer):
            raise EncoderError(
                f"The encoder gave {type(answer).__name__} for {len(ids)} texts; expected sparse vectors, "
                "csr[texts, V] of scipy."
            )
        rows = csr_array(answer, dtype=np.float32)
        if rows.shape[0] != len(ids) or rows.shape[1] == 0:
            raise EncoderError(
                f"The encoder gave an array of shape {rows.shape} for {len(ids)} texts; expected ({len(ids)}, V)."
            )
        rows.sum_duplicates()  # Sorts the terms too, whose order is that of the sum.
        rows.eliminate_zeros()
        text = np.repeat(np.arange(len(ids)), np.diff(rows.indptr))
        lengths = np.sqrt(np.bincount(text, weights=np.square(rows.data, dtype=np.float64), minlength=len(ids)))
        expected_finite(lengths, ids)
        return rows

    def width(self, rows: Any) -> int:
        return int(rows.shape[1])

    def content(self, rows: Any, dtype: npt.DTypeLike) -> memoryview:
        parts = {"data": _stored(rows.data, dtype), "indices": rows.indices.astype(np.int32)}
        return _packed(**parts, starts=rows.indptr.astype(np.int64), width=np.array(rows.shape[1]))

    def read(self, content: memoryview, *, dtype: npt.DTypeLike | None = None) -> Any:
        from scipy.sparse import csr_array

        parts = _unpacked(content, "data", dtype)
        shape = len(parts["starts"]) - 1, int(parts["width"])
        # scipy computes nothing in half precision.
        rows = csr_array((parts["data"].astype(np.float32), parts["indices"], parts["starts"]), shape=shape)
        rows.check_format(full_check=True)
        return rows

    def take(self, rows: Any, which: slice | IntArray) -> Any:
        return rows[which].astype(np.float32, copy=False)

    def joined(self, parts: Sequence[Any], width: int) -> Any:
        from scipy.sparse import csr_array, vstack

        return csr_array(vstack(parts, format="csr")) if parts else csr_array((0, width), dtype=np.float32)

    def n_rows(self, rows: Any) -> int:
        return int(rows.shape[0])

    def difference(self, rows: Any, others: Any, row: int, other: int) -> float:
        if rows.shape[1] != others.shape[1]:
            return float("inf")
        return _distance(rows[[row]].toarray()[0], others[[other]].toarray()[0])

    def all_equal(self, rows: Any, first: Any) -> bool:
        return bool(abs(rows - first[np.zeros(rows.shape[0], np.int64)]).nnz == 0)


class _Late:
    suffix = ".npz"

    def checked(self, answer: object, ids: Sequence[str]) -> TokenVectors:
        return checked_tokens(answer, ids)

    def width(self, rows: TokenVectors) -> int:
        return int(rows.vectors.shape[1])

    def content(self, rows: TokenVectors, dtype: npt.DTypeLike) -> memoryview:
        return _packed(data=_stored(rows.vectors, dtype), starts=rows.starts)

    def read(self, content: memoryview, *, dtype: npt.DTypeLike | None = None) -> TokenVectors:
        parts = _unpacked(content, "data", dtype)
        vectors, starts = parts["data"], parts["starts"]
        if vectors.ndim != 2 or starts[0] != 0 or starts[-1] != len(vectors) or (np.diff(starts) < 1).any():
            raise ValueError("not what is stored here")
        return TokenVectors(vectors, starts)

    def take(self, rows: TokenVectors, which: slice | IntArray) -> TokenVectors:
        texts = np.arange(*which.indices(len(rows))) if isinstance(which, slice) else which
        lengths = rows.lengths[texts]
        starts = np.append(0, np.cumsum(lengths))
        tokens = np.repeat(rows.starts[texts] - starts[:-1], lengths) + np.arange(starts[-1])
        return TokenVectors(rows.vectors[tokens].astype(np.float32, copy=False), starts.astype(np.int64))

    def joined(self, parts: Sequence[TokenVectors], width: int) -> TokenVectors:
        if not parts:
            return TokenVectors(np.zeros((0, width), np.float32), np.zeros(1, np.int64))
        lengths = np.concatenate([part.lengths for part in parts])
        return TokenVectors(np.concatenate([part.vectors for part in parts]), np.append(0, np.cumsum(lengths)))

    def n_rows(self, rows: TokenVectors) -> int:
        return len(rows)

    def difference(self, rows: TokenVectors, others: TokenVectors, row: int, other: int) -> float:
        first, second = (of.vectors[of.starts[i] : of.starts[i + 1]] for of, i in ((rows, row), (others, other)))
        return _distance(first.ravel(), second.ravel())

    def all_equal(self, rows: TokenVectors, first: TokenVectors) -> bool:
        alike = (rows.lengths == len(first.vectors)).all()
        return bool(alike and (rows.vectors.reshape(len(rows), *first.vectors.shape) == first.vectors).all())


DENSE: Representation = _Dense()
SPARSE: Representation = _Sparse()
LATE: Representation = _Late()


def representation_of(encoder: object) -> Representation:
    """That of an encoder, as its ``representation`` says; dense for one that does not say.

    Raises:
        EncoderError: if there is no such representation.

    """
    return named(getattr(encoder, "representation", "dense"))


def named(name: object) -> Representation:
    """The representation of a name.

    Raises:
        EncoderError: if there is no such representation.

    """
    known = {"dense": DENSE, "sparse": SPARSE, "late": LATE}
    if not isinstance(name, str) or name not in known:
        raise EncoderError(f"The encoder has the representation {name!r}; expected {', '.join(known)}.")
    return known[name]


def _distance(vector: Array, other: Array) -> float:
    if vector.shape != other.shape:
        return float("inf")
    length = float(np.linalg.norm(vector)) or 1.0
    return float(np.linalg.norm(vector - other.astype(np.float32))) / length


def _stored(numbers: VectorArray, dtype: npt.DTypeLike) -> Array:
    """The numbers as they are stored.

    Raises:
        EncoderError: if one is too large for half precision.

    """
    with np.errstate(over="ignore"):
        rounded = numbers.astype(dtype)
    if not np.isfinite(rounded).all():
        raise EncoderError(
            f"The encoder gave the number {np.abs(numbers).max():.1e}, too large for half precision: leave "
            "--store float16 out."
        )
    return rounded


def _packed(**parts: Array) -> memoryview:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **parts)
    return file.getbuffer()


def _unpacked(content: memoryview, name: str, dtype: npt.DTypeLike | None) -> dict[str, Array]:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        parts = {key: stored[key] for key in stored.files}
    if (dtype is not None and parts[name].dtype != dtype) or not np.isfinite(parts[name]).all():
        raise ValueError("not what is stored here")
    return parts
