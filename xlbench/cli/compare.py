"""``xlbench compare``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.completed_values import language_values, task_values
from xlbench.cli.options import (
    ManyValues,
    chosen_form,
    format_option,
    number,
    output_option,
    refuse_overwriting,
    write_or_print,
)
from xlbench.cli.result_places import ResultPlace, results_of_one_task

if TYPE_CHECKING:
    from xlbench.comparison import Comparison

_FORMS = ("table", "markdown", "csv", "json")


@click.command(cls=ManyValues)
@click.argument("baseline", type=ResultPlace())
@click.argument("others", nargs=-1, required=True, type=ResultPlace())
@click.option(
    "--task",
    "task_name",
    shell_complete=task_values,
    help="Compare results of this task.  [default: the one that all of them have]",
)
@click.option("--measure", "measures", multiple=True, help="Measures to compare by.  [default: the task's headline]")
@click.option(
    "--setting",
    "settings",
    multiple=True,
    help="Kinds of setting (mono, cross, multi), or settings by name, such as 'de>en' or 'de>*'.  [default: all kinds]",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    shell_complete=language_values,
    help="Queries in these languages only; their passages stay in the pools.  [default: all]",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0.001, 0.5),
    default=0.05,
    callback=number,
    show_default=True,
    help="The chance of any false 'better' or 'worse'; intervals are at the level 1 - ALPHA.",
)
@click.option(
    "--equivalent",
    type=click.FloatRange(min=0, min_open=True),
    callback=number,
    metavar="BOUND",
    help="Call a difference 'equivalent' that is shown to be smaller than this.  [default: nothing is]",
)
@format_option(_FORMS)
@output_option
def compare(
    *,
    baseline: Path,
    others: tuple[Path, ...],
    task_name: str | None,
    measures: tuple[str, ...],
    settings: tuple[str, ...],
    languages: tuple[str, ...],
    alpha: float,
    equivalent: float | None,
    form: str | None,
    output: Path | None,
) -> None:
    """Compare results of one task, OTHERS against BASELINE: is a model better, where, and how sure is that?

    Each is a file, a folder with a model's results, or leaderboard:NAME, a model of leaderboard/submissions.
    Every difference has an interval, an effect size and a paired test, corrected for the number of tests. What is drawn
    are whole clusters of questions, such as those on one article, in however many languages they are asked.
    """
    form = chosen_form(form, output, _FORMS)
    paths = [baseline, *others]
    _refuse_repeats(paths)

    from xlbench import comparison
    from xlbench.reports.comparison_tables import comparison_tables, explanation, sentences
    from xlbench.reports.terminal import show, wrapped

    placed = results_of_one_task(paths, task=task_name)
    refuse_overwriting(output, [file for each in placed for file in each.files])
    compared = comparison.compare(
        *(each.result for each in placed),
        measures=measures,
        settings=settings,
        languages=languages,
        alpha=alpha,
        equivalent=equivalent,
        names=[each.name for each in placed],
    )
    if form == "table" and output is None:
        show(comparison_tables(compared))
        click.echo("\n".join([*map(wrapped, explanation(compared)), "", *sentences(compared)]))
        return
    if output is not None:
        click.echo("\n".join(sentences(compared)))
    write_or_print(_text(compared, form), output)


def _text(compared: Comparison, form: str) -> str:
    """The comparison in a format."""
    from xlbench.reports import comparison_tables
    from xlbench.reports.formats import as_csv, markdown
    from xlbench.reports.terminal import plain, wrapped

    if form == "json":
        return comparison_tables.comparison_json(compared)
    if form == "csv":
        return as_csv(comparison_tables.difference_records(compared))
    tables = comparison_tables.comparison_tables(compared)
    explained, summed = comparison_tables.explanation(compared), comparison_tables.sentences(compared)
    if form == "markdown":
        # As the note of a table, where names of models are escaped.
        note = " ".join(filter(None, [tables[-1].note, *explained, *summed]))
        return markdown([*tables[:-1], replace(tables[-1], note=note)])
    return "\n".join([*map(plain, tables), *map(wrapped, explained), "", *summed]) + "\n"


def _refuse_repeats(paths: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in paths:
        known = seen.setdefault(path.resolve(), path)
        if known is not path:
            raise click.UsageError(f"{path} is given twice (as {known}): a result cannot be compared with itself.")
