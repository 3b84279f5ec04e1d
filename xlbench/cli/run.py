"""``xlbench run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.completed_values import language_values, model_values, task_values
from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    command_of,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    plain_format_option,
    reach_hub,
    writable,
)
from xlbench.cli.run_output import RunOutput
from xlbench.settings import KINDS, Kind
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.job import Job
    from xlbench.models.protocols import Model, StoredAs
    from xlbench.results import Result
    from xlbench.trec.write import Kept

_DEFAULT_TASKS = ("xquad-r", "mlqa-r")
_NOT_OF_THE_RESULT = ("data_dir", "cache_dir", "output", "keep_run", "qrels", "force", "full", "form", "quiet")


@click.command(cls=ManyValues)
@click.option(
    "--model",
    "model_names",
    required=True,
    multiple=True,
    shell_complete=model_values,
    help="A Hub id or folder, bm25, use-multilingual, hash, fusion:A+B, or package.module:Class; see `xlbench models`.",
)
@click.option("--name", help="What the result calls the model.  [default: its Hub id, or its folder's name]")
@click.option(
    "--task",
    "task_names",
    multiple=True,
    default=_DEFAULT_TASKS,
    show_default=True,
    shell_complete=task_values,
    help="Name of a task, or its YAML file.",
)
@click.option(
    "--language",
    "wanted",
    multiple=True,
    shell_complete=language_values,
    help="Evaluate these languages only.  [default: all]",
)
@click.option(
    "--setting",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Evaluate these settings only.  [default: the task's]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="A first look: draw at most N questions, in whole clusters, and as large a part of the passages.  [default: "
    "all]",
)
@data_dir_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for results.",
)
@cache_dir_option
@device_option
@click.option(
    "--dtype", type=click.Choice(["float32", "bfloat16", "float16"]), help="Precision of the model.  [default: float32]"
)
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    help="Longest input in tokens; the front is kept.  [default: the model's]",
)
@model_arg_option
@click.option(
    "--store",
    "stored_as",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="How vectors are kept and then read for scoring; float16 rounds them, and takes half the space.",
)
@click.option(
    "--transform",
    "transform_name",
    metavar="center|lir:K",
    help="Debias the vectors before they are scored: subtract each language's mean, or project out its K first "
    "principal components.",
)
@click.option(
    "--fit-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parallel text (JSON lines) to fit --transform on.  [default: the task's own texts, marked as transductive]",
)
@click.option(
    "--keep-run",
    type=click.IntRange(min=1),
    metavar="K",
    help="Write the K best passages of each query and setting as TREC runs, to <task>.runs.",
)
@click.option(
    "--qrels", is_flag=True, help="Write the judgements of each setting, and the languages of passages, to <task>.runs."
)
@click.option("--force", is_flag=True, help="Encode all texts again and replace the result, whatever is stored.")
@click.option("--full", is_flag=True, help="Print all tables, as `xlbench report` does.")
@plain_format_option
@click.option("--quiet", is_flag=True, help="Print the headline and the file only; a terminal still has its bar.")
@click.pass_context
def run(
    context: click.Context,
    *,
    model_names: tuple[str, ...],
    name: str | None,
    task_names: tuple[str, ...],
    wanted: tuple[str, ...],
    kinds: tuple[Kind, ...],
    limit: int | None,
    data_dir: Path | None,
    output: Path,
    cache_dir: Path | None,
    device: str | None,
    dtype: str | None,
    max_length: int | None,
    model_args: tuple[str, ...],
    stored_as: StoredAs,
    transform_name: str | None,
    fit_on: Path | None,
    keep_run: int | None,
    qrels: bool,
    force: bool,
    full: bool,
    form: str,
    quiet: bool,
) -> None:
    """Evaluate a model: encode once, then score every setting.

    Prints a summary of each task; --full adds all tables, and `xlbench report` shows them later. With --format json
    standard output has one record a number, and nothing else.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet and the evidence, one row a
    judged pair, in <task>.ranks.parquet. A run that was interrupted goes on where it was. Options that may be repeated
    take several values: --language de en.
    """
    from xlbench.job import debiasing, jobs_of
    from xlbench.models import load
    from xlbench.trec.write import Kept

    if len(model_names) > 1:
        raise click.UsageError(f"Give one --model at a time; {len(model_names)} are given: {', '.join(model_names)}.")
    jobs = jobs_of(task_names, languages=wanted, kinds=kinds, limit=limit)
    reach_hub(*model_names)
    options = {"dtype": dtype, "max_length": max_length}
    model = load(
        model_names[0],
        name=name,
        device=device,
        arguments={key: value for key, value in options.items() if value is not None} | model_arguments(model_args),
        stored_as=stored_as,
        debiasing=debiasing(transform_name, fit_on),
    )
    kept = Kept(keep_run or 0, qrels) if keep_run or qrels else None
    places = _Places(data_dir, default_cache_dir(cache_dir), output)
    commands = [command_of(context, _NOT_OF_THE_RESULT, task_names=task) for task in dict.fromkeys(task_names)]
    _run(model, jobs, commands, places, kept=kept, force=force, shown=RunOutput(form, full, quiet))


@dataclass(frozen=True)
class _Places:
    """Where data, vectors and results are."""

    data: Path | None
    cache: Path
    output: Path


def _run(
    model: Model,
    jobs: Sequence[Job],
    commands: Sequence[str],
    places: _Places,
    *,
    kept: Kept | None,
    force: bool,
    shown: RunOutput,
) -> None:
    """Evaluates the model on each job whose result does not exist yet, and prints every result."""
    from xlbench.results import path_of

    # What is wrong with any task's result file is said before the first text is encoded.
    identity = model.identity()
    paths = [
        path_of(places.output, identity["name"], job.task.name, arguments=model.given, limit=job.limit) for job in jobs
    ]
    results = [
        None if force else job.stored_result(path, identity, kept) for job, path in zip(jobs, paths, strict=True)
    ]
    for job, path, result in zip(jobs, paths, results, strict=True):
        if result is not None:
            job.check_data(result, path, data_dir=places.data, cache_dir=places.cache)
    whole: list[Result] = []
    for job, command, path, stored in zip(jobs, commands, paths, results, strict=True):
        result, message = stored, f"Result already exists: {path} (--force runs it again)"
        if result is None:
            result = _evaluate(job, model, path, places, command, kept=kept, force=force, shown=shown)
            message = _saved(job, result, path, kept)
        shown.print_result(result, path, message, is_first=not whole)
        whole.append(result)
    shown.print_end(whole)


def _evaluate(
    job: Job,
    model: Model,
    path: Path,
    places: _Places,
    command: str,
    *,
    kept: Kept | None,
    force: bool,
    shown: RunOutput,
) -> Result:
    """The result of the model on a job, saved as ``path``."""
    writable(path.parent)
    # A quiet run still shows that it goes on, but leaves no lines in a log.
    progress = display(job.task.name, quiet=shown.quiet and not sys.stderr.isatty())
    collection = job.read(data_dir=places.data, cache_dir=places.cache, progress=progress)

    # Only here, because it imports torch, which takes longer than finding that the data is missing.
    from xlbench.evaluation import evaluate_and_save

    return evaluate_and_save(
        job,
        collection,
        model,
        path,
        cache_dir=places.cache,
        kept=kept,
        force=force,
        command=command,
        progress=progress,
    )


def _saved(job: Job, result: Result, path: Path, kept: Kept | None) -> str:
    """What was written, and which measures are not in it."""
    from xlbench.trec.write import runs_folder

    left_out = job.left_out(result)
    runs = f", runs to {runs_folder(path)}" if kept else ""
    return f"{left_out}{chr(10) if left_out else ''}Saved to {path}{runs}"
