"""Reads XQuAD-R and MLQA-R, and translations of SQuAD: SQuAD JSON, one file a language (LAReQA, arXiv 2004.05484).

Every sentence of every paragraph is a passage, for which files must have sentence breaks; or every paragraph is. A
question's relevant passage is the one in which its answer starts, in each language that has the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.catalogue.readers.fields import Growth, decode_file, expect, field
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError

FORMS = ("sentence", "sentence+context", "paragraph")


def read(files: Mapping[str, Path], *, text: str) -> Collection:
    """The collection in these files.

    Query ids are ``language:id``, passage ids ``language:paragraph:sentence``, or ``language:paragraph`` where it is
    the passage, all counted from 0 within the file. The questions on one article are a cluster, in all languages.
    The text of a passage is its sentence, or, for ``sentence+context``, the sentence and its paragraph without a
    separator and without newlines, as LAReQA joins them, or the paragraph.

    Raises:
        DataError: if a file is not of this shape, or an answer starts outside every passage.

    """
    queries: list[Text] = []
    passages: list[Text] = []
    answers: dict[str, dict[str, str]] = {}
    articles: dict[str, str] = {}
    for language, path in files.items():
        growth = Growth(path)
        for number, (article, paragraph, where) in enumerate(_paragraphs(path)):
            context = field(paragraph, "context", str, where)
            whole = text == "paragraph"
            breaks = [(0, len(context))] if whole else _sentence_breaks(paragraph, context, where)
            ids = [f"{language}:{number}" if whole else f"{language}:{number}:{i}" for i in range(len(breaks))]
            for id_, (start, end) in zip(ids, breaks, strict=True):
                passages.append(Text(id_, language, _passage(context, start, end, text), where))
                growth.add(len(passages[-1].text))
            place = _Places(breaks)
            for position, question in enumerate(field(paragraph, "qas", list, where)):
                asked = f"{where}, question {position}"
                question_id = field(question, "id", str, asked)
                query = Text(f"{language}:{question_id}", language, field(question, "question", str, asked), asked)
                queries.append(query)
                articles[query.id] = article
                answers.setdefault(question_id, {})[language] = ids[place.of_answer(question, asked)]
    judgements = (
        Judgement(f"{asked}:{id_}", passage, 1)
        for id_, by_language in answers.items()
        for asked in by_language
        for passage in by_language.values()
    )
    return Collection.build(tuple(files), queries, passages, judgements, unit="article", clusters=articles)


def _passage(context: str, start: int, end: int, text: str) -> str:
    passage = context[start:end]
    return (passage + context).replace("\n", "") if text == "sentence+context" else passage


def _paragraphs(path: Path) -> Iterator[tuple[str, Any, str]]:
    """The title of its article, each paragraph, and where it is."""
    for a, article in enumerate(field(decode_file(path), "data", list, str(path))):
        where = f"{path}, article {a}"
        title = field(article, "title", str, where) if "title" in expect(article, dict, where) else where
        for p, paragraph in enumerate(field(article, "paragraphs", list, where)):
            yield title, paragraph, f"{where}, paragraph {p}"


def _sentence_breaks(paragraph: Any, context: str, where: str) -> list[tuple[int, int]]:
    if "sentence_breaks" not in expect(paragraph, dict, where):
        raise DataError(
            f"{where} has no 'sentence_breaks': the copies on the data hubs lack them. "
            "Use the files of the LAReQA repository, which `xlbench fetch` downloads, or take paragraphs as passages "
            "with 'text: paragraph'."
        )
    breaks = []
    for i, pair in enumerate(field(paragraph, "sentence_breaks", list, where)):
        sentence = f"{where}, sentence {i}"
        ends = [expect(end, int, sentence) for end in expect(pair, list, sentence)]
        if len(ends) != 2 or not 0 <= ends[0] < ends[1] <= len(context):
            raise DataError(f"{sentence} runs over {ends}; expected [start, end] within 0 to {len(context)}.")
        breaks.append((ends[0], ends[1]))
    return breaks


class _Places:
    """In which passage of a paragraph an answer starts, found at once: there may be many of both."""

    def __init__(self, breaks: list[tuple[int, int]]) -> None:
        self._place = np.full(max((end for _, end in breaks), default=0), -1)
        for i in reversed(range(len(breaks))):  # A character of several is the first one's.
            self._place[slice(*breaks[i])] = i

    def of_answer(self, question: Any, where: str) -> int:
        answers = field(question, "answers", list, where)
        if not answers:
            raise DataError(f"{where} has no answer; expected one.")
        at = field(answers[0], "answer_start", int, where)
        place = int(self._place[at]) if 0 <= at < len(self._place) else -1
        if place < 0:
            raise DataError(f"{where} has an answer that starts at {at}, outside every passage of the paragraph.")
        return place
