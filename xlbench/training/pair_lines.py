"""A line of a pair file, checked, and the row that it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xlbench.catalogue.readers.fields import expect
from xlbench.catalogue.readers.fields import field as field_of
from xlbench.catalogue.readers.parallel import Line
from xlbench.errors import DataError, shown


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
class PairLine:
    """A line, which may be a passage alone."""

    line: Line
    negatives: Mapping[str, tuple[str, ...]]
    passage_scores: Mapping[str, float]
    negative_scores: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, record: Any, where: str) -> PairLine:
        """The line that a record is.

        Raises:
            DataError: if it is of another shape, or a text is empty.

        """
        line, negatives = Line.of(record, where), _negatives(record, where)
        for text, what in _all(line, negatives):
            if not text or text.isspace():
                raise DataError(f"{where} has no text in {what}; expected text, or the language left out.")
        return cls(line, negatives, *(_scores(record, negatives, where) if line.queries else ({}, {})))

    def with_equal_texts(self, texts: dict[str, str]) -> PairLine:
        """The same, with one object for equal texts, which are added to ``texts``."""
        queries, passages = (
            {language: texts.setdefault(text, text) for language, text in by.items()}
            for by in (self.line.queries, self.line.passages)
        )
        negatives = {
            language: tuple(texts.setdefault(text, text) for text in some) for language, some in self.negatives.items()
        }
        return replace(self, line=replace(self.line, queries=queries, passages=passages), negatives=negatives)

    def row(self, passages: Mapping[str, str]) -> PairRow:
        """The row, with all passages that any line has for its ``passage_id``."""
        line = self.line
        return PairRow(
            line.id, line.queries, passages, line.passage_id, self.negatives, self.passage_scores, self.negative_scores
        )


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


def repeated(line: PairLine) -> DataError:
    """What is said of a line whose id a line above has."""
    id_ = shown(line.line.id)
    return DataError(f"{line.line.where} has the id {id_}, as a line above has; expected one line for each id.")


def no_rows(source: object) -> DataError:
    """What is said of a file with no row."""
    return DataError(f"{source} has no line with a query and a passage; expected at least one to train on.")
