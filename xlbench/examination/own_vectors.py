"""The vectors of one's own index, which stand for a model: each passage and query has the vector of its row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.catalogue.own_tables import Row, Rows
from xlbench.errors import DataError

ARRAY = ".npy"
"""The suffix of a file with a vector a row; any other name is that of a column."""


class OwnVectors:
    """An encoder that knows some texts; of equal ones the first row's vector is that of all."""

    revision = "own"

    def __init__(
        self, name: str, *, passages: tuple[list[str], VectorArray], queries: tuple[list[str], VectorArray]
    ) -> None:
        self.name = name
        self._passages, self._queries = ((_first_rows(texts), vectors) for texts, vectors in (passages, queries))

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of queries, ``float32[len(texts), D]``."""
        return _of(texts, *self._queries)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of passages, ``float32[len(texts), D]``."""
        return _of(texts, *self._passages)

    @classmethod
    def of(cls, vectors: str, index: Rows, asked: Rows, path: Path) -> OwnVectors:
        """The vectors in a file with a row for each of the index's, or in a column of the index and of the queries.

        Raises:
            DataError: if there are more or fewer vectors than rows, they differ in length, or queries have none.

        """
        if not vectors.endswith(ARRAY):
            of_passages = _stacked(index.rows)
            return cls(vectors, passages=of_passages, queries=_stacked(asked.rows, of_passages[1].shape[1]))
        if asked.rows:
            raise DataError(
                f"{vectors} has the vectors of passages, and {asked.rows[0].where} needs one of its query: put both "
                "into a column of the index and of the queries, and name that."
            )
        array = _array(Path(vectors))
        if len(array) != (n := len(index.rows) + index.n_empty):
            raise DataError(f"{vectors} has {len(array):,} vectors, and {path} {n:,} rows; expected one for each.")
        chosen = array[[row.number for row in index.rows]].astype(np.float32)
        texts = [row.text for row in index.rows]
        return cls(Path(vectors).name, passages=(texts, chosen), queries=([], chosen[:0]))


def _array(path: Path) -> VectorArray:
    try:
        array: VectorArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path} is no array of numpy ({error}); expected float32[rows, D] as numpy.save writes it."
        ) from error
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
        raise DataError(f"{path} is {array.dtype}{list(array.shape)}; expected numbers with a point, [rows, D].")
    return array


def _stacked(rows: Sequence[Row], length: int | None = None) -> tuple[list[str], VectorArray]:
    """The texts of rows and their vectors, all as long as the first or as ``length``."""
    if not rows:
        return [], np.zeros((0, length or 0), np.float32)
    expected = length or len(rows[0].vector)
    for row in rows:
        if len(row.vector) != expected:
            raise DataError(f"{row.where} has a vector of {len(row.vector):,} numbers; expected {expected:,}.")
    return [row.text for row in rows], np.array([row.vector for row in rows], np.float32)


def _first_rows(texts: list[str]) -> dict[str, int]:
    return {text: row for row, text in reversed(list(enumerate(texts)))}


def _of(texts: Sequence[str], rows: dict[str, int], vectors: VectorArray) -> VectorArray:
    return vectors[[rows[text] for text in texts]]
