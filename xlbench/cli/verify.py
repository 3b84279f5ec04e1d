"""``xlbench verify``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.completed_values import model_values, task_values
from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    reach_hub,
)

if TYPE_CHECKING:
    from xlbench.arrays import IntArray, VectorArray
    from xlbench.catalogue import Task
    from xlbench.collection import Collection
    from xlbench.models.protocols import Model
    from xlbench.results import Result
    from xlbench.settings import Setting
    from xlbench.support.progress import Progress
    from xlbench.trec.verify import LargestDifference

_TOLERANCE = 1e-12


@click.command(cls=ManyValues)
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model",
    "model_name",
    shell_complete=model_values,
    required=True,
    help="The model that the result is of; its arguments are taken from the result.",
)
@click.option("--setting", "names", multiple=True, help="Settings by name, such as 'de>en' or 'de>*'.  [default: all]")
@click.option(
    "--task",
    "task_name",
    shell_complete=task_values,
    help="The task's YAML file, or the folder of your own data, if the task does not come with xlbench.",
)
@click.option(
    "--fit-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The parallel text that the result's --transform was fitted on.",
)
@click.option(
    "--rerank",
    "reranker",
    metavar="RERANKER",
    help="The reranker that the result is of; its depth and its arguments are taken from the result.",
)
@data_dir_option
@cache_dir_option
@device_option
@click.option("--quiet", is_flag=True, help="Print the largest difference only.")
def verify(
    *,
    result: Path,
    model_name: str,
    names: tuple[str, ...],
    task_name: str | None,
    fit_on: Path | None,
    reranker: str | None,
    data_dir: Path | None,
    cache_dir: Path | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Recompute full rankings, score them with trec_eval, and print the largest difference to RESULT.

    Exits with 1 if a score differs by more than 1e-12. Some of the vectors and of the reranker's scores that come from
    the cache are computed again and compared; an empty --cache-dir makes it compute everything again.
    """
    from xlbench import models, results
    from xlbench.changes import changed_as
    from xlbench.job import Job

    stored = results.load(result)
    per_query = results.load_per_query(result)
    job = Job.of(task_name or stored.task)
    task = job.task
    reach_hub(model_name, *filter(None, [reranker]))
    plain = models.load(
        model_name,
        device=device,
        arguments=dict(stored.model["arguments"]),
        stored_as=stored.model.get("stored_as", "float32"),
    )
    model = changed_as(plain, stored, result, fit_on=fit_on, rerank=reranker, device=device)
    _check_same(stored, task, model, model_name, result)
    languages = [language for language in task.languages if language not in stored.missing_languages]
    chosen = _chosen(stored, languages, names, result)

    from xlbench.engine.model_scores import from_store, score_collection
    from xlbench.support.progress import display
    from xlbench.trec import verify
    from xlbench.trec.final_order import FinalOrder

    folder = default_cache_dir(cache_dir)
    limit = stored.sample.limit if stored.sample else None
    whole = replace(job, languages=tuple(languages), limit=limit).read(data_dir=data_dir, cache_dir=folder)
    collection = model.perturbation.apply(whole) if model.perturbation else whole
    progress = display(task.name, quiet=quiet)
    scores = score_collection(collection, model, cache_dir=folder, progress=progress)
    final = FinalOrder(collection, model.pooling, model.reranking, _pair_scores(collection, model, folder, progress))
    n_queries = sum(stored.queries[setting] for setting in chosen)
    with progress("verifying", n_texts=n_queries, n_characters=n_queries, noun="rankings") as advance:
        differences = list(verify.verify(collection, scores, per_query, settings=chosen, final=final, advance=advance))
    differences += verify.means_verified(stored, [of_it for of_it in per_query if of_it.setting in chosen])
    if not names:
        differences += verify.intervals_verified(stored, per_query)
    if not quiet:
        click.echo(from_store(scores), err=True)
    _show_differences(differences, quiet=quiet)


def _pair_scores(
    collection: Collection, model: Model, cache_dir: Path, progress: Progress
) -> Callable[[IntArray], VectorArray] | None:
    """The scores of the model's reranker, from the store as far as they are there; None without one."""
    from xlbench.engine.pair_scores import score_pairs

    reranking = model.reranking
    if reranking is None:
        return None
    return partial(
        score_pairs, collection, reranking=reranking, cache_dir=cache_dir, key=reranking.key(), progress=progress
    )


def _check_same(stored: Result, task: Task, model: Model, model_name: str, result: Path) -> None:
    """Returns if the result is of this version of the task, and of this revision of the model."""
    from xlbench.errors import ResultError

    for asked, theirs, ours in (
        ("the task at hand", f"{stored.task} version {stored.task_version}", f"{task.name} version {task.version}"),
        (model_name, f"revision {stored.model['revision']}", f"revision {model.revision}"),
    ):
        if theirs != ours:
            raise ResultError(f"{result} is of {theirs}, but {asked} is of {ours}.")


def _chosen(stored: Result, languages: Sequence[str], names: Sequence[str], path: Path) -> list[Setting]:
    """The settings of these names, all that have scores if none is named."""
    from xlbench.errors import ResultError, UnknownNameError
    from xlbench.settings import KINDS, settings

    known = {str(setting): setting for setting in settings(KINDS, languages) if setting in stored.values}
    for name in names:
        if name not in known:
            raise UnknownNameError("setting", name, known)
    if not known:
        raise ResultError(f"{path} has no scores, so there is nothing to verify.")
    return [known[name] for name in names] or list(known.values())


def _show_differences(differences: Sequence[LargestDifference], *, quiet: bool) -> None:
    from xlbench.reports.cells import Cell, Table, row
    from xlbench.reports.terminal import show

    worst: dict[str, LargestDifference] = {}
    for d in differences:
        if d.measure not in worst or d.difference > worst[d.measure].difference:
            worst[d.measure] = d
    if not quiet:
        rows = tuple(
            row(d.measure, Cell(f"{d.difference:.1e}", d.difference), str(d.setting), d.query) for d in worst.values()
        )
        show([Table("Largest difference to trec_eval", ("measure", "difference", "setting", "query"), rows)])
    largest = max(worst.values(), key=lambda d: d.difference)
    counted = {d.setting: d.n_queries for d in differences}
    click.echo(
        f"{len(counted)} settings, {sum(counted.values()):,} rankings: "
        f"largest difference {largest.difference:.1e} ({largest.measure}, {largest.setting})"
    )
    if not largest.difference <= _TOLERANCE:
        raise click.exceptions.Exit(1)
