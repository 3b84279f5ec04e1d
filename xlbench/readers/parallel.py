"""Reads parallel text: JSON lines, plain or gzip, each with the same query and passage in several languages.

``{"id": "...", "queries": {language: text}, "passages": {language: text}}``. A line without queries is a passage that
nobody asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.readers.fields import content, decode, expect, field

FORMS = ("passage",)


def read(files: Mapping[str, Path], *, text: str) -> Collection:  # noqa: ARG001 (there is one form)
    """The collection in these files, which may all be one file.

    Ids of queries and passages are ``language:id``. A query is answered by the passages of its own line.

    Raises:
        DataError: if a line is not of this shape, or its query has no passage.

    """
    queries: list[Text] = []
    passages: list[Text] = []
    judgements: list[Judgement] = []
    for path in dict.fromkeys(files.values()):
        languages = [language for language, its_path in files.items() if its_path == path]
        for number, line in enumerate(content(path).splitlines(), start=1):
            where = f"{path}, line {number}"
            record = decode(line, where)
            id_ = field(record, "id", str, where)
            asked = _by_language(record, "queries", languages, where)
            answers = _by_language(record, "passages", languages, where)
            if asked and not record["passages"]:
                raise DataError(f"{where} has a query but no passage.")
            queries += [Text(f"{language}:{id_}", language, query) for language, query in asked.items()]
            passages += [Text(f"{language}:{id_}", language, passage) for language, passage in answers.items()]
            judgements += [Judgement(f"{a}:{id_}", f"{b}:{id_}", 1) for a in asked for b in answers]
    return Collection.build(tuple(files), queries, passages, judgements)


def _by_language(record: Any, name: str, languages: list[str], where: str) -> dict[str, str]:
    texts = field(record, name, dict, where)
    return {
        language: expect(texts[language], str, f"{where}, {name} in {language!r}")
        for language in languages
        if language in texts
    }
