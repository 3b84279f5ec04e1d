"""Training sweep: models, variants of how they are trained, and seeds from one file, of which all are trained."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from xlbench.errors import UsageError
from xlbench.sweep.sweep_file import Arguments, SweepFile, Tasks, Text, meant, read_file

_Options = dict[Text, Any]
_Seed = Annotated[int, msgspec.Meta(ge=0)]
_OPTIONS = "option of xlbench train"
_NOT_OF_NAMES = re.compile(r"[^\w.=-]+")


class TrainedModelRecord(msgspec.Struct, forbid_unknown_fields=True):
    """A model to train, and its arguments."""

    model: Text
    name: Text | None = None
    arguments: Arguments = {}


class TrainingSweepRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a training sweep's file."""

    models: Annotated[list[Text | TrainedModelRecord], msgspec.Meta(min_length=1)]
    tasks: Tasks
    variants: Annotated[list[_Options], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: [{}])
    seeds: Annotated[list[_Seed], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: [0])
    options: _Options = {}
    evaluation: _Options = {}
    measures: list[Text] = []


@dataclass(frozen=True)
class TrainedCell:
    """A model with what is done to it and a seed, one of a training sweep."""

    arm: str
    """What cells that differ in their seed alone are called."""
    seed: int
    options: Mapping[str, Any]
    """Those of ``xlbench train``, by name."""
    where: str
    """The file and the lines that it is from, for errors."""

    @property
    def name(self) -> str:
        """Of its folder and its results: arm and seed."""
        return f"{self.arm}-seed{self.seed}"


@dataclass(frozen=True)
class TrainingSweep:
    """Models to train, and the tasks that each is evaluated on."""

    cells: tuple[TrainedCell, ...]
    """Seed after seed, so that an interrupted sweep has all arms of the first seeds."""
    tasks: tuple[str, ...]
    evaluation: Mapping[str, Any]
    """Options of ``xlbench run``, by name."""
    measures: tuple[str, ...]
    """Of the last table; empty for the task's headline."""
    path: Path


def read_training(path: Path, options: Mapping[str, bool], evaluation: Iterable[str]) -> TrainingSweep:
    """The sweep in a YAML file with the keys ``models`` and ``tasks``, and others if there are any.

    ``options`` are the names that variants and ``options`` may have, and whether each takes several values: of one that
    takes a single value, a list stands for a variant each. ``evaluation`` are the names that this key may have.

    Raises:
        UsageError: naming file, line and key of what is wrong.

    """
    file = read_file(path, TrainingSweepRecord, (TrainedModelRecord,))
    record = file.record
    _check(file, "options", record.options, options, _OPTIONS)
    for i, variant in enumerate(record.variants):
        _check(file, ("variants", i), variant, [*options, "name"], _OPTIONS)
    _check(file, "evaluation", record.evaluation, evaluation, "option of xlbench run")
    for name, value in record.options.items():
        if isinstance(value, list) and not options[name]:
            at = file.where(["options", name])
            raise UsageError(f"{at}: {name} takes one value: put the list into a variant, for a variant each.")
    cells: dict[str, TrainedCell] = {}
    for cell in _cells(file, options):
        if cell.name in cells:
            raise UsageError(
                f"{cell.where}: {cell.name} is trained already ({cells[cell.name].where}): give one of them a name."
            )
        cells[cell.name] = cell
    tasks, measures = dict.fromkeys(record.tasks), dict.fromkeys(record.measures)
    return TrainingSweep(tuple(cells.values()), tuple(tasks), record.evaluation, tuple(measures), path)


def _check(
    file: SweepFile[TrainingSweepRecord],
    place: str | tuple[str | int, ...],
    given: Mapping[str, Any],
    known: Iterable[str],
    what: str,
) -> None:
    steps = [place] if isinstance(place, str) else [*place]
    known = list(known)
    for name in given:
        if name not in known:
            raise UsageError(f"{file.where([*steps, name])}: {name!r} is no {what} here.{meant(name, known)}")


def _cells(file: SweepFile[TrainingSweepRecord], several: Mapping[str, bool]) -> Iterator[TrainedCell]:
    record = file.record
    for seed in dict.fromkeys(record.seeds):
        for i, entry in enumerate(record.models):
            model = TrainedModelRecord(entry) if isinstance(entry, str) else entry
            own = {"init": model.model, "model_arg": model.arguments, "seed": seed}
            called = [model.name or Path(model.model).name]
            for j, variant in enumerate(record.variants):
                places: list[list[str | int]] = [["models", i], ["variants", j]]
                where = file.where(*places[: 2 if variant else 1])
                for chosen in _single(variant, several):
                    named = chosen.pop("name", None)
                    words = [str(named)] if named is not None else [_word(*each) for each in chosen.items()]
                    shown = called if len(record.models) > 1 or not words else []
                    arm = _NOT_OF_NAMES.sub("-", "-".join([*shown, *words])).strip("-_.")
                    yield TrainedCell(arm, seed, {**record.options, **chosen, **own}, where)


def _single(variant: Mapping[str, Any], several: Mapping[str, bool]) -> Iterator[dict[str, Any]]:
    """The variants that a variant with lists stands for."""
    choices = [
        value if isinstance(value, list) and not several.get(name, False) else [value]
        for name, value in variant.items()
    ]
    for values in itertools.product(*choices):
        yield dict(zip(variant, values, strict=True))


def _word(name: str, value: Any) -> str:
    """An option in the name of an arm."""
    if name == "recipe":
        return Path(str(value)).name.removesuffix(".yaml")
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return option if value else f"no-{option}"
    values = value.items() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    words = ("-".join(map(str, one)) if isinstance(one, tuple) else Path(str(one)).name for one in values)
    return "-".join([option, *words])
