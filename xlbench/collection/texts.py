"""Texts: the queries or the passages of a collection; and the records that a reader yields."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xlbench.collection.strings import StoredStrings
from xlbench.errors import DataError


class Text(NamedTuple):
    """One query or passage as a reader yields it."""

    id: str
    """Unique over all languages of its role."""
    language: str
    text: str
    where: str = ""
    """File and line, as far as it is known; for errors."""

    def refuse_empty(self) -> None:
        """Returns if there is a text.

        Raises:
            DataError: if there is none, or white space alone.

        """
        if not self.text or self.text.isspace():
            place = f"{self.where}: the" if self.where else "The"
            raise DataError(f"{place} text of {self.id!r} is empty: every query and passage needs text.")

    def repeated(self, first: Text) -> DataError:
        """The error that says that another text has the same id."""
        places = f" ({first.where}, and {self.where})" if self.where and first.where else ""
        return DataError(f"The id {self.id!r} occurs twice: ids are unique over all languages{places}.")


class Judgement(NamedTuple):
    """One relevant passage of one query, by id."""

    query: str
    passage: str
    gain: int


@dataclass(frozen=True)
class Distinct:
    """Which texts are equal; ``U`` of them are distinct."""

    row: npt.NDArray[np.int64]
    """``[N]``, which distinct text each text is."""
    first: npt.NDArray[np.int64]
    """``[U]``, row of the first text that is equal to each; ascending."""
    n_characters: npt.NDArray[np.int32]
    """``[U]``."""
    checksum: str
    """Of all texts in their order."""

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Texts:
    """The queries or the passages of a collection, sorted by language."""

    ids: Sequence[str]
    """Unique over all languages."""
    text: Sequence[str]
    """Never empty. Both may be on disk (``texts.StoredStrings``), where slices and ascending rows are read fast."""
    language: npt.NDArray[np.int16]
    """``[N]``, index into ``Collection.languages``; non-decreasing, so that a language is a slice."""

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.text) == len(self.language):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.text)} texts and {len(self.language)} languages: "
                "expected as many of each."
            )
        if len(self.language) and (np.diff(self.language) < 0).any():
            raise DataError("Texts are not sorted by language: build them with Collection.build.")
        if isinstance(self.text, StoredStrings):
            return  # Their texts were checked when they were stored, and their ids are when they are sorted.
        if len(set(self.ids)) != len(self.ids):
            raise DataError(f"The id {_first_repeat(self.ids)!r} occurs twice: ids are unique over all languages.")
        for id_, text in zip(self.ids, self.text, strict=True):
            if not text or text.isspace():
                raise DataError(f"The text of {id_!r} is empty: every query and passage needs text.")

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, language: int) -> slice:
        """The rows of a language, given as its index."""
        first, last = np.searchsorted(self.language, [language, language + 1])
        return slice(int(first), int(last))

    @cached_property
    def tie_order(self) -> npt.NDArray[np.int64]:
        """The order in which equal scores rank, ``[N]``: the higher comes first, as in trec_eval (descending id).

        Raises:
            DataError: if an id occurs twice.

        """
        if isinstance(self.ids, StoredStrings):
            return self.ids.tie_order
        order = np.empty(len(self.ids), np.int64)
        order[sorted(range(len(self.ids)), key=self.ids.__getitem__)] = np.arange(len(self.ids))
        return order

    @cached_property
    def distinct(self) -> Distinct:
        """Which of the texts are equal, by checksums of 128 bits, so that not all need be in memory."""
        digests = bytearray()
        lengths = np.empty(len(self), np.int32)
        for i, text in enumerate(self.text):
            digests += hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            lengths[i] = len(text)
        checksums = np.frombuffer(digests, np.uint64).reshape(-1, 2)
        order = np.lexsort((checksums[:, 1], checksums[:, 0]))  # Stable: the first of equal texts stays the first.
        is_new = np.ones(len(self), bool)
        is_new[1:] = (checksums[order[1:]] != checksums[order[:-1]]).any(axis=1)
        first = order[is_new]
        place = np.empty(len(first), np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        row = np.empty(len(self), np.int64)
        row[order] = place[np.cumsum(is_new) - 1]
        first = np.sort(first)
        checksum = hashlib.sha256(digests).hexdigest()
        return Distinct(row=row, first=first, n_characters=lengths[first], checksum=checksum)


def _first_repeat(ids: Iterable[str]) -> str:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            return id_
        seen.add(id_)
    raise LookupError("no id repeats")
