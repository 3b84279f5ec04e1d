"""Debiasing without training: removes from vectors what tells their languages apart, before they are scored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xlbench.collection import Texts
from xlbench.embeddings import Embeddings
from xlbench.errors import DataError, UnknownNameError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Transform:
    """A way to debias vectors; prints as ``--transform`` takes it."""

    method: Literal["center", "lir"]
    components: int = 0
    """How many principal components ``lir`` removes."""

    def __str__(self) -> str:
        return self.method if self.method == "center" else f"{self.method}:{self.components}"


@dataclass(frozen=True)
class Debiasing:
    """A transform, and the parallel text that it is fitted on."""

    transform: Transform
    fit_on: Path | None = None
    """JSON lines; None for the texts that are evaluated themselves, which makes the result transductive."""

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the model without this debiasing."""
        if self.fit_on is None:
            suffix, source = "-transductive", "the evaluated texts (transductive)"
        else:
            checksum = hashlib.sha256(self.fit_on.read_bytes()).hexdigest()
            suffix, source = "", f"{self.fit_on.name}, sha256 {checksum}"
        transform = {"method": str(self.transform), "fit_on": source}
        return {**model, "name": f"{model['name']}+{self.transform}{suffix}", "transform": transform}


def parse(text: str) -> Transform:
    """The transform of this name: ``center`` or ``lir:K``.

    Raises:
        UnknownNameError: if there is none.

    """
    if text == "center":
        return Transform("center")
    if match := re.fullmatch(r"lir:([1-9][0-9]{0,3})", text):
        return Transform("lir", int(match[1]))
    raise UnknownNameError("transform", text, ["center", "lir:1"], hint="lir:K removes K principal components.")


@dataclass(frozen=True)
class Fitted:
    """What is removed from the vectors of each language."""

    transform: Transform
    languages: tuple[str, ...]
    mean: FloatArray
    """``[L, D]``, subtracted by ``center``."""
    components: npt.NDArray[np.float32]
    """``[L, K, D]``, orthonormal directions that ``lir`` projects out."""

    def apply(self, embeddings: Embeddings, texts: Texts, languages: Sequence[str]) -> Embeddings:
        """The vectors without what is removed, of length 1 again; equal texts of two languages get two vectors.

        Raises:
            DataError: if a language was not fitted.

        """
        for language in languages:
            if language not in self.languages:
                raise DataError(
                    f"The transform {self.transform} was fitted on {', '.join(self.languages)}, "
                    f"but there are texts in {language!r}: fit it on texts of all languages."
                )
        keys = embeddings.row.astype(np.int64) * len(languages) + texts.language
        # In the order in which they first occur, as the engine expects it.
        _, first, row = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        vectors = embeddings.vectors[embeddings.row[first[order]]].copy()
        language = texts.language[first[order]]
        for code, name in enumerate(languages):
            mine = language == code
            vectors[mine] = self._without(vectors[mine], self.languages.index(name))
        return Embeddings(vectors=vectors, row=place[row])

    def _without(self, vectors: FloatArray, language: int) -> FloatArray:
        if self.transform.method == "center":
            left = vectors - self.mean[language]
        else:
            left = vectors - (vectors @ self.components[language].T) @ self.components[language]
        length = np.linalg.norm(left, axis=1, keepdims=True)
        found: FloatArray = left / np.where(length > 0, length, 1)
        return found


def fit(transform: Transform, parts: Sequence[tuple[Embeddings, Texts]], languages: tuple[str, ...]) -> Fitted:
    """What the transform removes, from the vectors of these texts, each counted as often as it occurs.

    ``center`` subtracts a language's mean vector. ``lir:K`` projects out the K first right singular vectors of a
    language's vectors (language information removal, Yang et al., EMNLP 2021, arXiv 2109.04727), which are not centred
    before: the first is close to the mean.

    Raises:
        DataError: if a language has no texts, or fewer than ``lir`` has components.

    """
    means, directions = [], []
    for code, name in enumerate(languages):
        mine = [embeddings.vectors[embeddings.row[texts.language == code]] for embeddings, texts in parts]
        vectors = np.concatenate(mine).astype(np.float64)
        if len(vectors) <= transform.components:  # Not even one for center.
            raise DataError(
                f"{name!r} has {len(vectors)} texts to fit {transform} on; expected more than {transform.components}."
            )
        means.append(vectors.mean(axis=0))
        # The eigenvectors of D x D are cheap however many texts there are.
        directions.append(np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1][:, : transform.components].T)
    return Fitted(transform, languages, np.array(means, np.float32), np.array(directions, np.float32))
