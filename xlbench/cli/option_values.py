"""Values of options that are more than a number or a name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import click


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
