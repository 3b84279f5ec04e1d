"""The board: what a leaderboard says of each model on each task, and the ranks of the models.

It is made of small rows, so that thousands of submissions fit into memory: a result is read, and let go again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlbench import measures
from xlbench.arrays import FloatArray
from xlbench.comparison import MEAN
from xlbench.comparison.study import Study, quantities_of
from xlbench.leaderboard.levels import CONFIRMED
from xlbench.leaderboard.shared_ranks import ranks
from xlbench.measures import DISTANCE, PREFERENCE
from xlbench.measures.values import by_language
from xlbench.reports.cells import Cell, Table, number_cell, one_line, row
from xlbench.reports.words import KIND_TITLES, captioned
from xlbench.results import Result
from xlbench.settings import KINDS, Kind
from xlbench.statistics import by_cluster

if TYPE_CHECKING:
    from xlbench.leaderboard.levels import Level
    from xlbench.leaderboard.manifest import Manifest
    from xlbench.leaderboard.submission import Submission

Column = tuple[Kind, str]
"""Kind of setting and measure."""
RANKED: Kind = "multi"
"""The kind of setting by which a board is sorted unless another is asked for."""


@dataclass(frozen=True)
class Value:
    """A mean with its interval, which some means do not have."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Contributions:
    """What each cluster of questions adds to a model's headline means, to test it against any other model."""

    population: str
    """A digest of the questions, their clusters and who is asked what: only models that agree in it are compared."""
    value: FloatArray
    """``[G, K]``, one column for each kind of setting, in their order."""

    @classmethod
    def of(cls, result: Result) -> Contributions:
        """Those of a result with per-query scores."""
        quantities = [q for q in quantities_of(result, result.headline, KINDS) if q.name == MEAN]
        study = Study.of([result], [str(result.model["name"])], quantities)
        asked = hashlib.sha256()
        for scores in result.per_query:
            asked.update("\n".join((str(scores.setting), *scores.query, *scores.cluster, "")).encode())
        return cls(asked.hexdigest(), by_cluster(study.parts[0], study.cluster))


@dataclass(frozen=True)
class BoardRow:
    """One model on one task, without its ranks."""

    key: str
    """The model's key, which no other model has: the name of its folder, fit for the name of a file."""
    folder: str
    """The name of the submission's folder in that of the model."""
    model: Mapping[str, Any]
    """``name, revision, adapter, arguments`` and perhaps ``transform``."""
    manifest: Manifest
    """What the submitter says of it."""
    task: str
    task_version: int
    headline: str
    missing_languages: tuple[str, ...]
    means: Mapping[Column, Value]
    languages: Mapping[str, Mapping[Column, float]]
    """The same columns by language of the queries."""
    encode_seconds: float | None
    n_texts: int
    """Queries and passages."""
    contributions: Contributions
    level: Level = "reported"
    """How far it was checked; see ``checks``."""

    @classmethod
    def of(cls, submission: Submission) -> BoardRow:
        """The row of a submission, of which nothing is kept that is not shown: for ``checks.check_all``."""
        result = submission.result
        columns = [column for column in columns_of(result.headline) if column[1] in result.summary.get(column[0], {})]
        of_language = {column: by_language(result.values, *column) for column in columns}
        asked = dict.fromkeys(name.query for name in result.queries)
        return cls(
            key=submission.folder.parent.name,
            folder=submission.folder.name,
            model=result.model,
            manifest=submission.manifest,
            task=result.task,
            task_version=result.task_version,
            headline=result.headline,
            missing_languages=tuple(result.missing_languages),
            means={
                (kind, measure): Value(
                    result.summary[kind][measure], *result.intervals.get(kind, {}).get(measure, (None, None))
                )
                for kind, measure in columns
            },
            languages={
                language: {column: values[language] for column, values in of_language.items() if language in values}
                for language in asked
            },
            encode_seconds=result.timing.get("encode_s") if result.timing.get("encoded_share") == 1 else None,
            n_texts=len(submission.ranking.judged.query_ids) + int(submission.ranking.judged.n_passages.sum()),
            contributions=Contributions.of(result),
        )

    @property
    def texts_per_second(self) -> float | None:
        """How fast the task's texts were encoded, as reported; None if vectors were there, or for transformed ones."""
        return self.n_texts / self.encode_seconds if self.encode_seconds and "transform" not in self.model else None


def columns_of(headline: str) -> list[Column]:
    """What a board shows: the headline in each kind of setting, and two measures of language bias."""
    return [*((kind, headline) for kind in KINDS), ("multi", DISTANCE), ("multi", PREFERENCE)]


@dataclass(frozen=True)
class BoardStanding:
    """A row with its place on the board."""

    row: BoardRow
    label: str
    """The model's name, and what tells it from others of that name."""
    ranks: Mapping[Kind, int]
    """By kind of setting: 1 + the number of models significantly better; empty for a model that is not ranked."""
    unranked: str = ""
    """Why it has no rank."""

    @property
    def is_provisional(self) -> bool:
        """Whether its ranks are among all models, and it takes no place: its own may have been invented."""
        return self.row.level not in CONFIRMED


@dataclass(frozen=True)
class TaskBoard:
    """The models on one version of one task."""

    task: str
    task_version: int
    headline: str
    kinds: tuple[Kind, ...]
    languages: tuple[str, ...]
    standings: tuple[BoardStanding, ...]
    """The best in the pool of all languages first; reported ones last."""

    @property
    def title(self) -> str:
        """Task and version."""
        return f"{self.task}, version {self.task_version}"


