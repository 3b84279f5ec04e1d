"""One's own index as it stands: rows of parquet, CSV or JSON lines, perhaps without languages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from xlbench.catalogue.readers.fields import expect, field
from xlbench.catalogue.readers.rows import records
from xlbench.errors import DataError, shown

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "_id", "passage_id"),
    "text": ("text", "passage", "content", "chunk"),
    "language": ("language", "lang"),
}
"""What a row of an index has, and under which names it is looked for."""
_OF_QUERIES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "_id", "query_id"),
    "text": ("query", "question", "text"),
    "language": ("language", "lang"),
    "passage": ("passage_id",),
}
_SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".jsonl.gz")
_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")


class Row(NamedTuple):
    """A passage of an index, or a query."""

    id: str
    text: str
    language: str | None
    """None if the file does not say."""
    passage: str | None
    """The id of the passage that a query is known to be answered by."""
    where: str
    number: int
    """Which row it is, counted from 0, those without text too."""
    vector: tuple[float, ...] = ()
    """Empty unless a column of them is asked for."""


@dataclass(frozen=True)
class Rows:
    """The rows of a file or folder that have text."""

    rows: tuple[Row, ...]
    n_empty: int
    """How many have none."""


def read_index(path: Path, columns: Mapping[str, str] | None = None, *, vectors: str | None = None) -> Rows:
    """The passages in a file, in the files of a folder, or in a folder of a language each in BEIR form.

    ``columns`` says which column is the ``id``, the ``text`` and the ``language``, and ``vectors`` which has vectors.
    Rows are numbered where there is no id. In a folder in BEIR form the folders' names are the languages and an id is
    ``language:id``.

    Raises:
        DataError: if there is no such file, or one is damaged or has no text, or an id occurs twice.

    """
    names = {key: (columns[key],) if columns and key in columns else known for key, known in COLUMNS.items()}
    return _read(_files(path), names, "--column text=NAME says which it is", vectors)


def read_queries(path: Path, *, vectors: str | None = None) -> Rows:
    """The queries in a file, with the passage that each is known to be answered by, where it says, and their vectors.

    Raises:
        DataError: if it is damaged, or has no queries.

    """
    return _read([(path, None)], _OF_QUERIES, "expected one named 'query'", vectors)


def _read(
    files: Sequence[tuple[Path, str | None]], names: Mapping[str, Sequence[str]], advice: str, vectors: str | None
) -> Rows:
    rows: dict[tuple[str, str | None], Row] = {}
    n_empty = number = 0
    for path, folder in files:
        for where, record in _records(path):
            number += 1
            known = expect(record, dict, where)
            text = _text(known, names["text"], where, advice)
            if text is None:
                n_empty += 1
                continue
            language = _name(known, names["language"], where)
            id_ = _name(known, names["id"], where) or str(number)
            row = Row(
                f"{folder}:{id_}" if folder else id_,
                text,
                language or folder,
                _name(known, names.get("passage", ()), where),
                where,
                number - 1,
                _vector(known, vectors, where) if vectors else (),
            )
            # The same id in two languages is taken for a translation of one question.
            key = row.id, row.language if "passage" in names else None
            if key in rows:
                raise DataError(
                    f"The id {row.id!r} occurs twice ({rows[key].where}, and {where}); expected one for each row. "
                    "Where it is of a document and not of its parts, leave that column out or name another."
                )
            rows[key] = row
    if not rows:
        raise DataError(f"{files[0][0]} has no text in {number:,} rows; expected one passage or query a row.")
    return Rows(tuple(rows.values()), n_empty)


def _files(path: Path) -> list[tuple[Path, str | None]]:
    """The files of an index, with the language that a folder's name says."""
    if path.is_file():
        return [(path, None)]
    inside = [(file, file.parent.name) for name in _CORPUS for file in sorted(path.glob(f"*/{name}"))]
    if inside:
        return [*inside]
    corpus = [(path / name, None) for name in _CORPUS if (path / name).is_file()]
    if corpus:
        return [*corpus]
    files = [(file, None) for file in sorted(path.iterdir()) if file.name.endswith(_SUFFIXES)]
    if not files:
        raise DataError(
            f"{path} has no file that ends in {', '.join(_SUFFIXES)}, and no folder with {_CORPUS[0]}; expected the "
            "passages of an index."
        )
    return [*files]


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    """Where each row of a file is, and the row.

    Raises:
        DataError: if the file is damaged, or of no known form.

    """
    if path.suffix in (".csv", ".tsv"):
        yield from _csv(path)
    elif path.name.endswith(_SUFFIXES):
        yield from records(path, "")
    else:
        raise DataError(f"{path} ends in {path.suffix!r}; expected {', '.join(_SUFFIXES)}.")


def _csv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows below the names of columns; a semicolon or a tab may separate them as well."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
            header = next(reader, [])
            for cells in reader:
                where = f"{path}, line {reader.line_num:,}"
                if cells and len(cells) != len(header):
                    raise DataError(
                        f"{where} has {len(cells)} columns; expected {len(header)}: {', '.join(map(shown, header))}."
                    )
                if cells:
                    yield where, dict(zip(header, cells, strict=True))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 at byte {error.start}: save it as UTF-8.") from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV after line {reader.line_num:,} ({error}): is a quote open?") from error


def _text(record: Mapping[str, Any], names: Sequence[str], where: str, advice: str) -> str | None:
    """The text of a row; None for one that is empty or blank."""
    name = next((name for name in names if name in record), None)
    if name is None:
        there = ", ".join(shown(column) for column in record) or "nothing"
        raise DataError(f"{where} has no {' or '.join(map(repr, names))}, but {there}; {advice}.")
    value = record[name]
    text = "" if value is None else expect(value, str, f"{where}, {name!r}").strip()
    return text or None


def _vector(record: Mapping[str, Any], name: str, where: str) -> tuple[float, ...]:
    """The vector of a row."""
    value = field(dict(record), name, list, where)
    if not value or any(isinstance(each, bool) or not isinstance(each, int | float) for each in value):
        raise DataError(f"{where}, {name!r} is {shown(value)}; expected a list of numbers.")
    return tuple(value)


def _name(record: Mapping[str, Any], names: Sequence[str], where: str) -> str | None:
    """A name or a number in the first of these columns that is there, as text; None where nothing is."""
    name = next((name for name in names if name in record), None)
    value = record[name] if name else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # A column of integers with gaps.
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return expect(value, str, f"{where}, {name!r}").strip() or None
