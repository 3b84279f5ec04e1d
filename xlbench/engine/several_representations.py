"""Several representations from one encoding: each has a store of its own, and a text is encoded once for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray, VectorArray
from xlbench.engine.representations import Representation, Rows, named, representation_of
from xlbench.engine.scores import Scores, shard_rows_of
from xlbench.engine.vectors import Embeddings, EncodedTexts, VectorStore
from xlbench.errors import EncoderError
from xlbench.models.mixture import several_of


@dataclass(frozen=True)
class Several:
    """What an encoder gives: rows of each representation, by its name."""

    forms: Mapping[str, Representation]

    def checked(self, answer: object, ids: Sequence[str]) -> dict[str, Rows]:
        """An encoder's answer for the texts ``ids``, usable.

        Raises:
            EncoderError: if it is anything else.

        """
        names = ", ".join(self.forms)
        if not isinstance(answer, Mapping) or set(answer) != set(self.forms):
            has = ", ".join(map(str, answer)) if isinstance(answer, Mapping) else type(answer).__name__
            raise EncoderError(f"The encoder gave {has} for {len(ids)} texts; expected a dict with {names}.")
        return {name: form.checked(answer[name], ids) for name, form in self.forms.items()}

    def width(self, rows: Mapping[str, Rows]) -> tuple[int, ...]:
        """How many numbers a vector has, of each."""
        return tuple(form.width(rows[name]) for name, form in self.forms.items())

    def take(self, rows: Mapping[str, Rows], which: slice | IntArray) -> dict[str, Rows]:
        """Some of the rows, float32."""
        return {name: form.take(rows[name], which) for name, form in self.forms.items()}

    def n_rows(self, rows: Mapping[str, Rows]) -> int:
        """How many texts there are."""
        return next(form.n_rows(rows[name]) for name, form in self.forms.items())

    def difference(self, rows: Mapping[str, Rows], others: Mapping[str, Rows], row: int, other: int) -> float:
        """How far a row of one is from one of the other, the largest of all."""
        return max(form.difference(rows[name], others[name], row, other) for name, form in self.forms.items())

    def all_equal(self, rows: Mapping[str, Rows], first: Mapping[str, Rows]) -> bool:
        """Whether all rows are as the only one of ``first``."""
        return all(form.all_equal(rows[name], first[name]) for name, form in self.forms.items())


def form_of(encoder: object) -> Representation | Several:
    """What an encoder gives, as its ``representation`` says: one, or several.

    Raises:
        EncoderError: if there is no such representation.

    """
    names = several_of(encoder)
    return Several({name: named(name) for name in names}) if names else representation_of(encoder)


def part_of(encoded: EncodedTexts, name: str, form: Several) -> Embeddings:
    """The embeddings of one representation."""
    shards, place = [shard[name] for shard in encoded.shards], list(form.forms).index(name)
    width = encoded.width[place] if encoded.shards else 0
    return replace(encoded, shards=shards, width=width).embeddings(form.forms[name])


@dataclass(frozen=True)
class SeveralStores:
    """A store for each representation; what one of them lacks is encoded for all."""

    stores: Mapping[str, VectorStore]

    @classmethod
    def open(
        cls, cache_dir: Path, role: str, key: Mapping[str, Any], *, dtype: npt.DTypeLike = np.float32, form: Several
    ) -> Self:
        """The stores for a role and a key."""
        return cls(
            {
                name: VectorStore.open(cache_dir, role, {**key, "representation": name}, dtype=dtype, form=of)
                for name, of in form.forms.items()
            }
        )

    @property
    def folder(self) -> Path:
        """That of the first."""
        return next(iter(self.stores.values())).folder

    def get(self, texts: Sequence[str]) -> dict[str, Rows] | None:
        """The rows of these texts, or None if one is not there or damaged."""
        rows = {name: store.get(texts) for name, store in self.stores.items()}
        return None if any(of is None for of in rows.values()) else rows

    def put(self, texts: Sequence[str], rows: Mapping[str, Rows]) -> None:
        """Stores the rows, a file each."""
        for name, store in self.stores.items():
            store.put(texts, rows[name])

    def path(self, texts: Sequence[str]) -> dict[str, Path]:
        """The files of the rows of these texts."""
        return {name: store.path(texts) for name, store in self.stores.items()}

    def has(self, texts: Sequence[str]) -> bool:
        """Whether all files are there."""
        return all(store.has(texts) for store in self.stores.values())


@dataclass(frozen=True)
class SummedScores:
    """The weighted sum of the scores of several representations of the same texts."""

    parts: tuple[Scores, ...]
    weights: tuple[float, ...]

    @property
    def query(self) -> IntArray:
        """Which distinct query each query is."""
        return self.parts[0].query

    @property
    def passage(self) -> IntArray:
        """Which distinct passage each passage is."""
        return self.parts[0].passage

    @property
    def n_queries(self) -> int:
        """How many distinct queries there are."""
        return self.parts[0].n_queries

    @property
    def n_passages(self) -> int:
        """How many distinct passages there are."""
        return self.parts[0].n_passages

    @property
    def shard_rows(self) -> int:
        """Passages in memory at once, of the part that takes the most."""
        return min(map(shard_rows_of, self.parts))

    def select(self, passages: IntArray) -> SummedScores:
        """With what belongs to these passages in memory."""
        return replace(self, parts=tuple(part.select(passages) for part in self.parts))

    def prepare(self, passages: slice | IntArray) -> list[Any]:
        """What each part needs of these passages."""
        return [part.prepare(passages) for part in self.parts]

    def tiles(self, queries: IntArray, prepared: list[Any], out: VectorArray) -> VectorArray:
        """The sums, in the order of the parts."""
        room = np.empty_like(out)
        total: VectorArray | None = None
        # Past the last query and passage a tile has whatever was in memory.
        with np.errstate(all="ignore"):
            for part, of_part, weight in zip(self.parts, prepared, self.weights, strict=True):
                tiles = part.tiles(queries, of_part, room)
                if total is None:
                    total = out[: len(tiles)]
                    np.multiply(tiles, np.float32(weight), out=total)
                else:
                    np.multiply(tiles, np.float32(weight), out=tiles)
                    np.add(total, tiles, out=total)
        assert total is not None  # noqa: S101 (there are parts)
        return total
