"""Reads translations that agree line by line: one file a language, line i of one the translation of line i of another.

Each sentence is a query, answered by its translation in each other language: bitext retrieval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xlbench.catalogue.readers.fields import lines, text_of
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError
from xlbench.settings import Kind

FORMS = ("sentence",)
PARTS = ("sentences", "documents")
_ITSELF = "A sentence is asked for its translations, and in a pool with its own language it would find itself."
WITHOUT: Mapping[Kind, str] = {"mono": _ITSELF, "multi": _ITSELF}


def read(files: Mapping[str, Mapping[str, Sequence[Path]]], *, text: str) -> Collection:  # noqa: ARG001 (one form)
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
    )


def bitext(sentences: Mapping[str, Mapping[str, tuple[str, str]]], document: Mapping[str, str]) -> Collection:
    """The collection of sentences by language and key, each with where it is; equal keys are translations.

    Each sentence is a query and a passage with the id ``language:key``, answered by its translations in all other
    languages. ``document`` has the document of each key, whose sentences are a cluster.
    """
    texts = [
        Text(f"{language}:{key}", language, sentence, where)
        for language, of_key in sentences.items()
        for key, (sentence, where) in of_key.items()
    ]
    judgements = (
        Judgement(f"{asked}:{key}", f"{other}:{key}", 1)
        for asked, of_key in sentences.items()
        for key in of_key
        for other, others in sentences.items()
        if other != asked and key in others
    )
    clusters = {f"{language}:{key}": document[key] for language, of_key in sentences.items() for key in of_key}
    return Collection.build(tuple(sentences), texts, texts, judgements, unit="document", clusters=clusters)


def numbered(path: Path) -> dict[int, str]:
    """The lines of a file that are not blank, by number from 1, without spaces at their ends.

    Raises:
        DataError: if it is not UTF-8.

    """
    by_number = {number: text_of(line, f"{path}, line {number:,}").strip() for number, line in lines(path)}
    return {number: text for number, text in by_number.items() if text}


def _first(parts: Mapping[str, Sequence[Path]]) -> Path | None:
    return next((paths[0] for paths in parts.values() if paths), None)
