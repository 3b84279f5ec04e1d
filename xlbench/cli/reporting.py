"""``xlbench report`` and ``xlbench verify``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from xlbench.cli.options import ManyValues, cache_dir_option, data_dir_option, default_cache_dir, device_option
from xlbench.files import write_whole

if TYPE_CHECKING:
    from xlbench.reports.cells import Table
    from xlbench.results import QueryScores, Result
    from xlbench.trec import Difference

_TOLERANCE = 1e-12


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "latex", "csv", "json", "html"]),
    default="table",
    show_default=True,
    help="How to show it: csv and json have one record a number, html is one page.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write.  [default: print it]")
@click.option("--paper", is_flag=True, help="Set results on xquad-r and mlqa-r beside those of arXiv 2408.10536.")
def report(*, results: tuple[Path, ...], form: str, output: Path | None, paper: bool) -> None:
    """Show results, from their files or from folders of them.

    With several results of one task, a table sets the models side by side. In LaTeX, models are marked that differ
    from the first.
    """
    if form == "html" and paper:
        raise click.UsageError("--paper has no html form: choose another --format.")
    if form == "html" and output is None and sys.stdout.isatty():
        raise click.UsageError("html is not for a terminal: add --output FILE.")
    loaded = _load(results)
    if output is not None and output.resolve() in {file for path in loaded for file in _files_of(path)}:
        raise click.UsageError(f"--output {output} is one of the results: choose another file.")
    if form == "table" and output is None:
        from xlbench.reports.terminal import show

        for page in _pages(list(loaded.values()), paper=paper):
            show(page.tables)
            click.echo(page.line, nl=False)
        return
    text = _text(loaded, form, paper=paper)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text.encode())
        click.echo(f"Saved to {output}")


def _load(given: Sequence[Path]) -> dict[Path, Result]:
    """The results in the files that are given and in folders, by path; other JSON in folders is named and left out."""
    from xlbench.errors import ResultError
    from xlbench.results import load

    found: dict[Path, Result] = {}
    errors = []
    for place in given:
        for path in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
            try:
                found[path] = load(path)
            except ResultError as error:
                if not place.is_dir():
                    raise
                errors.append(error)
    if not found:
        places = ", ".join(map(str, given))
        raise (
            errors[0] if errors else ResultError(f"{places} has no result files; expected OUTPUT/<model>/<task>.json.")
        )
    for reason in errors:
        click.echo(f"Left out: {reason}", err=True)
    # A file that is given twice is one result.
    first: dict[Path, Path] = {}
    for path in found:
        first.setdefault(path.resolve(), path)
    return {path: found[path] for path in first.values()}


def _files_of(path: Path) -> tuple[Path, Path]:
    from xlbench.results import parquet_path

    return path.resolve(), parquet_path(path).resolve()


class _Page(NamedTuple):
    """Tables, and what is written below them."""

    tables: Sequence[Table]
    line: str = ""


def _pages(results: Sequence[Result], *, paper: bool) -> Iterator[_Page]:
    """What is shown, in its order: the tables of each result, then those of all."""
    from xlbench.reports.models import comparison
    from xlbench.reports.tables import all_tables, headline

    if paper:
        from xlbench.reports.paper import paper_tables

        yield _Page(paper_tables(results))
        return
    for result in results:
        yield _Page(all_tables(result), f"{headline(result)}\n\n")
    if len(results) > 1:
        yield _Page(comparison(results))


def _text(loaded: Mapping[Path, Result], form: str, *, paper: bool) -> str:
    """The report in a format."""
    from xlbench.reports import formats
    from xlbench.reports import paper as of_paper
    from xlbench.results import load_whole, parquet_path

    results = list(loaded.values())
    if form == "html":
        from xlbench.reports.html import render

        return render([load_whole(path) for path in loaded])
    if form == "latex":
        from xlbench.reports.latex import latex, latex_tables

        if paper:
            return latex_tables(of_paper.paper_tables(results))
        return latex([load_whole(path) if parquet_path(path).exists() else loaded[path] for path in loaded])
    if form in ("csv", "json"):
        records = of_paper.paper_records(results) if paper else formats.records(results)
        return formats.as_csv(records) if form == "csv" else formats.as_json(records)
    pages = _pages(results, paper=paper)
    if form == "markdown":
        return formats.markdown([table for page in pages for table in page.tables])

    from xlbench.reports.terminal import plain

    return "".join("".join(f"{plain(table)}\n" for table in page.tables) + page.line for page in pages)


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
    from xlbench.evaluate import score_collection
    from xlbench.progress import display

    collection = tasks.read_collection(
        task, languages=languages, data_dir=data_dir, cache_dir=default_cache_dir(cache_dir)
    )
    scores = score_collection(
        collection,
        model,
        cache_dir=default_cache_dir(cache_dir),
        progress=display(f"{task.name}: encoding", quiet=quiet),
    )
    n_queries = sum(found.queries[setting.name] for setting in chosen)
    with display(f"{task.name}: verifying", quiet=quiet, noun="rankings")(
        n_texts=n_queries, n_characters=n_queries
    ) as advance:
        differences = list(trec.verify(collection, scores, per_query, settings=chosen, advance=advance))
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
    from xlbench.reports.cells import Cell, Table, row
    from xlbench.reports.terminal import show

    worst: dict[str, Difference] = {}
    for d in differences:
        if d.measure not in worst or d.difference > worst[d.measure].difference:
            worst[d.measure] = d
    if not quiet:
        rows = tuple(
            row(d.measure, Cell(f"{d.difference:.1e}", d.difference), d.setting, d.query) for d in worst.values()
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
