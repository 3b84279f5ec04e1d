"""What is drawn when the site is built: one row a model over all tasks, and of each task a heatmap and dumbbells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xlbench.leaderboard.board import BoardStanding, TaskBoard, shown
from xlbench.leaderboard.site import site_texts
from xlbench.leaderboard.site.overview import is_baseline, task_key
from xlbench.reports.cells import number_cell
from xlbench.reports.html import charts
from xlbench.reports.html.heatmaps import of_models
from xlbench.reports.html.page_tables import entry_of
from xlbench.reports.html.parts import EMPTY as NOTHING
from xlbench.reports.html.parts import Column, Entry, Figure, PageRow, PageTable
from xlbench.reports.words import KIND_TITLES
from xlbench.settings import Kind

_MOST = 40
"""So many models a picture has; the board has all."""
_ON_THE_PICTURE = 7
_LONGEST = 30
_ENDS: tuple[Kind, Kind] = ("mono", "multi")


@dataclass(frozen=True)
class TaskFigures:
    """The pictures of a task."""

    key: str
    title: str
    blocks: tuple[PageTable | Figure, ...]


def over_all(boards: Sequence[TaskBoard]) -> PageTable:
    """One row a model, and of each task the headline in one language and in the pool, with the rank in it."""
    standings = [{standing.row.key: standing for standing in board.standings} for board in boards]
    labels = {key: standing.label for of_board in standings for key, standing in of_board.items()}
    columns = [(board, of, kind) for board, of in zip(boards, standings, strict=True) for kind in _kinds(board)]
    rows = []
    for key, label in labels.items():
        of_model = [of[key] for of in standings if key in of]
        notes = dict.fromkeys(note for standing in of_model for note in _notes(standing))
        cells = tuple(_ranked(of.get(key), kind, board.headline) for board, of, kind in columns)
        rows.append(PageRow(label, cells, note="; ".join(notes), href=f"models/{key}.html"))
    return PageTable(
        caption=site_texts.OVER_ALL,
        corner="model",
        columns=tuple(
            Column(f"{_name(board, boards)} {KIND_TITLES[kind]}", shown(board.headline)) for board, _, kind in columns
        ),
        rows=tuple(rows),
    )


def of_task(board: TaskBoard, number: int) -> TaskFigures:
    """The heatmap of models by query languages, and what each loses from one language to the pool of all."""
    first = board.standings[:_MOST]
    blocks = [_heatmap(board, first), _dumbbells(board, first, f"dumbbells-{number}")]
    return TaskFigures(task_key(board), shown(board.title), tuple(block for block in blocks if block))


def picture(boards: Sequence[TaskBoard]) -> bytes | None:
    """A PNG for pages that show a link to the leaderboard; None if no model has both settings."""
    for board in boards:
        if rows := _ends(board, board.standings[:_ON_THE_PICTURE]):
            caption = f"{shown(board.title)}: {shown(board.headline)} in one language (hollow) and in the pool (filled)"
            return charts.dumbbell_picture(rows, title=site_texts.QUESTION_IN_TWO_LINES, caption=caption)
    return None


def _name(board: TaskBoard, boards: Sequence[TaskBoard]) -> str:
    """The task, with its version where there are two."""
    return shown(board.title if sum(other.task == board.task for other in boards) > 1 else board.task)


def _kinds(board: TaskBoard) -> list[Kind]:
    return [kind for kind in _ENDS if kind in board.kinds]


def _notes(standing: BoardStanding) -> list[str]:
    trained = standing.row.manifest.trained_on_evaluation_data == "yes"
    said = ["baseline" * is_baseline(standing.row), "trained on evaluation data" * trained, standing.unranked]
    return [note for note in said if note]


def _ranked(standing: BoardStanding | None, kind: Kind, headline: str) -> Entry:
    """The value with its rank below."""
    value = standing.row.means.get((kind, headline)) if standing else None
    if standing is None or value is None:
        return NOTHING
    rank = standing.ranks.get(kind)
    return replace(entry_of(number_cell(value.value, headline)), note=f"rank {rank}" if rank else "no rank")


def _heatmap(board: TaskBoard, standings: Sequence[BoardStanding]) -> PageTable | None:
    kind = _kinds(board)[-1] if _kinds(board) else "cross"
    column = (kind, board.headline)
    models = []
    for standing in standings:
        row = standing.row
        by_language = {shown(name): values[column] for name, values in row.languages.items() if column in values}
        models.append((standing.label, by_language, row.means[column].value if column in row.means else None))
    title = f"{KIND_TITLES[kind].capitalize()} {shown(board.headline)} by query language"
    languages = [shown(language) for language in board.languages]
    drawn = of_models(title, board.headline, models, languages=languages, note=_of_how_many(board))
    if drawn is None:
        return None
    rows = (
        replace(each, href=f"models/{standing.row.key}.html", note="; ".join(_notes(standing)))
        for each, standing in zip(drawn.rows, standings, strict=True)
    )
    return replace(drawn, rows=tuple(rows))


def _dumbbells(board: TaskBoard, standings: Sequence[BoardStanding], key: str) -> Figure | None:
    rows = _ends(board, standings)
    caption = site_texts.DUMBBELLS.format(headline=shown(board.headline))
    more = _of_how_many(board)
    return Figure(charts.dumbbells(rows, key=key), f"{caption} {more}".strip()) if rows else None


def _ends(board: TaskBoard, standings: Sequence[BoardStanding]) -> list[charts.Dumbbell]:
    """The models that have a value in one language and one in the pool."""
    both = []
    for standing in standings:
        values = [standing.row.means.get((kind, board.headline)) for kind in _ENDS]
        if values[0] and values[1]:
            label = f"{standing.label} (baseline)" if is_baseline(standing.row) else standing.label
            short = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
            both.append(charts.Dumbbell(short, values[0].value, values[1].value))
    return both


def _of_how_many(board: TaskBoard) -> str:
    n = len(board.standings)
    return f"The first {_MOST} of {n:,} models." if n > _MOST else ""
