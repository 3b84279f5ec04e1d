"""``xlbench pairs``."""

from __future__ import annotations

import io
import sys
from dataclasses import asdict
from pathlib import Path

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    chosen_form,
    data_dir_option,
    default_cache_dir,
    format_option,
    output_option,
    pair_file,
    quiet_option,
    refuse_overwriting,
    write_or_print,
)
from xlbench.support.progress import display

_FORMS = ("table", "json")


@click.command(cls=ManyValues)
@click.argument("files", nargs=-1, required=True, type=pair_file, metavar="FILE...")
@click.option("--overlap/--no-overlap", default=True, help="Compare with the tasks at hand.  [default: yes]")
@data_dir_option
@cache_dir_option
@format_option(_FORMS)
@output_option
@quiet_option
def pairs(
    *,
    files: tuple[Path, ...],
    overlap: bool,
    data_dir: Path | None,
    cache_dir: Path | None,
    form: str | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Show what files of pairs hold, and whether tasks have the same texts.

    FILE has JSON lines, plain or gzip: {"id": ..., "queries": {LANGUAGE: TEXT}, "passages": {LANGUAGE: TEXT}}. It is
    compared with the queries and the relevant passages of all tasks whose files are here; nothing is downloaded.
    """
    from xlbench.reports.formats import as_json
    from xlbench.reports.pair_tables import overlap_tables, pair_tables
    from xlbench.reports.terminal import show
    from xlbench.training.overlap import check_overlap
    from xlbench.training.pair_counts import counts_of
    from xlbench.training.pairs import read_pairs

    form = chosen_form(form, output, _FORMS)
    refuse_overwriting(output, files)
    text = io.StringIO()
    target = sys.stdout if output is None and form == "table" else text
    records = []
    for path in dict.fromkeys(files):
        pairs_of_file = read_pairs(path)
        counts = counts_of(pairs_of_file)
        progress = display(path.name, quiet=quiet)
        overlaps = (
            check_overlap([pairs_of_file], data_dir, cache_dir=default_cache_dir(cache_dir), progress=progress)
            if overlap
            else ()
        )
        if form == "json":
            shared = [asdict(each) | {"path": str(path)} for each in overlaps]
            records.append({"path": str(path), "sha256": pairs_of_file.sha256, **asdict(counts), "overlap": shared})
        else:
            tables = pair_tables(pairs_of_file, counts) + (overlap_tables(path.name, overlaps) if overlap else [])
            show(tables, file=target)
    if form == "json":
        text.write(as_json(records))
    if target is text:
        write_or_print(text.getvalue(), output)
