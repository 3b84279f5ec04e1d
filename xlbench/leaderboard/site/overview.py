"""The data of the pages that are drawn in the browser: the boards as compact JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlbench import measures
from xlbench.leaderboard.board import BoardRow, BoardStanding, Column, TaskBoard, Value, columns_of, shown
from xlbench.leaderboard.site.site_texts import explained
from xlbench.measures import DISTANCE
from xlbench.models.kinds import BASELINES
from xlbench.reports.paper import Published, form_of, published, source_of
from xlbench.settings import KINDS


def overview(boards: Sequence[TaskBoard]) -> dict[str, Any]:
    """The data of the overview: the models, and for each task its rows and those that are only reported."""
    standings = {standing.row.key: standing for board in boards for standing in board.standings}
    place = {key: i for i, key in enumerate(standings)}
    return {
        "models": [{"key": key, "label": standing.label} for key, standing in standings.items()],
        "tasks": [_task(board, place) for board in boards],
    }


def compared(boards: Sequence[TaskBoard]) -> dict[str, Any]:
    """The data of the page that compares: which models there are on each task, in the order of the files of pairs."""
    return {
        "lower": [measure for measure in measures.BIAS if measures.better(measure) == "lower"],
        "measures": {name: explained(name) for name in dict.fromkeys([*(b.headline for b in boards), DISTANCE])},
        "tasks": [
            {
                "key": task_key(board),
                "title": shown(board.title),
                "models": [{"key": standing.row.key, "label": _named(standing)} for standing in board.standings],
            }
            for board in boards
        ],
    }


def is_baseline(row: BoardRow) -> bool:
    """Whether it is one of the models that know nothing of meaning."""
    return row.model["adapter"] in BASELINES


def task_key(board: TaskBoard | BoardRow) -> str:
    """What an address calls a task in one of its versions."""
    return f"{board.task}@{board.task_version}"


def pair_file(one: BoardRow, other: BoardRow) -> str:
    """The file with the comparison of two models on a task, in the order of its board."""
    return f"data/{task_key(one)}/{one.key}--{other.key}.json"


def _named(standing: BoardStanding) -> str:
    partial = (
        f" (partial: without {', '.join(standing.row.missing_languages)})" if standing.row.missing_languages else ""
    )
    return shown(standing.label + partial)


def _task(board: TaskBoard, place: dict[str, int]) -> dict[str, Any]:
    columns = columns_of(board.headline)
    return {
        "key": task_key(board),
        "title": shown(board.title),
        "headline": shown(board.headline),
        "kinds": list(board.kinds),
        "languages": [shown(language) for language in board.languages],
        "columns": [[kind, shown(measure)] for kind, measure in columns],
        "measures": {shown(measure): explained(measure) for _, measure in columns},
        "rows": [_row(standing, board, columns, place) for standing in board.standings],
        "reported": _reported(board, columns),
    }


def _row(standing: BoardStanding, board: TaskBoard, columns: Sequence[Column], place: dict[str, int]) -> dict[str, Any]:
    row, manifest, speed = standing.row, standing.row.manifest, standing.row.texts_per_second
    by_language = [
        [_rounded(row.languages.get(language, {}).get(column), column) for column in columns]
        for language in board.languages
    ]
    return {
        "model": place[row.key],
        "level": row.level,
        "licence": shown(manifest.licence, 60),
        "parameters": manifest.parameters,
        "submitter": shown(manifest.submitter, 80),
        "trained": manifest.trained_on_evaluation_data,
        "baseline": is_baseline(row),
        "ranks": [standing.ranks.get(kind) for kind in KINDS],
        "why": standing.unranked if row.level != "reported" else "",
        "speed": speed and float(f"{speed:.3g}"),
        "mean": [_with_interval(row.means.get(column), column) for column in columns],
        "by": by_language,
    }


def _with_interval(value: Value | None, column: Column) -> list[float | None] | None:
    if value is None:
        return None
    return [_rounded(each, column) for each in (value.value, value.low, value.high)]


def _rounded(value: float | None, column: Column) -> float | None:
    """Three digits more than are shown, so that the order and the last digit shown are those of the values."""
    of_bias = measures.of_bias(column[1])
    return None if value is None else round(value, (of_bias.decimals if of_bias else 3) + 3)


def _reported(board: TaskBoard, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The rows of papers on this task, by model and recipe."""
    by_source: dict[tuple[str, str, str], dict[tuple[str, Column], Published]] = {}
    for number in published():
        # The papers have these tasks as they have always been; of other versions they say as much.
        if number.task == board.task:
            column = next((c for c in columns if c == (number.setting, number.measure)), None)
            source = source_of(number)
            if column:
                by_source.setdefault((number.model, number.recipe, source), {})[number.language, column] = number
    return [
        {
            "label": f"{model}, {recipe}",
            "source": source,
            "form": form_of(source),
            "mean": [[float(n.value), None, None] if (n := numbers.get(("mean", c))) else None for c in columns],
            "by": [
                [float(n.value) if (n := numbers.get((language, c))) else None for c in columns]
                for language in board.languages
            ],
        }
        for (model, recipe, source), numbers in by_source.items()
    ]
