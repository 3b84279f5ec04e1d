"""Encoders: the protocols, and from what ``--model`` names to a model.

Making an encoder is cheap and imports nothing heavy: it resolves the model's name and revision. Weights are loaded
when the first text is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from xlbench.errors import EncoderError, UnknownNameError, nearest
from xlbench.models import classes, folders
from xlbench.models.kinds import BUILT_IN, FOLDERS
from xlbench.models.protocols import Encoder, Model, Scorer, StoredAs
from xlbench.models.reranker import Among, CrossEncoderReranker, Reranking, as_reranker, check_reranker
from xlbench.support.secrets import refuse_secrets

ENTRY_POINT_GROUP = "xlbench.models"
API, RERANK_API = "openai:", "cohere:"
"""What the names of a model and of a reranker behind an HTTP API begin with."""
APIS = {
    API: "xlbench.models.api_encoder:OpenAIEncoder",
    "litellm:": "xlbench.models.litellm_encoder:LitellmEncoder",
}
"""The classes of models behind APIs, by what their names begin with."""
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
        given=_of_identity(given, loaded.encoder) or loaded.given,
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
    """The reranker that ``--rerank`` names, or that an object is.

    It names a folder, a Hub id, ``cohere:MODEL`` behind an HTTP API, or ``package.module:Class``.

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
    if name.startswith(RERANK_API):
        target = "xlbench.models.api_reranker:CohereReranker"
        reranker = as_reranker(classes.object_of(target, "cohere", given, None, folder=name[len(RERANK_API) :]), name)
        return Reranking(reranker, depth, among, given, str(getattr(reranker, "vectors_revision", "")))
    if ":" in name and not Path(name).exists() and (".py:" in name or not _PATH.match(name)):
        reranker = as_reranker(classes.object_of(name, "class", given, device), name)
        return Reranking(reranker, depth, among, given, classes.checksum(type(reranker)))
    if not Path(name).exists() and (_PATH.match(name) or not folders.is_hub_id(name)):
        raise EncoderError(f"There is no reranker {name}; expected a folder, a Hub id or package.module:Class.")
    check_reranker(name, revision=given.get("revision"))
    target = "xlbench.models.reranker:CrossEncoderReranker"
    reranker = as_reranker(classes.object_of(target, "reranker", given, device, folder=name), name)
    return Reranking(reranker, depth, among, given, str(CrossEncoderReranker.vectors_revision))


def _named(model: str, *, device: str | None, arguments: dict[str, Any]) -> Model:
    if not model:
        raise UnknownNameError("model", model, [*BUILT_IN, *plugins()])
    if model.startswith("fusion:"):
        from xlbench.models.fused import load_fusion

        return load_fusion(model, device=device, arguments=arguments, load=load)
    if begins := next((prefix for prefix in APIS if model.startswith(prefix)), None):
        if not model[len(begins) :].strip(". "):
            raise EncoderError(f"{model} names no model; expected {begins}MODEL, with the name that the server knows.")
        if device is not None:
            raise EncoderError(f"{model} runs at its server, so that --device {device} says nothing: leave it out.")
        made = _made(APIS[begins], begins.rstrip(":"), arguments, device, folder=model[len(begins) :])
        return replace(made, arguments={**made.arguments, **made.filled})
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

    if form := _other_form(model):
        raise EncoderError(
            f"{model} is a model in {form} form, which is not read here: give the folder that it was made from, or "
            "serve it, with llama.cpp or Infinity say, and name it as openai:MODEL with --base-url."
        )
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
    made = _made(FOLDERS[adapter], adapter, taken, device, folder=model)
    return replace(made, arguments=arguments | made.filled)


def _other_form(model: str) -> str | None:
    """The form that a file's weights have, or all weights in a folder, if it is not that of torch."""
    path = Path(model)
    files = [path, *path.glob("*"), *path.glob("*/*")] if path.is_dir() else [path]
    suffixes = {file.suffix.lower() for file in files}
    if suffixes & {".safetensors", ".bin", ".pt", ".pth"}:
        return None
    return next((form for suffix, form in ((".gguf", "GGUF"), (".onnx", "ONNX")) if suffix in suffixes), None)


def _debiased(folder: str, arguments: dict[str, Any], device: str | None) -> Model:
    """The model in a folder that `xlbench debias` wrote; arguments of the user's go to the model within."""
    from xlbench.models import debiased

    classes.check_installed("debiased")
    settings = debiased.read_settings(Path(folder))
    within = load(settings.model, device=device, arguments={**settings.arguments, **arguments})
    encoder = debiased.DebiasedEncoder(folder, cast("Encoder", within.encoder), settings)
    fingerprint = f"{within.fingerprint}+{encoder.vectors_revision}"
    return replace(within, encoder=encoder, adapter="debiased", arguments=arguments, fingerprint=fingerprint)


def _made(
    target: str, adapter: str, arguments: dict[str, Any], device: str | None, *, folder: str | None = None
) -> Model:
    """The model of a class; ``folder`` is the first argument of a class that loads folders and Hub ids."""
    encoder = classes.object_of(target, adapter, arguments, device, folder=folder)
    classes.check_members(encoder, target)
    cls = type(encoder)
    users = not target.startswith("xlbench.models.")
    fingerprint = classes.checksum(cls) if users else str(getattr(cls, "vectors_revision", ""))
    identity = _of_identity(arguments, encoder)
    return Model(cast("Encoder | Scorer", encoder), adapter, identity, fingerprint=fingerprint, users_code=users)


def _of_identity(arguments: Mapping[str, Any], encoder: object) -> dict[str, Any]:
    """The arguments without those of which the encoder says that they change no vector."""
    without = getattr(encoder, "changes_no_vector", ())
    return {name: value for name, value in arguments.items() if name not in without}
