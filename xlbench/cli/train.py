"""``xlbench train``."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import click

from xlbench.cli.option_values import language_temperature, weighted, weighted_losses
from xlbench.cli.options import ManyValues, command_of, default_cache_dir, model_arguments, reach_hub, writable
from xlbench.cli.training_options import TrainingOptions, training_options
from xlbench.errors import TrainingError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.evaluator import Evaluator
    from xlbench.models.protocols import Model
    from xlbench.training.data import Data
    from xlbench.training.recipes import Recipe
    from xlbench.training.run import Optimisation, TrainingRun, Watch
    from xlbench.training.train import Trained

_NO_PART = ("output", "data_dir", "cache_dir", "resume", "quiet", "device")


@click.command(cls=ManyValues)
@training_options
@click.pass_context
def train(context: click.Context, /, **options: Unpack[TrainingOptions]) -> None:
    """Train an encoder on parallel pairs, in monolingual and cross-lingual batches.

    OUTPUT becomes a sentence-transformers folder with a model card. The pairs are compared with the evaluation tasks
    that are at hand (--data-dir), and an overlap stops the run. Training that was interrupted goes on with --resume,
    and gives the same weights. Several processes: torchrun --nproc-per-node N -m xlbench train ...
    """
    from xlbench.support.extras import require
    from xlbench.training import run_folder

    require("train", "Training")
    reach_hub(options["init"])
    is_first = os.environ.get("RANK", "0") == "0"
    quiet = options["quiet"] or not is_first
    run = _run(options, command_of(context, _NO_PART))
    if options["resume"] and run_folder.is_trained(run.output):
        run_folder.check_folder(run.output, run_folder.identity_of(run), resume=True)
        click.echo(f"Model already exists: {run.output}")
        return
    notes = _overlap(run, options, quiet=quiet) if is_first else []
    writable(run.output)

    # Only here, because it imports torch, which takes longer than finding that a pair file is broken.
    from xlbench.training.train import train as start

    try:
        trained = start(
            run,
            tasks=_evaluators(options, run),
            notes=notes,
            resume=options["resume"],
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


def _run(options: TrainingOptions, command: str) -> TrainingRun:
    """The run that the options ask for; the pair files are read."""
    from xlbench.training.recipes import load
    from xlbench.training.run import Init, TrainingRun

    trainer = _trainer(options)
    recipe = load(options["recipe"])
    if options["alpha"] is not None:
        recipe = recipe.with_alpha(options["alpha"])
    if options["losses"]:
        recipe = recipe.with_losses(weighted_losses(options["losses"]))
    teacher = _teacher(options, recipe)
    data = _data(options, recipe)
    optimisation = _optimisation(options, _n_steps(options, recipe, data))
    return TrainingRun(
        Init(
            options["init"],
            model_arguments(options["model_args"]),
            options["max_query_length"],
            options["max_passage_length"],
            options["freeze_embeddings"],
        ),
        recipe,
        optimisation,
        language_temperature(options["language_sampling"]),
        data,
        _watch(options, optimisation.steps),
        options["output"],
        options["device"],
        command,
        trainer,
        teacher,
        options["one_source"],
    )


def _teacher(options: TrainingOptions, recipe: Recipe) -> Model | None:
    """The model whose vectors are to be learnt; its weights are loaded later."""
    from xlbench import models

    name = options["teacher"]
    if (name is not None) != recipe.uses_loss("teacher"):
        raise click.UsageError(
            "The loss teacher needs --teacher MODEL."
            if name is None
            else "--teacher needs a loss that takes it: add --recipe teacher, or --loss teacher info-nce:.2."
        )
    if name is None:
        return None
    reach_hub(name)
    arguments = model_arguments(options["teacher_args"], option="--teacher-arg")
    return models.load(name, device=options["device"], arguments=arguments)


def _trainer(options: TrainingOptions) -> dict[str, Any]:
    """The further arguments of transformers' Trainer."""
    given = model_arguments(options["trainer_args"], option="--trainer-arg")
    if given:
        # Only here, because it imports torch.
        from xlbench.training.trainer_arguments import check

        check(given)
    return given


def _data(options: TrainingOptions, recipe: Recipe) -> Data:
    """The rows of the pair files, in the languages that are named and that the recipe uses."""
    from xlbench.training.data import Data
    from xlbench.training.pairs import read_pairs

    named = [weighted(pair) for pair in options["pairs"]]
    files = [read_pairs(pair.source) for pair in named]
    weights = [pair.weight for pair in named]
    data = Data.of(files, weights=weights, languages=options["languages"])
    used = recipe.languages(data.languages)
    if not used or tuple(used) == tuple(data.languages):
        return data
    # A text of another language would link rows that have nothing to do with each other.
    return Data.of(files, weights=weights, languages=used)


