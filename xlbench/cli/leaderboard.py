"""``xlbench leaderboard``: checks submissions and shows them; ``site`` has the commands that build its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    chosen_form,
    data_dir_option,
    default_cache_dir,
    device_option,
    format_option,
    number,
    output_option,
    write_or_print,
)
from xlbench.cli.site import SUBMISSIONS, build, jobs_option, records_option, serve
from xlbench.errors import SubmissionError, UnknownNameError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.cli.deep_check import Agreeing
    from xlbench.leaderboard.checks import Checked
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.submission import Submission
    from xlbench.leaderboard.summary import Summary
    from xlbench.reports.cells import Table

T = TypeVar("T")
_SEEDS = 2**32

_FORMS = ("table", "markdown")
form_option = format_option(_FORMS)


@click.group()
def leaderboard() -> None:
    """Check submissions to the leaderboard, show them, and build its pages."""


leaderboard.add_command(build)
leaderboard.add_command(serve)


@leaderboard.command(cls=ManyValues)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@data_dir_option
@cache_dir_option
@records_option
@form_option
@output_option
@jobs_option
@click.option("--deep", is_flag=True, help="Encode a sample of queries and all passages, and compare ranks.")
@click.option("--model", "model_name", help="With --deep: the model that the submissions are of.")
@click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="With --deep: argument of the model."
)
@click.option(
    "--fit-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --deep: the parallel text that a submission's --transform was fitted on.",
)
@device_option
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="With --deep: how many queries to encode.",
)
@click.option(
    "--seed", type=click.IntRange(0, _SEEDS - 1), help="With --deep: which ones.  [default: drawn, and shown]"
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 0.5),
    callback=number,
    help="With --deep: by how much scores may differ from those of another machine, as a share of the spread of a "
    "query's scores.  [default: from the model's precision]",
)
@click.option("--record", is_flag=True, help="With --deep: add what agrees to the records.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def check(
    *,
    paths: tuple[Path, ...],
    data_dir: Path | None,
    cache_dir: Path | None,
    records: Path,
    form: str | None,
    output: Path | None,
    jobs: int | None,
    deep: bool,
    model_name: str | None,
    model_args: tuple[str, ...],
    fit_on: Path | None,
    device: str | None,
    sample: int,
    seed: int | None,
    tolerance: float | None,
    record: bool,
    quiet: bool,
) -> None:
    """Check submissions: compute every number again from the evidence, and name those that do not follow from it.

    PATH is the folder of a submission, of a model or of all, by default leaderboard/submissions. Nothing in it is
    executed or followed. Judged pairs are held against checksums that come with xlbench, or, where there are none,
    against the data (--data-dir). Exits with 1 if a submission is not taken.
    """
    form = chosen_form(form, output, _FORMS)
    if deep != (model_name is not None):
        raise click.UsageError("--deep and --model go together: compared are the ranks that the model gives.")
    if record and not deep:
        raise click.UsageError("--record needs --deep.")

    from xlbench.cli.deep_check import Again, drawn_seed, load_model, record_all
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.summary import Summary

    options = Options(_verified(records), data_dir, default_cache_dir(cache_dir), jobs)
    submissions = _checked(paths or (SUBMISSIONS,), options, Summary.of, quiet=quiet)
    write_or_print(_text(submissions, form), output)
    sound = [each.folder for each in submissions if not each.problems]
    agreeing: list[Agreeing | None] = []
    if model_name is not None:
        model = load_model(model_name, model_args, device)
        again = Again(model, fit_on, tolerance, sample, drawn_seed() if seed is None else seed)
        agreeing = [again.compare(folder, options, quiet=quiet) for folder in sound]
    if record:
        record_all([each for each in agreeing if each], records)
    if len(sound) < len(submissions) or None in agreeing:
        raise click.exceptions.Exit(1)


@leaderboard.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=SUBMISSIONS)
@click.option("--task", "task_name", help="Show this task only.  [default: all that have submissions]")
@click.option(
    "--sort", "measure", help="Measure to sort by: the task's headline, RankDistance or LPR.  [default: the headline]"
)
@click.option(
    "--target",
    type=float,
    callback=number,
    help="Sort by the distance from this value, such as the LPR that you want: 1 for readers of their own language.",
)
@click.option(
    "--setting",
    "kind",
    type=click.Choice(["mono", "cross", "multi"]),
    default="multi",
    show_default=True,
    help="Kind of setting to sort and rank by.",
)
@records_option
@jobs_option
@form_option
@output_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
def show(
    *,
    path: Path,
    task_name: str | None,
    measure: str | None,
    target: float | None,
    kind: str,
    records: Path,
    jobs: int | None,
    form: str | None,
    output: Path | None,
    quiet: bool,
) -> None:
    """Show the leaderboard of the sound submissions in PATH (by default leaderboard/submissions), each task a table.

    A rank is 1 + the number of models that are significantly better. What is not sound is named, and left out.
    """
    from xlbench.leaderboard import board
    from xlbench.leaderboard.pool import Options

    form = chosen_form(form, output, _FORMS)
    submissions = _checked((path,), Options(_verified(records), jobs=jobs), board.BoardRow.of, quiet=quiet)
    for each in (each for each in submissions if each.problems):
        click.echo(f"Left out: {each.folder}: {each.problems[0]}", err=True)
    rows = [replace(each.extracted, level=each.level) for each in submissions if each.extracted is not None]
    boards = {each.task: each for each in board.boards(rows)}
    if task_name is not None and task_name not in boards:
        raise UnknownNameError("task", task_name, boards, hint="Shown are tasks that have submissions.")
    tables = []
    for each_board in boards.values():
        if task_name in (None, each_board.task):
            wanted = measure or each_board.headline
            kinds_with = [of for of, name in board.columns_of(each_board.headline) if name == wanted]
            if not kinds_with:
                columns = dict.fromkeys(name for _, name in board.columns_of(each_board.headline))
                raise UnknownNameError("measure", wanted, columns, hint="The leaderboard can be sorted by these.")
            # A measure of language bias is there for one kind of setting.
            column = next((of for of in kinds_with if of == kind), kinds_with[0])
            tables.append(board.table(each_board, (column, wanted), target=target))
    write_or_print(_drawn(tables, form), output)


def _verified(records: Path) -> frozenset[str]:
    from xlbench.leaderboard.deep_records import load_records

    return frozenset(load_records(records))


def _checked(
    paths: tuple[Path, ...], options: Options, extract: Callable[[Submission], T], *, quiet: bool
) -> list[Checked[T]]:
    """What is found out about the submissions in these paths, with progress."""
    from xlbench.leaderboard.pool import check_all
    from xlbench.leaderboard.submission import find

    n_submissions = sum(1 for _ in find(path for path in paths if path.exists()))
    if not n_submissions:
        raise SubmissionError(
            f"There are no submissions in {' and '.join(map(str, paths))}; expected <model>/<task>/manifest.json."
        )
    submissions = []
    with display("leaderboard", quiet=quiet)(
        "checking", n_texts=n_submissions, n_characters=n_submissions, noun="submissions"
    ) as advance:
        for checked in check_all(paths, extract=extract, options=options):
            submissions.append(checked)
            advance(texts=1, characters=1, stored=False)
    return submissions


def _text(submissions: list[Checked[Summary]], form: str) -> str:
    """The sound submissions, those that are not taken, and how many there are of each."""
    from xlbench.leaderboard.summary import remarks, taken

    refused = sum(1 for each in submissions if each.problems)
    tables = [taken(submissions), remarks(submissions, problems=True), remarks(submissions, problems=False)]
    counts = f"{len(submissions) - refused:,} of {len(submissions):,} submissions can be taken."
    return f"{_drawn([table for table in tables if table.rows], form)}{counts}\n"


def _drawn(tables: Sequence[Table], form: str) -> str:
    from xlbench.reports.formats import markdown
    from xlbench.reports.terminal import plain

    return "\n".join(map(plain, tables)) + "\n" * bool(tables) if form == "table" else markdown(tables) + "\n"
