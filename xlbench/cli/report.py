"""``xlbench report``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from xlbench.cli.options import ManyValues, chosen_form, format_option, in_a_folder, refuse_overwriting, write_or_print
from xlbench.cli.result_places import LEADERBOARD, ResultPlace, of_leaderboard

if TYPE_CHECKING:
    from xlbench.reports.cells import Table
    from xlbench.results import Result

_FORMS = ("table", "markdown", "latex", "csv", "json", "html", "mteb")
_MTEB = "mteb:"
_MODELS = "models"
"""The section with the models of a task side by side."""


@click.command(cls=ManyValues)
@click.argument("results", nargs=-1, required=True, type=ResultPlace(LEADERBOARD, _MTEB))
@format_option(_FORMS, "csv and json have one record a number, html is one page, mteb a folder of MTEB's result files")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    callback=in_a_folder,
    help="File to write; with --format mteb a folder.  [default: print it]",
)
@click.option(
    "--baseline", metavar="NAME", help="Model that the others of its tasks are compared with.  [default: the first]"
)
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="NAME...",
    help="Show these parts only; names are those of the tables or, with --format html, of the page's sections.",
)
@click.option("--paper", is_flag=True, help="Set results on xquad-r and mlqa-r beside those of arXiv 2408.10536.")
def report(
    *,
    results: tuple[Path, ...],
    form: str | None,
    output: Path | None,
    baseline: str | None,
    sections: tuple[str, ...],
    paper: bool,
) -> None:
    """Show results, from their files or from folders of them.

    With several results of one task, a table sets the models side by side. In LaTeX, models are marked that differ
    from the first. mteb:FOLDER sets beside them what MTEB's result files in FOLDER report on the same tasks, and
    leaderboard:NAME is a model of the leaderboard, in a clone of the repository.
    """
    form = chosen_form(form, output, _FORMS)
    folders = [Path(str(place).removeprefix(_MTEB)) for place in results if str(place).startswith(_MTEB)]
    results = tuple(place for place in results if not str(place).startswith(_MTEB))
    _refuse(form, output, results, folders, paper=paper)
    _refuse_sections(sections, form, paper=paper)
    from xlbench.results import parquet_path
    from xlbench.support.extras import require

    if form == "html":
        require("html", "The HTML report")
    loaded = _load(results) if results else {}
    refuse_overwriting(output, [file for path in loaded for file in (path, parquet_path(path))])
    if baseline is not None:
        loaded = _baseline_first(loaded, baseline)
    if form == "mteb" and output is not None:
        from xlbench.reports.mteb import write

        for path in write(list(loaded.values()), output):
            click.echo(f"Saved to {path}")
        return
    beside = _reported(folders, list(loaded.values()))
    if form == "table" and output is None:
        from xlbench.reports.terminal import show

        for page in [*_pages(list(loaded.values()), sections, paper=paper), *beside]:
            show(page.tables)
            click.echo(page.line, nl=False)
        return
    write_or_print(_text(loaded, form, beside, sections, paper=paper), output)


def _refuse(form: str, output: Path | None, results: Sequence[Path], folders: Sequence[Path], *, paper: bool) -> None:
    """Refuses what cannot be shown in a form, before anything is read."""
    if form == "mteb":
        if output is None or output.is_file() or folders or paper or not results:
            raise click.UsageError("--format mteb writes results of xlbench into a folder: add --output FOLDER.")
        return
    if output is not None and output.is_dir():
        raise click.UsageError(f"--output {output} is a folder; expected a file.")
    if form == "html" and (paper or folders):
        raise click.UsageError(f"{'--paper' if paper else _MTEB + 'FOLDER'} has no html form: choose another --format.")
    if form in ("csv", "json") and folders:
        raise click.UsageError(f"{_MTEB}FOLDER has no {form} form: the files are JSON. Choose another --format.")
    if form == "html" and output is None and sys.stdout.isatty():
        raise click.UsageError("html is not for a terminal: add --output FILE.")


def _refuse_sections(names: Sequence[str], form: str, *, paper: bool) -> None:
    """Refuses sections that a form does not have."""
    if not names:
        return
    if paper or form not in ("table", "markdown", "html"):
        raise click.UsageError(f"--section is for tables, markdown and html, not {'--paper' if paper else form}.")
    known = _section_names(form)
    for name in names:
        if name not in known:
            of_form = f"a report as {form}"
            raise click.UsageError(f"--section {name}: {of_form} has {', '.join(known)}.")


def _section_names(form: str) -> Sequence[str]:
    if form == "html":
        from xlbench.reports.html import SECTIONS

        return SECTIONS
    from xlbench.reports.tables import SECTIONS as TABLES

    return [*TABLES, _MODELS]


def _baseline_first(loaded: Mapping[Path, Result], name: str) -> dict[Path, Result]:
    """The results with the baseline before the others of its task."""
    from xlbench.reports.several_models import with_baseline

    paths = {id(result): path for path, result in loaded.items()}
    return {paths[id(result)]: result for result in with_baseline(list(loaded.values()), name)}


def _reported(folders: Sequence[Path], results: Sequence[Result]) -> list[_Page]:
    """What MTEB's files in folders report, beside the results."""
    from xlbench.reports import mteb

    reported: list[mteb.Reported] = []
    for folder in folders:
        of_folder, left_out = mteb.read(folder)
        reported += of_folder
        if left_out:
            click.echo(f"Left out of {folder}: what is of tasks that xlbench does not have ({left_out:,}).", err=True)
    return [_Page(mteb.beside(results, reported))] if reported else []


