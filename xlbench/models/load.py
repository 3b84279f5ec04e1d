"""Encoders: the protocols, and from what ``--model`` names to a model.

Making an encoder is cheap and imports nothing heavy: it resolves the model's name and revision. Weights are loaded
when the first text is encoded.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from xlbench.errors import EncoderError, UnknownNameError, XlbenchError, nearest
from xlbench.models import folders
from xlbench.models.kinds import BUILT_IN, FOLDERS, KINDS
from xlbench.models.protocols import Encoder, Model, Scorer, StoredAs
from xlbench.models.reranker import Among, CrossEncoderReranker, Reranking, as_reranker, check_reranker
from xlbench.support.secrets import refuse_secrets

ENTRY_POINT_GROUP = "xlbench.models"
_PATH = re.compile(r"\.{0,2}[/\\]|~|[A-Za-z]:[/\\]")
"""What begins with a slash, dots and one, a tilde or a drive is a path, and neither a Hub id nor a module."""


def plugins() -> dict[str, EntryPoint]:
    """The encoders that installed packages offer in the entry point group ``xlbench.models``, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def load(
    model: object,
    *,
    name: str | None = None,
    device: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    stored_as: StoredAs = "float32",
    hash_weights: bool = True,
) -> Model:
    """The model that ``--model`` names, or that an object is; weights in files are loaded with the first text.

    Args:
        model: A name, a folder, a Hub id or ``package.module:Class``; or a ``SentenceTransformer``, an object with
            ``encode`` or with the methods of an ``Encoder`` or a ``Scorer``, a function from texts to vectors, a
            ``Model``.
        name: What results call it.
        device: Where it runs; the best there is if none is named.
        arguments: Arguments of the encoder's class.
        stored_as: How its vectors are stored.
        hash_weights: Whether the weights of an object are hashed. Without that, its vectors are never stored.

    Raises:
        UnknownNameError: if there is no such model, or it does not take one of the arguments.
        UsageError: if an argument looks like a secret, which would become part of results.
        EncoderError: if it cannot be used: a package is missing, the folder is no model, or the object does not encode.

    Example:
        >>> import xlbench
        >>> xlbench.load_model("hash").name
        'hash'

    """
    given = dict(arguments or {})
    refuse_secrets(given)
    if isinstance(model, Model):
        loaded = model
    elif isinstance(model, str | Path):
        loaded = _named(str(model), device=device, arguments=given)
    else:
        from xlbench.models.live import model_of

        if given or device is not None:
            raise EncoderError(
                "A model that is an object takes neither arguments nor a device: set them on the object."
            )
        loaded = model_of(model, hash_weights=hash_weights)
    return replace(
        loaded,
        label=name or loaded.label,
        stored_as=stored_as if stored_as != "float32" else loaded.stored_as,
        given=given or loaded.given,
        named=str(model) if isinstance(model, str | Path) else loaded.named,
        device=device or loaded.device,
    )


