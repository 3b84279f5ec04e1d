"""Sizes: how many texts and pairs a language has, and how long texts are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlbench.collection import Collection
from xlbench.examination.odd_texts import TextFacts


@dataclass(frozen=True)
class Lengths:
    """How long a language's queries or passages are, in characters."""

    median: float
    longest: int
    longest_id: str


@dataclass(frozen=True)
class LanguageSizes:
    """What a language has."""

    language: str
    n_queries: int
    n_passages: int
    n_pairs: int
    """Relevant passages of its queries, in all languages."""
    n_own: int
    """Relevant passages of its queries in the same language."""
    queries: Lengths | None
    """None if there are no queries."""
    passages: Lengths | None
    """None if there are no passages."""


def sizes(collection: Collection, queries: TextFacts, passages: TextFacts) -> list[LanguageSizes]:
    """What each language has."""
    asked = collection.queries.language[collection.pairs.query]
    own = asked == collection.passages.language[collection.pairs.passage]
    by_language = []
    for code, language in enumerate(collection.languages):
        of_queries, of_passages = collection.queries.rows(code), collection.passages.rows(code)
        by_language.append(
            LanguageSizes(
                language=language,
                n_queries=of_queries.stop - of_queries.start,
                n_passages=of_passages.stop - of_passages.start,
                n_pairs=int((asked == code).sum()),
                n_own=int((own & (asked == code)).sum()),
                queries=_lengths(queries, of_queries),
                passages=_lengths(passages, of_passages),
            )
        )
    return by_language


def _lengths(texts: TextFacts, rows: slice) -> Lengths | None:
    lengths = texts.length[rows]
    if not len(lengths):
        return None
    longest = int(lengths.argmax())
    return Lengths(float(np.median(lengths)), int(lengths[longest]), texts.texts.ids[rows.start + longest])