def _n_steps(options: TrainingOptions, recipe: Recipe, data: Data) -> int:
    from xlbench.training.plan import usable

    if options["steps"] is not None and options["epochs"] is not None:
        raise click.UsageError("Give --steps or --epochs, not both.")
    if options["steps"] is not None:
        return options["steps"]
    uses = usable(data.presence, recipe, data.uses)
    return max(1, round((options["epochs"] or 1) * uses / options["batch_size"]))


def _optimisation(options: TrainingOptions, steps: int) -> Optimisation:
    from xlbench.training.run import Optimisation

    if not options["negatives"] and (options["negatives_among"] != "passage" or options["negative_margin"] is not None):
        raise click.UsageError("--negatives-in and --negative-margin choose hard negatives: add --negatives N.")
    return Optimisation(
        steps=steps,
        batch_size=options["batch_size"],
        learning_rate=options["learning_rate"],
        warmup=options["warmup"],
        temperature=options["temperature"],
        symmetric=options["symmetric"],
        n_negatives=options["negatives"],
        negatives_among=options["negatives_among"],
        negative_margin=options["negative_margin"],
        dimensions=tuple(sorted(set(options["matryoshka"]), reverse=True)),
        gradient_cache=options["gradient_cache"],
        dtype=options["dtype"],
        seed=options["seed"],
        max_grad_norm=options["max_grad_norm"],
        weight_decay=options["weight_decay"],
    )


def _watch(options: TrainingOptions, steps: int) -> Watch:
    from xlbench.training.pairs import read_pairs
    from xlbench.training.run import Watch

    is_measured = bool(options["eval_pairs"] or options["eval_tasks"])
    for name, value in (("patience", options["patience"]), ("eval-every", options["eval_every"])):
        if value and not is_measured:
            raise click.UsageError(f"--{name} needs --eval-pairs or --eval-task.")
    if options["best_by"] and not options["patience"]:
        raise click.UsageError("--best-by needs --patience.")
    eval_every = options["eval_every"] or max(1, steps // 10)
    return Watch(
        eval_every if is_measured else 0,
        options["save_every"] or eval_every,
        options["patience"],
        options["best_by"],
        tuple(read_pairs(path) for path in dict.fromkeys(options["eval_pairs"])),
        options["eval_rows"],
        tuple(dict.fromkeys(options["eval_tasks"])),
    )


def _evaluators(options: TrainingOptions, run: TrainingRun) -> list[Evaluator]:
    from xlbench.evaluator import Evaluator

    cache_dir = default_cache_dir(options["cache_dir"])
    return [Evaluator(task, cache=cache_dir, data_dir=options["data_dir"]) for task in run.watch.tasks]


def _overlap(run: TrainingRun, options: TrainingOptions, *, quiet: bool) -> list[str]:
    """Sentences on what the pairs have in common with the tasks at hand, for the model card.

    Raises:
        TrainingError: if there is anything, and the user has not allowed it.

    """
    from xlbench.training.overlap import check_overlap

    compared = check_overlap(
        run.data.files,
        options["data_dir"],
        cache_dir=default_cache_dir(options["cache_dir"]),
        progress=display("overlap", quiet=quiet),
    )
    overlaps = [overlap for overlap in compared if overlap.n_rows]
    if overlaps and not options["allow_overlap"]:
        raise TrainingError(
            f"{' '.join(overlap.describe() for overlap in overlaps)} A model that has seen what it is evaluated on "
            "looks better than it is: take these rows out, or add --allow-overlap, which the model card will say."
        )
    clean = sorted({overlap.task for overlap in compared} - {overlap.task for overlap in overlaps})
    said = [f"No overlap was found with {', '.join(clean)}."] if clean else []
    return [*said, *(overlap.describe() for overlap in overlaps)]


def _summary(run: TrainingRun, trained: Trained) -> str:
    """What was trained on what, and where the model is."""
    losses = [record["loss"] for record in trained.history if "loss" in record]
    tenth = max(1, len(losses) // 10)
    lines = [
        f"{run.recipe.name}: {trained.steps:,} steps. Batches: {trained.used.shares()}. The loss was "
        f"{_mean(losses[:tenth]):.3f} in the first tenth and {_mean(losses[-tenth:]):.3f} in the last."
    ]
    lines += [
        f"{file.path.name}: {n:,} uses of {len(file.rows):,} rows"
        for file, n in zip(run.data.files, trained.used.rows, strict=True)
    ]
    return "\n".join([*lines, f"Saved to {run.output}"])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
