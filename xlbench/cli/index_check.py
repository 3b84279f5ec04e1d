"""``xlbench index-check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    chosen_form,
    default_cache_dir,
    device_option,
    format_option,
    model_arg_option,
    model_arguments,
    model_or_vectors_options,
    output_option,
    quiet_option,
    reach_hub,
    refuse_overwriting,
    write_or_print,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlbench.examination.own_index import OwnIndex
    from xlbench.models.protocols import Model
    from xlbench.remedies import Remedies
    from xlbench.reports.cells import Table
    from xlbench.support.progress import Progress

_FORMS = ("table", "markdown", "latex", "html", "json")
_COLUMNS = ("text", "id", "language")


@click.command("index-check", cls=ManyValues)
@click.argument("index", metavar="INDEX", type=click.Path(exists=True, path_type=Path))
@model_or_vectors_options[0]
@model_or_vectors_options[1]
@model_arg_option
@click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Queries, a row each: query, and passage_id and language where they are known.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KEY=NAME",
    help=f"Which column of INDEX has the {', the '.join(_COLUMNS)}.  [default: those so named, or usually so]",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Draw at most N passages of the index.  [default: all]"
)
@click.option("--remedies", "mend", is_flag=True, help="Try each remedy on the queries whose passage is known.")
@cache_dir_option
@device_option
@format_option(_FORMS)
@output_option
@quiet_option
def index_check(
    *,
    index: Path,
    model_name: str | None,
    vectors: str | None,
    model_args: tuple[str, ...],
    queries: Path | None,
    columns: tuple[str, ...],
    limit: int | None,
    mend: bool,
    cache_dir: Path | None,
    device: str | None,
    form: str | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Say what is wrong with an index of several languages, without parallel text and without judgements.

    INDEX is a parquet, CSV or JSONL file with a passage a row, a folder of such files, or one in BEIR form. Languages
    that no column says are identified. Queries that name the passage that answers them show what mixing costs.
    """
    form = chosen_form(form, output, _FORMS)
    refuse_overwriting(output, [index, queries])
    if mend and queries is None:
        raise click.UsageError("--remedies needs --queries whose passage_id is known.")
    if (model_name is None) == (vectors is None):
        raise click.UsageError("Name a --model that encodes INDEX, or --vectors that it has of its own.")
    arguments = model_arguments(model_args)
    named = _named(columns)

    from xlbench.examination.index_check import check_index
    from xlbench.examination.own_index import OwnIndex
    from xlbench.reports.index_tables import index_record, index_tables, sentences
    from xlbench.reports.remedy_tables import remedy_tables, variants
    from xlbench.reports.remedy_tables import sentences as of_remedies
    from xlbench.reports.terminal import show, wrapped
    from xlbench.support.progress import display

    own = OwnIndex.read(index, queries=queries, columns=named, limit=limit, vectors=vectors)
    if mend and not len(own.collection.pairs):
        raise click.UsageError(f"--remedies needs queries whose passage is known: {queries} has no passage_id.")
    model = _loaded(own, model_name, device=device, arguments=arguments)
    progress = display(index.name, quiet=quiet)
    folder = default_cache_dir(cache_dir)
    checked = check_index(own, model, cache_dir=folder, progress=progress)
    tried = _tried(own, model, folder, progress) if mend else None
    tables, said = index_tables(checked, index.name), sentences(checked, index.name)
    if tried:
        tables += remedy_tables(tried, index.name)
        said = [*said[:-1], *of_remedies(tried, whole="of all these queries")]
    if form == "json":
        record = dict(index_record(checked, index.name)) | {"remedies": variants(tried).records() if tried else []}
        write_or_print(json.dumps(record, indent=1, ensure_ascii=False) + "\n", output)
    elif form == "table" and output is None:
        show(tables)
        click.echo("\n".join(map(wrapped, said)))
    else:
        write_or_print(_text(f"{model.name} on {index.name}", tables, said, form), output)


def _loaded(own: OwnIndex, name: str | None, *, device: str | None, arguments: dict[str, Any]) -> Model:
    """The model of this name, or the vectors that stand for one."""
    from xlbench.models import load

    if name is not None:
        reach_hub(name)
    return load(own.vectors or name, device=device, arguments=arguments)


def _text(title: str, tables: Sequence[Table], said: Sequence[str], form: str) -> str:
    """The tables in a format, with what a person would say where it has room for sentences."""
    from xlbench.reports.formats import markdown
    from xlbench.reports.html import render_tables
    from xlbench.reports.latex import latex_tables
    from xlbench.reports.terminal import plain

    if form == "html":
        return render_tables(title, tables, said)
    if form == "latex":
        return latex_tables(tables)
    body = markdown(tables) if form == "markdown" else "\n".join(map(plain, tables))
    return body + "\n" + "\n".join(said) + "\n"


def _tried(own: OwnIndex, model: Model, cache_dir: Path, progress: Progress) -> Remedies:
    """Each remedy on the queries whose passage is known."""
    from xlbench.job import Job
    from xlbench.remedies import remedies

    return remedies(model, Job.of(own.collection), own.collection, cache_dir=cache_dir, progress=progress)


def _named(columns: tuple[str, ...]) -> dict[str, str]:
    """``KEY=NAME`` pairs as names of columns."""
    named = {}
    for column in columns:
        key, equals, name = column.partition("=")
        if not equals or not name or key not in _COLUMNS or key in named:
            raise click.BadParameter(
                f"{column!r} is not KEY=NAME, each KEY once: {', '.join(_COLUMNS)}.", param_hint="--column"
            )
        named[key] = name
    return named
