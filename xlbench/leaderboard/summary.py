"""Summary: what `leaderboard check` shows of a sound submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xlbench.leaderboard.checks import Checked
from xlbench.leaderboard.submission import Submission
from xlbench.measures import DISTANCE
from xlbench.reports.cells import Cell, Table, number_cell, row
from xlbench.reports.words import KIND_TITLES
from xlbench.settings import KINDS, Kind


@dataclass(frozen=True)
class Summary:
    """The means of a submission's headline."""

    model: str
    task: str
    version: int
    headline: str
    means: Mapping[Kind, float]
    distance: float | None
    missing_languages: tuple[str, ...]

    @classmethod
    def of(cls, submission: Submission) -> Summary:
        """The summary of a sound submission."""
        result = submission.result
        return cls(
            model=str(result.model["name"]),
            task=result.task,
            version=result.task_version,
            headline=result.headline,
            means={kind: result.summary[kind][result.headline] for kind in KINDS if kind in result.summary},
            distance=result.summary.get("multi", {}).get(DISTANCE),
            missing_languages=tuple(result.missing_languages),
        )


def taken(submissions: list[Checked[Summary]]) -> Table:
    """The sound submissions, one a row."""
    rows = []
    for checked in submissions:
        if (summary := checked.extracted) is not None:
            means = (number_cell(summary.means.get(kind), summary.headline) for kind in KINDS)
            missing = f", without {' '.join(summary.missing_languages)}" if summary.missing_languages else ""
            rows.append(
                row(
                    summary.model,
                    f"{summary.task} {summary.version}{missing}",
                    summary.headline,
                    *means,
                    number_cell(summary.distance, DISTANCE),
                    checked.level,
                )
            )
    kinds = (KIND_TITLES[kind] for kind in KINDS)
    header = ("model", "task, version", "measure", *kinds, DISTANCE, "level")
    return Table("Submissions whose numbers follow from their evidence", header, tuple(rows))


def remarks(submissions: list[Checked[Summary]], *, problems: bool) -> Table:
    """Why submissions are not taken, or what is worth a look in the others, a sentence a row."""
    rows = [
        row(Cell(f"{checked.folder.parent.name}/{checked.folder.name}"), Cell(sentence))
        for checked in submissions
        for sentence in (checked.problems if problems else checked.notes)
    ]
    title = "Not taken" if problems else "Worth a look"
    return Table(title, ("submission", "why" if problems else "what"), tuple(rows))
