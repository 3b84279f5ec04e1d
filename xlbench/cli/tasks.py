"""``xlbench tasks``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.completed_values import task_values
from xlbench.cli.options import plain_format_option
from xlbench.support.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlbench.catalogue import Sizes, Task
    from xlbench.catalogue.sources import Source
    from xlbench.catalogue.suites import Suite

_UNCHECKED = (
    "Where there is no checksum, only the commit in the address and the sizes say that the files are the right ones."
)


@click.command()
@click.argument("name", required=False, shell_complete=task_values)
@click.option(
    "--new",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the task file of a folder in BEIR form beside it, its sizes and checksums counted.",
)
@plain_format_option
def tasks(*, name: str | None, new: Path | None, form: str) -> None:
    """List the tasks, or show one: sizes, licence, citation, source, checksums; or write the file of a new one."""
    if new is not None:
        if name is not None:
            raise click.UsageError("Name a task, or the folder of a --new one.")
        _write(new)
        return
    from xlbench import catalogue as registry
    from xlbench.catalogue import suites
    from xlbench.reports.cells import Table, row
    from xlbench.reports.formats import as_json
    from xlbench.reports.terminal import show

    if name in suites.names():
        _show_suite(suites.load(str(name)), form)
        return
    loaded = [registry.load(each) for each in (registry.names() if name is None else [name])]
    if form == "json":
        click.echo(as_json([_record(task) for task in loaded]), nl=False)
        return
    if name is not None:
        _show_task(*loaded)
        return
    rows = []
    for task in loaded:
        sizes = (len(task.languages), *_shown(task.sizes.values()))
        rows.append(row(task.name, task.title, *sizes, " ".join(task.settings), task.version))
    header = ("task", "title", "languages", "queries", "passages", "settings", "version")
    of_suites = [
        row(suite.name, suite.title, ", ".join(entry.task for entry in suite.tasks))
        for suite in map(suites.load, suites.names())
    ]
    show([Table("Tasks", header, tuple(rows)), Table("Suites", ("suite", "title", "tasks"), tuple(of_suites))])


def _show_suite(suite: Suite, form: str) -> None:
    from xlbench.reports.cells import Table, row
    from xlbench.reports.formats import as_json
    from xlbench.reports.terminal import show, wrapped

    if form == "json":
        import msgspec

        click.echo(as_json([msgspec.to_builtins(suite)]), nl=False)
        return
    rows = [row(entry.task, entry.kind, entry.measure, entry.passages) for entry in suite.tasks]
    header = ("task", "settings", "measure", "languages of passages")
    show([Table(f"{suite.name}: {suite.title}", header, tuple(rows))])
    for name, why in suite.lacks.items():
        click.echo(wrapped(f"Without {name}: {why}."))
    click.echo(wrapped(suite.citation))


def _write(folder: Path) -> None:
    from xlbench import catalogue
    from xlbench.catalogue.new_task import written

    path, content = written(folder)
    if path.stem in catalogue.names():
        raise click.UsageError(f"{path.stem} is a task that comes with xlbench: rename the folder {folder}.")
    if path.exists():
        raise click.UsageError(f"{path} exists: remove it or rename it, and write it again.")
    write_whole(path, content.encode())
    task = catalogue.load(path)
    n_queries, n_passages = _total(task.sizes.values())
    click.echo(f"{len(task.languages):,} languages, {n_queries:,} queries, {n_passages:,} passages.\nSaved to {path}")


def _record(task: Task) -> dict[str, Any]:
    """What a task file says, but for the checksums."""
    sizes = task.sizes.values()
    n_queries, n_passages = _total(sizes) if all(size.counted for size in sizes) else (None, None)
    return {
        "task": task.name,
        "title": task.title,
        "version": task.version,
        "settings": list(task.settings),
        "measures": list(task.measures),
        "headline": task.headline,
        "reader": task.reader,
        "text": task.text,
        "n_queries": n_queries,
        "n_passages": n_passages,
        "languages": {
            language: {"n_queries": size.queries, "n_passages": size.passages} if size.counted else {}
            for language, size in task.sizes.items()
        },
        "instruction": task.instruction or None,
        "licence": task.licence,
        "citation": task.citation.strip(),
        "sources": [{"url": source.url, "path": source.path} for source, _ in _distinct(task)],
        "file": str(task.file),
    }


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
        **({"instruction": task.instruction} if task.instruction else {}),
        "licence": task.licence,
        "citation": task.citation.strip(),
        "file": str(task.file),
    }
    sources = _distinct(task)
    for source, parts in sources:
        of = _of(parts, task)
        facts |= {
            f"source{of}": source.url or "comes with the task file",
            f"path{of}": f"{source.path}, below --data-dir",
        }
    for part, table in task.tables.items():
        facts[f"source of {part}"] = f"{table.name}, {table.config or table.file}, {table.split}, at {table.revision}"
    width = max(11, *(len(name) + 2 for name in facts))
    lines = {"task": task.name, **facts}.items()
    click.echo("\n".join(f"{name + ':':<{width}}{value}" for name, value in lines) + "\n")
    header = ("language", "queries", "passages", *(f"checksum{_of(parts, task)}" for _, parts in sources))
    rows = [
        row(language, *_shown([size]), *(_checksum(source, language, task) for source, _ in sources))
        for language, size in task.sizes.items()
    ]
    rows.append(row("all", *_shown(task.sizes.values()), *("" for _ in sources)))
    unchecked = any(None in source.checksums.values() for source, _ in sources)
    show([Table("Languages", header, tuple(rows), _UNCHECKED if unchecked else "")])


def _distinct(task: Task) -> list[tuple[Source, list[str]]]:
    """The sources of a task, each once, with the parts that are in it."""
    once = [source for i, source in enumerate(task.source.values()) if source not in [*task.source.values()][:i]]
    return [(source, [part for part, its in task.source.items() if its == source]) for source in once]


def _of(parts: Sequence[str], task: Task) -> str:
    return f" of {' and '.join(parts)}" if len(parts) < len(task.source) else ""


def _checksum(source: Source, language: str, task: Task) -> str:
    """The checksum of a language's file, or only its kind where there are many."""
    checksums = source.checksums.get(language, ())
    if not checksums:
        return "none" if checksums is None else ""
    kind = checksums[0].algorithm
    if len(checksums) > 1:
        return f"{kind} of {len(checksums)} files"
    return kind if len(_distinct(task)) > 1 else f"{kind} {checksums[0].digits}"


def _total(sizes: Iterable[Sizes]) -> tuple[int, int]:
    """How many queries and passages there are in all."""
    all_ = list(sizes)
    return sum(size.queries for size in all_), sum(size.passages for size in all_)


def _shown(sizes: Iterable[Sizes]) -> tuple[int | str, int | str]:
    """How many queries and passages there are, or that nobody has counted them."""
    all_ = list(sizes)
    return _total(all_) if all(size.counted for size in all_) else ("?", "?")
