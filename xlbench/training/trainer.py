"""transformers' Trainer with our batches and our loss; checkpoints are whole, and what is not finite stops it.

The loop, the optimiser, the schedule, mixed precision, several processes and what a checkpoint holds are the library's.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from torch.utils.data import DataLoader
from transformers import PrinterCallback, Trainer, TrainingArguments

from xlbench.errors import TrainingError, shown
from xlbench.support.progress import Advance
from xlbench.training import weights
from xlbench.training.data import Batch
from xlbench.training.loss import PairLoss
from xlbench.training.run_folder import checkpoints, last_checkpoint
from xlbench.training.steps import Steps
from xlbench.training.teacher import Teacher
from xlbench.training.tokens import Tokeniser
from xlbench.training.validation import Criterion, Validation
from xlbench.training.watcher import SPEED, Watcher, best_step

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
    teacher: Teacher | None = None


class PairTrainer(Trainer):
    """Trains a sentence-transformers model on the batches of a plan."""

    def __init__(self, model: Any, arguments: TrainingArguments, parts: Parts) -> None:
        self._parts = parts
        self._folder = Path(str(arguments.output_dir))
        self._saving = False
        self._speed = _Speed()
        self.watcher = Watcher(parts.criterion, parts.patience, parts.advance, parts.tell)
        # The library asks for data before it evaluates; how that is done is our own.
        validated = parts.steps if parts.validate else None
        super().__init__(model=model, args=arguments, callbacks=[self.watcher], eval_dataset=validated)
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches of the run, one a step; each process makes its own part of each, in workers if asked to."""
        arguments = self.args
        return DataLoader(
            self._parts.steps,  # type: ignore[arg-type]
            batch_size=1,
            collate_fn=_Collator(self._parts.tokeniser),
            num_workers=arguments.dataloader_num_workers,
            pin_memory=arguments.dataloader_pin_memory,
            persistent_workers=arguments.dataloader_persistent_workers,
            prefetch_factor=arguments.dataloader_prefetch_factor,
            multiprocessing_context=arguments.dataloader_multiprocessing_context,
            worker_init_fn=_begin_worker,
        )

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
        self._speed.n_tokens += inputs["n_tokens"]
        loss_of = self._parts.loss
        loss_of.model, loss_of.weights = model, inputs["batch"].losses
        labels = inputs["labels"]
        if self._parts.teacher is not None:
            targets = self._parts.teacher.targets(inputs["batch"])
            labels = {**labels, **{name: vectors.to(self.args.device) for name, vectors in targets.items()}}
        loss: torch.Tensor = loss_of(inputs["features"], labels)
        if not torch.isfinite(loss):
            self._refuse(f"the loss is {loss.item()}", inputs["batch"], ~torch.isfinite(loss_of.losses))
        self._batch = inputs["batch"]
        return loss

    def create_optimizer(self, model: Any = None) -> Any:
        """The optimiser; what it refuses is a sentence."""
        with _refusals("optimiser", "optim and optim_args"):
            return super().create_optimizer(model)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule of the learning rate; what it refuses is a sentence."""
        with _refusals("learning rate", "lr_scheduler_type and lr_scheduler_kwargs"):
            return super().create_scheduler(num_training_steps, optimizer)

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
        Path(str(output_dir)).mkdir(parents=True, exist_ok=True)
        weights.save(self.model, Path(str(output_dir)))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002
        weights.load(self.model, Path(resume_from_checkpoint))


@contextmanager
def _refusals(what: str, arguments: str) -> Iterator[None]:
    """Has the library's refusal of an argument name those that may be meant."""
    try:
        yield
    except (ValueError, TypeError, ImportError, RuntimeError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise TrainingError(
            f"transformers' Trainer cannot make the {what} ({reason}): change --trainer-arg {arguments}."
        ) from error


@dataclass(frozen=True)
class _Collator:
    """Makes the inputs of a step from the one batch that it has."""

    tokeniser: Tokeniser

    def __call__(self, batches: list[Batch]) -> dict[str, Any]:
        inputs = self.tokeniser.collate(batches[0])
        n_tokens = sum(int(features["attention_mask"].sum()) for features in inputs["features"])
        return {**inputs, "batch": batches[0], "n_tokens": n_tokens}


def _begin_worker(_: int) -> None:
    """A tokenizer would wait for threads that a forked process does not have."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


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
