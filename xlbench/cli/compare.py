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
from xlbench.errors import ResultError

if TYPE_CHECKING:
    from xlbench.comparison import Comparison
    from xlbench.comparison.arms import SeedComparison

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
@click.option(
    "--paired-by",
    type=click.Choice(["question", "seed"]),
    default="question",
    show_default=True,
    help="With seed, models named ARM-SEED are compared as arms, over the seeds that they share.",
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
    paired_by: str,
    form: str | None,
    output: Path | None,
) -> None:
    """Compare results of one task, OTHERS against BASELINE: is a model better, where, and how sure is that?

    Each is a file, a folder with a model's results, or leaderboard:NAME, a model of leaderboard/submissions.
    Every difference has an interval, an effect size and a paired test, corrected for the number of tests. What is drawn
    are whole clusters of questions, such as those on one article, in however many languages they are asked. With
    --paired-by seed, ways to train are compared: x-y-0 x-y-1 hybrid-0 hybrid-1 are two arms of two seeds.
    """
    form = chosen_form(form, output, _FORMS)
    paths = [baseline, *others]
    _refuse_repeats(paths)

    from xlbench import comparison
    from xlbench.comparison.arms import compare_by_seed
    from xlbench.reports.comparison_tables import comparison_tables, explanation, sentences
    from xlbench.reports.terminal import show, wrapped

    placed = results_of_one_task(paths, task=task_name)
    refuse_overwriting(output, [file for each in placed for file in each.files])
    of, names = [each.result for each in placed], [each.name for each in placed]
    if paired_by == "seed":
        if languages:
            raise click.UsageError("--language is for comparisons by question: leave it or --paired-by seed out.")
        by_seed = compare_by_seed(
            of, names=names, measures=measures, settings=settings, alpha=alpha, equivalent=equivalent
        )
        if not by_seed.differences:
            raise ResultError(f"All results are of {by_seed.baseline}: expected two arms or more, the baseline first.")
        _show_by_seed(by_seed, form, output)
        return
    compared = comparison.compare(
        *of,
        measures=measures,
        settings=settings,
        languages=languages,
        alpha=alpha,
        equivalent=equivalent,
        names=names,
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


def _show_by_seed(by_seed: SeedComparison, form: str, output: Path | None) -> None:
    """The comparison by seed, in a format."""
    from xlbench.reports.formats import as_csv, as_json, markdown
    from xlbench.reports.seed_tables import explanation, seed_records, seed_tables, sentences
    from xlbench.reports.terminal import plain, show, wrapped

    tables = seed_tables(by_seed)
    # Beside a table on a terminal, notes are wrapped.
    bare = [replace(table, note="") for table in tables]
    if form == "table" and output is None:
        show(bare)
        click.echo("\n".join([*map(wrapped, explanation(by_seed)), "", *sentences(by_seed)]))
        return
    texts = {"json": lambda: as_json(seed_records(by_seed)), "csv": lambda: as_csv(seed_records(by_seed))}
    texts["markdown"] = lambda: markdown(tables)
    texts["table"] = lambda: "\n".join([*map(plain, bare), *map(wrapped, explanation(by_seed))]) + "\n"
    write_or_print(texts[form](), output)


def _refuse_repeats(paths: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in paths:
        known = seen.setdefault(path.resolve(), path)
        if known is not path:
            raise click.UsageError(f"{path} is given twice (as {known}): a result cannot be compared with itself.")
