"""Scores of queries and passages, tile by tile: inner products of vectors, or what a scorer gives for texts.

Products are computed in tiles of one fixed shape, padded with zeros, so that a score does not depend on how many
queries and passages there are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, overload

import numpy as np
import torch

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection, Text, Texts
from xlbench.engine.representations import DENSE, Representation
from xlbench.engine.vectors import Embeddings, HeldVectors
from xlbench.errors import EncoderError
from xlbench.models.protocols import Scorer

# 64 x larger tiles are no faster on a CPU, and a smaller query tile would waste the product on the pairs' own scores.
TILE_QUERIES = 256
TILE_PASSAGES = 512
SHARD_ROWS = 32 * TILE_PASSAGES

_NONE = np.zeros(0, np.int64)


class Scores(Protocol):
    """The scores of the distinct queries and passages of a collection.

    Equal texts that the model cannot tell apart are one query or one passage: they tie by definition.
    """

    @property
    def query(self) -> IntArray:
        """Which distinct query each query is, ``[Nq]``."""
        ...

    @property
    def passage(self) -> IntArray:
        """Which distinct passage each passage is, ``[Np]``; sorted by the language in which each first occurs."""
        ...

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        ...

    @property
    def n_passages(self) -> int:
        """How many distinct passages there are."""
        ...

    def select(self, passages: IntArray) -> Scores:
        """The scores of these distinct passages alone, numbered anew and held in memory; ``passage`` is empty."""
        ...

    def prepare(self, passages: slice | IntArray) -> Any:
        """What ``tiles`` needs of these distinct passages, made once for many queries."""
        ...

    def tiles(self, queries: IntArray, prepared: Any, out: VectorArray) -> VectorArray:
        """The scores of at most a tile of distinct queries, ``float32[tiles, TILE_QUERIES, TILE_PASSAGES]``.

        They are written to the first tiles of ``out``; rows and columns past the last query and passage are undefined.
        """
        ...


def matrix(scores: Scores, queries: IntArray, passages: IntArray) -> VectorArray:
    """The scores of distinct queries and distinct passages, ``float32[q, p]``."""
    prepared = scores.prepare(passages)
    out = buffer(len(passages))
    scored = np.empty((len(queries), len(passages)), np.float32)
    for start in range(0, len(queries), TILE_QUERIES):
        tiles = scores.tiles(queries[start : start + TILE_QUERIES], prepared, out)
        rows = tiles.transpose(1, 0, 2).reshape(TILE_QUERIES, -1)
        scored[start : start + TILE_QUERIES] = rows[: len(queries) - start, : len(passages)]
    return scored


def shard_rows_of(scores: Scores) -> int:
    """How many distinct passages are scored at a time, where memory is to be bounded."""
    return int(getattr(scores, "shard_rows", SHARD_ROWS))


def makes_in_threads(scores: Scores) -> bool:
    """Whether several threads may ask for tiles at once, each of which computes with one thread."""
    return bool(getattr(scores, "in_threads", False))


def buffer(n_passages: int) -> VectorArray:
    """Room for the tiles of one tile of queries: fresh memory for each would cost a tenth of a product's time."""
    return np.empty((-(-n_passages // TILE_PASSAGES), TILE_QUERIES, TILE_PASSAGES), np.float32)


@dataclass(frozen=True)
class EmbeddedScores:
    """What scores made from embeddings share; each distinct text has one."""

    queries: Embeddings
    """In memory, for they are needed again with each shard of passages."""
    passages: Embeddings

    @property
    def query(self) -> IntArray:
        """The vector of each query."""
        return self.queries.row

    @property
    def passage(self) -> IntArray:
        """The vector of each passage."""
        return self.passages.row

    @property
    def n_queries(self) -> int:
        """How many vectors of queries there are."""
        return len(self.queries.vectors)

    @property
    def n_passages(self) -> int:
        """How many vectors of passages there are."""
        return len(self.passages.vectors)

    def held(self, passages: IntArray, form: Representation) -> Embeddings:
        """The embeddings of these passages, in memory and numbered anew."""
        rows = self.passages.vectors[passages]
        return Embeddings(rows if form is DENSE else HeldVectors(rows, form), row=_NONE)


@dataclass(frozen=True)
class VectorScores(EmbeddedScores):
    """Inner products of vectors; each distinct text has one vector."""

    device: str | None = None
    """Where whole collections are counted, as torch names it; None for the compiled loops on the CPU."""
    in_threads = True
    """See ``makes_in_threads``."""

    def select(self, passages: IntArray) -> VectorScores:
        """With the vectors of these passages in memory."""
        return replace(self, passages=self.held(passages, DENSE))

    def prepare(self, passages: slice | IntArray) -> torch.Tensor:
        """The passages' vectors, padded."""
        return padded(self.passages.vectors[passages], TILE_PASSAGES)

    def tiles(self, queries: IntArray, prepared: torch.Tensor, out: VectorArray) -> VectorArray:
        """One batched product: threads take whole tiles.

        In one product after the other they would wait for each other at the end of each, for seconds on a busy machine.
        """
        n_tiles = len(prepared) // TILE_PASSAGES
        asked = padded(self.queries.vectors[queries], TILE_QUERIES)
        tiles = torch.from_numpy(out[:n_tiles])
        with full_precision():
            torch.bmm(
                asked.expand(n_tiles, -1, -1),
                prepared.view(n_tiles, TILE_PASSAGES, -1).transpose(1, 2),
                out=tiles,
            )
        return out[:n_tiles]


@dataclass(frozen=True)
class TextScores:
    """What a scorer gives for texts; equal texts of one language are one."""

    scorer: Scorer
    query: IntArray
    passage: IntArray
    distinct_queries: Sequence[Text]
    distinct_passages: Sequence[Text]

    @classmethod
    def of(cls, collection: Collection, scorer: Scorer) -> TextScores:
        """The scores of a collection's texts; the scorer sees all passages first, also those that are equal."""
        distinct_queries, query = _distinct(collection.queries, collection.languages)
        distinct_passages, passage = _distinct(collection.passages, collection.languages)
        passages = collection.passages
        scorer.fit(_Records(passages, np.arange(len(passages)), collection.languages))
        return cls(scorer, query, passage, distinct_queries, distinct_passages)

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        return len(self.distinct_queries)

    @property
    def n_passages(self) -> int:
        """How many distinct passages there are."""
        return len(self.distinct_passages)

    def select(self, passages: IntArray) -> TextScores:
        """With the texts of these passages alone."""
        return replace(self, passage=_NONE, distinct_passages=self.prepare(passages))

    def prepare(self, passages: slice | IntArray) -> list[Text]:
        """The passages' texts."""
        if isinstance(passages, slice):
            return list(self.distinct_passages[passages])
        return [self.distinct_passages[row] for row in passages.tolist()]

    def tiles(self, queries: IntArray, prepared: list[Text], out: VectorArray) -> VectorArray:
        """The scorer's scores, checked."""
        asked = [self.distinct_queries[row] for row in queries]
        scored = np.asarray(self.scorer.score(asked, prepared))
        if scored.shape != (len(asked), len(prepared)) or not np.issubdtype(scored.dtype, np.floating):
            raise EncoderError(
                f"{self.scorer.name} gave scores of shape {scored.shape} and type {scored.dtype} for {len(asked)} "
                f"queries and {len(prepared)} passages; expected float32[{len(asked)}, {len(prepared)}]."
            )
        if not np.isfinite(scored).all():
            q, p = np.argwhere(~np.isfinite(scored))[0]
            raise EncoderError(
                f"{self.scorer.name} gave the score {scored[q, p]} for query {asked[q].id!r} and passage "
                f"{prepared[p].id!r}; expected finite numbers."
            )
        n_tiles = -(-len(prepared) // TILE_PASSAGES)
        for tile in range(n_tiles):
            columns = scored[:, tile * TILE_PASSAGES : (tile + 1) * TILE_PASSAGES]
            out[tile, : len(asked), : columns.shape[1]] = columns
        return out[:n_tiles]


class _Records(Sequence[Text]):
    """Some rows of texts as the records that a scorer takes."""

    def __init__(self, texts: Texts, rows: IntArray, languages: tuple[str, ...]) -> None:
        self._texts, self._rows, self._languages = texts, rows, languages

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Text: ...
    @overload
    def __getitem__(self, index: slice) -> list[Text]: ...
    def __getitem__(self, index: int | slice) -> Text | list[Text]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = int(self._rows[index])
        return Text(self._texts.ids[row], self._languages[self._texts.language[row]], self._texts.text[row])


def _distinct(texts: Texts, languages: tuple[str, ...]) -> tuple[_Records, IntArray]:
    """The texts without those that a language has before, in order, and which of them each text is, ``[N]``."""
    key = texts.language.astype(np.int64) * max(len(texts.distinct), 1) + texts.distinct.row
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)  # By row, hence by language.
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return _Records(texts, first[order], languages), place[row]


@contextmanager
def full_precision() -> Iterator[None]:
    """Has torch compute float32 products in float32, whatever an encoder has asked it to do (TF32, bfloat16)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch has, each of which computes alone: they would wait for each other in each product."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(n_threads) as threads:
            yield threads
    finally:
        torch.set_num_threads(n_threads)


def padded(vectors: VectorArray, multiple: int) -> torch.Tensor:
    """The vectors with rows of zeros up to a multiple, and with zeros up to 16 dimensions: ``float32[n', D']``."""
    rows = -(-len(vectors) // multiple) * multiple
    dimensions = -(-vectors.shape[1] // 16) * 16
    if vectors.shape == (rows, dimensions) and vectors.flags.writeable and vectors.flags.c_contiguous:
        return torch.from_numpy(vectors)  # A copy of each shard would cost a tenth of its product.
    whole = np.zeros((rows, dimensions), np.float32)
    whole[: len(vectors), : vectors.shape[1]] = vectors
    return torch.from_numpy(whole)