def boards(rows: Sequence[BoardRow]) -> list[TaskBoard]:
    """One board for each version of each task, those with the most models first, then those in the most languages."""
    of_task: dict[tuple[str, int], list[BoardRow]] = {}
    for each in rows:
        of_task.setdefault((each.task, -each.task_version), []).append(each)
    labels = labelled(rows)
    made = [_board(of_task[key], labels) for key in sorted(of_task)]
    return sorted(made, key=lambda board: (-len(board.standings), -len(board.languages)))


def labelled(rows: Sequence[BoardRow]) -> dict[str, str]:
    """The label of each model by its key: its name, and its arguments, revision or key where others have that name."""
    models = {each.key: each.model for each in rows}
    alike: dict[str, list[str]] = {}
    for key, model in models.items():
        alike.setdefault(shown(model["name"]), []).append(key)
    labels = {}
    for name, keys in alike.items():
        parts = [
            {key: ", ".join(f"{k}={v}" for k, v in models[key]["arguments"].items()) or "no arguments" for key in keys},
            {key: f"revision {models[key]['revision']}" for key in keys},
        ]
        differing = [part for part in parts if len(set(part.values())) > 1]
        texts = {key: ", ".join(part[key] for part in differing) for key in keys}
        common = Counter(texts.values())
        for key in keys:
            text = texts[key] if common[texts[key]] == 1 else key
            labels[key] = name if len(keys) == 1 else f"{name} ({shown(text)})"
    return labels


def shown(text: object, most: int = 300) -> str:
    """A text of a submission as it may be shown: on one line, without characters that steer it, and not too long."""
    line = one_line(str(text))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _board(rows: Sequence[BoardRow], labels: Mapping[str, str]) -> TaskBoard:
    headline = Counter(each.headline for each in rows).most_common(1)[0][0]
    reasons = {each.key: _unranked(each, headline) for each in rows}
    populations = Counter(each.contributions.population for each in rows if not reasons[each.key])
    common = max(populations, key=lambda name: (populations[name], name), default="")
    for each in rows:
        if not reasons[each.key] and each.contributions.population != common:
            reasons[each.key] = "asked other queries than most models of this task"
    ranked = [each for each in rows if not reasons[each.key]]
    places = _ranks(ranked)
    standings = [BoardStanding(each, labels[each.key], places.get(each.key, {}), reasons[each.key]) for each in rows]
    kinds = [kind for kind in KINDS if any((kind, headline) in each.means for each in rows)]
    best = RANKED if RANKED in kinds else kinds[0] if kinds else RANKED
    return TaskBoard(
        task=rows[0].task,
        task_version=rows[0].task_version,
        headline=headline,
        kinds=tuple(kinds),
        languages=tuple(dict.fromkeys(language for each in rows for language in each.languages)),
        standings=tuple(in_order(standings, (best, headline))),
    )


def _unranked(each: BoardRow, headline: str) -> str:
    if each.level == "reported":
        return "reported, not checked"
    if each.missing_languages:
        return f"partial: without {shown(', '.join(each.missing_languages))}"
    if each.headline != headline:
        return f"its headline is {shown(each.headline)}, not {shown(headline)}"
    return ""


def _ranks(ranked: Sequence[BoardRow]) -> dict[str, dict[Kind, int]]:
    if not ranked:
        return {}
    kinds = [kind for kind in KINDS if (kind, ranked[0].headline) in ranked[0].means]
    confirmed = [each.level in CONFIRMED for each in ranked]
    shared = ranks([each.contributions.value for each in ranked], confirmed=confirmed)
    return {
        each.key: dict(zip(kinds, places.tolist(), strict=True)) for each, places in zip(ranked, shared, strict=True)
    }


def in_order(standings: Sequence[BoardStanding], column: Column, *, target: float | None = None) -> list[BoardStanding]:
    """From the best in a column to the worst, those without a value last, and reported ones after all others.

    Of a measure of which neither high nor low is better, the highest come first, or those nearest to a ``target``.
    """
    lower = measures.better(column[1]) == "lower"

    def key(standing: BoardStanding) -> tuple[bool, bool, float, str]:
        value = standing.row.means.get(column)
        at = 0.0 if value is None else value.value if lower else -value.value
        if value is not None and target is not None:
            at = abs(value.value - target)
        return standing.row.level == "reported", value is None, at, standing.row.key

    return sorted(standings, key=key)


def table(board: TaskBoard, column: Column, *, target: float | None = None) -> Table:
    """The board as a table, sorted by a column, or by the distance from a target in it.

    The ranks are those of the column's kind of setting.
    """
    chosen = columns_of(board.headline)
    rows = []
    for standing in in_order(board.standings, column, target=target):
        rank = standing.ranks.get(column[0])
        label = captioned(standing.label, standing.row.missing_languages)
        values = (_cell(standing.row.means.get(each), each[1]) for each in chosen)
        text = "" if rank is None else f"({rank})" if standing.is_provisional else str(rank)
        rows.append(row(Cell(text, rank), label, *values, standing.row.level))
    names = (measure if measures.of_bias(measure) else f"{KIND_TITLES[kind]} {measure}" for kind, measure in chosen)
    return Table(
        title=board.title,
        header=("rank", "model", *names, "level"),
        rows=tuple(rows),
        note=f"Rank: 1 + the number of models that are significantly better in {KIND_TITLES[column[0]]} "
        f"{board.headline}; all pairs of models are tested, corrected by Holm's method. "
        "In parentheses: of a model that is only verified, among all; its own ranks may have been invented, so that it "
        "takes no place from a model that was run again.",
    )


def _cell(value: Value | None, measure: str) -> Cell:
    if value is None:
        return Cell("")
    interval = None if value.low is None or value.high is None else (value.low, value.high)
    return number_cell(value.value, measure, interval=interval)
