"""Sweep: models, tasks and variants from one file, of which every combination is evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from xlbench.changes import Changes
from xlbench.sweep.sweep_file import Arguments, SweepFile, Tasks, Text, read_file

_Count = Annotated[int, msgspec.Meta(ge=1)]


class VariantRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is done to a model's vectors and lists, as the options of `xlbench run` have it; nothing by default."""

    representation: Text | None = None
    transform: Text | None = None
    side: Literal["both", "queries", "passages"] | None = None
    fit_on: Text | None = None
    dimensions: _Count | None = None
    quantize: Text | None = None
    pool: Text | None = None
    rerank: Text | None = None
    rerank_base_url: Text | None = None
    depth: _Count | None = None
    among: Literal["pool", "language"] | None = None
    perturb: Text | None = None


_Variants = Annotated[list[VariantRecord], msgspec.Meta(min_length=1)]


class SweptModelRecord(msgspec.Struct, forbid_unknown_fields=True):
    """A model, its arguments, and the variants of it that are evaluated; those of the sweep by default."""

    model: Text
    name: Text | None = None
    arguments: Arguments | Annotated[list[Arguments], msgspec.Meta(min_length=1)] = {}
    variants: _Variants | None = None


class SweepRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a sweep's file."""

    models: Annotated[list[Text | SweptModelRecord], msgspec.Meta(min_length=1)]
    tasks: Tasks
    variants: _Variants = msgspec.field(default_factory=lambda: [VariantRecord()])


@dataclass(frozen=True)
class Swept:
    """A model with arguments and changes, one of a sweep."""

    model: str
    name: str | None
    arguments: Mapping[str, Any]
    changes: Changes
    where: str
    """The file and the lines that it is from, for errors."""


@dataclass(frozen=True)
class Sweep:
    """Models with all that is done to them, each of which is evaluated on each task."""

    models: tuple[Swept, ...]
    tasks: tuple[str, ...]


def read(path: Path) -> Sweep:
    """The sweep in a YAML file with the keys ``models`` and ``tasks``, and ``variants`` if there are any.

    Raises:
        UsageError: naming file, line and key of what is wrong.

    """
    file = read_file(path, SweepRecord, (SweptModelRecord, VariantRecord))
    return Sweep(tuple(_swept(file)), tuple(dict.fromkeys(file.record.tasks)))


def _swept(file: SweepFile[SweepRecord]) -> Iterator[Swept]:
    for i, entry in enumerate(file.record.models):
        model = SweptModelRecord(entry) if isinstance(entry, str) else entry
        place: list[str | int] = ["variants"] if model.variants is None else ["models", i, "variants"]
        variants = file.record.variants if model.variants is None else model.variants
        for arguments in model.arguments if isinstance(model.arguments, list) else [model.arguments]:
            for j, variant in enumerate(variants):
                changes: Changes = msgspec.to_builtins(variant)
                where = file.where(["models", i], *([[*place, j]] if changes else []))
                yield Swept(model.model, model.name, arguments, changes, where)
