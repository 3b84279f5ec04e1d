"""``xlbench check``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from xlbench.cli.completed_values import language_values, model_values, task_values
from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    chosen_form,
    data_dir_option,
    default_cache_dir,
    device_option,
    format_option,
    model_arg_option,
    model_arguments,
    output_option,
    reach_hub,
    write_or_print,
)
from xlbench.settings import KINDS, Kind

if TYPE_CHECKING:
    from xlbench.examination import Examination

_FORMS = ("table", "json")
_DEFAULT_MODEL = "use-multilingual"
_COLOURS = {"wrong": "red", "doubtful": "yellow", "note": "cyan"}


@click.command(cls=ManyValues)
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...", shell_complete=task_values)
@click.option(
    "--language",
    "wanted",
    multiple=True,
    shell_complete=language_values,
    help="Examine these languages only.  [default: all]",
)
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
    shell_complete=model_values,
    help="A model that knows the languages: it is asked where comparing letters cannot tell a setting from chance.  "
    "[default: use-multilingual, if it is installed]",
)
@model_arg_option
@data_dir_option
@cache_dir_option
@device_option
@format_option(_FORMS)
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
    form: str | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Examine the data of tasks: sizes, copies, languages, and whether judgements are better than random ones.

    TASK is the name of a task, its YAML file, or a folder in BEIR form. Exits with 1 if anything
    makes numbers wrong.
    """
    from xlbench.examination.check import asked_model, check_job
    from xlbench.job import jobs_of
    from xlbench.reports.examination_tables import examination_record
    from xlbench.reports.formats import as_json

    form = chosen_form(form, output, _FORMS)
    if model_args and not model_name:
        raise click.UsageError("--model-arg needs --model.")
    jobs = jobs_of(tasks, languages=wanted, kinds=kinds)
    if model_name:
        reach_hub(model_name)
    model = asked_model(model_name, device=device, arguments=model_arguments(model_args))
    text = io.StringIO()
    file = sys.stdout if output is None and form == "table" else text
    examinations = {}
    for job in jobs:
        examined = check_job(job, model, data_dir=data_dir, cache_dir=default_cache_dir(cache_dir), quiet=quiet)
        examinations[job.task.name] = examined
        if form == "table":
            _show(job.task.name, examined, file)
    if form == "json":
        text.write(as_json([examination_record(task, examined) for task, examined in examinations.items()]))
    if file is text:
        write_or_print(text.getvalue(), output)
    if any(examined.is_wrong for examined in examinations.values()):
        raise click.exceptions.Exit(1)


def _show(task: str, examined: Examination, file: TextIO) -> None:
    from xlbench.reports.examination_tables import examination_tables
    from xlbench.reports.terminal import show, wrapped

    show(examination_tables(task, examined), file=file)
    for finding in examined.findings:
        text = wrapped(f"{finding.weight}: {finding.about}: {finding.sentence} {finding.meaning}")
        weight = click.style(finding.weight, fg=_COLOURS[finding.weight], bold=True)
        click.echo(f"{weight}{text.removeprefix(finding.weight)}\n", file=file)
    n_wrong, n_doubtful, n_notes = (sum(f.weight == weight for f in examined.findings) for weight in _COLOURS)
    what = "nothing makes" if not n_wrong else "1 thing makes" if n_wrong == 1 else f"{n_wrong} things make"
    click.echo(f"{task}: {what} numbers wrong, {n_doubtful} doubtful, {n_notes} only to note.", file=file)
