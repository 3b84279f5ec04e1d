"""What the options of ``xlbench train`` ask for: a run, what its pairs overlap with, and what came of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.option_values import language_temperature, lora_of, source_prompts, weighted, weighted_losses
from xlbench.cli.options import default_cache_dir, model_arguments, reach_hub, writable
from xlbench.cli.training_options import TrainingOptions
from xlbench.errors import TrainingError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.evaluator import Evaluator
    from xlbench.models.protocols import Model
    from xlbench.training.data import Data, SourcePrompts
    from xlbench.training.pairs import PairFile
    from xlbench.training.recipes import Recipe
    from xlbench.training.run import Optimisation, TrainingRun, Watch
    from xlbench.training.trained import Trained

NO_PART = ("sweep", "output", "data_dir", "cache_dir", "resume", "quiet", "device")
"""Options that change nothing of the model."""


class SharedPairs:
    """Pair files that were read, and the data made of them: several runs share both."""

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        """Where files that do not fit into memory are kept."""
        self._files: dict[str, PairFile] = {}
        self._data: dict[tuple[object, ...], Data] = {}

    def read(self, source: Path | str) -> PairFile:
        """A pair file, read once."""
        from xlbench.training.pairs import read_pairs

        if str(source) not in self._files:
            self._files[str(source)] = read_pairs(source, store=self._store)
        return self._files[str(source)]

    def data(
        self,
        sources: Sequence[str],
        weights: Sequence[float],
        languages: Sequence[str],
        prompts: Sequence[SourcePrompts],
    ) -> Data:
        """The rows of these files in these languages, the same object for the same."""
        from xlbench.training.data import Data

        key = (tuple(sources), tuple(weights), tuple(languages), tuple(prompts))
        if key not in self._data:
            files = [self.read(source) for source in sources]
            self._data[key] = Data.of(files, weights=weights, languages=languages, prompts=prompts)
        return self._data[key]


def run_of(options: TrainingOptions, command: str, pairs: SharedPairs) -> TrainingRun:
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
    data = _data(options, recipe, pairs)
    optimisation = _optimisation(options, _n_steps(options, recipe, data))
    return TrainingRun(
        Init(
            options["init"],
            _init_arguments(options),
            options["max_query_length"],
            options["max_passage_length"],
            options["freeze_embeddings"],
        ),
        recipe,
        optimisation,
        language_temperature(options["language_sampling"]),
        data,
        _watch(options, optimisation.steps, pairs),
        options["output"],
        options["device"],
        command,
        trainer,
        teacher,
        options["one_source"],
        lora_of(options["lora"]),
    )


def _init_arguments(options: TrainingOptions) -> dict[str, Any]:
    """The arguments of the model to train."""
    given = model_arguments(options["model_args"])
    if options["attention"] is None:
        return given
    if "attention" in given:
        raise click.UsageError("--attn and --model-arg attention say the same: leave one out.")
    return {**given, "attention": options["attention"]}


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


def _data(options: TrainingOptions, recipe: Recipe, pairs: SharedPairs) -> Data:
    """The rows of the pair files, in the languages that are named and that the recipe uses."""
    named = [weighted(pair) for pair in options["pairs"]]
    sources, weights = [pair.source for pair in named], [pair.weight for pair in named]
    prompts = source_prompts(options["pairs_prompts"], sources)
    data = pairs.data(sources, weights, options["languages"], prompts)
    used = recipe.languages(data.languages)
    if not used or tuple(used) == tuple(data.languages):
        return data
    # A text of another language would link rows that have nothing to do with each other.
    return pairs.data(sources, weights, used, prompts)


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


def _watch(options: TrainingOptions, steps: int, pairs: SharedPairs) -> Watch:
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
        tuple(pairs.read(path) for path in dict.fromkeys(options["eval_pairs"])),
        options["eval_rows"],
        tuple(dict.fromkeys(options["eval_tasks"])),
    )


def _evaluators(options: TrainingOptions, run: TrainingRun) -> list[Evaluator]:
    """What measures the model while it trains."""
    from xlbench.evaluator import Evaluator

    cache_dir = default_cache_dir(options["cache_dir"])
    return [Evaluator(task, cache=cache_dir, data_dir=options["data_dir"]) for task in run.watch.tasks]


def overlap_notes(run: TrainingRun, options: TrainingOptions, *, quiet: bool) -> list[str]:
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


def started(
    run: TrainingRun, options: TrainingOptions, notes: Sequence[str], *, resume: bool, quiet: bool
) -> Trained | None:
    """What came of the run, in the first process."""
    writable(run.output)

    # Only here, because it imports torch, which takes longer than finding that a pair file is broken.
    from xlbench.training.train import train as start

    return start(
        run,
        tasks=_evaluators(options, run),
        notes=notes,
        resume=resume,
        progress=display(run.recipe.name, quiet=quiet),
        tell=None if quiet else lambda line: print(line, file=sys.stderr),
    )


def summary(run: TrainingRun, trained: Trained) -> str:
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
