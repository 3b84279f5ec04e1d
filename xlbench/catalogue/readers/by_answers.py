"""Reads open retrieval that is judged by answer strings: questions with their answers, and passages.

Nobody has judged the passages: one counts if it contains an answer (see ``collection.answer_strings``). Questions are
JSON lines of XOR-TyDi QA (``id``, ``question``, ``lang``, ``answers``; Asai et al. 2021) or of MKQA (``example_id``,
``queries`` and ``answers`` by language; Longpre et al. 2021). Passages are in BEIR form, or a table with tabs and the
columns ``id``, ``text`` and ``title``, as DPR has Wikipedia.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers import beir
from xlbench.catalogue.readers.fields import expect, field
from xlbench.catalogue.readers.rows import records
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.collection.answer_strings import containing
from xlbench.errors import DataError

PARTS = ("questions", "passages")
FORMS = ("title+text", "text")
Files = Mapping[str, Sequence[Path]]
_NO_SPANS = ("yes", "no")
"""Answers of XOR-TyDi QA that are not looked for; a question with no other is left out, as in its evaluation."""
_UNSOUGHT = ("binary", "long_answer", "unanswerable")
"""Types of answers of MKQA that are not looked for."""
_COLUMNS = ["id", "text", "title"]


def read(files: Mapping[str, Files], *, text: str, stored: Texts | None = None) -> Collection:
    """The collection in these files; ``stored`` are its passages, if they were read already.

    Ids are ``language:id``; the same id in two languages is a translation. Questions without an answer to look for are
    left out; one whose answers are in no passage is in no setting. Answers of MKQA are those in the passages'
    language.

    Raises:
        DataError: if a file is not of this shape, or passages are in several languages.

    """
    pooled = [language for language, paths in files["passages"].items() if paths]
    if len(pooled) != 1:
        raise DataError(
            f"There are passages in {', '.join(pooled) or 'no language'}; expected one language of answers."
        )
    asked, answers = _questions(files["questions"], pooled[0])
    known: Iterable[Text] = [] if stored else list(passages(files["passages"], text=text))
    strings = zip(stored.ids, stored.text, strict=True) if stored else ((passage.id, passage.text) for passage in known)
    relevant = [Judgement(query, passage, 1) for query, passage in containing(strings, answers)]
    collection = Collection.build(tuple(files["questions"]), asked, stored or known, relevant)
    return replace(collection, by_answers=True)


def passages(files: Files, *, text: str) -> Iterator[Text]:
    """The passages with text, in the order of their files; read as they are taken."""
    for language, paths in files.items():
        for path in paths:
            if path.name.endswith((".tsv", ".tsv.gz")):
                yield from _of_table(path, language, text)
            else:
                yield from beir.passages({language: [path]}, text=text)


def _of_table(path: Path, language: str, text: str) -> Iterator[Text]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        try:
            rows = csv.reader(file, delimiter="\t")
            if (header := next(rows, [])) != _COLUMNS:
                raise DataError(f"{path} has the columns {', '.join(header)}; expected {', '.join(_COLUMNS)}.")
            for number, row in enumerate(rows, 2):
                where = f"{path}, line {number:,}"
                if len(row) != len(_COLUMNS):
                    raise DataError(f"{where} has {len(row)} columns; expected {len(_COLUMNS)}.")
                id_, body, title = row
                whole = f"{title} {body}".strip() if text == "title+text" else body.strip()
                if whole:
                    yield Text(f"{language}:{id_}", language, whole, where)
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise DataError(f"{path} is no whole table ({error}): copy or download it again.") from error


def _questions(files: Files, answered_in: str) -> tuple[list[Text], dict[str, tuple[str, ...]]]:
    """The questions that have answers to look for, and those by id."""
    asked: list[Text] = []
    answers: dict[str, tuple[str, ...]] = {}
    for path in dict.fromkeys(path for paths in files.values() for path in paths):
        for where, record in records(path, ""):
            for id_, language, question, strings in _questions_of(record, where, files, answered_in):
                if strings:
                    asked.append(Text(f"{language}:{id_}", language, question, where))
                    answers[f"{language}:{id_}"] = strings
    return asked, answers


def _questions_of(
    record: Any, where: str, languages: Iterable[str], answered_in: str
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """The id, language, question and answers of each language that is read."""
    if "queries" in expect(record, dict, where):
        id_ = str(record.get("example_id"))
        queries = field(record, "queries", dict, where)
        in_language = field(field(record, "answers", dict, where), answered_in, list, where)
        strings = tuple(
            expect(string, str, f"{where}, an answer")
            for answer in in_language
            if field(answer, "type", str, where) not in _UNSOUGHT and answer.get("text")
            for string in (answer["text"], *answer.get("aliases", ()))
        )
        for language in languages:
            if language in queries:
                yield id_, language, field(queries, language, str, where), strings
    elif (language := field(record, "lang", str, where)) in languages:
        given = tuple(expect(each, str, f"{where}, an answer") for each in field(record, "answers", list, where))
        strings = tuple(answer for answer in given if answer not in _NO_SPANS)
        yield field(record, "id", str, where), language, field(record, "question", str, where), strings
