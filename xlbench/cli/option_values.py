"""Values of options that are more than a number or a name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.options import model_arguments
from xlbench.errors import UnknownNameError

if TYPE_CHECKING:
    from xlbench.training.data import SourcePrompts
    from xlbench.training.recipes import LossName
    from xlbench.training.run import Lora


@dataclass(frozen=True)
class Weighted:
    """A pair file, and how often each of its rows is used in an epoch."""

    source: str
    """A file, or an address on the Hub."""
    weight: float


def weighted(text: str) -> Weighted:
    """The file and its weight in ``FILE[:WEIGHT]``; the file may be on the Hub."""
    name, _, weight = text.rpartition(":")
    try:
        value = float(weight)
    except ValueError:
        name, value = text, 1.0
    if not name or Path(text).exists():
        name, value = text, 1.0
    if not 0 < value < math.inf:
        raise click.BadParameter(f"the weight of {name} is {value:g}; expected more than 0.", param_hint="--pairs")
    if not name.startswith("hf://") and not Path(name).is_file():
        raise click.BadParameter(f"there is no file {name}.", param_hint="--pairs")
    return Weighted(name, value)


def source_prompts(texts: Sequence[str], sources: Sequence[str]) -> list[SourcePrompts]:
    """The prompts of each of these pair files in ``FILE:query=TEXT`` and ``FILE:passage=TEXT``."""
    from xlbench.training.data import SourcePrompts

    prompts: dict[str, dict[str, str]] = {source: {} for source in sources}
    for text in texts:
        head, equals, prompt = text.partition("=")
        name, _, role = head.rpartition(":")
        if not equals or role not in ("query", "passage"):
            raise click.BadParameter(f"{text!r} is not FILE:query=TEXT or FILE:passage=TEXT.", param_hint=_PROMPT)
        named = [source for source in prompts if name in (source, Path(source).name)]
        if len(named) != 1:
            raise UnknownNameError("pair file of --pairs-prompt", name, prompts)
        if role in prompts[named[0]]:
            raise click.BadParameter(f"{head} is given twice.", param_hint=_PROMPT)
        prompts[named[0]][role] = prompt
    return [SourcePrompts(**prompts[source]) for source in sources]


_PROMPT = "--pairs-prompt"


def weighted_losses(texts: Sequence[str]) -> dict[LossName, float]:
    """The losses and their weights in ``NAME[:WEIGHT] ...``."""
    from xlbench.training.recipes import LOSS_NAMES

    losses: dict[LossName, float] = {}
    for text in texts:
        name, _, weight = text.partition(":")
        known = next((known for known in LOSS_NAMES if known == name), None)
        if known is None:
            raise UnknownNameError("loss", name, LOSS_NAMES)
        try:
            value = float(weight or 1)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf or known in losses:
            problem = "is given twice" if known in losses else f"has the weight {weight!r}; expected a number above 0"
            raise click.BadParameter(f"{name} {problem}.", param_hint="--loss")
        losses[known] = value
    return losses


def language_temperature(sampling: str) -> float:
    """The temperature that ``uniform``, ``size`` or a number means."""
    known = {"uniform": math.inf, "size": 1.0}
    try:
        value = known[sampling] if sampling in known else float(sampling)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise click.BadParameter(
            f"{sampling!r} is neither uniform, size, nor a temperature above 0.", param_hint="--language-sampling"
        )
    return value


def lora_of(pairs: Sequence[str]) -> Lora | None:
    """What ``KEY=VALUE ...`` says of LoRA; None if nothing is said.

    Raises:
        MissingLibraryError: if the library for it is not installed.
        UnknownNameError: if there is no such key.

    """
    from xlbench.support.extras import require
    from xlbench.training.run import Lora

    if not pairs:
        return None
    require("lora", "--lora")
    given = model_arguments(pairs, option="--lora")
    for name in given:
        if name not in _OF_LORA:
            raise UnknownNameError("key of --lora", name, _OF_LORA)
    targets = given.pop("targets", ())
    given["targets"] = tuple(filter(None, targets.split(","))) if isinstance(targets, str) else targets
    for name, value in given.items():
        expected, fits = _OF_LORA[name]
        if not fits(value):
            raise click.BadParameter(f"{name} is {value!r}; expected {expected}.", param_hint="--lora")
    return Lora(**{**given, "targets": tuple(given["targets"])})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_OF_LORA: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "r": ("a whole number above 0", lambda value: _is_number(value) and value == int(value) and value > 0),
    "alpha": ("a number above 0", lambda value: _is_number(value) and 0 < value < math.inf),
    "dropout": ("a number from 0 to below 1", lambda value: _is_number(value) and 0 <= value < 1),
    "targets": (
        "names of layers, such as query,value",
        lambda value: isinstance(value, list | tuple) and all(isinstance(name, str) for name in value),
    ),
}
"""The keys of ``--lora``, and what their values are."""
