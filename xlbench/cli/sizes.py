"""``xlbench sizes``."""

from __future__ import annotations

from pathlib import Path

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
    write_or_print,
)
from xlbench.models.compression import QUANTIZE


@click.command(cls=ManyValues)
@model_option
@model_arg_option
@click.option(
    "--task", "task_name", required=True, help="Name of a task, its YAML file, or a folder with your own data."
)
@click.option("--language", "wanted", multiple=True, help="These languages only.  [default: all]")
@click.option(
    "--dimensions", multiple=True, type=click.IntRange(min=1), help="So many of the first dimensions, as 256 128 64."
)
@click.option(
    "--quantize",
    multiple=True,
    type=click.Choice(QUANTIZE),
    help="Bits of each dimension: 8 or 1, of queries and passages or of passages alone.",
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
def sizes(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    task_name: str,
    wanted: tuple[str, ...],
    dimensions: tuple[int, ...],
    quantize: tuple[str, ...],
    data_dir: Path | None,
    cache_dir: Path | None,
    device: str | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Say what smaller vectors cost: fewer dimensions and fewer bits against the whole vectors, in all settings.

    Texts are encoded once. Each number of dimensions, each precision, and all pairs of both are a row.
    """
    from xlbench.job import Job
    from xlbench.models import load
    from xlbench.support.progress import display

    job = Job.of(task_name, languages=wanted)
    reach_hub(model_name)
    model = load(model_name, device=device, arguments=model_arguments(model_args))
    progress = display(job.task.name, quiet=quiet)
    folder = default_cache_dir(cache_dir)
    collection = job.read(data_dir=data_dir, cache_dir=folder, progress=progress)

    from xlbench.reports.size_tables import size_tables, variants
    from xlbench.reports.terminal import show
    from xlbench.reports.variants import as_text
    from xlbench.vector_sizes import sizes as of

    found = of(model, job, collection, dimensions=dimensions, quantize=quantize, cache_dir=folder, progress=progress)
    task = job.task.name
    if form == "table" and output is None:
        show(size_tables(found, task))
        return
    tables = size_tables(found, task, intervals=form in ("latex", "markdown"))
    write_or_print(as_text(variants(found), tables, form, model=found.model, task=task), output)
