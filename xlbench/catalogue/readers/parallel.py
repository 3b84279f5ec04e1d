"""Reads parallel text: JSON lines, plain or gzip, each with the same query and passage in several languages.

``{"id": "...", "queries": {language: text}, "passages": {language: text}}``. A line without queries is a passage that
nobody asks for. Lines that have the same ``"passage_id"`` have the same passage: many questions about one text are many
lines and one passage. Lines that have the same ``"cluster"`` are not independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.fields import decode, expect, field, lines
from xlbench.collection import Collection, Judgement, Text
from xlbench.collection.clusters import QUESTION
from xlbench.errors import DataError, shown

FORMS = ("passage",)


def read(files: Mapping[str, Path], *, text: str) -> Collection:  # noqa: ARG001 (there is one form)
    """The collection in these files, which may all be one file.

    Ids of queries are ``language:id``, those of passages ``language:passage_id``, or ``language:id`` where a line has
    none. A query is answered by the passages of its own line, and by those of lines with the same ``passage_id``. The
    queries of one ``cluster`` belong together, or where a line names none, those on one passage.

    Raises:
        DataError: if a line is not of this shape, its query has no passage, or a passage has two texts.

    """
    queries: list[Text] = []
    passages: list[Text] = []
    judgements: list[Judgement] = []
    clusters: dict[str, str] = {}
    units = {QUESTION}
    for path in dict.fromkeys(files.values()):
        languages = [language for language, its_path in files.items() if its_path == path]
        known: dict[str, dict[str, str]] = {}
        asked: list[tuple[str, str]] = []
        for where, record in records(path):
            line = Line.of(record, where, languages=languages)
            passages += line.new_passages(known.setdefault(line.passage_id, {}))
            queries += [
                Text(f"{language}:{line.id}", language, query, where) for language, query in line.queries.items()
            ]
            clusters |= dict.fromkeys((f"{language}:{line.id}" for language in line.queries), line.cluster)
            units.add(line.unit)
            asked += [(f"{language}:{line.id}", line.passage_id) for language in line.queries]
        judgements += [Judgement(query, f"{b}:{passage}", 1) for query, passage in asked for b in known[passage]]
    unit = next(unit for unit in ("cluster", "passage", QUESTION) if unit in units)
    return Collection.build(
        tuple(files),
        queries,
        passages,
        judgements,
        unit=unit,
        clusters=None if unit == QUESTION else clusters,
    )


def records(path: Path) -> Iterator[tuple[str, Any]]:
    """Where each line of a file is, and what it says."""
    for number, content in lines(path):
        where = f"{path}, line {number:,}"
        yield where, decode(content, where)


@dataclass(frozen=True)
class Line:
    """A line, in the languages that are read."""

    id: str
    passage_id: str
    """The line's own id, if it names none."""
    queries: Mapping[str, str]
    passages: Mapping[str, str]
    is_shared: bool
    """Whether other lines may have the same passage."""
    cluster: str
    """What it names, or else its passage."""
    unit: str
    """What that is: ``cluster``, ``passage`` of several lines, or ``question``."""
    where: str

    @classmethod
    def of(cls, record: Any, where: str, *, languages: Sequence[str] | None = None) -> Line:
        """The line that a record is; with no ``languages``, in all that it has.

        Raises:
            DataError: if it is of another shape, or has a query but no passage.

        """
        id_ = field(record, "id", str, where)
        is_shared, is_clustered = "passage_id" in record, "cluster" in record
        passage_id = field(record, "passage_id", str, where) if is_shared else id_
        line = cls(
            id=id_,
            passage_id=passage_id,
            queries=_by_language(record, "queries", languages, where),
            passages=_by_language(record, "passages", languages, where),
            is_shared=is_shared,
            cluster=field(record, "cluster", str, where) if is_clustered else passage_id,
            unit="cluster" if is_clustered else "passage" if is_shared else QUESTION,
            where=where,
        )
        if line.queries and not record["passages"]:
            raise DataError(f"{where} has a query but no passage.")
        return line

    def new_passages(self, known: dict[str, str]) -> list[Text]:
        """The passages that no line above has; they are added to those known.

        Raises:
            DataError: if a line above has another text for one of them.

        """
        new = []
        for language, text in self.passages.items():
            if not (self.is_shared and language in known):
                new.append(Text(f"{language}:{self.passage_id}", language, text, self.where))
                known[language] = text
            elif known[language] != text:
                raise DataError(
                    f"{self.where} has another text than a line above for the passage {shown(self.passage_id)} in "
                    f"{language!r}; expected one text for each 'passage_id'."
                )
        return new


def _by_language(record: Any, name: str, languages: Sequence[str] | None, where: str) -> dict[str, str]:
    texts = field(record, name, dict, where)
    return {
        language: expect(texts[language], str, f"{where}, {name} in {language!r}")
        for language in (texts if languages is None else languages)
        if language in texts
    }