def _load(given: Sequence[Path]) -> dict[Path, Result]:
    """The results in the files that are given and in folders, by path; other JSON in folders is named and left out."""
    from xlbench.errors import ResultError
    from xlbench.results import load

    results: dict[Path, Result] = {}
    errors = []
    for place in given:
        if str(place).startswith(LEADERBOARD):
            results |= {place / placed.result.task: placed.result for placed in of_leaderboard(place)}
            continue
        for path in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
            try:
                results[path] = load(path)
            except ResultError as error:
                if not place.is_dir():
                    raise
                errors.append(error)
    if not results:
        places = ", ".join(map(str, given))
        raise (
            errors[0] if errors else ResultError(f"{places} has no result files; expected OUTPUT/<model>/<task>.json.")
        )
    for reason in errors:
        click.echo(f"Left out: {reason}", err=True)
    # A file that is given twice is one result.
    first: dict[Path, Path] = {}
    for path in results:
        first.setdefault(path.resolve(), path)
    return {path: results[path] for path in first.values()}


class _Page(NamedTuple):
    """Tables, and what is written below them."""

    tables: Sequence[Table]
    line: str = ""


def _pages(results: Sequence[Result], names: Sequence[str] = (), *, paper: bool) -> Iterator[_Page]:
    """What is shown, in its order: the tables of each result, all or those named, then those of all results."""
    from xlbench.reports.several_models import comparison
    from xlbench.reports.tables import SECTIONS, headline
    from xlbench.reports.tables import sections as chosen

    if paper:
        from xlbench.reports.paper import paper_tables

        yield _Page(paper_tables(results))
        return
    names = names or [*SECTIONS, _MODELS]
    keys = [name for name in SECTIONS if name in names]
    for result in results if keys else ():
        yield _Page(chosen(result, keys), f"{headline(result)}\n\n")
    if len(results) > 1 and _MODELS in names:
        yield _Page(comparison(results))


def _text(
    loaded: Mapping[Path, Result], form: str, beside: Sequence[_Page], names: Sequence[str], *, paper: bool
) -> str:
    """The report in a format."""
    from xlbench.reports import formats
    from xlbench.reports import paper as of_paper
    from xlbench.results import load_whole, parquet_path

    results = list(loaded.values())
    if form == "html":
        from xlbench.reports.html import SECTIONS, render

        whole = [load_whole(path) if path.exists() else result for path, result in loaded.items()]
        return render(whole, sections=names or SECTIONS)
    if form == "latex":
        from xlbench.reports.latex import latex, latex_tables

        more = latex_tables([table for page in beside for table in page.tables]) if beside else ""
        if paper:
            return latex_tables(of_paper.paper_tables(results)) + more
        return latex([load_whole(path) if parquet_path(path).exists() else loaded[path] for path in loaded]) + more
    if form in ("csv", "json"):
        records = of_paper.paper_records(results) if paper else formats.records(results)
        return formats.as_csv(records) if form == "csv" else formats.as_json(records)
    pages = [*_pages(results, names, paper=paper), *beside]
    if form == "markdown":
        return formats.markdown([table for page in pages for table in page.tables])

    from xlbench.reports.terminal import plain

    return "".join("".join(f"{plain(table)}\n" for table in page.tables) + page.line for page in pages)
