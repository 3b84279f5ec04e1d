"""What transformers' Trainer is told: what xlbench sets itself, and what ``--trainer-arg`` adds to it."""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from transformers import TrainingArguments
from transformers.integrations.integration_utils import get_reporting_integration_callbacks

from xlbench.errors import MissingLibraryError, TrainingError, UnknownNameError, UsageError, shown
from xlbench.support.secrets import is_secret
from xlbench.training.run import TrainingRun

_MOST_LOGGED = 1_000
_BY_OPTION = {
    "output_dir": "--output",
    "max_steps": "--steps",
    "num_train_epochs": "--epochs",
    **dict.fromkeys(("per_device_train_batch_size", "auto_find_batch_size"), "--batch-size"),
    "gradient_accumulation_steps": "--batch-size with --gradient-cache",
    "learning_rate": "--learning-rate",
    "weight_decay": "--weight-decay",
    "max_grad_norm": "--max-grad-norm",
    "warmup_steps": "--warmup",
    **dict.fromkeys(("bf16", "fp16", "bf16_full_eval", "fp16_full_eval"), "--dtype"),
    **dict.fromkeys(("seed", "data_seed"), "--seed"),
    "use_cpu": "--device",
    **dict.fromkeys(("eval_strategy", "eval_steps", "eval_on_start", "eval_delay", "do_eval"), "--eval-every"),
    **dict.fromkeys(("save_strategy", "save_steps"), "--save-every"),
    "load_best_model_at_end": "--patience",
    **dict.fromkeys(("metric_for_best_model", "greater_is_better"), "--best-by"),
    "resume_from_checkpoint": "--resume",
    "disable_tqdm": "--quiet",
}
"""What options set."""
_BREAK = {
    **dict.fromkeys(
        ("ignore_data_skip", "save_only_model", "save_total_limit", "enable_jit_checkpoint"),
        "xlbench keeps the last two checkpoints and the best, each whole, so that --resume gives the same weights",
    ),
    **dict.fromkeys(
        ("fsdp", "fsdp_config", "deepspeed", "parallelism_config", "accelerator_config", "local_rank"),
        "each process has the whole model, and a part of each batch: start them with torchrun",
    ),
    "hub_token": "a secret would become part of the model's record: use `hf auth login`, or HF_TOKEN",
    **dict.fromkeys(
        ("hub_strategy", "hub_always_push"), "the finished folder is pushed, with its card, when the training is done"
    ),
    "neftune_noise_alpha": "it is for causal language models",
}
"""What would break what xlbench promises, and why."""
_UNUSED = {
    "average_tokens_across_devices", "batch_eval_metrics", "dataloader_drop_last", "do_predict", "do_train",
    "eval_accumulation_steps", "eval_do_concat_batches", "eval_use_gather_object", "include_for_metrics",
    "include_num_input_tokens_seen", "label_names", "label_smoothing_factor", "length_column_name",
    "per_device_eval_batch_size", "prediction_loss_only", "remove_unused_columns", "train_sampling_strategy",
    "use_cache",
}  # fmt: skip
"""What nothing here would read."""


def check(given: Mapping[str, Any]) -> None:
    """Refuses what is no argument of the Trainer, what xlbench sets itself, and values of another type.

    Raises:
        UnknownNameError: if there is no such argument.
        UsageError: if it is not for the user to set, or its value is not what the argument takes.
        MissingLibraryError: if the library to report to is not installed.

    """
    hints = get_type_hints(TrainingArguments)
    known = [name for name in hints if name in TrainingArguments.__dataclass_fields__]
    for name, value in given.items():
        if name not in known:
            raise UnknownNameError("argument of transformers' Trainer", name, known)
        if option := _BY_OPTION.get(name):
            raise UsageError(f"--trainer-arg {name} is set by xlbench: use {option}.")
        if reason := _BREAK.get(name):
            raise UsageError(f"--trainer-arg {name} cannot be set: {reason}.")
        if is_secret(str(value)):
            raise UsageError(
                f"--trainer-arg {name} looks like a secret, which would become part of the model's record."
            )
        if name in _UNUSED:
            raise UsageError(f"--trainer-arg {name} would change nothing here: leave it out.")
        if not _fits(value, hints[name]):
            raise UsageError(f"--trainer-arg {name} is {shown(value)}; expected {_named(hints[name])}.")
    if any(name.startswith("hub_") for name in given) and not given.get("push_to_hub"):
        raise UsageError("--trainer-arg hub_... is for a model that is pushed: add push_to_hub=true.")
    if given.get("push_to_hub") and "hub_model_id" not in given:
        raise UsageError("--trainer-arg push_to_hub needs hub_model_id=OWNER/NAME.")
    _check_reports(given.get("report_to"))


