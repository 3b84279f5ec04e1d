"""Checks submissions without their models: every figure is computed again from the evidence.

What is checked is that files are sound, that they agree with each other and with the task, that the counts can be those
of a ranking, that the judged pairs are those of the task, and that every score, interval, reference and matrix follows
from them. What cannot be seen without the model is whether it gave these ranks: ``deep`` checks that. The alignment of
vectors and the speed do not follow from ranks, and are what the submitter reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar, cast

import numpy as np

from xlbench import catalogue
from xlbench.catalogue import Task
from xlbench.errors import SubmissionError
from xlbench.leaderboard import consistency, judgements
from xlbench.leaderboard.differences import alignment_fault, differences
from xlbench.leaderboard.levels import Level
from xlbench.leaderboard.likeness import Sketch
from xlbench.leaderboard.manifest import Manifest
from xlbench.leaderboard.submission import Submission, disagreements, load
from xlbench.measures.ranks import Judged
from xlbench.results.from_ranking import figures
from xlbench.settings import settings

T = TypeVar("T")
_SHOWN = 5
_INTERVAL_DECIMALS = 15


@dataclass(frozen=True)
class Checked(Generic[T]):
    """What a check found out about one submission."""

    folder: Path
    level: Level = "reported"
    problems: tuple[str, ...] = ()
    """Why it is not taken, a sentence each; empty if it is sound."""
    notes: tuple[str, ...] = ()
    """What is worth a look all the same."""
    manifest: Manifest | None = None
    """None if the submission cannot be read."""
    identity: str = ""
    digest: str = ""
    sketch: Sketch | None = None
    """Of the ranks, to be held against those of others; None if it is not sound."""
    extracted: T | None = None
    """What ``extract`` took of a sound submission."""


@dataclass(frozen=True)
class _Seen:
    """Judged pairs that were found right, and what follows from them alone."""

    judged: Judged
    references: Mapping[str, Mapping[str, float]]


class Checker:
    """Checks one submission after the other; what those of one task have in common is computed once."""

    def __init__(
        self,
        *,
        on_record: Mapping[str, Level] | None = None,
        data_dir: Path | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        """``on_record`` has the levels of submissions by digest.

        With ``data_dir`` are judged pairs checked that do not come with xlbench.
        """
        self._on_record = on_record or {}
        self._data_dir = data_dir
        self._cache_dir = cache_dir
        self._pairs: dict[tuple[str, tuple[str, ...]], Mapping[str, str]] = {}
        self._seen: dict[str, _Seen] = {}

    def check(self, folder: Path, extract: Callable[[Submission], T] | None = None) -> Checked[T]:
        """What is found out about the submission in a folder, and what ``extract`` takes of it if it is sound."""
        try:
            submission = load(folder)
        except SubmissionError as error:
            return Checked(folder, problems=(str(error),))
        about: Checked[T] = Checked(
            folder,
            manifest=submission.manifest,
            identity=submission.identity,
            digest=submission.digest,
        )
        try:
            sound = self.recomputed(submission)
        except SubmissionError as error:
            return replace(about, problems=tuple(str(error).splitlines()))
        level = self._on_record.get(submission.digest, "verified")
        sketch = Sketch.of(sound.ranking)
        return replace(about, level=level, sketch=sketch, extracted=extract(sound) if extract else None)

    def recomputed(self, submission: Submission) -> Submission:
        """The submission with the per-query scores and the ranking that its evidence gives.

        Raises:
            SubmissionError: if it is not sound; a line for each reason.

        """
        _refuse(disagreements(submission))
        task, ranking = submission.task, submission.ranking
        if fault := consistency.fault(ranking):
            _refuse([f"The evidence is of no ranking: {fault}."])
        seen = self._matching(task, ranking.judged)
        languages = ranking.judged.languages
        asked = [language for language in languages if task.sizes[language].queries]
        pooled = [language for language in languages if task.sizes[language].passages]
        figures_ = figures(
            ranking,
            settings(task.settings, asked, pooled=pooled),
            task.measures,
            known=seen.references if seen else None,
            interval_decimals=_INTERVAL_DECIMALS,
        )
        if not seen:
            self._seen[task.name] = _Seen(ranking.judged, figures_.references)
        wrong = differences(submission.result, figures_)
        first = [f"{each}." for each in islice(wrong, _SHOWN)]
        if more := sum(1 for _ in wrong):
            first.append(f"And {more:,} more numbers do not follow from the evidence.")
        _refuse(first)
        if fault := alignment_fault(submission.result.alignment):
            _refuse([f"{fault}."])
        return replace(
            submission, result=replace(submission.result, per_query=figures_.per_query, ranking=submission.ranking)
        )

    def _matching(self, task: Task, judged: Judged) -> _Seen | None:
        """What is known of just these pairs; None if they are seen for the first time, and right."""
        seen = self._seen.get(task.name)
        if seen and _same(seen.judged, judged):
            return seen
        if fault := judgements.fault(judged, self._expected(task, judged.languages)):
            _refuse([f"{fault[0].upper()}{fault[1:]}."])
        return None

    def _expected(self, task: Task, languages: tuple[str, ...]) -> Mapping[str, str]:
        """The pairs of a task in some languages, as they come with xlbench, else of the data."""
        known = judgements.known(task)
        if known is not None and set(languages) <= set(known.languages):
            return known.pairs
        if self._data_dir is None or self._cache_dir is None:
            _refuse([f"What is judged in {task.name} does not come with xlbench: give its data as --data-dir."])
        key = (task.name, languages)
        if key not in self._pairs:
            collection = catalogue.read_collection(
                task, languages=languages, data_dir=self._data_dir, cache_dir=cast("Path", self._cache_dir)
            )
            self._pairs[key] = judgements.pairs_of(Judged.of(collection))
        return self._pairs[key]


def _refuse(reasons: Iterator[str] | list[str]) -> None:
    sentences = [" ".join(reason.split()) for reason in reasons]
    if sentences:
        raise SubmissionError("\n".join(sentences))


def _same(a: Judged, b: Judged) -> bool:
    arrays = ("query", "query_language", "passage_language", "gain", "n_passages")
    return (
        a.languages == b.languages
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and list(a.query_ids) == list(b.query_ids)
        and list(a.passage_ids) == list(b.passage_ids)
    )
