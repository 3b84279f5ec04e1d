"""The leaderboard's numbers as files, in full precision.

The CSV has one record a number, the JSON one a model and task. Of thousands of submissions that is much: both are
written model by model, never in memory at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from xlbench.leaderboard.board import BoardStanding, TaskBoard, Value, shown
from xlbench.reports.cells import MEAN
from xlbench.reports.formats import Record, as_csv


def csv_parts(boards: Sequence[TaskBoard]) -> Iterator[str]:
    """The CSV file in parts: a record for each mean; no text is a formula to a spreadsheet.

    ``rank`` stands beside the headline's mean over languages.
    """
    for i, standing in enumerate(_standings(boards)):
        text = as_csv(list(_numbers(standing)))
        yield text.partition("\n")[2] if i else text


def json_parts(boards: Sequence[TaskBoard]) -> Iterator[str]:
    """The JSON file in parts: a list with a record, on a line of its own, for each model on each task.

    ``means`` and ``languages`` have the values by kind of setting and measure, ``ranks`` those of the kinds.
    """
    before = "[\n"
    for standing in _standings(boards):
        row = standing.row
        record = _about(standing) | {"ranks": dict(standing.ranks), "means": {}, "languages": {}}
        for (kind, measure), mean in row.means.items():
            ends = {"value": mean.value, "low": mean.low, "high": mean.high}
            record["means"].setdefault(kind, {})[shown(measure)] = ends
        for language, values in row.languages.items():
            of_language = record["languages"].setdefault(shown(language), {})
            for (kind, measure), value in values.items():
                of_language.setdefault(kind, {})[shown(measure)] = value
        yield before + json.dumps(record, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n"


def _standings(boards: Sequence[TaskBoard]) -> Iterator[BoardStanding]:
    return (standing for board in boards for standing in board.standings)


def _about(standing: BoardStanding) -> dict[str, Any]:
    row, manifest = standing.row, standing.row.manifest
    return {
        "model": standing.label,
        "key": row.key,
        "revision": shown(row.model["revision"]),
        "task": shown(row.task),
        "task_version": row.task_version,
        "level": row.level,
        "missing_languages": [shown(language) for language in row.missing_languages],
        "licence": shown(manifest.licence),
        "parameters": manifest.parameters,
        "dimensions": manifest.dimensions,
        "trained_on_evaluation_data": manifest.trained_on_evaluation_data,
        "submitter": shown(manifest.submitter),
        "texts_per_second": row.texts_per_second,
    }


def _numbers(standing: BoardStanding) -> Iterator[Record]:
    row, about = standing.row, _about(standing)
    named = {MEAN: row.means} | {
        shown(language): {column: Value(value) for column, value in values.items()}
        for language, values in row.languages.items()
    }
    for language, values in named.items():
        for (kind, measure), mean in values.items():
            is_headline = language == MEAN and measure == row.headline
            number = {"kind": kind, "language": language, "measure": shown(measure)}
            ends = {"value": mean.value, "low": mean.low, "high": mean.high}
            yield about | number | ends | {"rank": standing.ranks.get(kind) if is_headline else None}
