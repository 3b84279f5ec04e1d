"""Pooling: ways to make one list of the passages of several languages; what ``--pool`` names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xlbench.errors import UnknownNameError

METHODS = ("round-robin", "round-robin:fixed", "own-first", "balanced:K", "z-score", "min-max")
_NORMALISING = ("z-score", "min-max")


@dataclass(frozen=True)
class Pooling:
    """A way to make one list of the passages of several languages; prints as ``--pool`` takes it.

    ``round-robin``: the best passage of each language, then the second of each, and so on; each round begins with the
    query's own language, and goes on in the task's order of languages. ``round-robin:fixed`` keeps that order
    whatever the query's language. ``own-first``: all passages in the query's language, then the others as one index
    has them. ``balanced:K``: the best K of each language in rounds, then the others as one index has them.
    ``z-score`` and ``min-max``: one index, a query's scores normalised within each language.
    """

    method: Literal["round-robin", "own-first", "balanced", "z-score", "min-max"]
    best: int = 0
    """How many passages of each language ``balanced`` takes in rounds."""
    fixed: bool = False
    """Whether each round begins with the same language."""

    def __str__(self) -> str:
        suffix = f":{self.best}" if self.best else ":fixed" if self.fixed else ""
        return f"{self.method}{suffix}"

    @property
    def normalises(self) -> bool:
        """Whether it changes scores; the others change the order that follows from them."""
        return self.method in _NORMALISING

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the model in one index."""
        return {**model, "name": f"{model['name']}+{self}", "pooling": str(self)}


def parse(text: str) -> Pooling | None:
    """The pooling of this name, None for ``one``, the one index that holds all passages.

    Raises:
        UnknownNameError: if there is none.

    """
    if text == "one":
        return None
    if match := re.fullmatch(r"balanced:([1-9][0-9]{0,5})", text):
        return Pooling("balanced", int(match[1]))
    if text == "round-robin:fixed":
        return Pooling("round-robin", fixed=True)
    for method in ("round-robin", "own-first", "z-score", "min-max"):
        if text == method:
            return Pooling(method)
    raise UnknownNameError(
        "pooling", text, ["one", *METHODS], hint="balanced:K takes the K best of each language in rounds: balanced:10."
    )
