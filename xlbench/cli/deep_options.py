"""The options of ``xlbench leaderboard check`` that have a model give its ranks again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import click

from xlbench.cli.options import device_option, number

_SEEDS = 2**32
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class DeepOptions(TypedDict):
    """The values of the options, by the names of the parameters."""

    deep: bool
    model_name: str | None
    model_args: tuple[str, ...]
    fit_on: Path | None
    device: str | None
    sample: int
    passages: float
    seed: int | None
    commit: str | None
    tolerance: float | None
    record: bool
    outcome: Path | None


def _commit(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _COMMIT.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no commit: expected all 40 hexadecimal digits.", context, parameter)
    return value


_OPTIONS = [
    click.option("--deep", is_flag=True, help="Encode a sample of queries and passages, and compare ranks."),
    click.option("--model", "model_name", help="With --deep: the model that the submissions are of."),
    click.option(
        "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="With --deep: argument of the model."
    ),
    click.option(
        "--fit-on",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="With --deep: the parallel text that a submission's --transform was fitted on.",
    ),
    device_option,
    click.option(
        "--sample",
        type=click.IntRange(min=1),
        default=200,
        show_default=True,
        help="With --deep: how many queries to encode.",
    ),
    click.option(
        "--passages",
        type=click.FloatRange(0, 1, min_open=True),
        callback=number,
        default=1.0,
        show_default=True,
        metavar="SHARE",
        help="With --deep: the share of the passages to encode beside those judged for these queries. Less than 1 "
        "makes sample-verified of deep-verified; docs/leaderboard.md says what .1 finds.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, _SEEDS - 1), help="With --deep: which ones.  [default: drawn, and shown]"
    ),
    click.option(
        "--commit",
        callback=_commit,
        metavar="SHA",
        help="With --deep: take the seed from each submission's digest and this commit, made after it was taken.",
    ),
    click.option(
        "--tolerance",
        type=click.FloatRange(0, 0.5),
        callback=number,
        help="With --deep: by how much scores may differ from those of another machine, as a share of the spread of a "
        "query's scores.  [default: from the model's precision]",
    ),
    click.option("--record", is_flag=True, help="With --deep: add what agrees to the records."),
    click.option(
        "--outcome",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --deep: write digest, seed, sample, slack and what was found to this JSON file.",
    ),
]


def deep_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_contradictions(options: DeepOptions) -> None:
    """Returns if the options fit each other.

    Raises:
        UsageError: if not.

    """
    if options["deep"] != (options["model_name"] is not None):
        raise click.UsageError("--deep and --model go together: compared are the ranks that the model gives.")
    for name in ("record", "outcome", "commit"):
        if options[name] and not options["deep"]:
            raise click.UsageError(f"--{name} needs --deep.")
    if options["commit"] is not None and options["seed"] is not None:
        raise click.UsageError("--commit and --seed exclude each other: the seed follows from the commit.")
