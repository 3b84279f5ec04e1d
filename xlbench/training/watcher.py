"""What happens while a run goes on: progress is told, training ends when it no longer gets better, and at Ctrl-C."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback

from xlbench.support.progress import Advance
from xlbench.training.validation import Criterion

SPEED = "tokens_per_second"
"""The name under which the speed is logged."""


class Watcher(TrainerCallback):
    """Tells the progress, ends the training when it no longer gets better, and at Ctrl-C after the step at hand."""

    def __init__(
        self,
        criterion: Criterion | None,
        patience: int | None,
        advance: Advance,
        tell: Callable[[str], None] | None,
    ) -> None:
        self._criterion, self._patience = criterion, patience
        self._advance, self._tell = advance, tell
        self._before: Any = None
        self.interrupted = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Begins to listen for Ctrl-C."""
        if state.global_step:
            self._advance(texts=state.global_step, characters=state.global_step, stored=True)
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
        self._advance(texts=1, characters=1, stored=False)
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
        if self._tell and logged:
            loss, last = sum(record["loss"] for record in logged) / len(logged), logged[-1]
            self._tell(
                f"step {state.global_step:,}: loss {loss:.3f}, gradient norm {last.get('grad_norm', math.nan):.3g}, "
                f"learning rate {last['learning_rate']:.3g}, {last[SPEED]:,.0f} tokens/s"
            )

    def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Has the best model saved as soon as it is found, and stops when patience is at an end."""
        if self._tell:
            measures = (f"{name.removeprefix('eval_')} {value:.3f}" for name, value in given["metrics"].items())
            self._tell(f"step {state.global_step:,}: validation {', '.join(measures)}")
        if self._patience is None:
            return
        values = _validated(state.log_history, self._criterion)
        best = best_step(state.log_history, self._criterion)
        since = [step for _, step in values].index(best) if best is not None else len(values)
        control.should_save = control.should_save or (best is not None and best == state.global_step)
        control.should_training_stop = control.should_training_stop or len(values) - 1 - since >= self._patience


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
