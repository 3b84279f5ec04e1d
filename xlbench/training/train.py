"""train: from a run to a model folder; the one place that knows all the steps."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainingArguments

from xlbench.errors import TrainingError
from xlbench.evaluator import Evaluator
from xlbench.models.token_batches import DEFAULT_BATCH_TOKENS
from xlbench.support.progress import Progress, silent
from xlbench.training import card, hub_repository, lora, model_folder, run_folder, trainer_arguments, weights
from xlbench.training.data import Data
from xlbench.training.loss import PairLoss
from xlbench.training.objective import Objective
from xlbench.training.pairs import PairFile
from xlbench.training.plan import Plan
from xlbench.training.recipes import KINDS
from xlbench.training.run import TrainingRun
from xlbench.training.run_folder import checkpoints, last_checkpoint
from xlbench.training.steps import Steps, check_shares, used
from xlbench.training.teacher import Teacher
from xlbench.training.trained import Parameters, Trained
from xlbench.training.trainer import PairTrainer, Parts
from xlbench.training.validation import HeldOut, Validation
from xlbench.training.watcher import SPEED, best_step


def train(
    run: TrainingRun,
    *,
    tasks: Sequence[Evaluator] = (),
    notes: Sequence[str] = (),
    resume: bool = False,
    progress: Progress = silent,
    tell: Callable[[str], None] | None = None,
) -> Trained | None:
    """Trains and writes the model with its card; in a process other than the first it gives None.

    ``tasks`` evaluate the model beside the held-out pairs of ``run.watch``. ``notes`` are sentences for the card. With
    ``resume`` a run that was killed goes on from its last checkpoint, and gives the weights that it would have given
    undisturbed. ``tell`` is given a line now and then.

    Raises:
        TrainingError: if the data do not fit the recipe, the folder has another run, or the loss is not finite.
        EncoderError: if the model cannot be loaded.
        UnknownNameError: if no value has the name by which the best model is to be chosen.
        KeyboardInterrupt: after Ctrl-C, when a checkpoint is written.

    """
    plan = checked_plan(run, tell)
    identity = run_folder.identity_of(run)
    run_folder.check_folder(run.output, identity, resume=resume)
    hub_repository.create(run.trainer)
    loaded = model_folder.load(run.init)
    loaded.check_dimensions(run.optimisation.dimensions)
    parameters = _parameters(run, loaded, tell)
    checkpoint = last_checkpoint(run.output) if resume else None
    arguments = trainer_arguments.arguments_of(run, resumed=checkpoint is not None)
    if arguments.should_save:
        run.output.mkdir(parents=True, exist_ok=True)
        run_folder.write(run.output, {"run": identity, "command": run.command})
    validation = _validation(run, tasks, tell)
    teacher = Teacher.of(run.teacher, loaded.dimensions) if run.teacher else None
    loss, steps, patience = _loss(run, loaded, arguments), _steps(run, plan, arguments), run.watch.patience
    criterion = validation.criterion(run.watch.criterion) if validation and patience is not None else None
    with progress("training", n_texts=plan.steps, n_characters=plan.steps, noun="steps") as advance:
        tokeniser = loaded.tokeniser.with_sources(run.data.prompts)
        parts = Parts(loss, tokeniser, steps, validation, criterion, patience, advance, tell, teacher)
        trainer = PairTrainer(loaded.model, arguments, parts)
        _run(trainer, checkpoint)
    # The last is the library's summary with times; speed is no part of what a run gives.
    history = [
        {name: value for name, value in line.items() if name not in ("epoch", SPEED)}
        for line in trainer.state.log_history[:-1]
    ]
    best = best_step(history, criterion)
    n_steps = trainer.state.global_step
    trained = Trained(best or n_steps, used(run.data, plan, n_steps), history, parameters, loaded.attention)
    if not trainer.is_world_process_zero():
        return None
    if best is not None and best != n_steps:
        weights.load(loaded.model, run.output / f"checkpoint-{best}")
    if run.lora:
        lora.merge(loaded.model)
    _finish(run, identity, trained, loaded.model, notes)
    return trained


def checked_plan(run: TrainingRun, tell: Callable[[str], None] | None = None) -> Plan:
    """The batches of a run, of data that fit them.

    Raises:
        TrainingError: if the data do not.

    """
    optimisation, data = run.optimisation, run.data
    plan = Plan(
        data.presence,
        run.recipe,
        optimisation.batch_size,
        optimisation.steps,
        optimisation.seed,
        run.language_temperature,
        data.uses,
        data.file if run.one_source else None,
    )
    plan.check()
    if unused := plan.unused_sources():
        names = ", ".join(data.files[number].path.name for number in unused)
        raise TrainingError(
            f"{names} can fill no batch of {plan.size:,} rows that the recipe {run.recipe.name} asks for: "
            "choose a smaller --batch-size, or leave the file or --one-source-per-batch out."
        )
    counts = {kind: int((plan.schedule.kind == code).sum()) for code, kind in enumerate(KINDS)}
    check_shares(plan, counts)
    optimisation.hard.check(data.rows, distils=run.recipe.uses_loss("margin-mse", "kl"))
    if run.recipe.uses_loss("parallel") and int(data.presence.queries.sum(axis=1).max(initial=0)) < 2:
        raise TrainingError(
            "The loss parallel needs queries in two languages, and no row has them: choose another --loss."
        )
    n_linked = len(data.rows) - len(np.unique(data.group))
    if tell:
        shares = ", ".join(f"{n / plan.steps:.3f} {kind} ({n:,})" for kind, n in counts.items() if n)
        tell(f"batches: {shares}; an epoch has {plan.epoch_steps:,}; {n_linked:,} rows share a text with one above")
        if plan.left_out():
            tell(
                f"no monolingual batches in {', '.join(plan.left_out())}: fewer than {plan.size:,} rows have query and "
                "passage there"
            )
    return plan


def _validation(run: TrainingRun, tasks: Sequence[Evaluator], tell: Callable[[str], None] | None) -> Validation | None:
    """What the run is measured on, or None."""
    watch, optimisation = run.watch, run.optimisation
    names: dict[str, int] = {}
    held_out = []
    for file in watch.pairs:
        stem = file.path.name.partition(".")[0]
        names[stem] = names.get(stem, 0) + 1
        name = stem if names[stem] == 1 else f"{stem}-{names[stem]}"
        data = Data.of([file], weights=[1.0], languages=_shared(file, run))
        held_out.append(HeldOut(name, data, optimisation.temperature, watch.n_rows, optimisation.seed))
    validation = Validation(tuple(held_out), tuple(tasks))
    for sentence in validation.sentences() if tell else ():
        tell(sentence)  # type: ignore[misc]
    return validation if validation.evaluators else None


def _parameters(run: TrainingRun, loaded: model_folder.Loaded, tell: Callable[[str], None] | None) -> Parameters:
    """What of the model is trained; with LoRA, that is added to it."""
    total = loaded.n_parameters()
    if run.lora:
        lora.add(loaded.model, run.lora, seed=run.optimisation.seed)
    parameters = Parameters(loaded.n_parameters(trained=True), total)
    if tell:
        tell(f"{parameters.describe()} are trained")
    return parameters


def _loss(run: TrainingRun, loaded: model_folder.Loaded, arguments: TrainingArguments) -> PairLoss:
    optimisation = run.optimisation
    device = torch.device(arguments.device).type
    return PairLoss(
        loaded.model,
        Objective(optimisation.temperature, optimisation.symmetric, optimisation.dimensions),
        cache_rows=optimisation.gradient_cache,
        piece_tokens=DEFAULT_BATCH_TOKENS.get(device, DEFAULT_BATCH_TOKENS["cuda"]),
    )


def _steps(run: TrainingRun, plan: Plan, arguments: TrainingArguments) -> Steps:
    """The batches of this process."""
    return Steps(
        run.data,
        plan,
        hard=run.optimisation.hard,
        part=arguments.process_index,
        n_parts=_n_parts(plan.size, arguments.world_size),
    )


def _run(trainer: PairTrainer, checkpoint: Path | None) -> None:
    with warnings.catch_warnings():
        # The library's way to restore a schedule makes torch warn of an order of steps that is not the case.
        warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
        # It calls what sentence-transformers has for it, and says that a later version will not.
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing_enable.*", category=FutureWarning)
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                "The device ran out of memory: add --gradient-cache 32 or a smaller number, choose a smaller "
                "--batch-size or --max-passage-length, or --dtype bfloat16."
            ) from error
        finally:
            trainer.watcher.stop_listening()
    if trainer.watcher.interrupted and trainer.state.global_step < trainer.state.max_steps:
        raise KeyboardInterrupt(
            f"Interrupted. {last_checkpoint(Path(str(trainer.args.output_dir)))} is written: add --resume to go on."
        )


def _n_parts(batch_size: int, n_processes: int) -> int:
    if batch_size % n_processes:
        raise TrainingError(
            f"A batch of {batch_size:,} rows cannot be shared equally by {n_processes} processes: "
            f"choose a --batch-size that {n_processes} divides."
        )
    return n_processes


def _finish(run: TrainingRun, identity: Mapping[str, Any], trained: Trained, model: Any, notes: Sequence[str]) -> None:
    """Writes the model, its card and the record of the run, then removes the checkpoints."""
    contents = card.text(run, trained, notes=notes)
    record = {
        "run": dict(identity),
        "command": run.command,
        "steps": trained.steps,
        "used": trained.used.identity(),
        "parameters": asdict(trained.parameters),
        "history": trained.history,
    }

    def extra(folder: Path) -> None:
        (folder / card.NAME).write_text(contents, encoding="utf-8")
        run_folder.write(folder, record)

    model_folder.publish(model, run.output, extra)
    for checkpoint in checkpoints(run.output):
        shutil.rmtree(checkpoint)
    shutil.rmtree(run.output / ".partial", ignore_errors=True)
    hub_repository.push(run.output, run.trainer)


def _shared(file: PairFile, run: TrainingRun) -> list[str]:
    """The languages of a validation file that are trained on.

    Raises:
        TrainingError: if there are none.

    """
    shared = [language for language in file.languages if language in run.data.languages]
    if not shared:
        raise TrainingError(
            f"{file.path} has {', '.join(file.languages)}, and none of them is trained on: give pairs in "
            f"{', '.join(run.data.languages)}."
        )
    return shared
