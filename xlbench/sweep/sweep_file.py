"""The YAML file of a sweep: its record, checked, and the line of each of its entries for errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import yaml

from xlbench.catalogue import StrictLoader
from xlbench.errors import UsageError, nearest

Text = Annotated[str, msgspec.Meta(min_length=1)]
Tasks = Annotated[list[Text], msgspec.Meta(min_length=1)]
Arguments = dict[Text, Any]
"""Of a model."""
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"unknown field `(.+)`")
Record = TypeVar("Record", bound=msgspec.Struct)


@dataclass(frozen=True)
class SweepFile(Generic[Record]):
    """What a file says."""

    path: Path
    record: Record
    root: yaml.Node | None

    def where(self, *entries: Sequence[str | int]) -> str:
        """The file and the lines of the entries that these keys and positions lead to."""
        lines = dict.fromkeys(line_of(self.root, steps) for steps in entries)
        return f"{self.path}, line{'s' if len(lines) > 1 else ''} {' and '.join(map(str, lines))}"


def read_file(path: Path, shape: type[Record], parts: Iterable[type[msgspec.Struct]] = ()) -> SweepFile[Record]:
    """The file as a record of this shape, which may have these parts.

    Raises:
        UsageError: naming file, line and key of what is wrong, and for an unknown key the nearest known one.

    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=StrictLoader)
        content = yaml.load(text, Loader=StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        keys = ", ".join(field.name for field in msgspec.structs.fields(shape))
        raise UsageError(f"{path} is no sweep, which has the keys {keys}: {' '.join(str(error).split())}.") from error
    try:
        return SweepFile(path, msgspec.convert(content, shape), root)
    except (msgspec.ValidationError, RecursionError) as error:
        said, _, at = str(error).partition(" - at `$")
        unknown = _UNKNOWN_KEY.search(said)
        steps = _steps(at.rstrip("`"))
        line = line_of(root, [*steps, *([unknown[1]] if unknown else [])])
        key = f", {at.rstrip('`').lstrip('.')}" if at else ""
        known = [field.name for part in (parts if steps else [shape]) for field in msgspec.structs.fields(part)]
        raise UsageError(f"{path}, line {line}{key}: {said}.{meant(unknown[1], known) if unknown else ''}") from error


def meant(name: str, known: Iterable[str]) -> str:
    """A sentence on which known name an unknown one may mean, after a space; empty if none is near."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near is not None else ""


def _steps(path: str) -> Sequence[str | int]:
    """``.variants[1].pool`` as keys and positions."""
    return [key or int(position) for key, position in _STEP.findall(path)]


def line_of(node: yaml.Node | None, steps: Sequence[str | int]) -> int:
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
