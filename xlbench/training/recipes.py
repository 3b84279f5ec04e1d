"""Recipes: YAML files that say which kinds of batches an encoder is trained on, in which shares, and in which order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from xlbench.errors import TrainingError, UnknownNameError, shown

Kind = Literal["mono", "cross", "mixed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Of a batch: all texts in one language; query and passage of each row in different languages; each row in a language
of its own."""
LossName = Literal["info-nce", "margin-mse", "kl", "teacher", "parallel"]
LOSS_NAMES: tuple[LossName, ...] = get_args(LossName)
"""What a stage minimises; ``objective`` has them."""
INFO_NCE: LossName = "info-nce"


@dataclass(frozen=True)
class Stage:
    """A part of the training, in which batches are drawn in the same way."""

    batches: Mapping[Kind, float]
    """The probability of each kind of batch; they sum to 1."""
    languages: tuple[str, ...] | None = None
    """The only languages used, or None for all there are."""
    until: float | None = None
    """Where the stage ends: a share of the steps below 1, or the number of a step. None for the last stage."""
    losses: Mapping[LossName, float] = field(default_factory=lambda: {INFO_NCE: 1.0})
    """The losses, by their weights."""

    def end(self, steps: int) -> int:
        """The step before which the stage ends, of so many."""
        if self.until is None:
            return steps
        return round(self.until * steps) if self.until < 1 else min(int(self.until), steps)


@dataclass(frozen=True)
class Recipe:
    """Stages that follow each other."""

    name: str
    about: str
    stages: tuple[Stage, ...]

    def with_alpha(self, alpha: float) -> Recipe:
        """The recipe with this probability of a monolingual batch wherever it mixes mono and cross.

        Raises:
            TrainingError: if it is no probability, or there is nothing to mix.

        """
        if not 0 <= alpha <= 1:
            raise TrainingError(f"alpha is {alpha}; expected a probability, from 0 to 1.")
        if not any(set(stage.batches) == {"mono", "cross"} for stage in self.stages):
            raise TrainingError(
                f"alpha is the share of monolingual batches, but the recipe {self.name} does not mix 'mono' with "
                "'cross': leave --alpha out, or choose the recipe hybrid."
            )
        mixed: Mapping[Kind, float] = {"mono": alpha, "cross": 1 - alpha}
        return replace(
            self,
            stages=tuple(
                replace(stage, batches=mixed) if set(stage.batches) == set(mixed) else stage for stage in self.stages
            ),
        )

    def with_losses(self, losses: Mapping[LossName, float]) -> Recipe:
        """The recipe with these losses in all stages."""
        return replace(self, stages=tuple(replace(stage, losses=losses) for stage in self.stages))

    def uses_loss(self, *names: LossName) -> bool:
        """Whether some stage has one of these losses."""
        return any(stage.losses.get(name) for stage in self.stages for name in names)

    def languages(self, known: Sequence[str]) -> tuple[str, ...]:
        """The languages that some stage uses, of those known."""
        return tuple(
            language
            for language in known
            if any(stage.languages is None or language in stage.languages for stage in self.stages)
        )

    def identity(self) -> dict[str, Any]:
        """What is written into a model card, and tells two recipes apart."""
        stages = [
            {"batches": dict(stage.batches)}
            | ({"languages": list(stage.languages)} if stage.languages else {})
            | ({"until": stage.until} if stage.until is not None else {})
            | ({"losses": dict(stage.losses)} if stage.losses != {INFO_NCE: 1.0} else {})
            for stage in self.stages
        ]
        return {"name": self.name, "stages": stages}


def names() -> list[str]:
    """The names of the recipes that come with xlbench."""
    return sorted(path.stem for path in _FILES.glob("*.yaml"))


def load(recipe: str) -> Recipe:
    """The recipe of this name, or the one in this YAML file.

    Raises:
        UnknownNameError: if there is no such recipe.
        TrainingError: if the file is no recipe.

    """
    if recipe.endswith((".yaml", ".yml")):
        path = Path(recipe)
        if not path.is_file():
            raise UnknownNameError("recipe file", recipe, [])
    elif recipe in names():
        path = _FILES / f"{recipe}.yaml"
    else:
        raise UnknownNameError("recipe", recipe, names(), hint="Or give a YAML file.")
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise TrainingError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    return _recipe(record, path)


_FILES = Path(__file__).parent / "recipe_files"


def _recipe(record: Any, path: Path) -> Recipe:
    record = _mapping(record, {"about", "stages"}, f"{path}")
    listed = record.get("stages")
    if not isinstance(listed, list) or not listed:
        raise TrainingError(f"{path}, 'stages' is {shown(listed)}; expected a list of stages.")
    stages = tuple(_stage(stage, f"{path}, stage {number}") for number, stage in enumerate(listed, start=1))
    if any(stage.until is None for stage in stages[:-1]) or stages[-1].until is not None:
        raise TrainingError(f"{path}: expected 'until' in each stage but the last, which goes on to the end.")
    return Recipe(path.stem, " ".join(str(record.get("about", "")).split()), stages)


def _stage(record: Any, where: str) -> Stage:
    record = _mapping(record, {"batches", "languages", "until", "losses"}, where)
    batches = _mapping(record.get("batches"), set(KINDS), f"{where}, 'batches'")
    for kind, share in batches.items():
        if not _is_number(share) or not 0 <= share <= 1:
            raise TrainingError(f"{where}: the share of {kind!r} is {shown(share)}; expected a number from 0 to 1.")
    if abs(sum(batches.values()) - 1) > 1e-6:
        raise TrainingError(f"{where}: the shares in 'batches' sum to {sum(batches.values()):g}; expected 1.")
    languages, until = record.get("languages"), record.get("until")
    if languages is not None and not (
        isinstance(languages, list) and languages and all(isinstance(language, str) for language in languages)
    ):
        raise TrainingError(f"{where}: 'languages' is {shown(languages)}; expected a list of codes, such as [en, de].")
    if until is not None and not (_is_number(until) and (0 < until < 1 or (until >= 1 and until == int(until)))):
        raise TrainingError(
            f"{where}: 'until' is {shown(until)}; expected a share of the steps, such as 0.5, or a number of steps."
        )
    losses = _mapping(record.get("losses", {INFO_NCE: 1.0}), set(LOSS_NAMES), f"{where}, 'losses'")
    for name, weight in losses.items():
        if not _is_number(weight) or not 0 < weight < math.inf:
            raise TrainingError(f"{where}: the weight of {name!r} is {shown(weight)}; expected a number above 0.")
    kinds, weights = cast("dict[Kind, float]", batches), cast("dict[LossName, float]", losses)
    return Stage(kinds, tuple(languages) if languages else None, until, weights)


def _mapping(value: Any, keys: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or not set(value) <= keys:
        raise TrainingError(f"{where} is {shown(value)}; expected the keys {', '.join(sorted(keys))}.")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
