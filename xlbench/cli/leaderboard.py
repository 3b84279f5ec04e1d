"""``xlbench leaderboard``: checks submissions and shows them; ``site`` has the commands that build its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, Unpack

import click

from xlbench.cli.deep_options import DeepOptions, deep_options, refuse_contradictions
from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    chosen_form,
    data_dir_option,
    default_cache_dir,
    format_option,
    number,
    output_option,
    write_or_print,
)
from xlbench.cli.site import SUBMISSIONS, build, jobs_option, records_option, serve
from xlbench.errors import SubmissionError, UnknownNameError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.leaderboard.checks import Checked
    from xlbench.leaderboard.levels import Level
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.submission import Submission
    from xlbench.leaderboard.summary import Summary
    from xlbench.reports.cells import Table

T = TypeVar("T")

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
@deep_options
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
    quiet: bool,
    **deep: Unpack[DeepOptions],
) -> None:
    """Check submissions: compute every number again from the evidence, and name those that do not follow from it.

    PATH is the folder of a submission, of a model or of all, by default leaderboard/submissions. Nothing in it is
    executed or followed. Judged pairs are held against checksums that come with xlbench, or, where there are none,
    against the data (--data-dir). Exits with 1 if a submission is not taken.
    """
    form = chosen_form(form, output, _FORMS)
    refuse_contradictions(deep)

    from xlbench.cli.deep_check import compare_all
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.summary import Summary

    options = Options(_on_record(records), data_dir, default_cache_dir(cache_dir), jobs)
    submissions = _checked(paths or (SUBMISSIONS,), options, Summary.of, quiet=quiet)
    write_or_print(_text(submissions, form), output)
    sound = [each.folder for each in submissions if not each.problems]
    agrees = not deep["deep"] or compare_all(sound, options, records=records, options=deep, quiet=quiet)
    if len(sound) < len(submissions) or not agrees:
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
    submissions = _checked((path,), Options(_on_record(records), jobs=jobs), board.BoardRow.of, quiet=quiet)
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


@leaderboard.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=SUBMISSIONS)
@records_option
@jobs_option
@form_option
@output_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
def queue(*, path: Path, records: Path, jobs: int | None, form: str | None, output: Path | None, quiet: bool) -> None:
    """Show which sound submissions in PATH wait for a check with their model: what would rank first comes first."""
    from xlbench.leaderboard.board import BoardRow
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.waiting import table, waiting

    form = chosen_form(form, output, _FORMS)
    queued = waiting(_checked((path,), Options(_on_record(records), jobs=jobs), BoardRow.of, quiet=quiet))
    text = _drawn([table(queued)], form) if queued else "No submission waits for a check with its model.\n"
    write_or_print(text, output)


def _on_record(records: Path) -> dict[str, Level]:
    from xlbench.leaderboard.deep_records import levels, load_records

    return levels(load_records(records))


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
