"""``xlbench report`` and ``xlbench verify``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import ManyValues, cache_dir_option, data_dir_option, default_cache_dir, device_option

if TYPE_CHECKING:
    from xlbench.results import QueryScores, Result
    from xlbench.trec import Difference

_TOLERANCE = 1e-12


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def report(*, results: tuple[Path, ...]) -> None:
    """Show the tables of results again, from their files or from folders of them."""
    from xlbench.errors import ResultError
    from xlbench.reports.tables import comparison, headline, tables
    from xlbench.reports.terminal import show
    from xlbench.results import load

    paths = [path for given in results for path in (sorted(given.rglob("*.json")) if given.is_dir() else [given])]
    if not paths:
        raise ResultError(f"{', '.join(map(str, results))} has no result files; expected OUTPUT/<model>/<task>.json.")
    loaded = [load(path) for path in paths]
    for result in loaded:
        show(tables(result))
        click.echo(headline(result) + "\n")
    if len(loaded) > 1:
        show(comparison(loaded))


@click.command(cls=ManyValues)
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model",
    "model_name",
    required=True,
    help="The model that the result is of; its arguments are taken from the result.",
)
@click.option("--setting", "names", multiple=True, help="Settings by name, such as 'de>en' or 'de>*'.  [default: all]")
@click.option("--task", "task_name", help="The task's YAML file, if the task does not come with xlbench.")
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
    data_dir: Path | None,
    cache_dir: Path | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Recompute full rankings, score them with trec_eval, and print the largest difference to RESULT.

    Exits with 1 if a score differs by more than 1e-12. Vectors that are in the cache are not computed anew; an empty
    --cache-dir makes it encode everything again.
    """
    from xlbench import encoders, results, tasks
    from xlbench.errors import ResultError, UnknownNameError
    from xlbench.settings import KINDS, settings

    found = results.load(result)
    per_query = results.load_per_query(result)
    task = tasks.load(task_name or found.task)
    if (task.name, task.version) != (found.task, found.task_version):
        raise ResultError(
            f"{result} is of {found.task} version {found.task_version}, "
            f"the task at hand is {task.name} version {task.version}."
        )
    model = encoders.load(model_name, device=device, arguments=dict(found.model["arguments"]))
    if model.revision != found.model["revision"]:
        raise ResultError(
            f"{result} is of revision {found.model['revision']}, but {model_name} is of revision {model.revision}."
        )
    languages = [language for language in task.languages if language not in found.missing_languages]
    known = {setting.name: setting for setting in settings(KINDS, languages) if setting.name in found.scores}
    for name in names:
        if name not in known:
            raise UnknownNameError("setting", name, known)
    chosen = [known[name] for name in names] or list(known.values())
    if not chosen:
        raise ResultError(f"{result} has no scores, so there is nothing to verify.")

    from xlbench import trec
    from xlbench.evaluate import embed_collection
    from xlbench.progress import display

    collection = tasks.read_collection(
        task, languages=languages, data_dir=data_dir, cache_dir=default_cache_dir(cache_dir)
    )
    queries, passages = embed_collection(
        collection,
        model,
        cache_dir=default_cache_dir(cache_dir),
        progress=display(f"{task.name}: encoding", quiet=quiet),
    )
    n_queries = sum(found.queries[setting.name] for setting in chosen)
    with display(f"{task.name}: verifying", quiet=quiet, noun="rankings")(
        n_texts=n_queries, n_characters=n_queries
    ) as advance:
        differences = list(trec.verify(collection, queries, passages, per_query, settings=chosen, advance=advance))
    differences += _means(found, per_query, {setting.name for setting in chosen})
    _show_differences(differences, quiet=quiet)


def _means(found: Result, per_query: Sequence[QueryScores], chosen: set[str]) -> Iterator[Difference]:
    """How far the means in the JSON file are from those of the per-query scores."""
    from xlbench.trec import Difference

    for scores in per_query:
        if scores.setting in chosen:
            for measure, reported in found.scores[scores.setting].items():
                # A mean without per-query scores would go unchecked.
                mean = float(scores.values[measure].mean()) if measure in scores.values else float("inf")
                yield Difference(scores.setting, measure, abs(mean - reported), "(mean)", len(scores.query))


def _show_differences(differences: Sequence[Difference], *, quiet: bool) -> None:
    from xlbench.reports.tables import Table
    from xlbench.reports.terminal import show

    worst: dict[str, Difference] = {}
    for d in differences:
        if d.measure not in worst or d.difference > worst[d.measure].difference:
            worst[d.measure] = d
    if not quiet:
        rows = tuple((d.measure, f"{d.difference:.1e}", d.setting, d.query) for d in worst.values())
        show([Table("Largest difference to trec_eval", ("measure", "difference", "setting", "query"), rows)])
    largest = max(worst.values(), key=lambda d: d.difference)
    counted = {d.setting: d.n_queries for d in differences}
    click.echo(
        f"{len(counted)} settings, {sum(counted.values()):,} rankings: "
        f"largest difference {largest.difference:.1e} ({largest.measure}, {largest.setting})"
    )
    if not largest.difference <= _TOLERANCE:
        raise click.exceptions.Exit(1)
