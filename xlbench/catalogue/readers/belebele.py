"""Reads Belebele: JSON lines, one file a language, each line a question on a passage (Bandarkar et al. 2023).

``link`` names the passage and, with ``question_number``, the question; both are the same in all languages. The answers
to choose from are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xlbench.catalogue.readers.fields import decode, field, lines
from xlbench.collection import Collection, Judgement, Text

FORMS = ("passage",)


def read(files: Mapping[str, Path], *, text: str) -> Collection:  # noqa: ARG001 (there is one form)
    """The collection in these files.

    Query ids are ``language:link#question_number``, passage ids ``language:link``. The passage of a link is that of its
    first line, as MTEB has it: there are 488 for the 900 questions. It answers its questions in all languages, and
    they are a cluster.

    Raises:
        DataError: if a line is not of this shape.

    """
    passages: dict[str, Text] = {}
    queries: list[Text] = []
    pages: dict[str, str] = {}
    for language, path in files.items():
        for number, line in lines(path):
            where = f"{path}, line {number:,}"
            record = decode(line, where)
            link, passage = field(record, "link", str, where), field(record, "flores_passage", str, where)
            passages.setdefault(f"{language}:{link}", Text(f"{language}:{link}", language, passage))
            query = f"{language}:{link}#{field(record, 'question_number', int, where)}"
            pages[query] = link
            queries.append(Text(query, language, field(record, "question", str, where), where))
    answers: dict[str, list[str]] = {}
    for link in set(pages.values()):
        answers[link] = [id_ for language in files if (id_ := f"{language}:{link}") in passages]
    # One after the other: in all languages they are 13 million.
    relevant = (Judgement(query, passage, 1) for query, link in pages.items() for passage in answers[link])
    return Collection.build(tuple(files), queries, passages.values(), relevant, unit="page", clusters=pages)
