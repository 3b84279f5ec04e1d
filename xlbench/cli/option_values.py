"""Values of options that are more than a number or a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.errors import UnknownNameError

if TYPE_CHECKING:
    from xlbench.training.recipes import LossName


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
