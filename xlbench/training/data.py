"""Training data: the rows of several pair files, what they have in which language, and which of them share a text."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray, FloatArray, RowArray
from xlbench.errors import UnknownNameError
from xlbench.training.hard_negatives import HardNegatives
from xlbench.training.links import Linkable, NumberArray, check_groups, groups, link_key, link_number
from xlbench.training.pair_lines import PairRow
from xlbench.training.pairs import PairFile, rows_of
from xlbench.training.plan import Batches
from xlbench.training.presence import Presence
from xlbench.training.recipes import INFO_NCE, LossName

ENGLISH = "en"
"""The language that a teacher knows."""


@dataclass(frozen=True)
class Batch:
    """The texts of a batch."""

    queries: tuple[str, ...]
    """Of the rows; then, if they are asked for, the same in another language."""
    passages: tuple[str, ...]
    """The answer of each query, then the hard negatives: as many for each row, row by row."""
    groups: RowArray
    """``[rows]``: rows of one group share a text, and their passages may answer each other's queries."""
    passage_groups: RowArray
    """``[passages]``; -1 for a hard negative that a row lacks, or that has no letters, which is nobody's."""
    names: tuple[str, ...]
    """Of each row for a message: its id and languages."""
    scores: FloatArray
    """``[rows, 1 + negatives]``, of each row's answer and its hard negatives; NaN where there is none."""
    english: tuple[tuple[str, str], ...] = ()
    """Of each row, its query and its passage in English; empty where it has none."""
    losses: Mapping[LossName, float] = field(default_factory=lambda: {INFO_NCE: 1.0})
    """What is minimised, by weight."""
    has_parallel: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    """``[rows]``, whether the query in another language is one, and not the query itself once more; else empty."""
    source: RowArray = field(default_factory=lambda: np.zeros(0, np.int32))
    """``[rows]``, the number of the file that each row is in, where files have prompts of their own; else empty."""

    def __len__(self) -> int:
        return len(self.groups)

    def part(self, number: int, n_parts: int) -> Batch:
        """One of several parts of equal size, as each of several processes takes one."""
        size, each = len(self) // n_parts, len(self.passages) // len(self) - 1
        rows = slice(number * size, (number + 1) * size)
        first, last = (len(self) + row * each for row in (rows.start, rows.stop))
        parallel = slice(len(self) + rows.start, len(self) + rows.stop)
        return Batch(
            (*self.queries[rows], *self.queries[parallel]),
            (*self.passages[rows], *self.passages[first:last]),
            self.groups[rows],
            np.concatenate([self.passage_groups[rows], self.passage_groups[first:last]]),
            self.names[rows],
            self.scores[rows],
            self.english[rows],
            self.losses,
            self.has_parallel[rows],
            self.source[rows],
        )


@dataclass(frozen=True)
class SourcePrompts:
    """What stands before the texts of a pair file, where it is not the model's prompt."""

    query: str | None = None
    passage: str | None = None


