"""Reads Tatoeba's test sets (Artetxe and Schwenk 2019, arXiv 1812.10464): pairs of files that agree line by line.

Each language has an English side of its own, which is a language of the task: that of ``gle`` is ``eng-gle``. Each
sentence is a query, answered by the sentence on the same line of the other side alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xlbench.catalogue.readers.lines import numbered
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.settings import Kind

FORMS = ("sentence",)
_ONE_SIDE = "A sentence is asked for its translation, and is answered by the other side of its pair of files alone."
WITHOUT: Mapping[Kind, str] = {"mono": _ONE_SIDE, "multi": _ONE_SIDE}


def answers(asked: str, answered: str) -> bool:
    """Whether passages in a language answer queries in another: the two sides of one pair of files."""
    return asked != answered and side(asked) == side(answered)


def side(language: str) -> str:
    """The language whose pair of files a language is a side of: ``gle`` for ``gle`` and for ``eng-gle``."""
    return language.rpartition("-")[2]


def read(files: Mapping[str, Path], *, text: str) -> Collection:  # noqa: ARG001 (one form)
    """The collection in these files.

    Ids of queries and passages are ``language:pair-number``, lines counted from 1; a sentence with its translation is a
    cluster.

    Raises:
        DataError: if a file is not UTF-8, or the sides of a pair have other lines.

    """
    lines = {language: numbered(path) for language, path in files.items()}
    for language, path in files.items():
        for other in (other for other in files if answers(language, other)):
            if lines[language].keys() != lines[other].keys():
                raise DataError(
                    f"{path} has {len(lines[language]):,} sentences and {files[other]} {len(lines[other]):,}, or they "
                    "are on other lines; expected translations line by line."
                )
    texts = [
        Text(f"{language}:{side(language)}-{number}", language, sentence, f"{files[language]}, line {number:,}")
        for language, of_number in lines.items()
        for number, sentence in of_number.items()
    ]
    judgements = (
        Judgement(f"{asked}:{side(asked)}-{number}", f"{other}:{side(asked)}-{number}", 1)
        for asked, of_number in lines.items()
        for other in lines
        if answers(asked, other)
        for number in of_number
    )
    return Collection.build(tuple(files), texts, texts, judgements)
