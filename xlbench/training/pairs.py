"""Pair files: parallel questions and passages to train on, as the reader ``parallel`` reads them to evaluate.

A line may also have ``"negatives": {language: [text, ...]}``: passages in that language that do not answer the
question, the hardest first, and ``"scores": {"passages": {language: number}, "negatives": {language: [number, ...]}}``:
how well another model says that they answer. ``xlbench mine`` writes both.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers.fields import expect
from xlbench.catalogue.readers.fields import field as field_of
from xlbench.catalogue.readers.parallel import Line, records
from xlbench.errors import DataError, shown
from xlbench.support.files import whole
from xlbench.training.dataset_rows import HUB, dataset_records, is_table


@dataclass(frozen=True)
class PairRow:
    """A question and a passage that answers it, each in one language or more."""

    id: str
    queries: Mapping[str, str]
    """By language; at least one, none empty."""
    passages: Mapping[str, str]
    """By language; at least one, none empty."""
    passage: str
    """What the passages are: rows with the same one have the same passages."""
    negatives: Mapping[str, tuple[str, ...]]
    """By language: passages that do not answer the question, the hardest first."""
    passage_scores: Mapping[str, float] = field(default_factory=dict)
    """By language: how well the passage answers, as another model says."""
    negative_scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By language, beside ``negatives``."""


@dataclass(frozen=True)
class PairFile:
    """What a pair file holds."""

    path: Path
    sha256: str
    """Of the file as it lies there, packed or not; of the rows where they come from the Hub."""
    rows: tuple[PairRow, ...]
    """In the order of the file. Lines without a query are no rows."""
    languages: tuple[str, ...]
    """Those of queries and passages, sorted."""


def read_pairs(source: Path | str) -> PairFile:
    """The rows of a pair file, JSON lines, plain or gzip, or what ``dataset_rows`` reads; equal texts are one object.

    Rows that name the same ``passage_id`` each have all passages that any line has for it.

    Raises:
        DataError: with file and line, if a line is of another shape, an id occurs twice or a text is empty; or if
            nothing in the file can be trained on.

    """
    passages: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    seen: set[str] = set()
    asked: list[tuple[Line, Mapping[str, tuple[str, ...]], Any]] = []
    digest = hashlib.sha256()
    for where, record in _records(source, digest):
        line, negatives = Line.of(record, where), _negatives(record, where)
        if line.id in seen:
            raise DataError(f"{where} has the id {shown(line.id)}, as a line above has; expected one line for each id.")
        seen.add(line.id)
        for text, what in _all(line, negatives):
            if not text or text.isspace():
                raise DataError(f"{where} has no text in {what}; expected text, or the language left out.")
            texts.setdefault(text, text)
        line.new_passages(passages.setdefault(line.passage_id, {}))
        if line.queries:
            asked.append((line, negatives, _scores(record, negatives, where)))
    rows = tuple(
        PairRow(
            id=line.id,
            queries={language: texts[text] for language, text in line.queries.items()},
            passages={language: texts[text] for language, text in passages[line.passage_id].items()},
            passage=line.passage_id,
            negatives={language: tuple(texts[text] for text in some) for language, some in negatives.items()},
            passage_scores=scores[0],
            negative_scores=scores[1],
        )
        for line, negatives, scores in asked
    )
    if not rows:
        raise DataError(f"{source} has no line with a query and a passage; expected at least one to train on.")
    languages = {language for row in rows for language in (*row.queries, *row.passages)}
    on_hub = isinstance(source, str) and source.startswith(HUB)
    sha256 = digest.hexdigest() if on_hub else checksum(Path(source))
    return PairFile(Path(source), sha256=sha256, rows=rows, languages=tuple(sorted(languages)))


def _records(source: Path | str, digest: Any) -> Iterator[tuple[str, Any]]:
    """Where each row is, and what it says; the digest is updated by what comes from the Hub, where no file is."""
    if not is_table(str(source)):
        yield from records(Path(source))
        return
    for where, record in dataset_records(str(source)):
        digest.update(json.dumps(record, sort_keys=True).encode())
        yield where, record


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Writes rows as JSON lines, packed if the name ends in ``.gz``; the file appears whole. Returns how many.

    Raises:
        DataError: if there is none; then there is no file.

    """
    n_rows = 0
    with whole(path) as temporary, temporary.open("wb") as file:
        # No name and no date in the head: the same rows are the same bytes.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for row in rows:
            packed.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            n_rows += 1
        if packed is not file:
            packed.close()
        if not n_rows:
            raise DataError(f"There is no row to write to {path}: no text with letters was read.")
    return n_rows


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _negatives(record: Any, where: str) -> dict[str, tuple[str, ...]]:
    if "negatives" not in record:
        return {}
    by_language = field_of(record, "negatives", dict, where)
    return {
        language: tuple(
            expect(text, str, f"{where}, negatives in {language!r}")
            for text in expect(some, list, f"{where}, negatives in {language!r}")
        )
        for language, some in by_language.items()
    }


def _scores(
    record: Any, negatives: Mapping[str, tuple[str, ...]], where: str
) -> tuple[dict[str, float], dict[str, tuple[float, ...]]]:
    """The scores of passages and of negatives, by language."""
    if "scores" not in record:
        return {}, {}
    both = field_of(record, "scores", dict, where)
    if not set(both) <= {"passages", "negatives"}:
        raise DataError(f"{where}, scores: has {shown(sorted(both))}; expected 'passages' and 'negatives'.")
    place = f"{where}, scores"
    of_passages = field_of(both, "passages", dict, place) if "passages" in both else {}
    of_negatives = field_of(both, "negatives", dict, place) if "negatives" in both else {}
    for language, some in of_negatives.items():
        n = len(expect(some, list, f"{place} of negatives in {language!r}"))
        if n != len(negatives.get(language, ())):
            raise DataError(
                f"{place} of negatives in {language!r}: {n:,} for {len(negatives.get(language, ())):,} negatives; "
                "expected one for each."
            )
    return (
        {language: _number(score, f"{place} of passages in {language!r}") for language, score in of_passages.items()},
        {
            language: tuple(_number(score, f"{place} of negatives in {language!r}") for score in some)
            for language, some in of_negatives.items()
        },
    )


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{where} is {shown(value)}; expected a finite number.")
    return float(value)


def _all(line: Line, negatives: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Each text of a line, and what it is."""
    for name, by_language in (("queries", line.queries), ("passages", line.passages)):
        for language, text in by_language.items():
            yield text, f"{name}, {language!r}"
    for language, some in negatives.items():
        for text in some:
            yield text, f"negatives, {language!r}"
