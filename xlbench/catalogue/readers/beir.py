"""Reads data in BEIR form (Thakur et al. 2021): passages and queries as JSON lines, judgements as a table.

Passages have ``_id``, ``text`` and perhaps a ``title``, queries ``_id`` and ``text``, judgements ``query-id``,
``corpus-id`` and ``score``. Each may also be parquet with these columns, or with ``id``, as in the copies that MTEB
keeps. All three may be one zip archive with corpus.jsonl, queries.jsonl and qrels/test.tsv in it, as BEIR publishes
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.fields import expect, field
from xlbench.catalogue.readers.rows import columns, records
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.errors import DataError, shown

PARTS = ("passages", "queries", "judgements")
FORMS = ("title+text", "text")
Files = Mapping[str, Sequence[Path]]
_JUDGEMENT = ("query-id", "corpus-id", "score")


def read(files: Mapping[str, Files], *, text: str, stored: Texts | None = None) -> Collection:
    """The collection in these files; ``stored`` are its passages, if they were read already.

    Ids of queries and passages are ``language:id``; the same id in two languages is taken for a translation. The
    judgements of a language are of its queries, and name passages of its own, or, if it has none, of the one language
    that has. Queries without a relevant passage are left out, since the files have those of all sets, and so are
    passages without text. The text of a passage is title and text with a space between, as MTEB joins them, or, for
    ``text``, the text alone; white space at the ends is left out.

    Raises:
        DataError: if a file is not of this shape, or judges a query that there is not.

    """
    judged = [
        judgement
        for language, paths in files["judgements"].items()
        if paths
        for judgement in judgements(paths, language, _answering(language, files["passages"]))
    ]
    answered = {judgement.query for judgement in judged if judgement.gain > 0}
    judged = [judgement for judgement in judged if judgement.query in answered]
    asked = [query for query in queries(files["queries"]) if query.id in answered]
    return Collection.build(tuple(files["queries"]), asked, stored or passages(files["passages"], text=text), judged)


def queries(files: Files) -> Iterator[Text]:
    """All queries, language by language."""
    for language, paths in files.items():
        for path in paths:
            for where, record in records(path, "queries.jsonl"):
                yield Text(f"{language}:{_id(record, where)}", language, field(record, "text", str, where), where)


def passages(files: Files, *, text: str) -> Iterator[Text]:
    """The passages with text, language by language and in each in the order of its files; read as they are taken."""
    for language, paths in files.items():
        for path in paths:
            for where, record in records(path, "corpus.jsonl"):
                id_, body = _id(record, where), field(record, "text", str, where)
                if text == "title+text" and record.get("title") is not None:
                    body = f"{field(record, 'title', str, where)} {body}"
                if body := body.strip():
                    yield Text(f"{language}:{id_}", language, body, where)


def judgements(paths: Sequence[Path], language: str, answering: str) -> Iterator[Judgement]:
    """The judgements of a language's queries on another's passages, or its own; also those without a gain."""
    for path in paths:
        for where, (query, passage, gain) in _judgements(path):
            yield Judgement(f"{language}:{query}", f"{answering}:{passage}", _gain(gain, where))


def _judgements(path: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if path.suffix == ".parquet" or ".jsonl" in path.suffixes:
        for where, record in records(path, ""):
            yield where, (_id(record, where, "query-id"), _id(record, where, "corpus-id"), record.get("score"))
    else:
        yield from columns(path, "qrels/test.tsv", _JUDGEMENT)


def _answering(language: str, passages_of: Files) -> str:
    """The language of the passages that answer a language's queries."""
    having = [other for other, paths in passages_of.items() if paths]
    if passages_of[language]:
        return language
    if len(having) != 1:
        raise DataError(
            f"There are no passages in {language!r}, and passages in {', '.join(having) or 'no other language'}; "
            "expected one language whose passages answer its queries. Was it left out?"
        )
    return having[0]


def _id(record: Any, where: str, name: str = "_id") -> str:
    if name == "_id" and name not in expect(record, dict, where) and "id" in record:
        name = "id"
    id_ = field(record, name, str, where)
    if not id_:
        raise DataError(f"{where}, {name!r} is empty; expected an id.")
    return id_


def _gain(value: Any, where: str) -> int:
    """A gain from a table, where it is text, or from a record."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    # Python reads 1_000 as a number, and true.
    if not number.is_integer() or isinstance(value, bool) or "_" in str(value):
        raise DataError(f"{where} has the gain {shown(value)}; expected an integer.")
    return int(number)
