"""``xlbench run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from xlbench.cli.options import (
    ManyValues,
    command_of,
    default_cache_dir,
    model_arguments,
    reach_hub,
    writable,
)
from xlbench.cli.run_options import RunOptions, run_options
from xlbench.cli.run_output import RunOutput
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.job import Job
    from xlbench.models.protocols import Model
    from xlbench.results import Result
    from xlbench.trec.write import Kept

_NOT_OF_THE_RESULT = ("data_dir", "cache_dir", "output", "keep_run", "qrels", "force", "full", "form", "quiet")


@click.command(cls=ManyValues)
@run_options
@click.pass_context
def run(context: click.Context, /, **options: Unpack[RunOptions]) -> None:
    """Evaluate a model: encode once, then score every setting.

    Prints a summary of each task; --full adds all tables, and `xlbench report` shows them later. With --format json
    standard output has one record a number, and nothing else.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet and the evidence, one row a
    judged pair, in <task>.ranks.parquet. A run that was interrupted goes on where it was. Options that may be repeated
    take several values: --language de en.
    """
    from xlbench.job import jobs_of
    from xlbench.trec.write import Kept

    models, tasks = options["model_names"], options["task_names"]
    if len(models) > 1:
        raise click.UsageError(f"Give one --model at a time; {len(models)} are given: {', '.join(models)}.")
    jobs = jobs_of(tasks, languages=options["wanted"], kinds=options["kinds"], limit=options["limit"])
    reach_hub(*models, *filter(None, [options["reranker"]]))
    model = _model(models[0], options)
    best, qrels = options["keep_run"] or 0, options["qrels"]
    places = _Places(options["data_dir"], default_cache_dir(options["cache_dir"]), options["output"])
    commands = [command_of(context, _NOT_OF_THE_RESULT, task_names=task) for task in dict.fromkeys(tasks)]
    shown = RunOutput(options["form"], options["full"], options["quiet"])
    kept = Kept(best, qrels) if best or qrels else None
    _run(model, jobs, commands, places, kept=kept, force=options["force"], shown=shown)


def _model(name: str, options: RunOptions) -> Model:
    """The model, with all that is done to its vectors and its lists."""
    from xlbench.changes import Changes, changed
    from xlbench.models import load
    from xlbench.models.load import API

    if options["instruction"] is not None and options["no_instruction"]:
        raise click.UsageError("--instruction and --no-instruction exclude each other: leave one out.")
    own: dict[str, Any] = {key: options[key] for key in ("dtype", "max_length", "kind", "instruction")}
    api: dict[str, Any] = {key: options[key] for key in ("base_url", "price", "max_cost")}
    if not name.startswith(API) and (of_api := next((key for key in api if api[key] is not None), None)):
        raise click.UsageError(
            f"--{of_api.replace('_', '-')} is for a model behind an API: name it as {API}MODEL, with the name that its "
            "server knows."
        )
    own |= api
    own["instruction"] = False if options["no_instruction"] else own["instruction"]
    plain = load(
        name,
        name=options["name"],
        device=options["device"],
        arguments={key: value for key, value in own.items() if value is not None}
        | model_arguments(options["model_args"]),
        stored_as=options["stored_as"],
    )
    changes = Changes(
        transform=options["transform_name"],
        side=options["side"],
        fit_on=options["fit_on"],
        dimensions=options["dimensions"],
        quantize=options["quantize"],
        pool=options["pool"],
        rerank=options["reranker"],
        rerank_base_url=options["rerank_base_url"],
        depth=options["depth"],
        among=options["among"],
        perturb=options["perturb"],
    )
    return changed(plain, changes, device=options["device"])


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
    models = [model.instructed(job.task.instruction) for job in jobs]
    identities = [each.identity() for each in models]
    paths = [
        path_of(places.output, identity["name"], job.task.name, arguments=model.given, limit=job.limit)
        for job, identity in zip(jobs, identities, strict=True)
    ]
    results = [
        None if force else job.stored_result(path, identity, kept)
        for job, path, identity in zip(jobs, paths, identities, strict=True)
    ]
    for job, path, result in zip(jobs, paths, results, strict=True):
        if result is not None:
            job.check_data(result, path, data_dir=places.data, cache_dir=places.cache)
    whole: list[Result] = []
    for job, own, command, path, stored in zip(jobs, models, commands, paths, results, strict=True):
        result, message = stored, f"Result already exists: {path} (--force runs it again)"
        if result is None:
            result = _evaluate(job, own, path, places, command, kept=kept, force=force, shown=shown)
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
    if bound := result.environment.get("recall_of_candidates"):
        shares = ", ".join(f"{share:.3f} in {kind}" for kind, share in bound.items())
        left_out += f"{chr(10) if left_out else ''}Of the relevant passages, the reranker got to see {shares}."
    runs = f", runs to {runs_folder(path)}" if kept else ""
    return f"{left_out}{chr(10) if left_out else ''}Saved to {path}{runs}"
