"""Reads translations that agree line by line: one file a language, line i of one the translation of line i of another.

Each sentence is a query, answered by its translation in each other language: bitext retrieval. There is a pool of all
languages in the form ``asked-elsewhere``: by its hash, a sentence is a query in about half of its languages and a
passage in the others, so that no query finds itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from xlbench.catalogue.readers.fields import lines, text_of
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.settings import Kind

_ELSEWHERE = "asked-elsewhere"
FORMS = ("sentence", _ELSEWHERE)
PARTS = ("sentences", "documents")
_ITSELF = "A sentence is asked for its translations, and in a pool with its own language it would find itself."
WITHOUT_IN: Mapping[str, Mapping[Kind, str]] = {
    "sentence": {"mono": _ITSELF, "multi": _ITSELF},
    _ELSEWHERE: {"mono": "A sentence is asked in languages in which it is no passage."},
}


def read(files: Mapping[str, Mapping[str, Sequence[Path]]], *, text: str) -> Collection:
    """The collection in these files.

    Ids of queries and passages are ``language:number``, lines counted from 1. ``documents`` is a file with the name of
    a document on each line, the same for all languages: its sentences are a cluster. A line that is blank in a language
    is left out there.

    Raises:
        DataError: if a file is not UTF-8, or has other lines than another.

    """
    sentences = {language: numbered(paths[0]) if paths else {} for language, paths in files["sentences"].items()}
    document = next((numbered(paths[0]) for paths in files["documents"].values() if paths), {})
    for language, of_number in sentences.items():
        if max(of_number, default=0) > max(document, default=0):
            raise DataError(
                f"{files['sentences'][language][0]} has {max(of_number):,} lines and {_first(files['documents'])} "
                f"{max(document, default=0):,}; expected the document of each line."
            )
        if unnamed := of_number.keys() - document.keys():
            raise DataError(
                f"{_first(files['documents'])}, line {min(unnamed):,}, is blank, and "
                f"{files['sentences'][language][0]} has a sentence there; expected the document of each line."
            )
    return bitext(
        {
            language: {
                str(number): (sentence, f"{files['sentences'][language][0]}, line {number:,}")
                for number, sentence in of_number.items()
            }
            for language, of_number in sentences.items()
        },
        {str(number): name for number, name in document.items()},
        text=text,
    )


def bitext(
    sentences: Mapping[str, Mapping[str, tuple[str, str]]], document: Mapping[str, str], *, text: str
) -> Collection:
    """The collection of sentences by language and key, each with where it is; equal keys are translations.

    Each sentence is a query and a passage with the id ``language:key``, answered by its translations in all other
    languages; in the form ``asked-elsewhere`` it is one of the two. ``document`` has the document of each key, whose
    sentences are a cluster.
    """
    by_id = {
        f"{language}:{key}": Text(f"{language}:{key}", language, sentence, where)
        for language, of_key in sentences.items()
        for key, (sentence, where) in of_key.items()
    }
    asked = {id_ for id_ in by_id if text != _ELSEWHERE or _is_asked(id_)}
    answering = by_id.keys() - asked if text == _ELSEWHERE else by_id.keys()
    judgements = (
        Judgement(f"{language}:{key}", f"{other}:{key}", 1)
        for language, of_key in sentences.items()
        for key in of_key
        if f"{language}:{key}" in asked
        for other in sentences
        if other != language and f"{other}:{key}" in answering
    )
    return Collection.build(
        tuple(sentences),
        [query for id_, query in by_id.items() if id_ in asked],
        [passage for id_, passage in by_id.items() if id_ in answering],
        judgements,
        unit="document",
        clusters={id_: document[id_.partition(":")[2]] for id_ in asked},
    )


def _is_asked(id_: str) -> bool:
    """Whether a sentence is a query in a language or a passage: as good as a coin, and the same on every machine."""
    return bool(hashlib.sha256(id_.encode()).digest()[0] & 1)


def numbered(path: Path) -> dict[int, str]:
    """The lines of a file that are not blank, by number from 1, without spaces at their ends.

    Raises:
        DataError: if it is not UTF-8.

    """
    by_number = {number: text_of(line, f"{path}, line {number:,}").strip() for number, line in lines(path)}
    return {number: text for number, text in by_number.items() if text}


def _first(parts: Mapping[str, Sequence[Path]]) -> Path | None:
    return next((paths[0] for paths in parts.values() if paths), None)
