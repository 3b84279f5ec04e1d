"""Debiasing without training: removes from vectors what tells their languages apart, before they are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xlbench.arrays import VectorArray
from xlbench.collection import Texts
from xlbench.engine.vectors import Embeddings, Vectors
from xlbench.errors import DataError
from xlbench.models.debiased import removed
from xlbench.models.transform import Transform

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Fitted:
    """What is removed from the vectors of each language."""

    transform: Transform
    languages: tuple[str, ...]
    mean: VectorArray
    """``[L, D]``, subtracted by ``center`` and ``shift``."""
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
        n_vectors = max(len(embeddings.vectors), 1)
        keys, row = np.unique(texts.language.astype(np.int64) * n_vectors + embeddings.row, return_inverse=True)
        of_language = np.array([self.languages.index(language) for language in languages])
        transformed = _Transformed(self, embeddings.vectors, keys % n_vectors, of_language[keys // n_vectors])
        return replace(embeddings, vectors=transformed, row=row)

    def without(self, vectors: VectorArray, language: int) -> VectorArray:
        """Vectors of one language without what is removed, of length 1."""
        if self.transform.method == "lir":
            return removed(vectors, components=self.components[language])
        return removed(vectors, mean=self.mean[language])


@dataclass(frozen=True)
class _Transformed:
    """Vectors that are transformed when they are asked for, so that they need not be in memory."""

    fitted: Fitted
    vectors: Vectors
    row: npt.NDArray[np.int64]
    """``[U']``, which vector each is made from."""
    language: npt.NDArray[np.int64]
    """``[U']``, index into the languages that were fitted; sorted as the collection's."""

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64], /) -> VectorArray:
        vectors: VectorArray = self.vectors[self.row[rows]]
        language = self.language[rows]
        for code in np.unique(language):
            mine = language == code
            vectors[mine] = self.fitted.without(vectors[mine], code)
        return vectors


def fit(transform: Transform, parts: Sequence[tuple[Embeddings, Texts]], languages: tuple[str, ...]) -> Fitted:
    """What the transform removes, from the vectors of these texts, each counted as often as it occurs.

    ``center`` subtracts a language's mean vector. ``lir:K`` projects out the K first right singular vectors of a
    language's vectors (language information removal, Yang et al., EMNLP 2021, arXiv 2109.04727), which are not centred
    before: the first is close to the mean. ``shift:S`` subtracts the mean difference between a text's vector and that
    of the same text in the language S (SHIFT, arXiv 2606.18801): of parallel texts that is the difference of the means.

    Raises:
        DataError: if a language has no texts, or fewer than ``lir`` has components; if there is none of the source.

    """
    if transform.source and transform.source not in languages:
        raise DataError(
            f"{transform} moves vectors to those of {transform.source!r}, but the texts that it is fitted on are in "
            f"{', '.join(languages)}: name one of these, or fit it on parallel text that has {transform.source!r}."
        )
    means, directions = [], []
    for code, name in enumerate(languages):
        counts = [
            np.bincount(embeddings.row[texts.language == code], minlength=len(embeddings.vectors))
            for embeddings, texts in parts
        ]
        n_texts = int(sum(count.sum() for count in counts))
        if n_texts <= transform.components:  # Not even one for center.
            raise DataError(
                f"{name!r} has {n_texts} texts to fit {transform} on; expected more than {transform.components}."
            )
        dimensions = parts[0][0].vectors.shape[1]
        total, moment = np.zeros(dimensions), np.zeros((dimensions, dimensions))
        for (embeddings, _), count in zip(parts, counts, strict=True):
            for rows in np.array_split(np.flatnonzero(count), -(-np.count_nonzero(count) // _ROWS_AT_ONCE) or 1):
                vectors = embeddings.vectors[rows].astype(np.float64)
                total += count[rows] @ vectors
                moment += (vectors * count[rows, None]).T @ vectors
        means.append(total / n_texts)
        # The eigenvectors of D x D are cheap however many texts there are, unless D is in the thousands.
        axes = np.linalg.eigh(moment)[1][:, ::-1] if transform.components else moment
        directions.append(axes[:, : transform.components].T)
    mean = np.array(means)
    mean -= mean[languages.index(transform.source)].copy() if transform.source else 0
    return Fitted(transform, languages, mean.astype(np.float32), np.array(directions, np.float32))
