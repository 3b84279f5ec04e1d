"""``xlbench check``."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    output_option,
    write_or_print,
)
from xlbench.errors import DataError, UnknownNameError
from xlbench.settings import KINDS, Kind

if TYPE_CHECKING:
    from xlbench.check import Examination, Lengths, Verdict
    from xlbench.models.protocols import Model
    from xlbench.reports.cells import Cell, Table
    from xlbench.reports.formats import Record
    from xlbench.support.progress import Progress
    from xlbench.tasks import Task

_DEFAULT_MODEL = "use-multilingual"
_COLOURS = {"wrong": "red", "doubtful": "yellow", "note": "cyan"}


@click.command(cls=ManyValues)
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@click.option("--language", "wanted", multiple=True, help="Examine these languages only.  [default: all]")
@click.option(
    "--setting",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Test these settings only against chance.  [default: the task's]",
)
@click.option(
    "--model",
    "model_name",
    help="A model that knows the languages: it is asked where comparing letters cannot tell a setting from chance.  "
    f"[default: {_DEFAULT_MODEL}, if it is installed]",
)
@model_arg_option
@data_dir_option
@cache_dir_option
@device_option
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to show it."
)
@output_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
def check(
    *,
    tasks: tuple[str, ...],
    wanted: tuple[str, ...],
    kinds: tuple[Kind, ...],
    model_name: str | None,
    model_args: tuple[str, ...],
    data_dir: Path | None,
    cache_dir: Path | None,
    device: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Examine the data of tasks: sizes, copies, languages, and whether judgements are better than random ones.

    TASK is the name of a task, or its YAML file. Exits with 1 if anything is found that makes numbers wrong.
    """
    from xlbench.reports.formats import as_json

    if model_args and not model_name:
        raise click.UsageError("--model-arg needs --model.")
    subjects = [_Subject.of(name, wanted, kinds) for name in dict.fromkeys(tasks)]
    model = _model(model_name, device, model_args)
    text = io.StringIO()
    file = sys.stdout if output is None and form == "table" else text
    found = []
    for subject in subjects:
        examined = _examined(subject, model, data_dir=data_dir, cache_dir=default_cache_dir(cache_dir), quiet=quiet)
        found.append((subject.task, examined))
        if form == "table":
            _show(subject.task, examined, file)
    if form == "json":
        text.write(as_json([_record(task, examined) for task, examined in found]))
    if file is text:
        write_or_print(text.getvalue(), output)
    if any(examined.is_wrong for _, examined in found):
        raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class _Subject:
    """A task, and what of it is examined."""

    task: Task
    languages: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, name: str, wanted: Sequence[str], kinds: Sequence[Kind]) -> _Subject:
        from xlbench.tasks import choose_languages, load

        task = load(name)
        for kind in kinds:
            if kind not in task.settings:
                raise UnknownNameError("setting", kind, task.settings, hint=f"Task {task.name} has no such setting.")
        chosen = tuple(kind for kind in task.settings if not kinds or kind in kinds)
        return cls(task, choose_languages(task, wanted), chosen)


def _model(name: str | None, device: str | None, arguments: Sequence[str]) -> Model | None:
    """The model that the user named, or the default if it is installed."""
    from xlbench import models
    from xlbench.models.kinds import KINDS as MODELS

    if name is None and not any(kind.adapter == _DEFAULT_MODEL and kind.installed for kind in MODELS):
        return None
    return models.load(name or _DEFAULT_MODEL, device=device if name else None, arguments=model_arguments(arguments))


def _examined(
    subject: _Subject, model: Model | None, *, data_dir: Path | None, cache_dir: Path, quiet: bool
) -> Examination:
    from xlbench.check import unreadable
    from xlbench.support.progress import display
    from xlbench.tasks import read_collection

    task = subject.task

    def show(what: str) -> Progress:
        return display(f"{task.name}: {what}", quiet=quiet)

    try:
        collection = read_collection(task, languages=subject.languages, data_dir=data_dir, cache_dir=cache_dir)

        # Only here, because it imports torch, which takes longer than finding that the data is missing.
        from xlbench.check.examine import examine

        return examine(collection, kinds=subject.kinds, model=model, cache_dir=cache_dir, show=show)
    except DataError as error:
        return unreadable(error)


