"""Texts, Pairs and Collection: what is evaluated, as validated arrays sorted by language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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

    @property
    def asked(self) -> tuple[str, ...]:
        """The languages that have queries."""
        return self._having(self.queries)

    @property
    def pooled(self) -> tuple[str, ...]:
        """The languages that have passages."""
        return self._having(self.passages)

    @classmethod
    def from_dicts(
        cls,
        queries: Mapping[str, str],
        passages: Mapping[str, str],
        judgements: Mapping[str, Mapping[str, int] | Iterable[str]],
        *,
        languages: str | Mapping[str, str] | None = None,
        query_languages: str | Mapping[str, str] | None = None,
    ) -> Collection:
        """A collection from dicts: texts by id, and the relevant passages of each query.

        Args:
            queries: Text by id.
            passages: Text by id; an id may also be a query's, and is then another thing.
            judgements: By query, gains of passages, or the ids of those that are relevant. A gain below 1 is not
                relevant.
            languages: The language of each passage, or of all texts; if it is not given, an id begins with it, as in
                ``de:42``.
            query_languages: The language of each query; if it is not given, ``languages`` has those too.

        Raises:
            DataError: For an id without a language, a text that is empty, or a judgement of a text that is not there.

        Example:
            >>> import xlbench
            >>> collection = xlbench.Collection.from_dicts(
            ...     {"de:1": "Wo liegt Bonn?", "en:1": "Where is Bonn?"},
            ...     {"de:a": "Bonn liegt am Rhein.", "en:a": "Bonn is on the Rhine."},
            ...     {"de:1": ["de:a", "en:a"], "en:1": {"de:a": 1, "en:a": 2}},
            ... )
            >>> collection.languages
            ('de', 'en')

        """
        of_passages = _languages_of(passages, languages, "passage")
        of_queries = _languages_of(queries, languages if query_languages is None else query_languages, "query")
        judged = [
            Judgement(query, passage, gain)
            for query, relevant in judgements.items()
            for passage, gain in _gains(relevant).items()
            if gain > 0
        ]
        return cls.build(
            sorted({*of_passages.values(), *of_queries.values()}),
            [Text(id_, of_queries[id_], text) for id_, text in queries.items()],
            [Text(id_, of_passages[id_], text) for id_, text in passages.items()],
            judged,
        )

    def in_languages(self, languages: Sequence[str]) -> Collection:
        """The queries and passages in some of the languages, in this order, with the judgements between them."""
        if tuple(languages) == self.languages:
            return self
        kept = {self.languages.index(language) for language in languages}
        queries, passages = self.queries, self.passages
        pairs = zip(self.pairs.query.tolist(), self.pairs.passage.tolist(), self.pairs.gain.tolist(), strict=True)
        return Collection.build(
            languages,
            self._records(queries, kept),
            self._records(passages, kept),
            [
                Judgement(queries.ids[query], passages.ids[passage], gain)
                for query, passage, gain in pairs
                if queries.language[query] in kept and passages.language[passage] in kept
            ],
        )

    def _records(self, texts: Texts, kept: set[int]) -> list[Text]:
        return [
            Text(id_, self.languages[code], text)
            for id_, code, text in zip(texts.ids, texts.language.tolist(), texts.text, strict=True)
            if code in kept
        ]

    def _having(self, texts: Texts) -> tuple[str, ...]:
        rows = map(texts.rows, range(len(self.languages)))
        return tuple(language for language, of_it in zip(self.languages, rows, strict=True) if of_it.stop > of_it.start)

    @classmethod
    def build(
        cls,
        languages: Sequence[str],
        queries: Iterable[Text],
        passages: Iterable[Text] | Texts,
        judgements: Iterable[Judgement],
    ) -> Collection:
        """A collection from records in any order; within a language their order is kept.

        Passages that are not to be in memory are given as ``Texts``.

        Raises:
            DataError: for an id that occurs twice or is judged but absent, an empty text, a language that is not
                in ``languages``, a gain below 1, or a judgement made twice.

        """
        query_texts = _sorted_texts(languages, queries)
        passage_texts = passages if isinstance(passages, Texts) else _sorted_texts(languages, passages)
        pairs = _pairs(query_texts, passage_texts, judgements)
        return cls(languages=tuple(languages), queries=query_texts, passages=passage_texts, pairs=pairs)


def _gains(relevant: Mapping[str, int] | Iterable[str]) -> Mapping[str, int]:
    return relevant if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1)


def _languages_of(texts: Mapping[str, str], languages: str | Mapping[str, str] | None, role: str) -> dict[str, str]:
    if isinstance(languages, str):
        return dict.fromkeys(texts, languages)
    found: dict[str, str] = {}
    for id_ in texts:
        language, colon, _ = id_.partition(":")
        if languages is not None and id_ in languages:
            language = languages[id_]
        elif languages is not None or not colon or not language:
            raise DataError(
                f"The {role} {id_!r} has no language: expected it in `languages`, or an id that begins with it, as in "
                "'de:42'."
            )
        found[id_] = language
    return found


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
    judged = list(judgements)
    named = {judgement.passage for judgement in judged}
    query_row = {id_: row for row, id_ in enumerate(queries.ids)}
    passage_row = {id_: row for row, id_ in enumerate(passages.ids) if id_ in named}
    rows: dict[tuple[int, int], int] = {}
    for query, passage, gain in judged:
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
