"""Reads data sets through Hugging Face's `datasets`: three tables a language, as many BEIR-like data sets have them.

A part names the data set, its config, split and revision, and the columns: of queries and passages ``id`` and ``text``
(and of passages perhaps ``title``), of judgements ``query``, ``passage`` and ``gain``. ``{language}`` in any of these
stands for the language. A folder of the data set's name below the data folder is read instead of the Hub:
``NAME/CONFIG/SPLIT.parquet``, or any other form that the library reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError, shown

PARTS = ("queries", "passages", "judgements")
FORMS = ("title+text", "text")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "queries": ("id", "text"),
    "passages": ("id", "text"),
    "judgements": ("query", "passage", "gain"),
}


@dataclass(frozen=True)
class DatasetTable:
    """Where a part of a task is on the Hub, or below the data folder."""

    name: str
    """``owner/name``."""
    config: str
    split: str
    revision: str
    """A commit."""
    columns: Mapping[str, str]
    """The names that the data set has for the columns."""


def read(
    tables: Mapping[str, DatasetTable],
    *,
    text: str,
    languages: Sequence[str],
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
) -> Collection:
    """The collection in these tables; ids are ``language:id``, and only queries with a relevant passage are in it.

    Raises:
        DataError: if a data set cannot be loaded, or lacks a column or a text.

    """
    judgements: list[Judgement] = []
    queries: list[Text] = []
    passages: list[Text] = []
    for language in languages:
        rows = {part: _rows(tables[part], part, language, data_dir, cache_dir) for part in PARTS}
        judged = [
            Judgement(f"{language}:{row['query']}", f"{language}:{row['passage']}", _gain(row["gain"], where))
            for where, row in rows["judgements"]
        ]
        answered = {judgement.query for judgement in judged if judgement.gain > 0}
        judgements += [judgement for judgement in judged if judgement.query in answered]
        queries += [
            Text(id_, language, str(row["text"]))
            for _, row in rows["queries"]
            if (id_ := f"{language}:{row['id']}") in answered
        ]
        passages += [
            Text(f"{language}:{row['id']}", language, body) for _, row in rows["passages"] if (body := _body(row, text))
        ]
    return Collection.build(tuple(languages), queries, passages, judgements)


def _body(row: Mapping[str, Any], form: str) -> str:
    title = row.get("title") if form == "title+text" else None
    return f"{title} {row['text']}".strip() if title else str(row["text"] or "").strip()


def _gain(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise DataError(f"{where} has the gain {shown(value)}; expected an integer.")
    return int(value)


def _rows(
    table: DatasetTable, part: str, language: str, data_dir: Path | None, cache_dir: Path | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a table by our names of the columns, and where each is."""
    name, config, split = (value.replace("{language}", language) for value in (table.name, table.config, table.split))
    where = f"{name}, {config}, {split}"
    local = data_dir / name / config if data_dir is not None and (data_dir / name / config).is_dir() else None
    looked = f"; {data_dir / name / config} is no folder" if data_dir is not None and local is None else ""
    loaded = load(
        str(local or name),
        None if local else config,
        split=split,
        revision=None if local else table.revision,
        cache_dir=str(cache_dir / "datasets") if cache_dir else None,
        where=f"The data set {where}",
        advice=f"{looked}. Expected it on the Hub at that revision, or as a folder below --data-dir.",
    )
    for ours, theirs in table.columns.items():
        if theirs not in loaded.column_names:
            raise DataError(
                f"{where} has the columns {', '.join(loaded.column_names)}; expected {theirs!r} for {ours!r} of {part}."
            )
    for i, row in enumerate(loaded, 1):
        yield f"{where}, row {i:,}", {ours: row[theirs] for ours, theirs in table.columns.items()}


def load(*which: Any, where: str, advice: str, **options: Any) -> Any:
    """What ``datasets.load_dataset`` gives, without its progress bars.

    Raises:
        DataError: if it cannot be loaded; ``where`` begins the sentence, and ``advice`` ends it.

    """
    import datasets

    shows = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(*which, **options)
    except Exception as error:
        # The library raises nearly anything: its own errors, those of the Hub, of Arrow and of the system.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{where} cannot be loaded ({type(error).__name__}: {reason}){advice}") from error
    finally:
        if shows:
            datasets.enable_progress_bars()
