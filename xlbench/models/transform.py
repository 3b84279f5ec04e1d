"""Transforms that debias vectors: what ``--transform`` names, and the parallel text that one is fitted on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from xlbench.collection import Collection
from xlbench.errors import UnknownNameError

Side = Literal["both", "queries", "passages"]


@dataclass(frozen=True)
class Transform:
    """A way to debias vectors; prints as ``--transform`` takes it."""

    method: Literal["center", "lir", "shift"]
    components: int = 0
    """How many principal components ``lir`` removes."""
    source: str = ""
    """The language whose vectors stay as they are in ``shift``."""

    def __str__(self) -> str:
        return ":".join(filter(None, [self.method, str(self.components or ""), self.source]))

    @property
    def side(self) -> Side:
        """What it is meant to change: ``shift`` moves passages to the vectors of the source language."""
        return "passages" if self.method == "shift" else "both"


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
    of: Side | None = None
    """Whose vectors are changed; None for what the transform is meant for."""

    def __post_init__(self) -> None:
        """Refuses a side that there is not."""
        if self.of is not None and self.of not in get_args(Side):
            raise UnknownNameError("side", str(self.of), get_args(Side))

    @property
    def side(self) -> Side:
        """Whose vectors are changed; it is fitted on texts of the same role."""
        return self.of or self.transform.side

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the model without this debiasing."""
        if self.fit_on is None:
            suffix, source = "-transductive", "the evaluated texts (transductive)"
        else:
            suffix, source = "", f"{self.fit_on.path.name}, sha256 {self.fit_on.checksum}"
        transform = {"method": str(self.transform), "fit_on": source}
        if self.side != self.transform.side:
            suffix = f"-{self.side}{suffix}"
            transform["side"] = self.side
        return {**model, "name": f"{model['name']}+{self.transform}{suffix}", "transform": transform}


def parse(text: str) -> Transform:
    """The transform of this name: ``center``, ``lir:K`` or ``shift:LANGUAGE``.

    Raises:
        UnknownNameError: if there is none.

    """
    if text == "center":
        return Transform("center")
    if match := re.fullmatch(r"lir:([1-9][0-9]{0,3})", text):
        return Transform("lir", int(match[1]))
    if match := re.fullmatch(r"shift(?::([\w-]{1,40}))?", text):
        return Transform("shift", source=match[1] or "en")
    raise UnknownNameError(
        "transform",
        text,
        ["center", "lir:1", "shift:en"],
        hint="lir:K removes K principal components; shift:LANGUAGE moves passages to where those of the language are.",
    )
