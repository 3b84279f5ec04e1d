"""Texts, Pairs and Collection: what is evaluated, as validated arrays sorted by language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xlbench.errors import DataError


class Text(NamedTuple):
    """One query or passage as a reader yields it."""

    id: str
    """Unique over all languages of its role."""
    language: str
    text: str


class Judgement(NamedTuple):
    """One relevant passage of one query, by id."""

    query: str
    passage: str
    gain: int


@dataclass(frozen=True)
class Texts:
    """The queries or the passages of a collection, sorted by language."""

    ids: tuple[str, ...]
    """Unique over all languages."""
    text: Sequence[str]
    """Never empty; may be memory-mapped."""
    language: npt.NDArray[np.int16]
    """``[N]``, index into ``Collection.languages``; non-decreasing, so that a language is a slice."""

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.text) == len(self.language):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.text)} texts and {len(self.language)} languages: "
                "expected as many of each."
            )
        if len(set(self.ids)) != len(self.ids):
            raise DataError(f"The id {_first_repeat(self.ids)!r} occurs twice: ids are unique over all languages.")
        if len(self.language) and (np.diff(self.language) < 0).any():
            raise DataError("Texts are not sorted by language: build them with Collection.build.")
        for id_, text in zip(self.ids, self.text, strict=True):
            if not text or text.isspace():
                raise DataError(f"The text of {id_!r} is empty: every query and passage needs text.")

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, language: int) -> slice:
        """The rows of a language, given as its index."""
        first, last = np.searchsorted(self.language, [language, language + 1])
        return slice(int(first), int(last))


@dataclass(frozen=True)
class Pairs:
    """The judged relevant pairs, sorted by (query, passage), without duplicates."""

    query: npt.NDArray[np.int32]
    """``[Nr]``, row of the query."""
    passage: npt.NDArray[np.int64]
    """``[Nr]``, row of the passage."""
    gain: npt.NDArray[np.int16]
    """``[Nr]``, at least 1."""

    def __len__(self) -> int:
        return len(self.query)


@dataclass(frozen=True)
class Collection:
    """Queries, passages and judged pairs of several languages."""

    languages: tuple[str, ...]
    queries: Texts
    passages: Texts
    pairs: Pairs

    @classmethod
    def build(
        cls,
        languages: Sequence[str],
        queries: Iterable[Text],
        passages: Iterable[Text],
        judgements: Iterable[Judgement],
    ) -> Collection:
        """A collection from records in any order; within a language their order is kept.

        Raises:
            DataError: for an id that occurs twice or is judged but absent, an empty text, a language that is not
                in ``languages``, a gain below 1, or a judgement made twice.

        """
        query_texts = _sorted_texts(languages, queries)
        passage_texts = _sorted_texts(languages, passages)
        pairs = _pairs(query_texts, passage_texts, judgements)
        return cls(languages=tuple(languages), queries=query_texts, passages=passage_texts, pairs=pairs)


def _sorted_texts(languages: Sequence[str], records: Iterable[Text]) -> Texts:
    index = {language: i for i, language in enumerate(languages)}
    found = list(records)
    for record in found:
        if record.language not in index:
            raise DataError(
                f"{record.id!r} is in the language {record.language!r}; expected one of {', '.join(languages)}."
            )
    found.sort(key=lambda record: index[record.language])
    return Texts(
        ids=tuple(record.id for record in found),
        text=tuple(record.text for record in found),
        language=np.array([index[record.language] for record in found], dtype=np.int16),
    )


def _pairs(queries: Texts, passages: Texts, judgements: Iterable[Judgement]) -> Pairs:
    query_row = {id_: row for row, id_ in enumerate(queries.ids)}
    passage_row = {id_: row for row, id_ in enumerate(passages.ids)}
    rows: dict[tuple[int, int], int] = {}
    for query, passage, gain in judgements:
        if query not in query_row:
            raise DataError(f"A judgement names the query {query!r}, which the collection does not have.")
        if passage not in passage_row:
            raise DataError(
                f"A judgement of query {query!r} names the passage {passage!r}, which the collection does not have."
            )
        if not 1 <= gain <= np.iinfo(np.int16).max:
            raise DataError(f"The gain of query {query!r} and passage {passage!r} is {gain}; expected 1 to 32,767.")
        key = query_row[query], passage_row[passage]
        if key in rows:
            raise DataError(f"Query {query!r} and passage {passage!r} are judged twice.")
        rows[key] = gain
    ordered = sorted(rows.items())
    return Pairs(
        query=np.array([query for (query, _), _ in ordered], dtype=np.int32),
        passage=np.array([passage for (_, passage), _ in ordered], dtype=np.int64),
        gain=np.array([gain for _, gain in ordered], dtype=np.int16),
    )


def _first_repeat(ids: Iterable[str]) -> str:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            return id_
        seen.add(id_)
    raise LookupError("no id repeats")
