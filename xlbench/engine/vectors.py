"""Encodes each distinct text once, checks the vectors, and keeps them in shards on disk, so that a killed run goes on.

A shard is a file named by the checksum of its texts, with one of its content before it, in a folder named by everything
else that can change a vector.
Which texts are in a shard depends on the collection alone, never on what is already stored: a run that goes on, or two
runs at once, give the same bytes as one undisturbed run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from xlbench.collection import Texts
from xlbench.engine.probe import Probe
from xlbench.engine.representations import DENSE, UNREADABLE, Form, Representation, Rows
from xlbench.engine.shards import Keeper, KeptAnswers, Store, kept, shards_of
from xlbench.errors import EncoderError
from xlbench.models.kept_answers import Answers
from xlbench.models.protocols import Stages
from xlbench.support.files import sweep, write_whole
from xlbench.support.progress import Advance
from xlbench.support.sealed import seal, unseal


class Vectors(Protocol):
    """Vectors in rows, as a numpy array has them; they need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(U, D)``."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> Any:
        """The vectors of these rows, ``float32[rows, D]`` if they are dense."""
        ...


@dataclass(frozen=True)
class Embeddings:
    """One vector for each distinct text, and which vector each text has."""

    vectors: Vectors
    """``[U, D]``, finite, sorted by the language in which each text first occurs."""
    row: npt.NDArray[np.int64]
    """``[N]``, row of ``vectors`` for each text."""
    n_stored: int = 0
    """How many of the vectors came from the store."""
    n_probed: int = 0
    """How many of those were encoded again, and agreed."""
    is_constant: bool = False
    """Whether there are several vectors, and all are equal."""


