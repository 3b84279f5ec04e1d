"""Folders that `xlbench debias` writes: a model, and what is removed from its vectors of each language.

A folder has ``debiasing.json``, the numbers in ``debiasing.npz``, and the model in the folder ``model`` unless it is
built in. A text's language is identified, so that none need be declared. Nothing in the folder is run as code.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models import folders
from xlbench.models.kinds import BUILT_IN
from xlbench.models.language_identifier import Identifier
from xlbench.support.files import write_whole

if TYPE_CHECKING:
    from xlbench.models.protocols import Encoder

SETTINGS = "debiasing.json"
NUMBERS = "debiasing.npz"
MODEL = "model"
_KEYS: dict[str, type] = {"transform": str, "languages": list, "built_in": str, "arguments": dict, "fit_on": dict}


def removed(
    vectors: VectorArray, *, mean: VectorArray | None = None, components: VectorArray | None = None
) -> VectorArray:
    """The vectors ``[N, D]`` without a mean ``[D]``, or orthonormal directions ``[K, D]``; of length 1."""
    left = vectors if mean is None else vectors - mean
    if components is not None:
        left = left - (left @ components.T) @ components
    length = np.linalg.norm(left, axis=1, keepdims=True)
    return np.asarray(left / np.where(length > 0, length, 1), np.float32)


@dataclass(frozen=True)
class Settings:
    """What ``debiasing.json`` says."""

    transform: str
    languages: tuple[str, ...]
    """Those that were fitted."""
    arguments: Mapping[str, Any]
    """Of the model."""
    fit_on: Mapping[str, str]
    """Name and sha256 of the parallel text."""
    built_in: str
    """The name of the model if it is built in; empty if it is in the folder."""
    model: str
    """What to load: not a key of the file."""


@dataclass(frozen=True)
class Removal:
    """What is removed from the vectors of each language, and, in the last row, of texts in any other."""

    mean: VectorArray
    """``[L + 1, D]``; zeros for a transform that subtracts none."""
    components: VectorArray
    """``[L + 1, K, D]``, orthonormal."""

    def of(self, vectors: VectorArray, language: npt.NDArray[np.int64]) -> VectorArray:
        """The vectors of texts in these languages, -1 for any other, without what is removed."""
        debiased = np.empty_like(vectors)
        for code in np.unique(language):
            mine = language == code
            debiased[mine] = removed(vectors[mine], mean=self.mean[code], components=self.components[code])
        return debiased


def is_debiased(model: str) -> bool:
    """Whether a folder was written by `xlbench debias`."""
    return (Path(model) / SETTINGS).is_file()


def write(folder: Path, settings: Settings, removal: Removal) -> None:
    """Writes settings and numbers to a folder, where the model is already."""
    known = {key: value for key, value in asdict(settings).items() if key in _KEYS}
    with (folder / NUMBERS).open("wb") as file:
        np.savez(file, mean=removal.mean, components=removal.components)
    write_whole(folder / SETTINGS, (json.dumps(known, indent=2, ensure_ascii=False) + "\n").encode())


def read_settings(folder: Path) -> Settings:
    """What a folder that `xlbench debias` wrote says of itself.

    Raises:
        EncoderError: if the file is of another shape, or names a model that is not built in.

    """
    path = folder / SETTINGS
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{path} cannot be read ({error}): write the folder again with `xlbench debias`.") from error
    wrong = not isinstance(record, dict) or set(record) != set(_KEYS)
    if wrong or not all(isinstance(record[key], kind) for key, kind in _KEYS.items()):
        raise EncoderError(f"{path} is not what `xlbench debias` writes; expected {', '.join(_KEYS)}.")
    built_in = record["built_in"]
    if built_in and built_in not in BUILT_IN:
        raise EncoderError(f"{path} names the model {built_in!r}; expected one of {', '.join(BUILT_IN)}, or nothing.")
    if "trust_remote_code" in record["arguments"]:
        raise EncoderError(f"{path} wants to run code of a model: if you trust it, say so with --model-arg.")
    return Settings(**{**record, "languages": tuple(record["languages"])}, model=built_in or str(folder / MODEL))


class DebiasedEncoder:
    """A model's vectors without what is removed for the language that each text is found to be in."""

    vectors_revision = 1  # To be raised when the same model gives other vectors than before.

    def __init__(self, folder: str, within: Encoder, settings: Settings) -> None:
        self.name = folders.name_of(folder)
        self.revision = folders.revision_of(folder, revision=None)
        self._folder = Path(folder)
        self._within = within
        self._settings = settings

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``, of length 1."""
        return self._debiased(texts, self._within.encode_queries)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``, of length 1."""
        return self._debiased(texts, self._within.encode_passages)

    def provenance(self) -> dict[str, Any]:
        """That of the model within, and the versions of what identifies languages."""
        within: dict[str, Any] = getattr(self._within, "provenance", dict)()
        return {**within, **{name: version(name) for name in ("py3langid", "langcodes")}}

    def _debiased(self, texts: Sequence[str], encode: Callable[[Sequence[str]], VectorArray]) -> VectorArray:
        vectors = np.asarray(encode(texts), np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self._removal.mean.shape[1]:
            raise EncoderError(
                f"The model in {self._folder} gave an array of shape {vectors.shape}, but {NUMBERS} is for "
                f"{self._removal.mean.shape[1]} dimensions: write the folder again with `xlbench debias`."
            )
        identifier, known = self._identifier
        codes_of = [identifier.language_among(text, known) for text in texts]
        return self._removal.of(vectors, np.array([-1 if code is None else code for code in codes_of], np.int64))

    @cached_property
    def _identifier(self) -> tuple[Identifier, dict[str, int]]:
        identifier = Identifier()
        return identifier, codes(identifier, self._settings.languages)

    @cached_property
    def _removal(self) -> Removal:
        path = self._folder / NUMBERS
        try:
            # Opened here, because numpy leaves a damaged file open.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as numbers:
                removal = Removal(numbers["mean"], numbers["components"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise EncoderError(f"{path} cannot be read ({error}): write the folder again.") from error
        n, dimensions = len(self._settings.languages) + 1, removal.mean.shape[-1]
        shapes = removal.mean.shape == (n, dimensions) and removal.components.shape[::2] == (n, dimensions)
        if not shapes or not (np.isfinite(removal.mean).all() and np.isfinite(removal.components).all()):
            raise EncoderError(f"{path} does not have a row for each language and one more: write the folder again.")
        return removal


def codes(identifier: Identifier, languages: Sequence[str]) -> dict[str, int]:
    """The place of each language by the code that identification gives.

    Raises:
        EncoderError: if identification does not know one, or cannot tell two apart.

    """
    by_code: dict[str, int] = {}
    for place, language in enumerate(languages):
        code = identifier.macrolanguage(language)
        if code is None or not identifier.knows(language):
            raise EncoderError(f"The language {language!r} cannot be identified: leave its texts out of --fit-on.")
        if code in by_code:
            raise EncoderError(
                f"{languages[by_code[code]]!r} and {language!r} cannot be told apart: keep one of them in --fit-on."
            )
        by_code[code] = place
    return by_code
