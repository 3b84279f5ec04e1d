"""Reads data sets through Hugging Face's `datasets`: three tables a language, as many BEIR-like data sets have them.

A part names the data set, its config or file, split and revision, and the columns: of queries and passages ``id`` and
``text`` (and of passages perhaps ``title``), of judgements ``query``, ``passage`` and perhaps ``gain``. One table of
all languages has the column ``language`` too. Instead of the three parts there may be one, ``pairs``, whose rows are a
``query`` and the ``passage`` that answers it. ``{language}`` in any of these stands for the language. A folder of the
data set's name below the data folder is read instead of the Hub: ``NAME/CONFIG/SPLIT.parquet``, or any other form that
the library reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.hub_tables import DatasetTable, rows
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError, shown

PARTS = ("queries", "passages", "judgements")
PAIRS = "pairs"
"""The part instead of all of them."""
FORMS = ("title+text", "text")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "queries": ("id", "text"),
    "passages": ("id", "text"),
    "judgements": ("query", "passage"),
    PAIRS: ("query", "passage"),
}
OPTIONAL_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "queries": ("language",),
    "passages": ("title", "language"),
    "judgements": ("gain",),
    PAIRS: ("language",),
}
ACROSS = ("all", "some")
"""Whether a judgement holds for the same ids in all languages, or in those that have them."""


def read(
    tables: Mapping[str, DatasetTable],
    *,
    text: str,
    languages: Sequence[str],
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
) -> Collection:
    """The collection in these tables; only queries with a relevant passage are in it.

    Ids are ``language:id``, or of queries that are all in one language, asked of each language's passages,
    ``language:passages-id``. Rows without an id or a text are left out, and so are repeats of a query. Of ``pairs``
    equal texts are one query or one passage, and ids are numbers; no two languages share a question.

    Raises:
        DataError: if a data set cannot be loaded, or lacks a column or a text, or a judgement that holds in all
            languages names what one of them lacks.

    """
    source = _Source(tables, languages, data_dir, cache_dir)
    if PAIRS in tables:
        queries, passages, judged = source.of_pairs()
    else:
        queries = list(source.queries())
        passages = list(source.passages(text))
        judged = list(source.judgements({query.id for query in queries}, {passage.id for passage in passages}))
    answered = {judgement.query for judgement in judged if judgement.gain > 0}
    return Collection.build(
        tuple(languages),
        [query for query in queries if query.id in answered],
        passages,
        [judgement for judgement in judged if judgement.query in answered],
    )


@dataclass(frozen=True)
class _Source:
    """The tables of a task and where they are."""

    tables: Mapping[str, DatasetTable]
    languages: Sequence[str]
    data_dir: Path | None
    cache_dir: Path | None

    def queries(self) -> Iterator[Text]:
        """The queries of all languages, repeats left out."""
        seen: dict[str, str] = {}
        for language in self.languages:
            for where, row in self._rows("queries", language):
                id_, text = self._query(language, row["id"]), _text(row["text"])
                if row["id"] is not None and text and seen.get(id_) != text:
                    seen[id_] = text
                    yield Text(id_, self.tables["queries"].asked_in or language, text, where)

    def passages(self, form: str) -> Iterator[Text]:
        """The passages of all languages that have text."""
        for language in self.languages:
            for where, row in self._rows("passages", language):
                title = _text(row.get("title")) if form == "title+text" else ""
                body = " ".join(filter(None, (title, _text(row["text"]))))
                if body and row["id"] is not None:
                    yield Text(f"{language}:{row['id']}", language, body, where)

    def judgements(self, queries: set[str], passages: set[str]) -> Iterator[Judgement]:
        """The judgements of all languages; also those without a gain."""
        across = self.tables["judgements"].across
        known: set[tuple[Any, Any, int]] = set()
        for language in self.languages:
            for where, row in self._rows("judgements", language):
                query, passage = row["query"], row["passage"]
                if query is None or passage is None:
                    continue
                gain = _gain(row.get("gain", 1), where)
                if not across:
                    yield Judgement(self._query(language, query), f"{language}:{passage}", gain)
                elif (query, passage, gain) not in known:  # The tables of several languages may be one table.
                    known.add((query, passage, gain))
                    yield from self._across(query, passage, gain, where, queries=queries, passages=passages)

    def _across(
        self, query: Any, passage: Any, gain: int, where: str, *, queries: set[str], passages: set[str]
    ) -> Iterator[Judgement]:
        """A judgement in all languages that have its ids.

        Raises:
            DataError: if it holds in all languages, and one lacks an id.

        """
        asked = [id_ for a in self.languages if (id_ := self._query(a, query)) in queries]
        judged = [id_ for b in self.languages if (id_ := f"{b}:{passage}") in passages]
        n_languages = len(self.languages)
        if self.tables["judgements"].across == ACROSS[0] and not len(asked) == len(judged) == n_languages:
            raise DataError(
                f"{where} judges the query {shown(query)} and the passage {shown(passage)}, which {len(asked)} and "
                f"{len(judged)} of {n_languages} languages have; expected all, as the task says 'across: all'."
            )
        yield from (Judgement(id_, other, gain) for id_ in asked for other in judged)

    def of_pairs(self) -> tuple[list[Text], list[Text], list[Judgement]]:
        """The distinct queries and passages of a table of both, and which belong together."""
        queries: list[Text] = []
        passages: list[Text] = []
        judged: list[Judgement] = []
        for language in self.languages:
            asked: dict[str, str] = {}
            answering: dict[str, str] = {}
            for _, row in self._rows(PAIRS, language):
                query, passage = _text(row["query"]), _text(row["passage"])
                if query and passage:
                    id_ = asked.setdefault(query, f"{language}:{language}-{len(asked)}")
                    judged.append(Judgement(id_, answering.setdefault(passage, f"{language}:{len(answering)}"), 1))
            queries += [Text(id_, language, text) for text, id_ in asked.items()]
            passages += [Text(id_, language, text) for text, id_ in answering.items()]
        return queries, passages, judged

    def _query(self, language: str, id_: Any) -> str:
        asked_in = self.tables["queries"].asked_in
        return f"{asked_in}:{language}-{id_}" if asked_in else f"{language}:{id_}"

    def _rows(self, part: str, language: str) -> Iterable[tuple[str, dict[str, Any]]]:
        return rows(self.tables[part], part, language, data_dir=self.data_dir, cache_dir=self.cache_dir)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _gain(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise DataError(f"{where} has the gain {shown(value)}; expected an integer.")
    return int(value)
