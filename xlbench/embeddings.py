"""Encodes each distinct text once, checks the vectors, and keeps them in shards on disk, so that a killed run goes on.

A shard is a file named by the checksum of its texts, in a folder named by everything else that can change a vector.
Which texts are in a shard depends on the collection alone, never on what is already stored: a run that goes on, or two
runs at once, give the same bytes as one undisturbed run.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tokenize
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.collection import Texts
from xlbench.errors import EncoderError, XlbenchError
from xlbench.files import write_whole
from xlbench.progress import Advance

FloatArray = npt.NDArray[np.float32]

_SHARD_TEXTS = 1024
_SHARD_CHARACTERS = 1 << 17
_LONGEST = 1e18


@dataclass(frozen=True)
class Embeddings:
    """One vector for each distinct text, and which vector each text has."""

    vectors: FloatArray
    """``[U, D]``, finite, in the order in which the distinct texts first occur."""
    row: npt.NDArray[np.intp]
    """``[N]``, row of ``vectors`` for each text."""


@dataclass(frozen=True)
class VectorStore:
    """A folder of shards for one model and role."""

    folder: Path

    @classmethod
    def open(cls, cache_dir: Path, role: str, key: Mapping[str, Any]) -> VectorStore:
        """The store for a role (``queries`` or ``passages``) and a key: all but the texts that can change a vector."""
        canonical = json.dumps({"key": dict(key), "role": role}, sort_keys=True, default=str)
        slug = re.sub(r"[^\w.-]+", "-", str(key.get("name", "model")))[-60:]
        folder = cache_dir / "vectors" / f"{slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}" / role
        folder.mkdir(parents=True, exist_ok=True)
        description = folder / "key.json"
        if not description.exists():
            write_whole(description, canonical.encode())
        return cls(folder)

    def get(self, texts: Sequence[str]) -> FloatArray | None:
        """The vectors of these texts, or None if they are not there or the file is damaged."""
        try:
            with self._path(texts).open("rb") as file:
                vectors = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError, MemoryError):
            # A damaged header is no Python literal, or asks for more memory than there is.
            return None
        sound = (
            vectors.dtype == np.float32
            and vectors.ndim == 2
            and len(vectors) == len(texts)
            and np.isfinite(vectors).all()
        )
        return vectors if sound else None

    def put(self, texts: Sequence[str], vectors: FloatArray) -> None:
        """Stores the vectors; the file appears whole or not at all."""
        # numpy's own writing to a file does not say why it failed, so that a full disk could not be told from a bug.
        content = io.BytesIO()
        np.save(content, vectors, allow_pickle=False)
        write_whole(self._path(texts), content.getbuffer())

    def _path(self, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256()
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return self.folder / f"{digest.hexdigest()[:32]}.npy"


def distinct(texts: Texts) -> tuple[list[str], npt.NDArray[np.intp]]:
    """The distinct texts in the order in which they first occur, and which of them each text is, ``intp[N]``."""
    rows: dict[str, int] = {}
    row = np.fromiter((rows.setdefault(text, len(rows)) for text in texts.text), dtype=np.intp, count=len(texts))
    return list(rows), row


def embed(
    texts: Texts,
    encode: Callable[[list[str]], FloatArray],
    *,
    store: VectorStore,
    advance: Advance | None = None,
) -> Embeddings:
    """The vectors of all texts; each distinct text is encoded once, language by language, longest first.

    ``advance`` is called after each shard.

    Raises:
        EncoderError: if the encoder gives a vector that is not finite, too few or too many, or of another dimension.

    """
    unique, row = distinct(texts)
    first_row = np.unique(row, return_index=True)[1]
    language = texts.language[first_row]
    vectors: FloatArray | None = None
    for shard in _shards(unique, language):
        shard_texts = [unique[i] for i in shard]
        found = store.get(shard_texts)
        stored = found is not None
        if found is None:
            found = _checked(_encoded(encode, shard_texts), [texts.ids[first_row[i]] for i in shard])
        if vectors is None:
            vectors = np.empty((len(unique), found.shape[1]), np.float32)
        if found.shape[1] != vectors.shape[1]:
            raise EncoderError(
                f"The encoder gave vectors of {found.shape[1]} dimensions for {texts.ids[first_row[shard[0]]]!r} "
                f"and of {vectors.shape[1]} before: expected one dimension for all texts."
            )
        if not stored:
            store.put(shard_texts, found)
        vectors[shard] = found
        if advance:
            advance(texts=len(shard), characters=sum(map(len, shard_texts)), stored=stored)
    return Embeddings(vectors=np.zeros((0, 1), np.float32) if vectors is None else vectors, row=row)


def _shards(unique: Sequence[str], language: npt.NDArray[np.int16]) -> Iterator[list[int]]:
    """Indices of the texts of each shard: of one language, of like length, longest first."""
    for code in np.unique(language):
        shard: list[int] = []
        characters = 0
        for i in sorted(np.flatnonzero(language == code).tolist(), key=lambda i: -len(unique[i])):
            if shard and (len(shard) == _SHARD_TEXTS or characters + len(unique[i]) > _SHARD_CHARACTERS):
                yield shard
                shard, characters = [], 0
            shard.append(i)
            characters += len(unique[i])
        yield shard


def _encoded(encode: Callable[[list[str]], FloatArray], texts: list[str]) -> object:
    try:
        return encode(texts)
    except XlbenchError:
        raise
    except Exception as error:
        # The last frame is the line at fault in the encoder's code, or in what it calls.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise EncoderError(
            f"The encoder failed on {len(texts)} texts: {type(error).__name__}: {error} "
            f"({frame.filename}, line {frame.lineno}). What was encoded before is kept."
        ) from error


def _checked(found: object, ids: Sequence[str]) -> FloatArray:
    try:
        # What overflows is refused below, with the text; complex numbers would lose a part in silence.
        with np.errstate(over="ignore"), warnings.catch_warnings(action="error", category=np.exceptions.ComplexWarning):
            vectors = np.asarray(found, dtype=np.float32)
    except (TypeError, ValueError, RuntimeError, Warning) as error:  # RuntimeError: a tensor that requires grad.
        raise EncoderError(
            f"The encoder gave {type(found).__name__} for {len(ids)} texts; expected float32[texts, D] ({error})."
        ) from error
    if vectors.ndim != 2 or len(vectors) != len(ids) or vectors.shape[1] == 0:
        raise EncoderError(
            f"The encoder gave an array of shape {vectors.shape} for {len(ids)} texts; expected ({len(ids)}, D)."
        )
    # A NaN beats nothing, so counting would rank it first: it must not come in.
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise EncoderError(
            f"The encoder gave NaN or infinity for the text {ids[bad]!r} "
            f"({(~finite).sum()} of {len(ids)} texts in this batch): "
            "expected finite numbers. With half precision, try --dtype float32."
        )
    length = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if length.max(initial=0) > _LONGEST:
        raise EncoderError(
            f"The encoder gave a vector of length {length.max():.1e} for the text {ids[int(length.argmax())]!r}: "
            f"expected at most {_LONGEST:.0e}, beyond which inner products overflow. Normalise the vectors."
        )
    return np.ascontiguousarray(vectors)
