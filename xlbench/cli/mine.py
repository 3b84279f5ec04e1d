"""``xlbench mine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    default_cache_dir,
    device_option,
    in_a_folder,
    model_arg_option,
    model_arguments,
    model_option,
    pair_file,
    quiet_option,
    reach_hub,
    refuse_overwriting,
)
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.training.negatives import Among


@click.command(cls=ManyValues)
@model_option
@model_arg_option
@click.option("--pairs", "path", required=True, type=pair_file, help="File of pairs, JSON lines.")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=in_a_folder,
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
@click.option(
    "--judge",
    metavar="RERANKER",
    help="Have a reranker score the rows' passages and negatives: --negative-margin and --loss of `train` use that.",
)
@click.option("--judge-arg", "judge_args", multiple=True, metavar="KEY=VALUE", help="Argument of the reranker.")
@cache_dir_option
@device_option
@quiet_option
def mine(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    path: Path,
    output: Path,
    n: int,
    among: Among,
    margin: float | None,
    judge: str | None,
    judge_args: tuple[str, ...],
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
    reach_hub(model_name, *filter(None, [judge]))
    if judge_args and not judge:
        raise click.UsageError("--judge-arg needs --judge.")
    arguments = model_arguments(judge_args, option="--judge-arg")
    reranking = models.load_reranking(judge, device=device, arguments=arguments) if judge else None
    model = models.load(model_name, device=device, arguments=model_arguments(model_args))

    # Only here, because it imports torch, which takes longer than finding that there is no such model.
    from xlbench.training.negatives import Mining, write_mined
    from xlbench.training.negatives import mine as find

    mining = Mining(n, among, margin)
    progress = display(path.name, quiet=quiet)
    mined = find(path, model, mining, cache_dir=default_cache_dir(cache_dir), progress=progress)
    scores = {}
    if reranking is not None:
        from xlbench.training.judge import judged
        from xlbench.training.pairs import read_pairs

        scores = judged(read_pairs(path), mined, reranking, progress=progress)
    write_mined(path, mined, output, scores)
    n_all = sum(len(texts) for of_row in mined.negatives.values() for texts in of_row.values())
    click.echo(
        f"{n_all:,} negatives for {mined.n_queries:,} queries; {mined.n_short:,} have fewer than {n}.\n"
        f"Saved to {output}"
    )