class StoredVectors:
    """The vectors in some shards, one shard after the other, read from disk when they are asked for."""

    def __init__(self, shards: Sequence[Path], lengths: Sequence[int], *, width: int, form: Representation) -> None:
        self.shards = tuple(shards)
        self._starts = np.cumsum([0, *lengths])
        self._width = width
        self._form = form

    @property
    def shape(self) -> tuple[int, int]:
        """``(U, D)``."""
        return len(self), self._width

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: FBT001 (numpy's)
        del copy
        array: npt.NDArray[Any] = self[:].astype(dtype or np.float32, copy=False)
        return array

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> Any:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        wanted, place = np.unique(rows, return_inverse=True)
        ends = np.searchsorted(wanted, self._starts)
        parts = []
        for shard in np.flatnonzero(np.diff(ends)).tolist():
            mine = wanted[ends[shard] : ends[shard + 1]] - self._starts[shard]
            try:
                parts.append(self._form.take(self._shard(shard), mine))
            except UNREADABLE as error:
                raise EncoderError(
                    f"{self.shards[shard]} was there and cannot be read any more ({error}): run again to encode its "
                    "texts again."
                ) from error
        vectors = self._form.joined(parts, self._width)
        return vectors if np.array_equal(wanted, rows) else self._form.take(vectors, place)

    def _shard(self, shard: int) -> Rows:
        """The rows of a shard; ValueError if they are not those that were stored."""
        rows = self._form.read(unseal(self.shards[shard]))
        expected = int(self._starts[shard + 1] - self._starts[shard]), self._width
        if (self._form.n_rows(rows), self._form.width(rows)) != expected:
            raise ValueError("other vectors are in its place")
        return rows


class HeldVectors:
    """Vectors in memory that are not a numpy array, to be asked for as one is."""

    def __init__(self, rows: Rows, form: Representation) -> None:
        self._rows, self._form = rows, form

    @property
    def shape(self) -> tuple[int, int]:
        """``(U, D)``."""
        return len(self), self._form.width(self._rows)

    def __len__(self) -> int:
        return self._form.n_rows(self._rows)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> Any:
        return self._form.take(self._rows, rows)


@dataclass(frozen=True)
class VectorStore:
    """A folder of shards for one model and role."""

    folder: Path
    dtype: npt.DTypeLike = np.float32
    """How vectors are stored; in half precision they are rounded, and take half the space."""
    form: Representation = DENSE

    @classmethod
    def open(
        cls,
        cache_dir: Path,
        role: str,
        key: Mapping[str, Any],
        *,
        dtype: npt.DTypeLike = np.float32,
        form: Representation = DENSE,
    ) -> VectorStore:
        """The store for a role (``queries`` or ``passages``) and a key: all but the texts that can change a vector."""
        canonical = json.dumps({"key": dict(key), "role": role}, sort_keys=True, default=str)
        slug = re.sub(r"[^\w.-]+", "-", str(key.get("name", "model")))[-60:]
        folder = cache_dir / "vectors" / f"{slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}" / role
        # Nobody else may put vectors there, or read what was encoded.
        (cache_dir / "vectors").mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        sweep(folder)
        description = folder / "key.json"
        if not description.exists():
            write_whole(description, canonical.encode())
        return cls(folder, dtype, form)

    def get(self, texts: Sequence[str]) -> Rows | None:
        """The vectors of these texts, or None if they are not there or the file is damaged."""
        try:
            rows = self.form.read(unseal(self.path(texts)), dtype=self.dtype)
        except UNREADABLE:
            return None
        return rows if self.form.n_rows(rows) == len(texts) else None

    def put(self, texts: Sequence[str], rows: Rows) -> None:
        """Stores the vectors; the file appears whole or not at all.

        Raises:
            EncoderError: if a number is too large for half precision.

        """
        path = self.path(texts)
        write_whole(path, seal(path, self.form.content(rows, self.dtype)))

    def has(self, texts: Sequence[str]) -> bool:
        """Whether there is a file of these texts."""
        return self.path(texts).exists()

    def path(self, texts: Sequence[str]) -> Path:
        """The file of the vectors of these texts."""
        digest = hashlib.sha256()
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return self.folder / f"{digest.hexdigest()[:32]}{self.form.suffix}"


@dataclass(frozen=True)
class EncodedTexts:
    """The shards of some texts, in the store or in memory."""

    shards: Sequence[Any]
    """The file of each, or its rows; of several representations those of each by name."""
    lengths: Sequence[int]
    width: Any
    row: npt.NDArray[np.int64]
    n_stored: int
    n_probed: int
    is_constant: bool
    on_disk: bool

    def embeddings(self, form: Representation) -> Embeddings:
        """They as embeddings of this representation."""
        width = max(self.width, 1)
        return Embeddings(
            StoredVectors(self.shards, self.lengths, width=width, form=form)
            if self.on_disk
            else _held(self.shards, form, width),
            row=self.row,
            n_stored=self.n_stored,
            n_probed=self.n_probed,
            is_constant=self.is_constant,
        )


def embed(
    texts: Texts,
    encode: Callable[[list[str]], Any],
    *,
    store: VectorStore | None,
    form: Representation = DENSE,
    stages: Stages | None = None,
    fresh: bool = False,
    tolerance: float | None = None,
    advance: Advance | None = None,
) -> Embeddings:
    """The vectors of all texts; see ``encode_texts``."""
    return encode_texts(
        texts, encode, store=store, form=form, stages=stages, fresh=fresh, tolerance=tolerance, advance=advance
    ).embeddings(form)


def encode_texts(
    texts: Texts,
    encode: Callable[[list[str]], Any],
    *,
    store: Store | None,
    form: Form = DENSE,
    stages: Stages | None = None,
    answers: Answers | None = None,
    fresh: bool = False,
    tolerance: float | None = None,
    advance: Advance | None = None,
) -> EncodedTexts:
    """The vectors of all texts; each distinct text is encoded once, language by language, longest first.

    ``advance`` is called after each shard. No more than a window of texts and a few shards of vectors are in memory,
    unless there is no store: then all vectors are. With ``stages`` a device waits neither for texts nor for a disk.
    With ``answers`` those of an API are kept one by one until their shard is.
    With ``fresh`` everything is encoded again, and replaces what is stored.
    Stored vectors are trusted after a probe: some of their texts are encoded again, and compared within
    ``tolerance``; without one they are trusted as they are.

    Raises:
        EncoderError: if the encoder gives a vector that is not finite, too few or too many, or of another dimension, or
            if stored vectors are not what it gives now.

    """
    probe = None if tolerance is None else Probe(encode, tolerance, form)
    keeper = Keeper(form, store, probe, len(texts.distinct), fresh=fresh)
    n_stored, order = 0, []
    keep = KeptAnswers(answers, store.folder if store else None, fresh=fresh)
    for shard in kept(shards_of(texts), keeper, encode=keep.within(encode), stages=stages):
        if shard.stored is None:
            keep.forget()
        n_stored += len(shard.rows) * (shard.stored is not None)
        order.append(shard.rows)
        if advance:
            advance(texts=len(shard.rows), characters=sum(map(len, shard.texts)), stored=shard.stored is not None)
    place = np.empty(len(texts.distinct), np.int64)
    place[np.concatenate(order) if order else []] = np.arange(len(place))
    return EncodedTexts(
        keeper.shards,
        list(map(len, order)),
        keeper.width,
        row=place[texts.distinct.row],
        n_stored=n_stored,
        n_probed=probe.n_probed if probe else 0,
        is_constant=keeper.is_constant,
        on_disk=store is not None,
    )


def missing(texts: Texts, store: Store | None) -> tuple[int, int]:
    """How many distinct texts have no stored vectors, and how many characters these have."""
    lengths = [[*map(len, shard.texts)] for shard in shards_of(texts) if store is None or not store.has(shard.texts)]
    return sum(map(len, lengths)), sum(map(sum, lengths))


def _held(shards: Sequence[Rows], form: Representation, width: int) -> Vectors:
    rows = form.joined(shards, width)
    return rows if isinstance(rows, np.ndarray) else HeldVectors(rows, form)
