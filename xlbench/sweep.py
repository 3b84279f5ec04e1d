"""Sweep: models, tasks and variants from one file, of which every combination is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from xlbench.catalogue import StrictLoader
from xlbench.changes import Changes
from xlbench.errors import UsageError

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"unknown field `(.+)`")


class VariantRecord(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is done to a model's vectors and lists, as the options of `xlbench run` have it; nothing by default."""

    representation: _Text | None = None
    transform: _Text | None = None
    side: Literal["both", "queries", "passages"] | None = None
    fit_on: _Text | None = None
    dimensions: _Count | None = None
    quantize: _Text | None = None
    pool: _Text | None = None
    rerank: _Text | None = None
    rerank_base_url: _Text | None = None
    depth: _Count | None = None
    among: Literal["pool", "language"] | None = None
    perturb: _Text | None = None


_Variants = Annotated[list[VariantRecord], msgspec.Meta(min_length=1)]
_Arguments = dict[_Text, Any]


class SweptModelRecord(msgspec.Struct, forbid_unknown_fields=True):
    """A model, its arguments, and the variants of it that are evaluated; those of the sweep by default."""

    model: _Text
    name: _Text | None = None
    arguments: _Arguments | Annotated[list[_Arguments], msgspec.Meta(min_length=1)] = {}
    variants: _Variants | None = None


class SweepRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a sweep's file."""

    models: Annotated[list[_Text | SweptModelRecord], msgspec.Meta(min_length=1)]
    tasks: Annotated[list[_Text], msgspec.Meta(min_length=1)]
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
    try:
        text = path.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=StrictLoader)
        content = yaml.load(text, Loader=StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        said = " ".join(str(error).split())
        raise UsageError(f"{path} is no sweep, which has the keys models, tasks and variants: {said}.") from error
    try:
        record = msgspec.convert(content, SweepRecord)
    except (msgspec.ValidationError, RecursionError) as error:
        said, _, at = str(error).partition(" - at `$")
        unknown = _UNKNOWN_KEY.search(said)
        line = _line(root, [*_steps(at.rstrip("`")), *([unknown[1]] if unknown else [])])
        key = f", {at.rstrip('`').lstrip('.')}" if at else ""
        raise UsageError(f"{path}, line {line}{key}: {said}.") from error
    return Sweep(tuple(_swept(record, root, path)), tuple(dict.fromkeys(record.tasks)))


def _swept(record: SweepRecord, root: yaml.Node | None, path: Path) -> Iterator[Swept]:
    for i, entry in enumerate(record.models):
        model = SweptModelRecord(entry) if isinstance(entry, str) else entry
        place: list[str | int] = ["variants"] if model.variants is None else ["models", i, "variants"]
        variants = record.variants if model.variants is None else model.variants
        for arguments in model.arguments if isinstance(model.arguments, list) else [model.arguments]:
            for j, variant in enumerate(variants):
                lines = {_line(root, ["models", i]): None}
                changes: Changes = msgspec.to_builtins(variant)
                if changes:
                    lines[_line(root, [*place, j])] = None
                where = f"{path}, line{'s' if len(lines) > 1 else ''} {' and '.join(map(str, lines))}"
                yield Swept(model.model, model.name, arguments, changes, where)


def _steps(path: str) -> Sequence[str | int]:
    """``.variants[1].pool`` as keys and positions."""
    return [key or int(position) for key, position in _STEP.findall(path)]


def _line(node: yaml.Node | None, steps: Sequence[str | int]) -> int:
    """The line of the entry that these keys and positions lead to, or of the last that they lead to."""
    line = node.start_mark.line + 1 if node else 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == step), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
