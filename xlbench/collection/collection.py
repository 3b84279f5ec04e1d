"""Collection: what is evaluated, as validated arrays sorted by language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from xlbench.collection.clusters import QUESTION, Clusters
from xlbench.collection.judged_pairs import Pairs
from xlbench.collection.sample import Sample
from xlbench.collection.texts import Judgement, Text, Texts
from xlbench.errors import DataError


@dataclass(frozen=True)
class Collection:
    """Queries, passages and judged pairs of several languages."""

    languages: tuple[str, ...]
    queries: Texts
    passages: Texts
    pairs: Pairs
    clusters: Clusters
    """Of the queries."""
    sample: Sample | None = None
    """How much of a larger collection this is; None if it is no part of one."""
    by_answers: bool = False
    """Whether nobody has judged its passages, and one counts if it contains an answer as a string."""

    @cached_property
    def checksums(self) -> dict[str, str]:
        """What tells this data from any other: of the texts of the queries and of the passages, and of the judgements.

        That of the judgements is of the ids that they name, of the gains, and of the queries' clusters.
        """
        judgements = hashlib.sha256()
        named = [json.dumps(names)[1:-1] for names in zip(self.queries.ids, self.clusters.of_query, strict=True)]
        pairs = zip(self.pairs.query.tolist(), self.pairs.passage.tolist(), self.pairs.gain.tolist(), strict=True)
        for query, passage, gain in pairs:
            judgements.update(f"[{named[query]}, {json.dumps(self.passages.ids[passage])}, {gain}]".encode())
        return {
            "queries": self.queries.distinct.checksum,
            "passages": self.passages.distinct.checksum,
            "judgements": judgements.hexdigest(),
        }

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
        clusters: Mapping[str, str] | None = None,
        unit: str = "cluster",
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
            clusters: What each query belongs to, such as the document that it was written for: queries of one are not
                independent, and intervals and tests draw whole clusters. If it is not given, each question is one, with
                its translations.
            unit: What a cluster is, in the singular.

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
        ]
        return cls.build(
            sorted({*of_passages.values(), *of_queries.values()}),
            [Text(id_, of_queries[id_], text) for id_, text in queries.items()],
            [Text(id_, of_passages[id_], text) for id_, text in passages.items()],
            judged,
            unit=QUESTION if clusters is None else unit,
            clusters=clusters,
        )

    def in_languages(self, languages: Sequence[str]) -> Collection:
        """The queries and passages in some of the languages, in this order, with the judgements between them."""
        if tuple(languages) == self.languages:
            return self
        kept = {self.languages.index(language) for language in languages}
        queries, passages = self.queries, self.passages
        pairs = zip(self.pairs.query.tolist(), self.pairs.passage.tolist(), self.pairs.gain.tolist(), strict=True)
        chosen = Collection.build(
            languages,
            self._records(queries, kept),
            self._records(passages, kept),
            [
                Judgement(queries.ids[query], passages.ids[passage], gain)
                for query, passage, gain in pairs
                if queries.language[query] in kept and passages.language[passage] in kept
            ],
            unit=self.clusters.unit,
            clusters=dict(zip(queries.ids, self.clusters.of_query, strict=True)),
        )
        return replace(chosen, by_answers=self.by_answers)

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
        *,
        unit: str = QUESTION,
        clusters: Mapping[str, str] | None = None,
    ) -> Collection:
        """A collection from records in any order; within a language their order is kept.

        Passages that are not to be in memory are given as ``Texts``. ``clusters`` has the cluster of each query by id,
        and ``unit`` says what that is; without it each question is one. A gain below 1 is not relevant, and an equal
        judgement twice is one.

        Raises:
            DataError: for an id that occurs twice or is judged but absent, an empty text, a language that is not
                in ``languages``, a pair with two gains, or a query without a cluster where others have one.

        """
        query_texts = _sorted_texts(languages, queries)
        passage_texts = passages if isinstance(passages, Texts) else _sorted_texts(languages, passages)
        pairs = Pairs.of(query_texts, passage_texts, judgements)
        return cls(
            languages=tuple(languages),
            queries=query_texts,
            passages=passage_texts,
            pairs=pairs,
            clusters=Clusters.of(query_texts.ids, unit=unit, named=clusters),
        )


def _gains(relevant: Mapping[str, int] | Iterable[str]) -> Mapping[str, int]:
    return relevant if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1)


def _languages_of(texts: Mapping[str, str], languages: str | Mapping[str, str] | None, role: str) -> dict[str, str]:
    if isinstance(languages, str):
        return dict.fromkeys(texts, languages)
    of_text: dict[str, str] = {}
    for id_ in texts:
        language, colon, _ = id_.partition(":")
        if languages is not None and id_ in languages:
            language = languages[id_]
        elif languages is not None or not colon or not language:
            raise DataError(
                f"The {role} {id_!r} has no language: expected it in `languages`, or an id that begins with it, as in "
                "'de:42'."
            )
        of_text[id_] = language
    return of_text


def _sorted_texts(languages: Sequence[str], records: Iterable[Text]) -> Texts:
    index = {language: i for i, language in enumerate(languages)}
    texts = list(records)
    first: dict[str, Text] = {}
    for record in texts:
        record.refuse_empty()
        if first.setdefault(record.id, record) is not record:
            raise record.repeated(first[record.id])
        if record.language not in index:
            raise DataError(
                f"{record.id!r} is in the language {record.language!r}; expected one of {', '.join(languages)}."
            )
    texts.sort(key=lambda record: index[record.language])
    return Texts(
        ids=tuple(record.id for record in texts),
        text=tuple(record.text for record in texts),
        language=np.array([index[record.language] for record in texts], dtype=np.int16),
    )
