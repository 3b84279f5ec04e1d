"""transformers' Trainer with our batches and our loss; checkpoints are whole, and what is not finite stops it.

The loop, the optimiser, the schedule, mixed precision, several processes and what a checkpoint holds are the library's.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from sentence_transformers import SentenceTransformer
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from xlbench.errors import TrainingError, shown
from xlbench.support.progress import Advance
from xlbench.training.data import Batch
from xlbench.training.loss import PairLoss
from xlbench.training.run_folder import checkpoints, last_checkpoint
from xlbench.training.steps import Steps
from xlbench.training.tokens import Tokeniser
from xlbench.training.validation import Criterion, Validation

SPEED = "tokens_per_second"
_KEPT = 2
"""Checkpoints that are kept besides the best."""
_NAMED = 3
"""Rows of a batch that a message names."""


@dataclass(frozen=True)
class Parts:
    """What a trainer works with."""

    loss: PairLoss
    tokeniser: Tokeniser
    steps: Steps
    validate: Validation | None
    criterion: Criterion | None
    """By what the best model is chosen, where there is a patience."""
    patience: int | None
    advance: Advance
    tell: Callable[[str], None] | None


class PairTrainer(Trainer):
    """Trains a sentence-transformers model on the batches of a plan."""

    def __init__(self, model: Any, arguments: TrainingArguments, parts: Parts) -> None:
        self._parts = parts
        self._folder = Path(str(arguments.output_dir))
        self._saving = False
        self._speed = _Speed()
        self.watcher = Watcher(parts)
        # The library asks for data before it evaluates; how that is done is our own.
        validated = parts.steps if parts.validate else None
        super().__init__(model=model, args=arguments, callbacks=[self.watcher], eval_dataset=validated)
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches of the run, one a step; each process makes its own part of each."""
        return DataLoader(self._parts.steps, batch_size=1, collate_fn=self._collate)  # type: ignore[arg-type]

    def _collate(self, batches: list[Batch]) -> dict[str, Any]:
        inputs = self._parts.tokeniser.collate(batches[0])
        self._speed.n_tokens += sum(int(features["attention_mask"].sum()) for features in inputs["features"])
        return {**inputs, "batch": batches[0]}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Logs the loss, the gradient's norm before it is clipped, the learning rate, and tokens a second."""
        if "loss" in logs:
            logs = {**logs, SPEED: self._speed.take()}
        super().log(logs, start_time)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002 (the library's)
        num_items_in_batch: Any = None,  # noqa: ARG002
    ) -> torch.Tensor:
        """The loss of a batch.

        Raises:
            TrainingError: with the step and the texts, if it is not finite.

        """
        loss_of = self._parts.loss
        loss_of.model = model
        loss: torch.Tensor = loss_of(inputs["features"], inputs["labels"])
        if not torch.isfinite(loss):
            self._refuse(f"the loss is {loss.item()}", inputs["batch"], ~torch.isfinite(loss_of.losses))
        self._batch = inputs["batch"]
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        # With a scaler, float16 overflows now and then; the library skips such a step and lowers the scale.
        if self.accelerator.scaler is None and not math.isfinite(float(norm)):
            self._refuse("the gradient is not finite", self._batch, torch.ones(len(self._batch), dtype=torch.bool))
        return norm

    def _refuse(self, what: str, batch: Batch, wrong: torch.Tensor) -> None:
        rows = torch.nonzero(wrong).ravel().tolist()[:_NAMED]
        texts = "; ".join(f"{batch.names[i]}: {shown(batch.queries[i])}, {shown(batch.passages[i])}" for i in rows)
        last = last_checkpoint(self._folder)
        raise TrainingError(
            f"At step {self.state.global_step + 1:,} {what}, for {int(wrong.sum()):,} of {len(batch):,} rows, such as "
            f"{texts}. "
            + (f"The last good checkpoint is {last}. " if last else "No checkpoint was written before. ")
            + "Try a lower --learning-rate, a higher --temperature, or --dtype float32."
        )

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The measures of the validation pairs, the same in all processes."""
        values: dict[str, float] = {}
        if self.is_world_process_zero() and self._parts.validate:
            values = {
                f"eval_{name}": value for name, value in self._parts.validate(self._parts.tokeniser.model).items()
            }
        values = broadcast_object_list([values])[0]
        self.log(dict(values))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, values)
        return values

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._folder / ".partial") if self._saving else str(super()._get_output_dir(trial))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Writes a checkpoint to a hidden folder, then moves it to its place: whole or not at all."""
        partial, name = self._folder / ".partial", f"checkpoint-{self.state.global_step}"
        self._saving = True
        try:
            super()._save_checkpoint(model, trial)
        except OSError as error:
            error.filename = str(self._folder / name)
            raise
        except Exception as error:
            # safetensors and torch have errors of their own for a disk that is full.
            free = shutil.disk_usage(self._folder).free
            raise OSError(errno.ENOSPC, f"{error} ({free / 1e6:,.0f} MB free)", str(self._folder / name)) from error
        finally:
            self._saving = False
        self.accelerator.wait_for_everyone()
        if self.is_world_process_zero():
            shutil.rmtree(self._folder / name, ignore_errors=True)
            os.replace(partial / name, self._folder / name)  # noqa: PTH105 (a folder)
            self._remove_old()
        self.accelerator.wait_for_everyone()

    def _remove_old(self) -> None:
        best = best_step(self.state.log_history, self._parts.criterion)
        for checkpoint in checkpoints(self._folder)[:-_KEPT]:
            if best is None or checkpoint.name != f"checkpoint-{best}":
                shutil.rmtree(checkpoint)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002 (the library's)
        model: Any = self.model
        model.save(str(output_dir), create_model_card=False)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002
        load_weights(self.model, Path(resume_from_checkpoint))


class Watcher(TrainerCallback):
    """Tells the progress, ends the training when it no longer gets better, and at Ctrl-C after the step at hand."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._before: Any = None
        self.interrupted = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Begins to listen for Ctrl-C."""
        if state.global_step:
            self._parts.advance(texts=state.global_step, characters=state.global_step, stored=True)
        self._before = signal.signal(signal.SIGINT, self._interrupt)

    def stop_listening(self) -> None:
        """Gives Ctrl-C its usual meaning again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (signal's)
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Counts the step; after Ctrl-C in any process, all write a checkpoint and stop."""
        self._parts.advance(texts=1, characters=1, stored=False)
        if args.world_size > 1:
            flag = torch.tensor(int(self.interrupted), device=args.device)
            torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
            self.interrupted = bool(flag)
        if self.interrupted:
            control.should_training_stop = True
            control.should_save = state.global_step < state.max_steps
            control.should_evaluate = False

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Tells how large the loss is, and the last gradient, learning rate and speed."""
        logged = [record for record in state.log_history if "loss" in record][-args.save_steps :]
        if self._parts.tell and logged:
            loss, last = sum(record["loss"] for record in logged) / len(logged), logged[-1]
            self._parts.tell(
                f"step {state.global_step:,}: loss {loss:.3f}, gradient norm {last.get('grad_norm', math.nan):.3g}, "
                f"learning rate {last['learning_rate']:.3g}, {last[SPEED]:,.0f} tokens/s"
            )

    def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Has the best model saved as soon as it is found, and stops when patience is at an end."""
        if self._parts.tell:
            measures = (f"{name.removeprefix('eval_')} {value:.3f}" for name, value in given["metrics"].items())
            self._parts.tell(f"step {state.global_step:,}: validation {', '.join(measures)}")
        if self._parts.patience is None:
            return
        values = _validated(state.log_history, self._parts.criterion)
        best = best_step(state.log_history, self._parts.criterion)
        since = [step for _, step in values].index(best) if best is not None else len(values)
        control.should_save = control.should_save or (best is not None and best == state.global_step)
        control.should_training_stop = control.should_training_stop or len(values) - 1 - since >= self._parts.patience


class _Speed:
    """Counts tokens, and how many there were a second."""

    def __init__(self) -> None:
        self.n_tokens = 0
        self._since = time.monotonic()

    def take(self) -> float:
        """Tokens a second since it was last asked."""
        now = time.monotonic()
        speed = self.n_tokens / max(now - self._since, 1e-9)
        self.n_tokens, self._since = 0, now
        return speed


def best_step(history: Sequence[Mapping[str, float]], criterion: Criterion | None) -> int | None:
    """The first step with the best value, or None if there was no validation since the start, or there is no criterion.

    The untrained model does not count, since there is no checkpoint of it.
    """
    values = _validated(history, criterion)
    return min(values)[1] if values else None


def _validated(history: Sequence[Mapping[str, float]], criterion: Criterion | None) -> list[tuple[float, int]]:
    """Values of the criterion, less for a better model, with their steps."""
    if criterion is None:
        return []
    sign = -1 if criterion.greater else 1
    name = f"eval_{criterion.name}"
    return [(sign * record[name], int(record["step"])) for record in history if name in record and record["step"]]


def load_weights(model: Any, checkpoint: Path) -> None:
    """Gives the model the weights of a checkpoint.

    Raises:
        TrainingError: if they cannot be read.

    """
    if not (checkpoint / "modules.json").is_file():
        # A library would look for a name that is no folder on the Hub.
        raise TrainingError(f"There is no checkpoint {checkpoint}: it was removed while the model was trained.")
    try:
        stored = SentenceTransformer(str(checkpoint.resolve()), device="cpu", model_kwargs={"dtype": torch.float32})
        model.load_state_dict(stored.state_dict())
    except Exception as error:
        raise TrainingError(
            f"The checkpoint {checkpoint} cannot be read ({type(error).__name__}: {str(error).splitlines()[0]}). "
            "Remove it to go on from the one before, or train again without --resume into another --output."
        ) from error
