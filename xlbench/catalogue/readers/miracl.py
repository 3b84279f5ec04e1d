"""Reads MIRACL: topics and judgements as TSV, passages as JSON lines in gzip files (Zhang et al. 2023).

Queries and passages have namespaces of their own: the query ``10020#0`` and the passage ``10020#0`` have nothing to do
with each other. Questions in different languages are not translations of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from xlbench.catalogue.readers.fields import decode, field, lines, text_of
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.errors import DataError, shown
from xlbench.trec.read import read_judgements

PARTS = ("passages", "queries", "judgements")
FORMS = ("title+text", "title+newlines+text")
WITHOUT = {"cross": "MIRACL's judgements of a query are of passages in the query's own language only."}
_BETWEEN = {"title+text": " ", "title+newlines+text": "\n\n"}
Files = Mapping[str, Sequence[Path]]


def read(files: Mapping[str, Files], *, text: str, stored: Texts | None = None) -> Collection:
    """The collection in these files; ``stored`` are its passages, if they were read already.

    Query ids are ``language:language-topic``, so that no two languages share a question; passage ids are
    ``language:docid``. The text of a passage is title and text with a space between, as MTEB joins them, or, for
    ``title+newlines+text``, with an empty line between, as Anserini does; white space at the ends is left out.
    Judgements with the gain 0 are checked and left out.

    Raises:
        DataError: if a file is not of this shape, or a topic has no relevant passage.

    """
    asked = list(queries(files["queries"]))
    relevant = relevant_to(asked, judgements(files["judgements"]), files["judgements"])
    return Collection.build(tuple(files["queries"]), asked, stored or passages(files["passages"], text=text), relevant)


def queries(files: Files) -> Iterator[Text]:
    """The topics, language by language."""
    for language, paths in files.items():
        for path in paths:
            for number, line in lines(path):
                where = f"{path}, line {number:,},"
                whole = text_of(line, where)
                topic, tab, text = whole.partition("\t")
                if not (tab and topic and text.strip()) or "\t" in text:
                    raise DataError(f"{where} is {shown(whole)}; expected a topic, a tab and its text.")
                yield Text(_query_id(language, topic), language, text)


def passages(files: Files, *, text: str) -> Iterator[Text]:
    """The passages, language by language and in each in the order of its files; one line is in memory at a time."""
    between = _BETWEEN[text]
    for language, paths in files.items():
        for path in paths:
            for number, line in lines(path):
                where = f"{path}, line {number:,}"
                record = decode(line, where)
                id_, title, body = (field(record, name, str, where) for name in ("docid", "title", "text"))
                yield Text(f"{language}:{id_}", language, f"{title}{between}{body}".strip(), where)


def judgements(files: Files) -> Iterator[Judgement]:
    """The relevant passages, language by language; also those with the gain 0."""
    for language, paths in files.items():
        for path in paths:
            for topic, gains in read_judgements(path).items():
                for passage, gain in gains.items():
                    yield Judgement(_query_id(language, topic), f"{language}:{passage}", gain)


def relevant_to(asked: Sequence[Text], judged: Iterable[Judgement], files: Files) -> list[Judgement]:
    """The judgements with a gain.

    Raises:
        DataError: if one is of a topic that there is not, or a topic has none.

    """
    language_of = {query.id: query.language for query in asked}
    relevant = []
    for judgement in judged:
        if judgement.query not in language_of:
            language = judgement.query.partition(":")[0]
            raise DataError(
                f"{files[language][0]} judges the query {shown(judgement.query)}, which is not among the topics of "
                f"{language!r}: are topics and judgements of one version?"
            )
        if judgement.gain > 0:
            relevant.append(judgement)
    answered = {judgement.query for judgement in relevant}
    for query, language in language_of.items():
        if query not in answered:
            raise DataError(
                f"{files[language][0]} has no relevant passage for the query {shown(query)}; expected one for each "
                "topic: are topics and judgements of one version?"
            )
    return relevant


def _query_id(language: str, topic: str) -> str:
    return f"{language}:{language}-{topic}"
