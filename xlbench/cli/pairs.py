"""``xlbench pairs``, ``mine``, ``debias`` and ``convert``: data to train on, and models without training."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    output_option,
    refuse_overwriting,
    write_or_print,
)
from xlbench.errors import EncoderError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.reports.cells import Cell, Table
    from xlbench.training.negatives import Among
    from xlbench.training.overlap import Overlap
    from xlbench.training.pairs import PairFile
    from xlbench.training.summary import Side, Summary

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_model_option = click.option("--model", "model_name", required=True, help="As `xlbench run --model` takes it.")
_quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")


@click.command(cls=ManyValues)
@click.argument("files", nargs=-1, required=True, type=_file, metavar="FILE...")
@click.option("--overlap/--no-overlap", default=True, help="Compare with the tasks at hand.  [default: yes]")
@data_dir_option
@cache_dir_option
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to show it."
)
@output_option
@_quiet_option
def pairs(
    *,
    files: tuple[Path, ...],
    overlap: bool,
    data_dir: Path | None,
    cache_dir: Path | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Show what files of pairs hold, and whether tasks have the same texts.

    FILE has JSON lines, plain or gzip: {"id": ..., "queries": {LANGUAGE: TEXT}, "passages": {LANGUAGE: TEXT}}. It is
    compared with the queries and the relevant passages of all tasks whose files are here; nothing is downloaded.
    """
    from xlbench.reports.formats import as_json
    from xlbench.reports.terminal import show
    from xlbench.training.overlap import check_overlap
    from xlbench.training.pairs import read_pairs
    from xlbench.training.summary import summarise

    refuse_overwriting(output, files)
    text = io.StringIO()
    target = sys.stdout if output is None and form == "table" else text
    records = []
    for path in dict.fromkeys(files):
        found = read_pairs(path)
        summary = summarise(found)
        progress = display(path.name, quiet=quiet)
        overlaps = (
            check_overlap([found], data_dir, cache_dir=default_cache_dir(cache_dir), progress=progress)
            if overlap
            else ()
        )
        if form == "json":
            said = [asdict(each) | {"path": str(path)} for each in overlaps]
            records.append({"path": str(path), "sha256": found.sha256, **asdict(summary), "overlap": said})
        else:
            show(_tables(found, summary) + (_overlap_tables(found, overlaps) if overlap else []), file=target)
    if form == "json":
        text.write(as_json(records))
    if target is text:
        write_or_print(text.getvalue(), output)


