"""``xlbench run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from xlbench.cli.options import ManyValues, default_cache_dir, open_values, writable
from xlbench.cli.run_cells import RunCell, RunPlaces, cells_of, choices_of, kept_of
from xlbench.cli.run_options import RunOptions, run_options
from xlbench.cli.run_output import RunOutput
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.job import Job
    from xlbench.results import Result
    from xlbench.trec.write import Kept


@click.command(cls=ManyValues)
@click.argument(
    "sweep",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=open_values,
)
@run_options
@click.pass_context
def run(context: click.Context, /, *, sweep: Path | None, **options: Unpack[RunOptions]) -> None:
    """Evaluate models: encode once, then score every setting.

    Prints a summary of each task; --full adds all tables, and `xlbench report` shows them later. With --format json
    standard output has one record a number, and nothing else.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet and the evidence, one row a
    judged pair, in <task>.ranks.parquet. A run that was interrupted goes on where it was. Options that may be repeated
    take several values: --language de en.

    SWEEP is a YAML file in place of options: lists of models with their arguments, of tasks and of variants, of which
    every combination is evaluated.
    """
    from xlbench.catalogue import suites
    from xlbench.job import jobs_of

    given, choices = choices_of(context, sweep, options)
    tasks, asked = suites.expanded(given)
    places = RunPlaces(
        options["data_dir"],
        default_cache_dir(options["cache_dir"]),
        options["output"],
        options["workers"],
        options["ray"],
    )
    jobs = jobs_of(tasks, languages=options["wanted"], kinds=options["kinds"], limit=options["limit"])
    cells = list(cells_of(context, choices, dict(zip(tasks, jobs, strict=True)), options, places))
    shown = RunOutput(options["form"], options["full"], options["quiet"])
    if options["dry_run"]:
        shown.print_plan([(cell.path, cell.stored is not None) for cell in cells])
        return
    results = evaluated(cells, places, kept=kept_of(options), force=options["force"], shown=shown)
    shown.print_end(results, asked)


def evaluated(
    cells: list[RunCell], places: RunPlaces, *, kept: Kept | None, force: bool, shown: RunOutput
) -> list[Result]:
    """The results, of which each is printed; what exists is not evaluated again, if it is of the data that is here."""
    for cell in cells:
        if cell.stored is not None:
            cell.job.check_data(cell.stored, cell.path, data_dir=places.data, cache_dir=places.cache)
    results: list[Result] = []
    while cells:
        cell = cells.pop(0)  # A model whose last cell is done leaves the memory.
        result, message = cell.stored, f"Result already exists: {cell.path} (--force runs it again)"
        if result is None:
            result = _evaluate(cell, places, kept=kept, force=force, shown=shown)
            message = _saved(cell.job, result, cell.path, kept)
        shown.print_result(result, cell.path, message, is_first=not results)
        results.append(result)
    return results


def _evaluate(cell: RunCell, places: RunPlaces, *, kept: Kept | None, force: bool, shown: RunOutput) -> Result:
    """The result of a model on a task, saved."""
    writable(cell.path.parent)
    # A quiet run still shows that it goes on, but leaves no lines in a log.
    progress = display(cell.job.task.name, quiet=shown.quiet and not sys.stderr.isatty())
    collection = cell.job.read(data_dir=places.data, cache_dir=places.cache, progress=progress)

    # Only here, because it imports torch, which takes longer than finding that the data is missing.
    from xlbench.engine.ray_cluster import Workers
    from xlbench.evaluation import evaluate_and_save

    return evaluate_and_save(
        cell.job,
        collection,
        cell.model,
        cell.path,
        cache_dir=places.cache,
        kept=kept,
        force=force,
        workers=Workers.of(places.workers, places.ray),
        command=cell.command,
        progress=progress,
    )


def _saved(job: Job, result: Result, path: Path, kept: Kept | None) -> str:
    """What was written, and which measures are not in it."""
    from xlbench.trec.write import runs_folder

    left_out = job.left_out(result)
    if bound := result.environment.get("recall_of_candidates"):
        shares = ", ".join(f"{share:.3f} in {kind}" for kind, share in bound.items())
        left_out += f"{chr(10) if left_out else ''}Of the relevant passages, the reranker got to see {shares}."
    runs = f", runs to {runs_folder(path)}" if kept else ""
    return f"{left_out}{chr(10) if left_out else ''}Saved to {path}{runs}"
