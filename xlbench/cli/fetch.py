"""``xlbench fetch``."""

from __future__ import annotations

from pathlib import Path

import click

from xlbench.cli.completed_values import language_values, task_values
from xlbench.cli.options import ManyValues


@click.command(cls=ManyValues)
@click.option(
    "--task",
    "task_names",
    multiple=True,
    required=True,
    shell_complete=task_values,
    help="Name of a task, or its YAML file.",
)
@click.option(
    "--language",
    "wanted",
    multiple=True,
    shell_complete=language_values,
    help="Download the files of these languages only.  [default: all]",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="XLBENCH_DATA",
    help="Folder to fill.",
)
def fetch(*, task_names: tuple[str, ...], wanted: tuple[str, ...], data_dir: Path) -> None:
    """Download the files of tasks, checked, for a machine without a network. Run it again to go on."""
    from xlbench import catalogue
    from xlbench.catalogue import sources

    chosen = [catalogue.load(name) for name in dict.fromkeys(task_names)]
    # What is wrong with any task's languages is said before the first download.
    languages = [catalogue.choose_languages(task, wanted) for task in chosen]
    if tables := [task.name for task in chosen if task.tables]:
        raise click.UsageError(
            f"{', '.join(tables)}: read through `datasets`, which downloads into its own cache when a task is run; "
            "there are no files to fetch."
        )
    for task, its in zip(chosen, languages, strict=True):
        sources.fetch(task.source.values(), data_dir, languages=catalogue.needed(task, its), report=click.echo)
