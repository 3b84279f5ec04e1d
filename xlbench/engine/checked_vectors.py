"""Vectors as an encoder gives them, usable or refused by name of the text."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from xlbench.arrays import FloatArray, TokenVectors, VectorArray
from xlbench.errors import EncoderError, XlbenchError

_LONGEST = 1e18


def encoded(encode: Callable[[list[str]], object], texts: list[str], *, who: str = "encoder") -> object:
    """What an encoder, or whatever ``who`` is, gives for texts, not checked yet.

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
            f"The {who} failed on {len(texts)} texts: {type(error).__name__}: {error} "
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
    expected_finite(np.linalg.norm(vectors.astype(np.float64), axis=1), ids)
    return np.ascontiguousarray(vectors)


def checked_tokens(answer: object, ids: Sequence[str]) -> TokenVectors:
    """An encoder's answer for the texts ``ids`` as vectors of tokens, one at least a text, finite and not too long.

    Raises:
        EncoderError: if it is anything else, with the id of the text where there is one.

    """
    if not isinstance(answer, TokenVectors) or len(answer) != len(ids):
        of = f" of {len(answer)} texts" if isinstance(answer, TokenVectors) else ""
        raise EncoderError(
            f"The encoder gave {type(answer).__name__}{of} for {len(ids)} texts; expected TokenVectors "
            "(xlbench.arrays) of as many."
        )
    starts, n_tokens = np.asarray(answer.starts, np.int64), len(answer.vectors)
    if np.ndim(answer.vectors) != 2 or (np.diff(starts) < 0).any() or (starts[0], starts[-1]) != (0, n_tokens):
        raise EncoderError(
            f"The encoder gave vectors of shape {np.shape(answer.vectors)} and starts from {starts[0]} to "
            f"{starts[-1]} for {len(ids)} texts; expected float32[tokens, d], and starts that rise from 0 to the "
            "number of tokens."
        )
    empty = np.flatnonzero(answer.lengths < 1)
    if len(empty):
        raise EncoderError(
            f"The encoder gave no vector of a token for the text {ids[int(empty[0])]!r}, so that nothing can be "
            "compared with it: expected one at least."
        )
    names = [ids[text] for text in np.repeat(np.arange(len(ids)), answer.lengths).tolist()]
    return TokenVectors(checked(answer.vectors, names), starts)


def expected_finite(length: FloatArray, ids: Sequence[str]) -> None:
    """Refuses vectors of these lengths if one is not finite, or so long that products overflow.

    Raises:
        EncoderError: with the id of the text.

    """
    # A NaN beats nothing, so counting would rank it first: it must not come in.
    finite = np.isfinite(length)
    if not finite.all():
        raise EncoderError(
            f"The encoder gave NaN or infinity for the text {ids[int(np.argmin(finite))]!r} "
            f"({(~finite).sum()} of {len(ids)} texts in this batch): "
            "expected finite numbers. With half precision, try --dtype float32."
        )
    if length.max(initial=0) > _LONGEST:
        raise EncoderError(
            f"The encoder gave a vector of length {length.max():.1e} for the text {ids[int(length.argmax())]!r}: "
            f"expected at most {_LONGEST:.0e}, beyond which inner products overflow. Normalise the vectors."
        )