def _show(task: Task, found: Examination, file: TextIO) -> None:
    from xlbench.reports.terminal import show, wrapped

    show(_tables(task, found), file=file)
    for finding in found.findings:
        text = wrapped(f"{finding.weight}: {finding.about}: {finding.found} {finding.meaning}")
        weight = click.style(finding.weight, fg=_COLOURS[finding.weight], bold=True)
        click.echo(f"{weight}{text.removeprefix(finding.weight)}\n", file=file)
    n_wrong, n_doubtful, n_notes = (sum(f.weight == weight for f in found.findings) for weight in _COLOURS)
    what = "nothing makes" if not n_wrong else "1 thing makes" if n_wrong == 1 else f"{n_wrong} things make"
    click.echo(f"{task.name}: {what} numbers wrong, {n_doubtful} doubtful, {n_notes} only to note.", file=file)


def _tables(task: Task, found: Examination) -> list[Table]:
    from xlbench.reports.cells import Table, row

    if not found.sizes:
        return []
    header = ("language", "queries", "passages", "relevant", "in all", "query", "longest", "passage", "longest")
    rows = tuple(
        row(
            size.language,
            size.n_queries,
            size.n_passages,
            _decimal(size.n_own / max(size.n_queries, 1), 1),
            _decimal(size.n_pairs / max(size.n_queries, 1), 1),
            *_lengths(size.queries),
            *_lengths(size.passages),
        )
        for size in found.sizes
    )
    note = "Relevant passages of a query in its own language, and in all. Median and longest texts, in characters."
    return [Table(f"{task.name}: texts", header, rows, note), _standings(task, found.verdicts)]


def _lengths(found: Lengths | None) -> tuple[Cell, Cell]:
    from xlbench.reports.cells import EMPTY, Cell

    if found is None:
        return EMPTY, EMPTY
    return Cell(f"{found.median:,.0f}", found.median), Cell(f"{found.longest:,}", found.longest)


def _decimal(value: float, decimals: int) -> Cell:
    from xlbench.reports.cells import number_cell

    return number_cell(value, "", decimals=decimals)


def _standings(task: Task, verdicts: Sequence[Verdict]) -> Table:
    """One row a language of the queries: how its settings stand, and how many have which verdict."""
    from xlbench.reports.cells import EMPTY, Table, row

    rows = []
    has_cross = any(verdict.setting.kind == "cross" for verdict in verdicts)
    for language in dict.fromkeys(verdict.setting.query for verdict in verdicts):
        mine = [verdict for verdict in verdicts if verdict.setting.query == language]
        mono = [_decimal(verdict.best.standing, 3) for verdict in mine if verdict.setting.kind == "mono"]
        cross = sorted(verdict.best.standing for verdict in mine if verdict.setting.kind == "cross")
        ends = [_decimal(end, 3) for end in (cross[0], cross[-1])] if cross else [EMPTY, EMPTY]
        said = [verdict.said for verdict in mine]
        counts = [said.count("better than chance"), said.count("at chance")]
        rows.append(
            row(
                language,
                max(verdict.best.n_queries for verdict in mine),
                *(mono or [EMPTY]),
                *(ends if has_cross else []),
                *counts,
                len(said) - sum(counts),
            )
        )
    cross_header = ("cross, worst", "cross, best") if has_cross else ()
    header = ("queries", "drawn", "mono", *cross_header, "better than chance", "at chance", "cannot tell")
    models = list(dict.fromkeys(standing.model for verdict in verdicts for standing in verdict.standings))
    note = (
        "Share of random rankings whose first relevant passage comes later: 1 is perfect, .5 is chance. By "
        f"{' or '.join(models)}{', whichever does better' if len(models) > 1 else ''}. Then settings by verdict."
    )
    return Table(f"{task.name}: ranks against chance", header, tuple(rows), note)


def _record(task: Task, found: Examination) -> Record:
    """The examination as it is written to JSON."""
    return {
        "task": task.name,
        "wrong": found.is_wrong,
        "findings": [asdict(finding) for finding in found.findings],
        "languages": [asdict(size) for size in found.sizes],
        "settings": [
            {
                "setting": str(verdict.setting),
                "verdict": verdict.said,
                "models": [
                    {name: value for name, value in asdict(standing).items() if name != "setting"}
                    for standing in verdict.standings
                ],
            }
            for verdict in found.verdicts
        ],
    }
