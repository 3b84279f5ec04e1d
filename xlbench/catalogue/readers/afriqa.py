"""Reads AfriQA: questions in African languages, each with the English or French passage that answers it.

The files are JSON lines with a question and its gold passage of Wikipedia (Ogundepo et al. 2023, arXiv 2305.06897). The
test questions are asked. All passages of a language are one pool, whichever questions and parts they are from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.fields import decode, expect, field, lines
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.settings import Kind

FORMS = ("passage",)
PARTS = ("test", "dev", "train")
OPTIONAL = ("dev", "train")
WHOLE = True
WITHOUT: Mapping[Kind, str] = {"mono": "A question and the passages that answer it are in different languages."}


def read(files: Mapping[str, Mapping[str, Sequence[Path]]], *, text: str) -> Collection:  # noqa: ARG001 (one form)
    """The collection in these files, whose names end with the languages of questions and passages and the part.

    Query ids are ``language:language-id``, since equal ids are no translations; passage ids are ``language:number``,
    counted from 0 as distinct passages come. Rows without a passage are left out, as the answer was not found in any.
    Equal questions of a language have each other's passages. The questions on one article are a cluster; where no title
    is given, those on one passage.

    Raises:
        DataError: if a file is not of this shape, or a test question that has a passage is no text.

    """
    passages: dict[str, dict[str, Text]] = {}
    queries: list[Text] = []
    answers: dict[tuple[str, str], list[str]] = {}
    articles: dict[str, str] = {}
    for part in PARTS:
        for language, paths in files[part].items():
            for path in paths:
                for where, record, answered, body in _rows(path, list(files[part])):
                    of_language = passages.setdefault(answered, {})
                    id_ = f"{answered}:{len(of_language)}"
                    passage = of_language.setdefault(body, Text(id_, answered, body, where))
                    if part == "test":
                        id_ = f"{language}:{language}-{field(record, 'id', str, where)}"
                        query = Text(id_, language, field(record, "question_lang", str, where).strip(), where)
                        queries.append(query)
                        answers.setdefault((language, query.text), []).append(passage.id)
                        articles[id_] = record.get("title") or passage.id
    judgements = (
        Judgement(query.id, passage, 1) for query in queries for passage in answers[query.language, query.text]
    )
    distinct = [passage for of_language in passages.values() for passage in of_language.values()]
    return Collection.build(tuple(files["test"]), queries, distinct, judgements, unit="article", clusters=articles)


def _rows(path: Path, languages: Sequence[str]) -> Iterator[tuple[str, Any, str, str]]:
    """Where each row with a passage is, the row, the language of the passage, and the passage."""
    *_, answered, _, _ = ["", "", *path.name.split(".")]
    if answered not in languages:
        raise DataError(
            f"{path} does not say in which language its passages are; expected a name such as "
            "gold_span_passages.afriqa.bem.en.test.json."
        )
    for number, line in lines(path):
        where = f"{path}, line {number:,}"
        record = expect(decode(line, where), dict, where)
        if "context" not in record:
            raise DataError(f"{where} has no 'context'; expected a passage, or null.")
        if record["context"] is not None:
            body = expect(record["context"], str, f"{where}, 'context'").strip()
            if body:
                yield where, record, answered, body
