"""``xlbench remedies``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    model_option,
    output_option,
    quiet_option,
    reach_hub,
    refuse_overwriting,
    write_or_print,
)

if TYPE_CHECKING:
    from xlbench.remedies import Remedies


@click.command(cls=ManyValues)
@model_option
@model_arg_option
@click.option(
    "--task", "task_name", required=True, help="Name of a task, its YAML file, or a folder with your own data."
)
@click.option("--language", "wanted", multiple=True, help="These languages only.  [default: all]")
@click.option(
    "--fit-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parallel text (JSON lines) to fit the transforms on.  [default: the task's own texts]",
)
@data_dir_option
@cache_dir_option
@device_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "latex", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to show it; latex and markdown have intervals.",
)
@output_option
@quiet_option
def remedies(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    task_name: str,
    wanted: tuple[str, ...],
    fit_on: Path | None,
    data_dir: Path | None,
    cache_dir: Path | None,
    device: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Say what mends one index of several languages: each remedy on your model and data, side by side.

    Nothing is trained and no text is encoded twice: vectors are debiased, lists of single languages are made one,
    scores are normalised, bm25 is added. A remedy is judged where an answer exists in every language, and where it
    exists in one.
    """
    from xlbench.changes import parallel_text
    from xlbench.job import Job
    from xlbench.models import load
    from xlbench.support.progress import display

    refuse_overwriting(output, [fit_on])
    job = Job.of(task_name, languages=wanted)
    reach_hub(model_name)
    model = load(model_name, device=device, arguments=model_arguments(model_args))
    progress = display(job.task.name, quiet=quiet)
    folder = default_cache_dir(cache_dir)
    collection = job.read(data_dir=data_dir, cache_dir=folder, progress=progress)

    from xlbench.remedies import remedies as of
    from xlbench.reports import remedy_tables
    from xlbench.reports.terminal import show

    text = parallel_text(fit_on) if fit_on else None
    found = of(model, job, collection, fit_on=text, cache_dir=folder, progress=progress)
    if form == "table" and output is None:
        show(remedy_tables.remedy_tables(found, job.task.name))
        click.echo("\n".join(remedy_tables.sentences(found)))
        return
    write_or_print(_text(found, job.task.name, form), output)


def _text(found: Remedies, task: str, form: str) -> str:
    from xlbench.reports import remedy_tables
    from xlbench.reports.variants import as_text

    tables = remedy_tables.remedy_tables(found, task, intervals=form in ("latex", "markdown"))
    return as_text(remedy_tables.variants(found), tables, form, model=found.model, task=task)
