"""What the site takes of a submission while it is in memory, in one of the processes that check submissions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xlbench import measures
from xlbench.leaderboard.board import BoardRow, shown
from xlbench.leaderboard.command import command_of_result
from xlbench.leaderboard.site import pages, site_texts
from xlbench.leaderboard.site.pairs_of_models import comparable
from xlbench.measures import DISTANCE
from xlbench.reports.cells import MEAN, Table, number_cell
from xlbench.reports.cells import row as cells_of
from xlbench.reports.html import model
from xlbench.reports.html.page_tables import barred, page_table
from xlbench.reports.html.parts import Facts, Section
from xlbench.reports.html.shared import Shared
from xlbench.reports.words import KIND_TITLES, captioned
from xlbench.results import Result

if TYPE_CHECKING:
    from xlbench.leaderboard.submission import Submission

_UNIT = (0.0, 1.0)
_LONGEST = 2000


@dataclass(frozen=True)
class Taken:
    """The parts of a submission from which the site is built."""

    row: BoardRow
    result: Result
    """With what is compared with other models'."""
    contents: Section
    """The headings of its part of the model's page."""
    html: str
    """That part."""


def taken(submission: Submission) -> Taken:
    """What the site takes of a submission: for ``checks.check_all``."""
    row = BoardRow.of(submission)
    # What a result says of its run are texts of the submitter; the command, which is copied, is made anew.
    environment = {**_plain(submission.result.environment), **_folder(row), "command": _command(submission)}
    result = replace(submission.result, model=_plain(submission.result.model), environment=environment)
    key = f"{re.sub('[^a-z0-9-]', '-', result.task.lower())}-{result.task_version}"
    title = shown(f"{result.task}, version {result.task_version}")
    whole = model.section(result, key=key, label=title, shared=_scales(submission))
    added = (_bars(row, f"{key}-bars"), _submission(submission, f"{key}-submission"))
    section = replace(whole, sections=[added[0], *whole.sections, added[1]])
    return Taken(
        row=row,
        result=comparable(submission.result),
        contents=Section(key, title, sections=[Section(part.key, part.title) for part in section.sections]),
        html=pages.section(section),
    )


def _plain(value: Any) -> Any:
    """The value with all texts in it as they may be shown."""
    if isinstance(value, Mapping):
        return {shown(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return shown(value, _LONGEST) if isinstance(value, str) else value


def _folder(row: BoardRow) -> dict[str, str]:
    """What has to be there for the command to work, of a model that is a folder and no name that others can get."""
    revision = str(row.model["revision"])
    if not revision.startswith("sha256:"):
        return {}
    return {"folder of the model": site_texts.FOLDERS.get(revision, site_texts.FOLDER)}


def _scales(submission: Submission) -> Shared:
    """The same scales for all models, so that the pages of two can be laid side by side."""
    random = submission.result.references.get(DISTANCE, {}).get("random", 1.0)
    n_passages = float(submission.ranking.judged.n_passages.sum())
    matrices = dict.fromkeys(submission.result.matrices, _UNIT)
    return Shared(grid=_UNIT, matrices=matrices, most=max(n_passages, random))


def _bars(row: BoardRow, key: str) -> Section:
    """The headline by language of the queries, in each kind of setting side by side."""
    columns = [column for column in row.means if not measures.of_bias(column[1])]
    rows = [
        cells_of(language, *(number_cell(values.get(column), column[1]) for column in columns))
        for language, values in row.languages.items()
    ]
    rows.append(cells_of(MEAN, *(number_cell(row.means[column].value, column[1]) for column in columns)))
    header = ("language", *(KIND_TITLES[kind] for kind, _ in columns))
    title = captioned(f"{row.headline} by query language", row.missing_languages)
    table = barred(page_table(Table(title, header, tuple(rows))))
    return Section(key, "Languages at a glance", site_texts.BARS, [table])


def _submission(submission: Submission, key: str) -> Section:
    manifest = submission.manifest
    checksums = " ".join(f"{language} {checksum[:12]}" for language, checksum in manifest.data_checksums.items())
    entries = {
        "submitted by": manifest.submitter,
        "hardware": manifest.hardware,
        "xlbench": manifest.xlbench_version,
        "sha256 of the data": checksums or "not stated",
    }
    facts = Facts({name: shown(value, _LONGEST) for name, value in entries.items()})
    return Section(key, "Submission", site_texts.SUBMISSION, [facts])


def _command(submission: Submission) -> str:
    return "\n".join(shown(line, _LONGEST) for line in command_of_result(submission.result).splitlines())
