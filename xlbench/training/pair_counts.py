"""What a pair file holds: rows, languages, pairs of languages, lengths, and texts that occur more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from xlbench.training.pairs import PairFile


@dataclass(frozen=True)
class Side:
    """The queries, or the passages, of a language."""

    n: int
    """Rows that have one."""
    n_different: int
    """Different texts among them."""
    median: int
    """Characters; 0 where there are none, as the longest."""
    longest: int


@dataclass(frozen=True)
class LanguageSummary:
    """A language of a pair file."""

    language: str
    queries: Side
    passages: Side
    n_negatives: int
    """Hard negatives in it, over all rows."""


@dataclass(frozen=True)
class PairCounts:
    """What a pair file holds."""

    n_rows: int
    n_passages: int
    """Different passages, by identity; translations are one."""
    languages: tuple[LanguageSummary, ...]
    pairs: tuple[tuple[int, ...], ...]
    """``[L][L]``: rows with a query in one language and a passage in the other."""
    n_monolingual: int
    """Rows of one language only, which no cross-lingual batch can have."""


def counts_of(pairs: PairFile) -> PairCounts:
    """The summary of a pair file."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in pairs.rows:
        counts.update((a, b) for a in row.queries for b in row.passages)
    return PairCounts(
        n_rows=len(pairs.rows),
        n_passages=len({row.passage for row in pairs.rows}),
        languages=tuple(
            LanguageSummary(
                language,
                queries=_side([row.queries[language] for row in pairs.rows if language in row.queries]),
                passages=_side([row.passages[language] for row in pairs.rows if language in row.passages]),
                n_negatives=sum(len(row.negatives.get(language, ())) for row in pairs.rows),
            )
            for language in pairs.languages
        ),
        pairs=tuple(tuple(counts[a, b] for b in pairs.languages) for a in pairs.languages),
        n_monolingual=sum(len({*row.queries, *row.passages}) == 1 for row in pairs.rows),
    )


def _side(texts: Sequence[str]) -> Side:
    lengths = [len(text) for text in texts]
    return Side(
        n=len(texts),
        n_different=len(set(texts)),
        median=median_low(lengths) if lengths else 0,
        longest=max(lengths, default=0),
    )
