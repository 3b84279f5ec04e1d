"""The guard against contamination: which rows to train on have texts that models are evaluated with.

A text overlaps with a query or a relevant passage of a task if both have the same letters and digits, or if it has at
least half of the other's n-grams (``grams``), of which there must be 32 at least. Irrelevant passages of a pool are not
compared. Replacing every tenth word of XQuAD-R's texts at random, 89 % of the queries and 94 % of the passages with
that many n-grams are still found; every fifth, 62 % and 68 %. What says the same in other words is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlbench.catalogue import Task, load, names, needed, read_collection
from xlbench.catalogue.sources import at_hand
from xlbench.collection import Collection
from xlbench.collection.same_text import plain
from xlbench.support.progress import Progress, silent
from xlbench.training.grams import AT_ONCE, Grams, Index
from xlbench.training.pair_lines import PairRow
from xlbench.training.pairs import PairFile

SHARE = 0.5
LEAST = 32
_SOME = 5
_ROWS_AT_ONCE = 16_384
_EQUAL = 2.0  # More than a text that is contained in a longer one, whose share is 1.


@dataclass(frozen=True)
class Match:
    """A text to train on that a task has too."""

    row: str
    """The id of a row that has it."""
    evaluated: str
    """The id of the query or the passage."""
    share: float
    """Of the n-grams of what is evaluated; 1 also for equal texts that are short."""


@dataclass(frozen=True)
class Overlap:
    """What a pair file and a task have in common."""

    task: str
    languages: tuple[str, ...]
    """In which it was compared."""
    path: Path
    n_compared: int
    """Rows of the pair file."""
    n_evaluated: int
    """Queries and relevant passages of the task."""
    rows: tuple[str, ...]
    """The ids of rows that overlap, in the order of the file."""
    n_equal: int
    """Rows of these with an equal text; the others have a near one."""
    n_queries: int
    """Queries of the task that are among the rows."""
    n_passages: int
    """Relevant passages of the task that are."""
    examples: tuple[Match, ...]
    """The nearest of some rows."""

    @property
    def n_rows(self) -> int:
        """How many rows overlap."""
        return len(self.rows)

    def describe(self) -> str:
        """One sentence that says what was found."""
        what = f"the {self.n_evaluated:,} queries and relevant passages of {self.task} in {', '.join(self.languages)}"
        if not self.rows:
            return f"None of the {self.n_compared:,} rows of {self.path.name} has a text of {what}."
        some = ", ".join(self.rows[:_SOME]) + (" and others" if self.n_rows > _SOME else "")
        return (
            f"{self.n_rows:,} of the {self.n_compared:,} rows of {self.path.name} have texts of {what}, "
            f"{self.n_equal:,} of them word by word: they know {self.n_queries:,} of the queries and "
            f"{self.n_passages:,} of the passages (rows {some})."
        )


def check_overlap(
    files: Sequence[PairFile], data_dir: Path | None, *, cache_dir: Path, progress: Progress = silent
) -> tuple[Overlap, ...]:
    """What each pair file has in common with each task that is at hand; nothing is downloaded.

    A task is at hand in the languages whose files are all under ``data_dir``, in the cache, or come with xlbench.

    Raises:
        DataError: if a file of a task is damaged.

    """
    evaluated = []
    for name in names():
        task = load(name)
        if languages := _at_hand(task, data_dir, cache_dir):
            collection = read_collection(task, languages=languages, data_dir=data_dir, cache_dir=cache_dir)
            evaluated.append(_Evaluated.of(collection, task.name))
    return tuple(overlap for pairs in files for overlap in _overlaps(pairs, evaluated, progress))


def overlap(pairs: PairFile, collection: Collection, *, task: str, progress: Progress = silent) -> Overlap:
    """What a pair file has in common with the queries and the relevant passages of a task's collection."""
    return _overlaps(pairs, [_Evaluated.of(collection, task)], progress)[0]


def _at_hand(task: Task, data_dir: Path | None, cache_dir: Path) -> list[str]:
    """The languages of a task with queries whose files are all here; none of one that is read from the Hub."""
    return [
        language
        for language in task.languages
        if not task.tables
        and (task.sizes[language].queries or len(needed(task, [language])) > 1)
        and all(
            at_hand(source, each, data_dir=data_dir, task_dir=task.file.parent, cache_dir=cache_dir)
            for source in task.source.values()
            for each in needed(task, [language])
            if each in source.checksums
        )
    ]