@click.command(cls=ManyValues)
@_model_option
@model_arg_option
@click.option("--pairs", "path", required=True, type=_file, help="File of pairs, JSON lines.")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, with negatives; packed if its name ends in .gz.",
)
@click.option(
    "--negatives", "n", type=click.IntRange(1, 1000), default=5, show_default=True, help="Negatives of each query."
)
@click.option(
    "--among",
    type=click.Choice(["language", "pool"]),
    default="language",
    show_default=True,
    help="Take them from the passages in the query's language, or from the pool of all languages.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, max_open=True),
    help="Leave out what scores above (1 - MARGIN) times the query's own passage: it may answer.  [default: take it]",
)
@cache_dir_option
@device_option
@_quiet_option
def mine(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    path: Path,
    output: Path,
    n: int,
    among: Among,
    margin: float | None,
    cache_dir: Path | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Find hard negatives: passages that a model ranks high and that do not answer.

    A row's own passage, its translations, equal texts and the passages of equal questions are left out. The rows are
    written with "negatives": {LANGUAGE: [TEXT, ...]}, the hardest first, as `xlbench train --negatives` reads them.
    """
    from xlbench import models

    refuse_overwriting(output, [path])
    model = models.load(model_name, device=device, arguments=model_arguments(model_args))

    # Only here, because it imports torch, which takes longer than finding that there is no such model.
    from xlbench.training.negatives import Mining, write_mined
    from xlbench.training.negatives import mine as find

    mining = Mining(n, among, margin)
    progress = display(path.name, quiet=quiet)
    found = find(path, model, mining, cache_dir=default_cache_dir(cache_dir), progress=progress)
    write_mined(path, found, output)
    n_all = sum(len(texts) for of_row in found.negatives.values() for texts in of_row.values())
    click.echo(
        f"{n_all:,} negatives for {found.n_queries:,} queries; {found.n_short:,} have fewer than {n}.\n"
        f"Saved to {output}"
    )


@click.command(cls=ManyValues)
@_model_option
@model_arg_option
@click.option("--fit-on", required=True, type=_file, help="Parallel text (JSON lines) to fit on.")
@click.option("--method", required=True, metavar="center|lir:K", help="As `xlbench run --transform` takes it.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write; it must not be there.")
@cache_dir_option
@device_option
@_quiet_option
def debias(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    fit_on: Path,
    method: str,
    output: Path,
    cache_dir: Path | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Write a model that debiases its vectors itself: it finds out in what language a text is.

    `xlbench run --model OUTPUT` then evaluates it as any other model, and it can be used where nobody says in what
    language a text is.
    """
    from xlbench.engine.debiasing import parse
    from xlbench.models import language_identifier

    if not language_identifier.installed():
        needed = " and ".join(language_identifier.MODULES)
        raise EncoderError(f"To find out languages, {needed} are needed: {language_identifier.INSTALL}")
    transform = parse(method)
    if output.exists():
        raise click.UsageError(f"--output {output} is there already: choose another folder, or remove it.")

    from xlbench.training.debias import Subject
    from xlbench.training.debias import debias as write

    found = write(
        Subject(model_name, model_arguments(model_args), device),
        transform,
        fit_on=fit_on,
        output=output,
        cache_dir=default_cache_dir(cache_dir),
        progress=display(fit_on.name, quiet=quiet),
    )
    click.echo(f"Fitted {found.transform} on {', '.join(found.languages)}.\nSaved to {output}")


def _tables(found: PairFile, summary: Summary) -> list[Table]:
    from xlbench.reports.cells import Table, row

    name = found.path.name
    lengths = ("different", "median", "longest")
    header = ("language", "queries", *lengths, "passages", *lengths, "negatives")
    rows = [
        row(each.language, *_cells(each.queries), *_cells(each.passages), each.n_negatives)
        for each in summary.languages
    ]
    note = (
        f"{summary.n_rows:,} rows with {summary.n_passages:,} passages; {summary.n_monolingual:,} are in one language "
        f"only. Lengths in characters. sha256 {found.sha256}"
    )
    matrix = [row(a, *counts) for a, counts in zip(found.languages, summary.pairs, strict=True)]
    title = f"{name}: rows by language of the query (down) and of the passage"
    return [Table(f"{name}: texts", header, tuple(rows), note), Table(title, ("", *found.languages), tuple(matrix))]


def _overlap_tables(found: PairFile, overlaps: Sequence[Overlap]) -> list[Table]:
    from xlbench.reports.cells import Table, row

    name = found.path.name
    header = ("task", "languages", "rows", "word by word", "queries", "passages", "of both")
    rows = [
        row(
            each.task,
            " ".join(each.languages),
            each.n_rows,
            each.n_equal,
            each.n_queries,
            each.n_passages,
            each.n_evaluated,
        )
        for each in overlaps
    ]
    note = (
        "Rows that have a text of the task, word by word or at least half of its n-grams, and how many of the task's "
        "queries and relevant passages they know. Irrelevant passages are not compared."
    )
    tables = [Table(f"{name}: overlap with the tasks at hand", header, tuple(rows), note)]
    examples = [
        row(each.task, match.row, match.evaluated, f"{match.share:.0%}") for each in overlaps for match in each.examples
    ]
    if examples:
        columns = ("task", "row", "text of the task", "of it")
        tables.append(Table(f"{name}: overlap, for example", columns, tuple(examples)))
    return tables


def _cells(side: Side) -> tuple[Cell | int, ...]:
    from xlbench.reports.cells import EMPTY

    return (side.n, side.n_different, side.median, side.longest) if side.n else (0, 0, EMPTY, EMPTY)
