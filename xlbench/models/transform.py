"""Transforms that debias vectors: what ``--transform`` names, and the parallel text that one is fitted on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from xlbench.collection import Collection
from xlbench.errors import UnknownNameError


@dataclass(frozen=True)
class Transform:
    """A way to debias vectors; prints as ``--transform`` takes it."""

    method: Literal["center", "lir"]
    components: int = 0
    """How many principal components ``lir`` removes."""

    def __str__(self) -> str:
        return self.method if self.method == "center" else f"{self.method}:{self.components}"


@dataclass(frozen=True)
class FitOn:
    """A file of parallel text that a transform is fitted on."""

    path: Path
    read: Callable[[Sequence[str]], Collection]
    """The texts of the file in some languages, as a collection."""

    @property
    def checksum(self) -> str:
        """The sha256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Debiasing:
    """A transform, and the parallel text that it is fitted on."""

    transform: Transform
    fit_on: FitOn | None = None
    """None for the texts that are evaluated themselves, which makes the result transductive."""

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the model without this debiasing."""
        if self.fit_on is None:
            suffix, source = "-transductive", "the evaluated texts (transductive)"
        else:
            suffix, source = "", f"{self.fit_on.path.name}, sha256 {self.fit_on.checksum}"
        transform = {"method": str(self.transform), "fit_on": source}
        return {**model, "name": f"{model['name']}+{self.transform}{suffix}", "transform": transform}


def parse(text: str) -> Transform:
    """The transform of this name: ``center`` or ``lir:K``.

    Raises:
        UnknownNameError: if there is none.

    """
    if text == "center":
        return Transform("center")
    if match := re.fullmatch(r"lir:([1-9][0-9]{0,3})", text):
        return Transform("lir", int(match[1]))
    raise UnknownNameError("transform", text, ["center", "lir:1"], hint="lir:K removes K principal components.")
