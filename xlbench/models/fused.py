"""Fusion: two models whose rankings are fused, and how."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models.protocols import Model

Method = Literal["rrf", "interpolation"]
PREFIX = "fusion:"
_REVISION = "1"  # Changes when the scores of a fusion do.


@dataclass(frozen=True)
class Fusion:
    """Two models, and how their rankings are fused; see ``xlbench.engine.fusion`` for the formulas."""

    parts: tuple[Model, Model]
    """A and B."""
    method: Method = "rrf"
    k: float = 60
    """Of reciprocal rank fusion: the larger, the less the first ranks stand out."""
    weight: float = 0.5
    """Of A; that of B is 1 less it."""

    @property
    def name(self) -> str:
        """Names both models."""
        return PREFIX + "+".join(part.name for part in self.parts)

    @property
    def revision(self) -> str:
        """That of the fusion and those of its models."""
        return f"{_REVISION} ({', '.join(f'{part.name} {part.revision}' for part in self.parts)})"

    @property
    def changes_no_vector(self) -> tuple[str, ...]:
        """The arguments of both that are not part of what identifies them."""
        return tuple(
            f"{letter}.{name}"
            for letter, part in self._by_letter
            for name in getattr(part.encoder, "changes_no_vector", ())
        )

    @property
    def filled(self) -> dict[str, Any]:
        """The arguments of both that nobody gave."""
        return {f"{letter}.{key}": value for letter, part in self._by_letter for key, value in part.filled.items()}

    def instructed(self, instruction: str) -> Fusion:
        """The same, each model with an instruction for queries if it takes one."""
        first, second = (part.instructed(instruction) for part in self.parts)
        return replace(self, parts=(first, second))

    def provenance(self) -> dict[str, Any]:
        """What else can change the scores, by model."""
        return {letter: part.provenance() for letter, part in self._by_letter}

    @property
    def _by_letter(self) -> list[tuple[str, Model]]:
        return list(zip("AB", self.parts, strict=True))


def load_fusion(model: str, *, device: str | None, arguments: Mapping[str, Any], load: Callable[..., Model]) -> Model:
    """The fusion that ``fusion:A+B`` names; ``A.key`` among the arguments is an argument of A.

    ``load`` gives the model of a name, as ``models.load`` does.

    Raises:
        UnknownNameError: if there is no such model, or no such argument.
        EncoderError: if a model or an argument cannot be used.

    """
    names = model.removeprefix(PREFIX).split("+")
    if len(names) != 2 or not all(names) or any(name.startswith(PREFIX) for name in names):
        raise EncoderError(f"{model!r} is no fusion; expected fusion:A+B, with two models that have no '+' in them.")
    of_part: dict[str, dict[str, Any]] = {"A": {}, "B": {}}
    own: dict[str, Any] = {field.name: field.default for field in fields(Fusion) if field.name != "parts"}
    for key, value in arguments.items():
        letter, dot, name = key.partition(".")
        if dot and letter in of_part:
            of_part[letter][name] = value
        elif key in own:
            own[key] = value
        else:
            raise UnknownNameError(
                "model argument",
                key,
                own,
                hint="A fusion takes method, k, weight, and A.NAME or B.NAME for its models.",
            )
    _check(own)
    first, second = (_part(name, device, of_part[letter], load) for letter, name in zip("AB", names, strict=True))
    fusion = Fusion((first, second), **own)
    if device not in (None, "cpu") and not any(map(_takes_device, fusion.parts)):
        raise EncoderError(f"{fusion.name} runs on the CPU only, but --device is {device!r}: leave it out.")
    of_parts = {f"{letter}.{key}": value for letter, given in of_part.items() for key, value in given.items()}
    of_parts = {key: value for key, value in of_parts.items() if key not in fusion.changes_no_vector}
    return Model(
        fusion, "fusion", own | of_parts | fusion.filled, fingerprint=f"{first.fingerprint}+{second.fingerprint}"
    )


def _part(name: str, device: str | None, arguments: Mapping[str, Any], load: Callable[..., Model]) -> Model:
    """One of the models, on the device if it can run there."""
    plain = load(name, arguments=arguments)
    return load(name, device=device, arguments=arguments) if device and _takes_device(plain) else plain


def _takes_device(model: Model) -> bool:
    parameters = inspect.signature(type(model.encoder)).parameters.values()
    return any(parameter.name == "device" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _check(own: Mapping[str, Any]) -> None:
    if own["method"] not in get_args(Method):
        raise EncoderError(f"method is {own['method']!r}; expected {' or '.join(get_args(Method))}.")
    for name, most in (("k", sys.float_info.max), ("weight", 1)):
        if isinstance(own[name], bool) or not isinstance(own[name], int | float) or not 0 <= own[name] <= most:
            raise EncoderError(f"{name} is {own[name]!r}; expected a number, {'0 to 1' if most == 1 else '0 or more'}.")
