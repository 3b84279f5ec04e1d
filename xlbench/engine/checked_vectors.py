"""Vectors as an encoder gives them, usable or refused by name of the text; and whether stored ones still hold."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError, XlbenchError

_LONGEST = 1e18
_PROBED_SHARDS = (1, 2, 4, 8)
"""Of the stored ones of a role: with two texts each, 8 texts of different lengths and mostly languages."""


class Probe:
    """Encodes some stored texts again: a model may give other vectors under the name that they were stored under."""

    def __init__(self, encode: Callable[[list[str]], VectorArray], tolerance: float) -> None:
        self.n_probed = 0
        self._encode = encode
        self._tolerance = tolerance
        self._n_shards = 0

    def check(self, texts: list[str], stored: VectorArray, ids: Sequence[str]) -> None:
        """Compares the longest and the shortest text of the first, second, fourth and eighth stored shard.

        Raises:
            EncoderError: if a vector differs by more than the tolerance, as a share of its length.

        """
        self._n_shards += 1
        if self._n_shards not in _PROBED_SHARDS:
            return
        chosen = sorted({0, len(texts) - 1})
        now = checked(encoded(self._encode, [texts[i] for i in chosen]), [ids[i] for i in chosen])
        for i, vector in zip(chosen, now, strict=True):
            difference = self._difference(vector, stored[i])
            if not difference <= self._tolerance:
                raise EncoderError(
                    f"The stored vector of {ids[i]!r} is not what the model gives now: it differs by {difference:.1e} "
                    f"of its length, expected at most {self._tolerance:.0e}. The model's weights or code were changed "
                    "under the same name and revision: add --force to encode everything again, or raise the revision."
                )
        self.n_probed += len(chosen)

    @staticmethod
    def _difference(vector: VectorArray, stored: VectorArray) -> float:
        if vector.shape != stored.shape:
            return float("inf")
        length = float(np.linalg.norm(vector)) or 1.0
        return float(np.linalg.norm(vector - stored.astype(np.float32))) / length


def encoded(encode: Callable[[list[str]], VectorArray], texts: list[str]) -> object:
    """What an encoder gives for texts, not checked yet.

    Raises:
        EncoderError: if its code fails, with the line at fault.

    """
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


def checked(answer: object, ids: Sequence[str]) -> VectorArray:
    """An encoder's answer for the texts ``ids`` as ``float32[n, D]``, finite and not too long.

    Raises:
        EncoderError: if it is anything else, with the id of the text where there is one.

    """
    try:
        # What overflows is refused below, with the text; complex numbers would lose a part in silence.
        with np.errstate(over="ignore"), warnings.catch_warnings(action="error", category=np.exceptions.ComplexWarning):
            vectors = np.asarray(answer, dtype=np.float32)
    except (TypeError, ValueError, RuntimeError, Warning) as error:  # RuntimeError: a tensor that requires grad.
        raise EncoderError(
            f"The encoder gave {type(answer).__name__} for {len(ids)} texts; expected float32[texts, D] ({error})."
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