@dataclass(frozen=True)
class _Evaluated:
    """The queries and the relevant passages of a task, as they are compared."""

    task: str
    languages: tuple[str, ...]
    ids: tuple[str, ...]
    n_queries: int
    """They come before the passages."""
    places: Mapping[str, Sequence[int]]
    """Where each distinct text is among the ids, when made ``plain``: of bitext, each is a query and a passage."""
    number: Mapping[str, int]
    """Of each distinct text."""
    index: Index
    """Of the distinct texts."""

    @classmethod
    def of(cls, collection: Collection, task: str) -> _Evaluated:
        relevant = np.unique(collection.pairs.passage).tolist()
        texts = [plain(text) for text in collection.queries.text]
        texts += [plain(collection.passages.text[row]) for row in relevant]
        places = defaultdict(list)
        for i, text in enumerate(texts):
            if text:
                places[text].append(i)
        ids = (*collection.queries.ids, *(collection.passages.ids[row] for row in relevant))
        return cls(
            task,
            collection.languages,
            ids,
            n_queries=len(collection.queries),
            places=places,
            number={text: i for i, text in enumerate(places)},
            index=Index.of(list(places)),
        )


def _overlaps(pairs: PairFile, evaluated: Sequence[_Evaluated], progress: Progress) -> list[Overlap]:
    """What a pair file has in common with each task; its texts are read once."""
    nearest: list[dict[str, tuple[float, int]]] = [{} for _ in evaluated]
    known: list[set[int]] = [set() for _ in evaluated]
    n = len(pairs.rows)
    with progress("comparing with tasks", n_texts=n, n_characters=n, noun="rows") as advance:
        for first in range(0, n, _ROWS_AT_ONCE):
            rows = pairs.rows[first : first + _ROWS_AT_ONCE]
            texts = list(dict.fromkeys(text for row in rows for text in _texts(row)))
            for number, matches in enumerate(_matches(texts, evaluated)):
                places = list(evaluated[number].places.values())
                for text, there, share in matches:
                    known[number].update(places[there])
                    of = nearest[number].get(texts[text], (0.0, 0))
                    nearest[number][texts[text]] = max(of, (share, places[there][-1]))
            advance(texts=len(rows), characters=len(rows), stored=False)
    return [_overlap(pairs, *both) for both in zip(evaluated, nearest, known, strict=True)]


def _matches(texts: Sequence[str], evaluated: Sequence[_Evaluated]) -> list[list[tuple[int, int, float]]]:
    """By task: a text to train on, one that is evaluated, and how much of it the former has."""
    matches: list[list[tuple[int, int, float]]] = [[] for _ in evaluated]
    places: list[list[np.ndarray]] = [[] for _ in evaluated]
    for first in range(0, len(texts), AT_ONCE):
        some = [plain(text) for text in texts[first : first + AT_ONCE]]
        grams = Grams.of(some)
        for task, matched, place in zip(evaluated, matches, places, strict=True):
            matched += [(first + i, task.number[text], _EQUAL) for i, text in enumerate(some) if text in task.number]
            place.append(task.index.lookup(grams) + np.array([[0], [first]]))
    for task, matched, place in zip(evaluated, matches, places, strict=True):
        here, there, share = task.index.shared(
            *(np.concatenate(place, axis=1) if place else np.zeros((2, 0), np.int64))
        )
        near = (share >= SHARE) & (task.index.n_grams[here] >= LEAST)
        matched += zip(there[near].tolist(), here[near].tolist(), share[near].tolist(), strict=True)
    return matches


def _overlap(pairs: PairFile, task: _Evaluated, nearest: Mapping[str, tuple[float, int]], known: set[int]) -> Overlap:
    """The overlap of the texts that have a near one, with how near and which, and of what is known of the task."""
    of_rows = {
        row.id: max(nearest[text] for text in _texts(row) if text in nearest)
        for row in pairs.rows
        if any(text in nearest for text in _texts(row))
    }
    best = sorted(of_rows, key=lambda row: -of_rows[row][0])[:_SOME]
    n_queries = sum(i < task.n_queries for i in known)
    return Overlap(
        task=task.task,
        languages=task.languages,
        path=pairs.path,
        n_compared=len(pairs.rows),
        n_evaluated=len(task.ids),
        rows=tuple(of_rows),
        n_equal=sum(share == _EQUAL for share, _ in of_rows.values()),
        n_queries=n_queries,
        n_passages=len(known) - n_queries,
        examples=tuple(Match(row, task.ids[of_rows[row][1]], min(1.0, round(of_rows[row][0], 3))) for row in best),
    )


def _texts(row: PairRow) -> Iterable[str]:
    """Each text of a row, those of its negatives too."""
    yield from row.queries.values()
    yield from row.passages.values()
    for some in row.negatives.values():
        yield from some
