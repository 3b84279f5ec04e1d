"""Classes of models: what ``package.module:Class`` names, and what is made of it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from xlbench.errors import EncoderError, UnknownNameError, XlbenchError
from xlbench.models.kinds import KINDS

_OF_FOLDERS = ("dtype", "kind", "max_length", "instruction")
"""Arguments that options of their own give."""


def check_installed(adapter: str) -> None:
    """Returns if what a kind of model needs is installed.

    Raises:
        EncoderError: naming what is missing.

    """
    for kind in KINDS:
        if kind.adapter == adapter and not kind.installed:
            raise EncoderError(f"A model of the kind {adapter!r} needs {' and '.join(kind.requires)}: {kind.install}")


def object_of(
    target: str, adapter: str, arguments: dict[str, Any], device: str | None, *, folder: str | None = None
) -> object:
    """What a class makes of these arguments; ``folder`` is the first, of a class that loads folders and Hub ids.

    Raises:
        EncoderError: if it cannot be imported, or the arguments do not suit it.
        UnknownNameError: if it does not take one of them.

    """
    check_installed(adapter)
    cls = class_of(target)
    if not inspect.isclass(cls):
        raise EncoderError(
            f"{target} is no class; expected one with name, revision, encode_queries and encode_passages."
        )
    parameters = inspect.signature(cls).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    accepted = [name for name in list(parameters)[0 if folder is None else 1 :] if name != "device"]
    for name in arguments:
        if name not in accepted and not takes_any:
            hint = f"{adapter} takes {', '.join(accepted) or 'none'}."
            if name in _OF_FOLDERS:
                hint += f" --{name.replace('_', '-')} is for models in folders and on the Hub."
            raise UnknownNameError("model argument", name, accepted, hint=hint)
    takes_device = takes_any or "device" in parameters
    if device not in (None, "cpu") and not takes_device:
        raise EncoderError(f"{adapter} runs on the CPU only, but --device is {device!r}: leave it out.")
    placed = arguments if device is None or not takes_device else {**arguments, "device": device}
    try:
        made: object = cls(*([] if folder is None else [folder]), **placed)
    except XlbenchError:
        raise
    except Exception as error:
        raise EncoderError(
            f"{target} could not be made with the arguments {placed}: {type(error).__name__}: {error}."
        ) from error
    return made


def check_members(model: object, target: str) -> None:
    """Returns if an object has what an encoder or a scorer has.

    Raises:
        EncoderError: naming what it lacks.

    """
    methods = ("fit", "score") if hasattr(model, "score") else ("encode_queries", "encode_passages")
    for member in ("name", "revision", *methods):
        if not hasattr(model, member):
            raise EncoderError(f"{target} has no {member!r}; expected name, revision, {' and '.join(methods)}.")
    for member in methods:
        if not callable(getattr(model, member)):
            raise EncoderError(f"{target} has a {member!r} that is no method.")
    for member in ("name", "revision"):
        value = getattr(model, member)
        if not isinstance(value, str) or not value.strip(". "):
            raise EncoderError(f"{target} has the {member} {value!r}; expected text, and not of dots alone.")


def checksum(cls: type) -> str:
    """Of the file that has a user's class; of nothing if there is no file."""
    try:
        file = inspect.getsourcefile(cls) or ""
    except (TypeError, OSError):  # A class made in an interactive session.
        file = ""
    content = Path(file).read_bytes() if Path(file).is_file() else b""
    return hashlib.sha256(content).hexdigest()[:12]


def class_of(target: str) -> Any:
    """The object that ``package.module:Class`` or ``file.py:Class`` names."""
    where, _, name = target.rpartition(":")
    if where.endswith(".py") and not Path(where).is_file():
        raise EncoderError(f"{where} is no file; expected file.py:Class.")
    if os.getcwd() not in sys.path:  # noqa: PTH109 (as sys.path has it)
        sys.path.append(os.getcwd())  # noqa: PTH109
    try:
        module = _file_module(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except Exception as error:
        # The last frame is the line at fault in the user's file, or in what it imports.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise EncoderError(
            f"{where} cannot be imported: {type(error).__name__}: {error} ({frame.filename}, line {frame.lineno}). "
            "Expected package.module:Class or file.py:Class."
        ) from error
    if not hasattr(module, name):
        public = ", ".join(n for n in vars(module) if not n.startswith("_"))
        raise EncoderError(f"{where} has no {name!r}; it has {public or 'nothing'}.")
    return getattr(module, name)


def _file_module(path: Path) -> ModuleType:
    # Under a name of its own, so that a file json.py does not take the place of the library's.
    spec = importlib.util.spec_from_file_location(f"xlbench_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # As import does: inspect looks a class's module up there.
    spec.loader.exec_module(module)
    return module
