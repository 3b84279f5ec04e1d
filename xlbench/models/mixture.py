"""Mixture: which representations of a model that gives several are scored, and with which weights they are added."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlbench.errors import EncoderError, UsageError

FORMS = ("dense", "sparse", "late")
SUM = "sum"
_EXPECTED = f"expected {', '.join(FORMS)}, sum, or sum:0.4,0.2,0.4 with a weight each"


@dataclass(frozen=True)
class Mixture:
    """One representation, or the weighted sum of the scores of all."""

    of: str
    """``dense``, ``sparse``, ``late`` or ``sum``."""
    weights: tuple[float, ...] = ()
    """Of a sum, in the order in which the model names its representations; empty for equal ones."""

    def __str__(self) -> str:
        return f"{self.of}:{','.join(f'{weight:g}' for weight in self.weights)}" if self.weights else self.of

    def weight_of(self, forms: Sequence[str]) -> dict[str, float]:
        """The weight of each representation that is scored, by its name.

        Raises:
            EncoderError: if a model with these has not the one that is named, or another number of them.

        """
        if self.of != SUM:
            if self.of not in forms:
                raise EncoderError(f"The model gives {', '.join(forms)}, and nothing {self.of} for --representation.")
            return {self.of: 1.0}
        if self.weights and len(self.weights) != len(forms):
            raise EncoderError(
                f"--representation {self} has {len(self.weights)} weights; expected one for each of {', '.join(forms)}."
            )
        return dict(zip(forms, self.weights or [1.0] * len(forms), strict=True))

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that without it."""
        return {**model, "name": f"{model['name']}+{self}", "representation": str(self)}


def parse(name: str | None) -> Mixture | None:
    """The mixture that ``--representation`` names, None for None.

    Raises:
        UsageError: if it is none.

    """
    if name is None:
        return None
    of, colon, listed = name.partition(":")
    try:
        weights = tuple(map(float, listed.split(","))) if colon else ()
    except ValueError:
        weights = (math.nan,)
    usable = all(math.isfinite(weight) and weight >= 0 for weight in weights)
    if of not in (*FORMS, SUM) or (colon and of != SUM) or not usable or (weights and not any(weights)):
        raise UsageError(f"--representation is {name!r}; {_EXPECTED}.")
    return Mixture(of, weights)


def several_of(encoder: object) -> tuple[str, ...]:
    """The representations of an encoder that gives several from one encoding; empty for any other."""
    forms = getattr(encoder, "representation", "dense")
    return tuple(forms) if isinstance(forms, tuple | list) else ()


def check_mixture(encoder: object, mixture: Mixture | None, name: str) -> None:
    """Returns if an encoder that gives several representations has a mixture, and any other has none.

    Raises:
        EncoderError: if it is the other way round, or the mixture is not of what the encoder gives.

    """
    forms = several_of(encoder)
    if mixture is not None and not forms:
        raise EncoderError(
            f"{name} gives one representation alone, so that --representation {mixture} says nothing: leave it out, or "
            "name a model that gives several (BGE-M3 with --kind several)."
        )
    if forms and mixture is None:
        raise EncoderError(
            f"{name} gives {', '.join(forms)} representations from one encoding: say which are scored with "
            "--representation, or sum for all of them."
        )
    if mixture is not None:
        mixture.weight_of(forms)