def arguments_of(run: TrainingRun, *, resumed: bool) -> TrainingArguments:
    """The arguments of a run.

    Raises:
        TrainingError: if the device or the precision is not to be had, or the library refuses an argument.

    """
    own = _own(run, resumed=resumed)
    given = {name: value for name, value in run.trainer.items() if not name.startswith(("hub_", "push_to_hub"))}
    if "tensorboard" in str(given.get("report_to", "")):
        # Below the folder of a model its files would count as the model's, but for hidden ones.
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(run.output / ".logs"))
    try:
        return TrainingArguments(**{**own, **given})
    except (ValueError, TypeError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()
        raise TrainingError(
            f"transformers' Trainer refuses its arguments ({reason[0] if reason else type(error).__name__}): "
            f"change --trainer-arg, which has {', '.join(f'{name}={value}' for name, value in given.items())}."
        ) from error


def _own(run: TrainingRun, *, resumed: bool) -> dict[str, Any]:
    """What xlbench sets."""
    optimisation, watch = run.optimisation, run.watch
    known = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = run.device or next(name for name, there in known.items() if there)
    if not known.get(device):
        there = ", ".join(name for name in known if known[name])
        raise TrainingError(f"The device {device!r} cannot be used here; there is {there}.")
    if optimisation.dtype == "float16" and device != "cuda":
        raise TrainingError(f"float16 trains on a GPU only, and the device is {device}: use bfloat16 or float32.")
    return {
        "output_dir": str(run.output),
        "use_cpu": device == "cpu",
        "max_steps": optimisation.steps,
        "per_device_train_batch_size": 1,
        "learning_rate": optimisation.learning_rate,
        "weight_decay": optimisation.weight_decay,
        "max_grad_norm": optimisation.max_grad_norm,
        "warmup_steps": round(optimisation.warmup * optimisation.steps),
        "lr_scheduler_type": "linear",
        "bf16": optimisation.dtype == "bfloat16",
        "fp16": optimisation.dtype == "float16",
        "seed": optimisation.seed,
        "logging_steps": max(1, optimisation.steps // _MOST_LOGGED),
        "logging_nan_inf_filter": False,
        "eval_strategy": "steps" if watch.eval_every else "no",
        "eval_steps": watch.eval_every or None,
        "eval_on_start": watch.eval_every > 0 and not resumed,
        "save_strategy": "steps",
        "save_steps": watch.save_every,
        "disable_tqdm": True,
        "report_to": "none",
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
        "ddp_broadcast_buffers": False,
        "ddp_find_unused_parameters": False,
        "ddp_backend": "gloo" if device == "cpu" and "WORLD_SIZE" in os.environ else None,
    }


def _check_reports(report_to: Any) -> None:
    """Refuses a library to report to that does not exist, or is not installed."""
    try:
        for callback in get_reporting_integration_callbacks(report_to):  # type: ignore[no-untyped-call]
            callback()
    except ValueError as error:
        raise UsageError(f"--trainer-arg report_to: {str(error).rstrip('.')}.") from error
    except (RuntimeError, ImportError) as error:
        names = report_to if isinstance(report_to, str) else ", ".join(report_to)
        raise MissingLibraryError(
            f"--trainer-arg report_to={names} needs a library that is not installed: pip install {names}."
        ) from error


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value from the command line is of a type; text is what was no JSON."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in _members(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin in (list, dict) or hint in (list, dict):
        inner = get_args(hint)
        return isinstance(value, origin or hint) and (origin is not list or all(_fits(one, inner[0]) for one in value))
    if hint in (Any, object):
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in [member.value for member in hint]
    return isinstance(hint, type) and isinstance(value, hint)


def _members(hint: Any) -> list[Any]:
    """The types of a union; of text only what an enumeration beside it has."""
    members = get_args(hint)
    has_names = any(isinstance(one, type) and issubclass(one, Enum) for one in members)
    return [one for one in members if not (has_names and one is str)]


def _named(hint: Any) -> str:
    """A type in words."""
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(one) for one in _members(hint) if one is not type(None)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {', '.join(str(member.value) for member in hint)}"
    kinds = {list: "a list", dict: "a JSON object"}
    return words.get(hint) or kinds.get(get_origin(hint) or hint) or "another type"
