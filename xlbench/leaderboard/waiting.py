"""Which submissions wait for a check with their model, those first whose invented ranks would do the most harm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xlbench.leaderboard.board import BoardRow, BoardStanding, boards
from xlbench.leaderboard.checks import Checked
from xlbench.reports.cells import Cell, Table, row


@dataclass(frozen=True)
class Waiting:
    """A sound submission whose model nobody has run again."""

    folder: Path
    digest: str
    standing: BoardStanding
    title: str
    """Of its board: task and version."""

    @property
    def rank(self) -> int | None:
        """The best that it would have in any kind of setting; None if it is not ranked."""
        return min(self.standing.ranks.values(), default=None)


def waiting(checked: Sequence[Checked[BoardRow]]) -> list[Waiting]:
    """The sound ones of these that are only verified: by the best rank they would have, then as on their board."""
    of_row = {(each.folder.parent.name, each.folder.name): each for each in checked if not each.problems}
    made = [
        Waiting(each.folder, each.digest, standing, board.title)
        for board in boards([replace(each.extracted, level=each.level) for each in of_row.values() if each.extracted])
        for standing in board.standings
        if (each := of_row[standing.row.key, standing.row.folder]).level == "verified"
    ]
    return sorted(made, key=lambda each: math.inf if each.rank is None else each.rank)


def table(queue: Sequence[Waiting]) -> Table:
    """The queue, one submission a row, in its order."""
    rows = [
        row(
            Cell("" if each.rank is None else f"({each.rank})", each.rank),
            each.standing.label,
            each.title,
            str(each.folder),
        )
        for each in queue
    ]
    return Table(
        title="Submissions whose model was not run again",
        header=("rank", "model", "task", "folder"),
        rows=tuple(rows),
        note="Rank: the best that it would have, were its ranks confirmed.",
    )
