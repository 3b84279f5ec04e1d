"""``xlbench tasks``, ``xlbench models`` and ``xlbench fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import ManyValues

if TYPE_CHECKING:
    from xlbench.tasks import Task


@click.command()
@click.argument("name", required=False)
def tasks(*, name: str | None) -> None:
    """List the tasks, or show one: sizes, licence, citation, source, checksums."""
    from xlbench import tasks as registry
    from xlbench.reports.cells import Table, row
    from xlbench.reports.terminal import show

    if name is not None:
        _show_task(registry.load(name))
        return
    rows = []
    for task in map(registry.load, registry.names()):
        queries, passages = _totals(task)
        sizes = (len(task.languages), queries, passages)
        rows.append(row(task.name, task.title, *sizes, " ".join(task.settings), task.version))
    show([Table("Tasks", ("task", "title", "languages", "queries", "passages", "settings", "version"), tuple(rows))])


def _show_task(task: Task) -> None:
    from xlbench.reports.cells import Table, row
    from xlbench.reports.terminal import show

    facts = {
        "title": task.title,
        "version": str(task.version),
        "settings": ", ".join(task.settings),
        "measures": ", ".join(task.measures),
        "headline": task.headline,
        "reader": f"{task.reader}, text of a passage: {task.text}",
        "source": task.source.url or "comes with xlbench",
        "path": f"{task.source.path}, below --data-dir",
        "licence": task.licence,
        "citation": task.citation.strip(),
        "file": str(task.file),
    }
    click.echo("\n".join(f"{name + ':':<10} {value}" for name, value in {"task": task.name, **facts}.items()) + "\n")
    rows = [
        row(language, size.queries, size.passages, task.source.sha256[language])
        for language, size in task.sizes.items()
    ]
    queries, passages = _totals(task)
    rows.append(row("all", queries, passages, ""))
    show([Table("Languages", ("language", "queries", "passages", "sha256"), tuple(rows))])


def _totals(task: Task) -> tuple[int, int]:
    return sum(size.queries for size in task.sizes.values()), sum(size.passages for size in task.sizes.values())


@click.command()
def models() -> None:
    """List the kinds of model that --model takes, and how to install those that are missing."""
    from xlbench import encoders
    from xlbench.encoders.kinds import KINDS
    from xlbench.reports.cells import Table, row
    from xlbench.reports.terminal import show

    rows = [row(kind.takes, kind.about, "yes" if kind.installed else f"no: {kind.install}") for kind in KINDS]
    rows += [row(name, f"entry point {point.value}", "yes") for name, point in encoders.plugins().items()]
    show([Table("Models", ("--model", "what it is", "installed"), tuple(rows))])


@click.command(cls=ManyValues)
@click.option("--task", "task_names", multiple=True, required=True, help="Name of a task, or its YAML file.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="XLBENCH_DATA",
    help="Folder to fill.",
)
def fetch(*, task_names: tuple[str, ...], data_dir: Path) -> None:
    """Download the files of tasks, checked, for a machine without a network. Run it again to go on."""
    from xlbench import sources, tasks

    for task in [tasks.load(name) for name in dict.fromkeys(task_names)]:
        sources.fetch(task.source, data_dir, report=click.echo)
