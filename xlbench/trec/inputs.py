"""Runs, judgements and languages as a user has them in Python, or in files, as what scoring takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.errors import DataError, shown
from xlbench.trec.pools import Languages
from xlbench.trec.read import Judgements, Run, read_judgements, read_languages, read_run


def run_of(run: object) -> Run:
    """The run in a TREC file, a mapping ``{query: {passage: score}}``, a frame or ir_measures' records.

    A frame has the columns ``query_id``, ``doc_id`` and ``score``, a record the attributes of these names. The order is
    trec_eval's: descending score in single precision, then descending id.

    Raises:
        DataError: for another form, or a score that is no finite number.

    """
    if isinstance(run, Run):
        return run
    if isinstance(run, str | Path):
        return read_run(Path(run))
    import pyarrow as pa

    rows: dict[str, slice] = {}
    ids: list[str] = []
    for query, scores in _by_query(run, "score", "run").items():
        values = np.array(list(scores.values()), np.float32)
        if not np.isfinite(values).all():
            bad = list(scores)[int(np.argmin(np.isfinite(values)))]
            raise DataError(
                f"The run has the score {scores[bad]!r} for query {shown(query)} and passage {shown(bad)}; expected a "
                "finite number."
            )
        ranked = sorted(zip(values.tolist(), scores, strict=True), reverse=True)
        rows[query] = slice(len(ids), len(ids) + len(ranked))
        ids += [passage for _, passage in ranked]
    return Run(rows, pa.array(ids, pa.string()))


def judgements_of(judgements: object) -> Judgements:
    """The judgements in a TREC file, a mapping ``{query: {passage: gain}}``, a frame or ir_measures' records.

    A frame has the columns ``query_id``, ``doc_id`` and ``relevance``.

    Raises:
        DataError: for another form, or a gain that is no integer.

    """
    if isinstance(judgements, str | Path):
        return read_judgements(Path(judgements))
    by_query = _by_query(judgements, "relevance", "judgements")
    for query, gains in by_query.items():
        for passage, gain in gains.items():
            if isinstance(gain, bool) or not isinstance(gain, int | np.integer):
                raise DataError(
                    f"The judgements have the gain {gain!r} for query {shown(query)} and passage {shown(passage)}; "
                    "expected an integer."
                )
    return {query: {passage: int(gain) for passage, gain in gains.items()} for query, gains in by_query.items()}


def languages_of(languages: object, query_languages: object = None) -> Languages | None:
    """The languages of passages, by id or in a file of lines ``id language``; of queries too, or None if ids say them.

    Raises:
        DataError: for another form.

    """
    if languages is None:
        return None
    passages = _language_map(languages)
    return Languages(passages, None if query_languages is None else _language_map(query_languages))


def _language_map(languages: object) -> Mapping[str, str]:
    if isinstance(languages, str | Path):
        return read_languages(Path(languages))
    if isinstance(languages, Mapping):
        return languages
    raise DataError(f"The languages are {type(languages).__name__}; expected a mapping from ids, or a file.")


def _by_query(records: Any, value: str, what: str) -> dict[str, dict[str, Any]]:
    if isinstance(records, Mapping):
        return {str(query): dict(of_query) for query, of_query in records.items()}
    by_query: dict[str, dict[str, Any]] = {}
    for query, passage, number in _rows(records, value, what):
        of_query = by_query.setdefault(str(query), {})
        if str(passage) in of_query:
            raise DataError(f"The {what}: passage {shown(passage)} of query {shown(query)} is there twice.")
        of_query[str(passage)] = number
    return by_query


def _rows(records: Any, value: str, what: str) -> Iterator[tuple[Any, Any, Any]]:
    names = ("query_id", "doc_id", value)
    if hasattr(records, "columns"):
        if missing := [name for name in names if name not in records.columns]:
            raise DataError(f"The frame of {what} lacks {', '.join(missing)}; expected {', '.join(names)}.")
        yield from zip(*(records[name].tolist() for name in names), strict=True)
        return
    if not isinstance(records, Iterable) or isinstance(records, str | bytes):
        raise DataError(
            f"The {what}: {type(records).__name__}; expected a mapping by query, a frame, records with "
            f"{', '.join(names)}, or a TREC file."
        )
    for record in records:
        row = [getattr(record, name, math.nan) for name in names]
        if any(cell is math.nan for cell in row):
            raise DataError(f"The {what}: the record {record!r:.60}; expected {', '.join(names)}.")
        yield row[0], row[1], row[2]
