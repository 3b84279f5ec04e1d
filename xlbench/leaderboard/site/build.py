"""build: the whole site as a folder that appears whole or not at all."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from xlbench.errors import ResultError
from xlbench.leaderboard.board import BoardRow, TaskBoard, boards, labelled, shown
from xlbench.leaderboard.site import figures, pages
from xlbench.leaderboard.site.downloads import csv_parts, json_parts
from xlbench.leaderboard.site.extract import Taken
from xlbench.leaderboard.site.overview import compared, overview, pair_file, task_key
from xlbench.leaderboard.site.pairs_of_models import pair
from xlbench.reports.html.parts import Facts
from xlbench.results import Result

if TYPE_CHECKING:
    from xlbench.leaderboard.checks import Checked
    from xlbench.leaderboard.deep_records import DeepRecord

_MARK = ".xlbench-leaderboard"
_NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,200}")


@dataclass(frozen=True)
class Site:
    """What was built."""

    boards: tuple[TaskBoard, ...]
    n_models: int
    n_submissions: int
    left_out: tuple[str, ...]
    """Submissions that are not on it, and why, a sentence each."""


def build(
    checked: Iterable[Checked[Taken]],
    output: Path,
    *,
    records: Mapping[str, DeepRecord] | None = None,
    links: pages.Links = pages.NO_LINKS,
    done: Callable[[], None] = lambda: None,
) -> Site:
    """The site of submissions, which come model by model, written to a folder in the place of an earlier site.

    Of a submission no more is kept than its row: its files are written as it comes. One that is unsound is left out.
    ``records`` are those of deep checks by digest, which its model's page shows; ``links`` is where the pages lead to.
    ``done`` is called after each.

    Raises:
        ResultError: if no submission is sound, or if the folder holds anything else than a site.

    """
    refuse_other(output)
    work = output.with_name(f".{output.name}.{uuid.uuid4().hex}")
    try:
        site = _built(checked, work, records or {}, links, done)
        _replace(work, output)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return site


def refuse_other(output: Path) -> None:
    """Returns if a site may be written to this folder: it is not there, or empty, or holds a site.

    Raises:
        ResultError: if it holds anything else, or is no folder.

    """
    if output.exists() and not (output / _MARK).is_file() and not (output.is_dir() and not any(output.iterdir())):
        raise ResultError(
            f"{output} holds other things than a site of `xlbench leaderboard build`, which would be deleted. Expected "
            "a folder that is new, empty, or such a site: choose another --output."
        )


def _built(
    checked: Iterable[Checked[Taken]],
    work: Path,
    records: Mapping[str, DeepRecord],
    links: pages.Links,
    done: Callable[[], None],
) -> Site:
    _write(work / _MARK, b"")
    rows: list[BoardRow] = []
    results: dict[tuple[str, str], Result] = {}
    left_out: list[str] = []
    for key, of_model in groupby(checked, key=lambda each: each.folder.parent.name):
        parts, deep = [], []
        for each in of_model:
            done()
            part = _sound(each)
            if isinstance(part, str):
                left_out.append(part)
                continue
            parts.append(part)
            deep += [records[each.digest]] if each.digest in records else []
        if not parts:
            continue
        _write(work / "models" / f"{key}.html", _model_page(parts, deep, links))
        rows += [part.row for part in parts]
        results |= {(part.row.key, task_key(part.row)): part.result for part in parts}
    if not rows:
        none = "There are no submissions to build a site from; expected <model>/<task>/manifest.json."
        raise ResultError(" ".join([*left_out, none]))
    of_tasks = boards(rows)
    _write_pages(of_tasks, work, links)
    for board in of_tasks:
        for one, other in combinations([standing.row for standing in board.standings], 2):
            of_both = (results[row.key, task_key(row)] for row in (one, other))
            _write(work / pair_file(one, other), pair(*of_both))
    for name, texts in (("leaderboard.csv", csv_parts(of_tasks)), ("leaderboard.json", json_parts(of_tasks))):
        with (work / name).open("wb") as file:
            file.writelines(text.encode("utf-8", "replace") for text in texts)
    return Site(tuple(of_tasks), len(labelled(rows)), len(rows), tuple(left_out))


def _write_pages(of_tasks: Sequence[TaskBoard], work: Path, links: pages.Links) -> None:
    """Writes the pages that are about all models, and what pages share."""
    picture = figures.picture(of_tasks)
    for name, content in (pages.assets() | ({"share.png": picture} if picture else {})).items():
        _write(work / "assets" / name, content)
    drawn = [figures.of_task(board, number) for number, board in enumerate(of_tasks)]
    _write(work / "index.html", pages.overview(overview(of_tasks), figures.over_all(of_tasks), drawn, links))
    _write(work / "compare.html", pages.compare(compared(of_tasks), links))


def _sound(each: Checked[Taken]) -> Taken | str:
    """What was taken of a submission that is sound and whose names may be those of files; else why not."""
    if each.problems or each.extracted is None:
        return f"{each.folder}: {' '.join(each.problems) or 'nothing could be read.'}"
    row = replace(each.extracted.row, level=each.level)
    for name in (row.key, row.folder):
        if not _NAME.fullmatch(name):
            return (
                f"{each.folder}: {name!r:.80} cannot be the name of a file of the site; expected letters, digits and "
                "._+- and no dot at the beginning."
            )
    return replace(each.extracted, row=row)


def _model_page(taken: list[Taken], deep: Sequence[DeepRecord], links: pages.Links) -> bytes:
    manifests = [each.row.manifest for each in taken]
    declared = {
        "revision": [each.row.model["revision"] for each in taken],
        "licence": [m.licence for m in manifests],
        "parameters": [f"{m.parameters:,}" if m.parameters is not None else "none" for m in manifests],
        "dimensions": [f"{m.dimensions:,}" if m.dimensions is not None else "none" for m in manifests],
        "languages": [", ".join(m.languages) for m in manifests],
        "training data": [m.training_data for m in manifests],
        "trained on evaluation data": [m.trained_on_evaluation_data for m in manifests],
    }
    # Most submissions of a model say the same.
    facts = {
        name: "; ".join(dict.fromkeys(shown(value, 2000) for value in values)) for name, values in declared.items()
    }
    if deep:
        facts["checked with the model"] = "; ".join(
            f"{each.task}: {each.level} by {each.sample:,} queries and {_passages(each)} (seed {each.seed}); within "
            f"rounding a count could be off by {each.slack:.2f} passages in the mean"
            for each in deep
        )
    first = taken[0].row
    return pages.model(
        pages.ModelPage(
            key=first.key,
            label=shown(first.model["name"]),
            link=first.manifest.link,
            levels=[(shown(each.row.task), each.row.level) for each in taken],
            about=Facts(facts),
            contents=[each.contents for each in taken],
            parts=[each.html for each in taken],
        ),
        links,
    )


def _passages(record: DeepRecord) -> str:
    if record.passages == 1:
        return "all passages"
    return f"{record.passages:.0%} of the passages beside those judged"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _replace(work: Path, output: Path) -> None:
    """Puts a folder in the place of another, which is deleted once it is out of the way."""
    old = work.with_name(f"{work.name}.old")
    if output.exists():
        output.rename(old)
    work.rename(output)
    shutil.rmtree(old, ignore_errors=True)