@dataclass(frozen=True)
class Data:
    """The rows of all files."""

    files: tuple[PairFile, ...]
    weights: tuple[float, ...]
    """How often each row of a file is used in an epoch."""
    languages: tuple[str, ...]
    prompts: tuple[SourcePrompts, ...] = ()
    """Of each file; empty if all texts have the model's."""

    @classmethod
    def of(
        cls,
        files: Sequence[PairFile],
        *,
        weights: Sequence[float],
        languages: Sequence[str] = (),
        prompts: Sequence[SourcePrompts] = (),
    ) -> Data:
        """The rows of these files in these languages, by default in all they have.

        Raises:
            UnknownNameError: for a language that no file has.

        """
        known = sorted({language for file in files for language in file.languages})
        for language in languages:
            if language not in known:
                raise UnknownNameError("language", language, known, hint="The pair files have no other languages.")
        used = tuple(sorted(set(languages))) or tuple(known)
        return cls(tuple(files), tuple(weights), used, tuple(prompts) if any(map(_says, prompts)) else ())

    @cached_property
    def rows(self) -> Sequence[PairRow]:
        """Those of all files, one file after the other."""
        return rows_of(self.files)

    @cached_property
    def file(self) -> RowArray:
        """``[rows]``, the number of the file that each row is in."""
        return np.repeat(np.arange(len(self.files), dtype=np.int32), [len(file.rows) for file in self.files])

    @cached_property
    def presence(self) -> Presence:
        """Which languages each row has."""
        queries, passages = zip(*(file.presence(self.languages) for file in self.files), strict=True)
        return Presence(self.languages, np.concatenate(queries), np.concatenate(passages))

    @cached_property
    def uses(self) -> npt.NDArray[np.float64] | None:
        """``[rows]``, how often each row is used in an epoch, or None if each is used once."""
        return None if set(self.weights) == {1.0} else np.asarray(self.weights, np.float64)[self.file]

    @cached_property
    def group(self) -> RowArray:
        """``[rows]``: rows that share a passage, or a text in the languages that are used, have one number (``links``).

        Raises:
            TrainingError: if a group has too large a part of a file.

        """
        group = groups(map(self._linkable, range(len(self.rows))))
        starts = np.cumsum([0, *(len(file.rows) for file in self.files)]).tolist()
        for file, first, last in zip(self.files, starts, starts[1:], strict=False):
            check_groups(group[first:last], partial(self._linkable_after, first), file.path)
        return group

    def _linkable_after(self, first: int, i: int) -> Linkable:
        return self._linkable(first + i)

    def _linkable(self, i: int) -> Linkable:
        row = self.rows[i]
        texts = (by.get(language) for by in (row.queries, row.passages) for language in self.languages)
        return Linkable((int(self.file[i]), row.passage), tuple(text for text in texts if text is not None))

    def batch(
        self,
        batches: Batches,
        number: int,
        *,
        hard: HardNegatives | None = None,
        step: int = 0,
        losses: Mapping[LossName, float] = MappingProxyType({INFO_NCE: 1.0}),
    ) -> Batch:
        """The texts of one batch of the plan for these losses, with hard negatives drawn for that step of the run."""
        hard = hard or HardNegatives()
        rng = np.random.default_rng([hard.seed, 2, step])
        rows = [self.rows[i] for i in batches.rows[number]]
        asked = [self.languages[i] for i in batches.query[number]]
        answered = [self.languages[i] for i in batches.passage[number]]
        languages = list(zip(rows, asked, answered, strict=True))
        drawn = [hard.draw(row, a, b, self.languages, rng) for row, a, b in languages]
        negatives = [text for of_row in drawn for text, _ in of_row]
        groups = self.group[batches.rows[number]]
        of_negatives = [self._group_of(key) if (key := link_key(text)) else -1 for text in negatives]
        scores = [
            [row.passage_scores.get(b, np.nan), *(score for _, score in of_row)]
            for (row, _, b), of_row in zip(languages, drawn, strict=True)
        ]
        parallel = [self._parallel(row, a, rng) for row, a, _ in languages] if "parallel" in losses else []
        queries = [row.queries[language] for row, language in zip(rows * 2, asked + parallel, strict=False)]
        return Batch(
            tuple(queries),
            (*(row.passages[b] for row, _, b in languages), *negatives),
            groups,
            np.concatenate([groups, np.array(of_negatives, np.int32)]),
            tuple(f"{row.id} ({a}>{b})" for row, a, b in languages),
            np.array(scores, np.float64),
            tuple((row.queries.get(ENGLISH, ""), row.passages.get(ENGLISH, "")) for row in rows),
            losses,
            np.array([a != c for a, c in zip(asked, parallel, strict=False)], np.bool_),
            self.file[batches.rows[number]] if self.prompts else np.zeros(0, np.int32),
        )

    def _parallel(self, row: PairRow, asked: str, rng: np.random.Generator) -> str:
        """Another language that the row's query is in, drawn alike; the same one if there is no other."""
        others = [language for language in self.languages if language != asked and language in row.queries]
        return others[int(rng.integers(len(others)))] if others else asked

    def _group_of(self, key: str) -> int:
        """The group of the passages with this key, or none that a row has: a hard negative may answer another row."""
        numbers, group = self._passage_groups
        number = np.uint64(link_number(key))
        place = int(np.searchsorted(numbers, number))
        is_there = place < len(numbers) and numbers[place] == number
        return int(group[place]) if is_there else len(self.rows)

    @cached_property
    def _passage_groups(self) -> tuple[NumberArray, RowArray]:
        """The number of each passage, sorted, and the group of its row."""
        numbers, rows = array("Q"), array("i")
        for i, row in enumerate(self.rows):
            for language in self.languages:
                if language in row.passages:
                    numbers.append(link_number(link_key(row.passages[language])))
                    rows.append(i)
        of = np.frombuffer(numbers, np.uint64)
        order = np.argsort(of, kind="stable")
        return of[order], self.group[np.frombuffer(rows, np.int32)[order]]


def _says(prompts: SourcePrompts) -> bool:
    """Whether a file has a prompt of its own."""
    return prompts != SourcePrompts()