def load_reranking(
    model: object,
    *,
    depth: int = 100,
    among: Among = "pool",
    device: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Reranking:
    """The reranker that ``--rerank`` names, a folder, a Hub id or ``package.module:Class``, or that an object is.

    It gets the ``depth`` best passages of each pool, or of each language.

    Raises:
        EncoderError: if there is none, or it is no reranker.
        UnknownNameError: if it does not take one of the arguments.

    """
    given = dict(arguments or {})
    refuse_secrets(given)
    if not isinstance(model, str | Path):
        return Reranking(as_reranker(model, f"{model!r:.60}"), depth, among)
    name = str(model)
    if ":" in name and not Path(name).exists() and (".py:" in name or not _PATH.match(name)):
        reranker = as_reranker(_object(name, "class", given, device), name)
        return Reranking(reranker, depth, among, given, _checksum(type(reranker)))
    if not Path(name).exists() and (_PATH.match(name) or not folders.is_hub_id(name)):
        raise EncoderError(f"There is no reranker {name}; expected a folder, a Hub id or package.module:Class.")
    check_reranker(name, revision=given.get("revision"))
    target = "xlbench.models.reranker:CrossEncoderReranker"
    reranker = as_reranker(_object(target, "reranker", given, device, folder=name), name)
    return Reranking(reranker, depth, among, given, str(CrossEncoderReranker.vectors_revision))


def _named(model: str, *, device: str | None, arguments: dict[str, Any]) -> Model:
    if not model:
        raise UnknownNameError("model", model, [*BUILT_IN, *plugins()])
    if model.startswith("fusion:"):
        from xlbench.models.fused import load_fusion

        return load_fusion(model, device=device, arguments=arguments, load=load)
    if model in BUILT_IN:
        return _made(BUILT_IN[model], model, arguments, device)
    offered = plugins()
    if model in offered:
        return _made(offered[model].value, f"entry point {model}", arguments, device)
    if ":" in model and not Path(model).exists() and (".py:" in model or not _PATH.match(model)):
        return _made(model, "class", arguments, device)
    if model.endswith(".py"):
        raise EncoderError(f"{model} names no class; expected {model}:Class.")
    return _from_folder(model, arguments, device, known=[*BUILT_IN, *offered])


def _from_folder(model: str, arguments: dict[str, Any], device: str | None, *, known: Sequence[str]) -> Model:
    from xlbench.models import debiased

    if _PATH.match(model) and not Path(model).exists():
        raise EncoderError(f"There is no folder {model}; expected one with a model in it.")
    if not Path(model).exists() and (not folders.is_hub_id(model) or ("/" not in model and nearest(model, known))):
        raise UnknownNameError(
            "model", model, known, hint="Or give a folder, a Hub id (owner/name) or package.module:Class."
        )
    revision = arguments.get("revision")
    if revision is not None and not isinstance(revision, str):
        raise EncoderError(f"revision is {revision!r}; expected text, in quotes if it looks like a number: '\"5\"'.")
    if debiased.is_debiased(model):
        return _debiased(model, arguments, device)
    adapter = folders.adapter_of(model, revision=revision, kind=arguments.get("kind"))
    taken = {name: value for name, value in arguments.items() if name != "kind"}
    return replace(_made(FOLDERS[adapter], adapter, taken, device, folder=model), arguments=arguments)


def _debiased(folder: str, arguments: dict[str, Any], device: str | None) -> Model:
    """The model in a folder that `xlbench debias` wrote; arguments of the user's go to the model within."""
    from xlbench.models import debiased

    _check_installed("debiased")
    settings = debiased.read_settings(Path(folder))
    within = load(settings.model, device=device, arguments={**settings.arguments, **arguments})
    encoder = debiased.DebiasedEncoder(folder, cast("Encoder", within.encoder), settings)
    fingerprint = f"{within.fingerprint}+{encoder.vectors_revision}"
    return replace(within, encoder=encoder, adapter="debiased", arguments=arguments, fingerprint=fingerprint)


def _check_installed(adapter: str) -> None:
    for kind in KINDS:
        if kind.adapter == adapter and not kind.installed:
            raise EncoderError(f"A model of the kind {adapter!r} needs {' and '.join(kind.requires)}: {kind.install}")


def _made(
    target: str, adapter: str, arguments: dict[str, Any], device: str | None, *, folder: str | None = None
) -> Model:
    """The model of a class; ``folder`` is the first argument of a class that loads folders and Hub ids."""
    encoder = _object(target, adapter, arguments, device, folder=folder)
    _check_members(encoder, target)
    cls = type(encoder)
    users = not target.startswith("xlbench.models.")
    fingerprint = _checksum(cls) if users else str(getattr(cls, "vectors_revision", ""))
    return Model(cast("Encoder | Scorer", encoder), adapter, arguments, fingerprint=fingerprint, users_code=users)


def _object(
    target: str, adapter: str, arguments: dict[str, Any], device: str | None, *, folder: str | None = None
) -> object:
    """What a class makes of these arguments."""
    _check_installed(adapter)
    cls = _class(target)
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


def _check_members(model: object, target: str) -> None:
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


def _checksum(cls: type) -> str:
    """Of the file that has a user's class; of nothing if there is no file."""
    try:
        file = inspect.getsourcefile(cls) or ""
    except (TypeError, OSError):  # A class made in an interactive session.
        file = ""
    content = Path(file).read_bytes() if Path(file).is_file() else b""
    return hashlib.sha256(content).hexdigest()[:12]


def _class(target: str) -> Any:
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
