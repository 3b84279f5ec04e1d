"""``xlbench train``."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from xlbench.cli.option_values import language_temperature, weighted
from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    model_arguments,
    writable,
)
from xlbench.errors import TrainingError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.training.pairs import PairFile
    from xlbench.training.run import TrainingRun
    from xlbench.training.train import Trained

_NO_PART = ("output", "data_dir", "cache_dir", "resume", "quiet", "device")


@click.command(cls=ManyValues)
@click.option("--init", required=True, help="The model to train: a folder or a Hub id.")
@click.option(
    "--pairs",
    "pairs",
    multiple=True,
    required=True,
    metavar="FILE[:WEIGHT]",
    help="Pair files (JSON lines); the weight says how often each row is used in an epoch.  [default: 1]",
)
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the model.")
@click.option(
    "--recipe",
    default="hybrid",
    show_default=True,
    help="How languages are mixed in batches: hybrid, x-x-mono, x-y, x-x, en-en, sequential, or a YAML file.",
)
@click.option(
    "--alpha", type=click.FloatRange(0, 1), help="Probability of a monolingual batch.  [default: the recipe's]"
)
@click.option("--batch-size", type=click.IntRange(min=2), default=100, show_default=True, help="Rows in a batch.")
@click.option("--steps", type=click.IntRange(min=1), help="Batches to train on.")
@click.option(
    "--epochs", type=click.FloatRange(min=0, min_open=True), help="The same as times through the data.  [default: 1]"
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=3e-5,
    show_default=True,
    help="The highest, after the warm-up; it falls to 0 at the end.",
)
@click.option(
    "--warmup",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of the steps in which the learning rate rises.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    default=0.03,
    show_default=True,
    help="What cosines are divided by in the loss.",
)
@click.option("--symmetric", is_flag=True, help="Have passages find their queries too.")
@click.option("--language", "--languages", "languages", multiple=True, help="Use these only.  [default: all]")
@click.option(
    "--language-sampling",
    default="uniform",
    show_default=True,
    metavar="uniform|size|T",
    help="Draw languages alike, by their number of rows, or by that number to the power 1/T.",
)
@click.option(
    "--negatives",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Hard negatives of each row, from the pair file.",
)
@click.option(
    "--gradient-cache",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="Encode so many texts at a time, twice: large batches in little memory.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Precision of the arithmetic; weights stay float32.",
)
@click.option("--max-query-length", type=click.IntRange(min=3), help="In tokens.  [default: the model's]")
@click.option("--max-passage-length", type=click.IntRange(min=3), help="In tokens.  [default: the model's]")
@click.option("--freeze-embeddings", is_flag=True, help="Leave the word embeddings as they are: less work and memory.")
@click.option(
    "--eval-pairs",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Pair files to measure the loss and RR on, each by itself.",
)
@click.option(
    "--eval-every", type=click.IntRange(min=1), metavar="STEPS", help="Steps between evaluations.  [default: a tenth]"
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="Stop when so many evaluations had no lower loss, and keep the model with the lowest.",
)
@click.option(
    "--save-every",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Steps between checkpoints.  [default: as --eval-every]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of batches and dropout.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda", "mps"]), help="Where to train.  [default: the best there is]"
)
@click.option(
    "--model-arg",
    "model_args",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of --init: query_prompt, passage_prompt, pooling=mean|cls|last or revision.  [default: its own]",
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --output.")
@click.option("--allow-overlap", is_flag=True, help="Train although pairs overlap with evaluation tasks at hand.")
@data_dir_option
@cache_dir_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def train(context: click.Context, /, **_: object) -> None:
    """Train an encoder on parallel pairs, in monolingual and cross-lingual batches.

    OUTPUT becomes a sentence-transformers folder with a model card. The pairs are compared with the evaluation tasks
    that are at hand (--data-dir), and an overlap stops the run. Training that was interrupted goes on with --resume,
    and gives the same weights. Several processes: torchrun --nproc-per-node N -m xlbench train ...
    """
    given = _Given(context)
    is_first = os.environ.get("RANK", "0") == "0"
    quiet = given.flag("quiet") or not is_first
    output = given.path("output")
    if given.flag("resume") and (output / "modules.json").exists():
        click.echo(f"The model was there: {output}")
        return
    run = _run(given)
    validation = [_read(path) for path in context.params["eval_pairs"]]
    notes = _overlap(run, given, quiet=quiet) if is_first else []
    writable(run.output)

    # Only here, because it imports torch, which takes longer than finding that a pair file is broken.
    from xlbench.training.train import train as start

    try:
        trained = start(
            run,
            validation=validation,
            notes=notes,
            resume=given.flag("resume"),
            progress=display(run.recipe.name, quiet=quiet),
            tell=None if quiet else lambda line: print(line, file=sys.stderr),
        )
    except KeyboardInterrupt as interrupted:
        click.echo(
            f"xlbench: {interrupted or 'Interrupted. Add --resume to go on from the last checkpoint.'}", err=True
        )
        raise click.exceptions.Exit(130) from None
    if trained is not None:
        click.echo(_summary(run, trained))


@dataclass(frozen=True)
class _Given:
    """The values of the options."""

    context: click.Context

    def flag(self, name: str) -> bool:
        return bool(self.context.params[name])

    def path(self, name: str) -> Path:
        return Path(self.context.params[name])

    def command(self) -> str:
        """The command that gives this model again; where its files are is no part of it."""
        words = ["xlbench", "train"]
        for option in self.context.command.params:
            name, value = option.name or "", self.context.params.get(option.name or "")
            commandline = self.context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if not commandline or name in _NO_PART:
                continue
            words.append(option.opts[0])
            if isinstance(value, tuple):
                words += [str(item) for item in value]
            elif value is not True:
                words.append(str(value))
        return shlex.join(words)


def _run(given: _Given) -> TrainingRun:
    """The run that the options ask for; the pair files are read."""
    from xlbench.training.data import Data
    from xlbench.training.recipes import load
    from xlbench.training.run import Init, Optimisation, TrainingRun, Watch

    options = given.context.params
    recipe = load(options["recipe"])
    if options["alpha"] is not None:
        recipe = recipe.with_alpha(options["alpha"])
    named = [weighted(pair) for pair in options["pairs"]]
    data = Data.of(
        [_read(pair.path) for pair in named], weights=[p.weight for p in named], languages=options["languages"]
    )
    if options["patience"] and not options["eval_pairs"]:
        raise click.UsageError("--patience needs --eval-pairs.")
    if options["steps"] is not None and options["epochs"] is not None:
        raise click.UsageError("Give --steps or --epochs, not both.")
    uses = sum(len(file.rows) * weight for file, weight in zip(data.files, data.weights, strict=True))
    steps = options["steps"] or max(1, round((options["epochs"] or 1) * uses / options["batch_size"]))
    eval_every = options["eval_every"] or max(1, steps // 10)
    return TrainingRun(
        Init(
            options["init"],
            model_arguments(options["model_args"]),
            options["max_query_length"],
            options["max_passage_length"],
            options["freeze_embeddings"],
        ),
        recipe,
        Optimisation(
            steps=steps,
            batch_size=options["batch_size"],
            learning_rate=options["learning_rate"],
            warmup=options["warmup"],
            temperature=options["temperature"],
            symmetric=options["symmetric"],
            n_negatives=options["negatives"],
            gradient_cache=options["gradient_cache"],
            dtype=options["dtype"],
            seed=options["seed"],
        ),
        language_temperature(options["language_sampling"]),
        data,
        Watch(eval_every if options["eval_pairs"] else 0, options["save_every"] or eval_every, options["patience"]),
        given.path("output"),
        options["device"],
        given.command(),
    )


def _read(path: Path) -> PairFile:
    from xlbench.training.pairs import read_pairs

    return read_pairs(path)


def _overlap(run: TrainingRun, given: _Given, *, quiet: bool) -> list[str]:
    """Sentences on what the pairs have in common with the tasks at hand, for the model card.

    Raises:
        TrainingError: if there is anything, and the user has not allowed it.

    """
    from xlbench.training.overlap import check_overlap

    options = given.context.params
    found = check_overlap(
        run.data.files,
        options["data_dir"],
        cache_dir=default_cache_dir(options["cache_dir"]),
        progress=display("overlap", quiet=quiet),
    )
    overlaps = [overlap for overlap in found if overlap.n_rows]
    if overlaps and not options["allow_overlap"]:
        raise TrainingError(
            f"{' '.join(overlap.describe() for overlap in overlaps)} A model that has seen what it is evaluated on "
            "looks better than it is: take these rows out, or add --allow-overlap, which the model card will say."
        )
    clean = sorted({overlap.task for overlap in found} - {overlap.task for overlap in overlaps})
    said = [f"No overlap was found with {', '.join(clean)}."] if clean else []
    return [*said, *(overlap.describe() for overlap in overlaps)]


def _summary(run: TrainingRun, trained: Trained) -> str:
    """What was trained on what, and where the model is."""
    losses = [record["loss"] for record in trained.history if "loss" in record]
    tenth = max(1, len(losses) // 10)
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in trained.used.batches.items())
    lines = [
        f"{run.recipe.name}: {trained.steps:,} steps ({kinds} batches). The loss was {_mean(losses[:tenth]):.3f} in "
        f"the first tenth and {_mean(losses[-tenth:]):.3f} in the last."
    ]
    lines += [
        f"{file.path.name}: {n:,} uses of {len(file.rows):,} rows"
        for file, n in zip(run.data.files, trained.used.rows, strict=True)
    ]
    return "\n".join([*lines, f"Saved to {run.output}"])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
