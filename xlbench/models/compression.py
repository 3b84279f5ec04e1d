"""Compression: fewer dimensions and fewer bits of a dense vector; what ``--dimensions`` and ``--quantize`` name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from xlbench.errors import UnknownNameError, UsageError

Quantize = Literal["int8", "binary", "int8-passages", "binary-passages"]
QUANTIZE: tuple[Quantize, ...] = get_args(Quantize)
_BITS = {"": 32, "int8": 8, "binary": 1}


@dataclass(frozen=True)
class Compression:
    """What is left of a vector: its first dimensions, and so many bits of each."""

    dimensions: int | None = None
    """The first so many, scaled to length 1 again if the whole vectors have it; None for all."""
    quantize: Quantize | None = None
    """``int8`` in 256 steps a dimension, ``binary`` its sign; of ``-passages`` queries stay as they are."""

    def __post_init__(self) -> None:
        """Refuses what cannot be done."""
        if self.dimensions is not None and self.dimensions < 1:
            raise UsageError(f"--dimensions is {self.dimensions}; expected 1 or more.")
        if self.quantize is not None and self.quantize not in QUANTIZE:
            raise UnknownNameError("quantization", str(self.quantize), QUANTIZE)

    def __str__(self) -> str:
        parts = [f"{self.dimensions}d" if self.dimensions else "", self.quantize or ""]
        return "-".join(filter(None, parts)) or "float32"

    @property
    def precision(self) -> str:
        """``int8``, ``binary``, or empty for float32."""
        return (self.quantize or "").removesuffix("-passages")

    @property
    def of_queries(self) -> bool:
        """Whether queries are quantised too."""
        return not (self.quantize or "").endswith("-passages")

    def n_bytes(self, dimensions: int) -> int:
        """How many bytes a passage's vector of so many dimensions takes then."""
        return -(-min(self.dimensions or dimensions, dimensions) * _BITS[self.precision] // 8)

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the whole vectors."""
        stated = {"dimensions": self.dimensions, "quantize": self.quantize}
        kept = {key: value for key, value in stated.items() if value}
        return {**model, "name": f"{model['name']}+{self}", "compression": kept}


def parse(dimensions: int | None, quantize: str | None) -> Compression | None:
    """The compression of these options, None for neither."""
    if dimensions is None and quantize is None:
        return None
    return Compression(dimensions, quantize)  # type: ignore[arg-type]  # It refuses others.
