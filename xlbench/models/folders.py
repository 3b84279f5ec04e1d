"""Folders and Hub ids of models: their adapter, their revision and their configuration, without loading weights."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from xlbench.errors import EncoderError, UnknownNameError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_CACHED = re.compile(r"models--(.+)")
_SAYS_NOTHING = re.compile(
    r"(checkpoint|step|epoch)[-_]?\d+|[0-9a-f]{40}|models?|final|output|out|best|last|latest|weights"
)
_UNUSED_PROMPTS = ("passage", "corpus")
_OTHER_KINDS = {
    "SparseEncoder": "a sparse encoder",
    "MultiVectorEncoder": "a late-interaction model, with a vector for each token",
    "CrossEncoder": "a reranker, which scores pairs of texts",
}
_NAMES = {"SparseEncoder": "sparse", "MultiVectorEncoder": "late"}
KINDS = ("dense", "sparse", "late", "several")
M3_HEADS = {"sparse": "sparse_linear.pt", "late": "colbert_linear.pt"}
"""The files of BGE-M3's heads, by what they give."""
_MODULES_OF_OTHER_KINDS = {
    "SpladePooling": "SparseEncoder",
    "sparse_encoder": "SparseEncoder",
    "multi_vector": "MultiVectorEncoder",
    "MultiVector": "MultiVectorEncoder",
    "cross_encoder": "CrossEncoder",
}
_NOT_THE_MODEL = {".md", ".png", ".jpg", ".onnx"}


def is_hub_id(model: str) -> bool:
    """Whether a name has the form of a Hub id, ``owner/name``."""
    return _HUB_ID.fullmatch(model) is not None


def adapter_of(model: str, *, revision: str | None, kind: str | None = None) -> str:
    """The adapter that loads a model: by what its files say that it is, or by the kind that the user says.

    ``sentence-transformers`` for a dense model with modules.json and ``transformers`` for one without,
    ``sparse-encoder``, ``late-interaction``, or ``m3`` for one with BGE-M3's heads.

    Raises:
        EncoderError: if there is no such model, it is a reranker, its files leave open what it is, or it cannot be
            what the user says.
        UnknownNameError: if there is no such kind.

    """
    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of model", str(kind), KINDS)
    stated = kind_of(model, revision=revision)
    if stated == "CrossEncoder":
        raise EncoderError(
            f"{model} is {_OTHER_KINDS[stated]} ({stated} of sentence-transformers): it cannot search by itself. "
            "Expected a model that encodes texts."
        )
    if kind == "several":
        lacking = [name for name in M3_HEADS.values() if config_file(model, name, revision=revision) is None]
        if lacking or config_file(model, "modules.json", revision=revision) is None:
            raise EncoderError(
                f"{model} does not give several representations: expected a dense model with "
                f"{' and '.join(M3_HEADS.values())}, as BGE-M3 has them."
            )
        return "m3"
    is_open = _is_masked_language_model(model, revision)
    if kind is None and is_open:
        raise EncoderError(
            f"{model} is a masked language model without modules.json, of which dense and sparse encoders are made "
            "alike: say which it is with --kind dense (then pooling=mean|cls|last too), --kind sparse or --kind late."
        )
    wanted = kind or _NAMES.get(stated, "dense")
    if wanted == "sparse" and stated != "SparseEncoder" and not is_open:
        raise EncoderError(f"{model} has no weights for terms, so that it cannot be a sparse encoder.")
    if wanted == "dense" and stated in _OTHER_KINDS:
        raise EncoderError(
            f"{model} is {_OTHER_KINDS[stated]} ({stated} of sentence-transformers), and not a dense encoder: read as "
            "one, it would give plausible numbers that are wrong."
        )
    if wanted == "late" and stated == "SparseEncoder":
        raise EncoderError(f"{model} is {_OTHER_KINDS[stated]}, and has no vectors of tokens to compare.")
    if wanted != "dense":
        return {"sparse": "sparse-encoder", "late": "late-interaction"}[wanted]
    if config_file(model, "modules.json", revision=revision) is not None:
        return "sentence-transformers"
    if config_file(model, "config.json", revision=revision) is not None:
        return "transformers"
    where = f"The folder {model}" if Path(model).exists() else f"The Hub model {model}"
    raise EncoderError(
        f"{where} has neither modules.json nor config.json: expected a sentence-transformers or transformers model."
    )


def kind_of(model: str, *, revision: str | None) -> str:
    """The class of sentence-transformers that a model is made for, as its files say.

    Raises:
        EncoderError: if there is no such model, or its configuration cannot be read.

    """
    stated = _json(model, "config_sentence_transformers.json", revision)
    if isinstance(stated, dict) and stated.get("model_type"):
        name = str(stated["model_type"])
        return "MultiVectorEncoder" if name == "ColBERT" else name  # As PyLate 3 writes it.
    modules = _json(model, "modules.json", revision)
    for module in modules if isinstance(modules, list) else []:
        kind = str(module.get("type", "")) if isinstance(module, dict) else ""
        for part, other in _MODULES_OF_OTHER_KINDS.items():
            if part in kind:
                return other
    config: Any = {}
    if not modules:
        with contextlib.suppress(EncoderError):  # What is wrong with it is said when the model is loaded.
            config = _json(model, "config.json", revision)
    architectures = config.get("architectures") if isinstance(config, dict) else None
    if "HF_ColBERT" in (architectures or ()):
        return "MultiVectorEncoder"
    is_classifier = any(str(name).endswith("ForSequenceClassification") for name in architectures or ())
    return "CrossEncoder" if is_classifier else "SentenceTransformer"


def is_causal(model: str, *, revision: str | None) -> bool:
    """Whether a model is a causal language model, as its architecture says."""
    config: Any = {}
    with contextlib.suppress(EncoderError):
        config = _json(model, "config.json", revision)
    architectures = config.get("architectures") if isinstance(config, dict) else None
    return any(str(name).endswith("ForCausalLM") for name in architectures or ())


def _is_masked_language_model(model: str, revision: str | None) -> bool:
    """Whether a model without modules.json has the head of a masked language model."""
    if config_file(model, "modules.json", revision=revision) is not None:
        return False
    config: Any = {}
    with contextlib.suppress(EncoderError):  # What is wrong with it is said when the model is loaded.
        config = _json(model, "config.json", revision)
    architectures = config.get("architectures") if isinstance(config, dict) else None
    return any(str(name).endswith("ForMaskedLM") for name in architectures or ())


def config_file(model: str, name: str, *, revision: str | None) -> Path | None:
    """A small file of the model, downloaded if the model is on the Hub; None if the model has no such file.

    Raises:
        EncoderError: if the Hub has no such model or cannot be reached.

    """
    if Path(model).exists():
        path = Path(model) / name
        return path if path.is_file() else None
    return _hub_file(model, name, revision)


@lru_cache(maxsize=256)
def _hub_file(model: str, name: str, revision: str | None) -> Path | None:
    """A file of a model on the Hub; it is asked for once, since each time is a request."""
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(model, name, revision=revision))
    except LocalEntryNotFoundError as error:
        # Without a network, a model that was used or downloaded before is in the Hub's cache, as far as it has files.
        with contextlib.suppress(LocalEntryNotFoundError):
            path = Path(snapshot_download(model, revision=revision, local_files_only=True)) / name
            return path if path.is_file() else None
        raise EncoderError(
            f"{model} is no folder here, and the model hub cannot be reached. Check the name and the connection, "
            "or download the model elsewhere and give its folder."
        ) from error
    except EntryNotFoundError:
        return None
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise EncoderError(
            f"{model} is no folder here and no usable model on the Hub: {reason[0] if reason else type(error).__name__}"
        ) from error


def revision_of(model: str, *, revision: str | None) -> str:
    """What identifies the weights: the commit of a Hub model, or a checksum over the files of a folder.

    A Hub model's files lie in a cache folder named by the commit. Links to files and folders are followed.
    """
    if not Path(model).exists():
        config = config_file(model, "config.json", revision=revision) or config_file(
            model, "modules.json", revision=revision
        )
        return config.parent.name if config else str(revision)
    digest = hashlib.sha256()
    for path in sorted(_files(Path(model))):
        relative = path.relative_to(model)
        hidden = any(part.startswith((".", "checkpoint-")) for part in relative.parts)
        if path.is_file() and not hidden and path.suffix not in _NOT_THE_MODEL:
            with path.open("rb") as file:
                digest.update(f"{relative.as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def _files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """All files below a folder; a link to a folder above it is not followed again."""
    here = folder.resolve()
    for path in folder.iterdir() if here not in above else ():
        if path.is_dir():
            yield from _files(path, above | {here})
        else:
            yield path


def name_of(model: str) -> str:
    """The name of a model in results: its Hub id, or the name of its folder.

    A folder's name that says nothing, such as ``checkpoint-500`` or a snapshot's hash, has its parent's before it. Of a
    snapshot in the Hub's cache, which is below ``models--owner--name``, it is the Hub id.
    """
    if not Path(model).exists():
        return model
    folder = Path(model).resolve()
    for parent in folder.parents:
        if match := _CACHED.fullmatch(parent.name):
            return "/".join(match[1].split("--", 1))
    return f"{folder.parent.name}/{folder.name}" if _SAYS_NOTHING.fullmatch(folder.name) else folder.name


def names_of(model: str, *, revision: str | None) -> list[str]:
    """What a model may be known by: its name, and the one that it was loaded from before its folder was written."""
    config: Any = {}
    with contextlib.suppress(EncoderError):  # What is wrong with it is said when the model is loaded.
        config = _json(model, "config.json", revision)
    before = config.get("_name_or_path") if isinstance(config, dict) else None
    return [name_of(model), *([before] if isinstance(before, str) else [])]


def prompts_of(model: str, *, revision: str | None) -> tuple[str, str]:
    """The prompts that ``encode_query`` and ``encode_document`` of sentence-transformers put before a text.

    They are those called ``query`` and ``document``; one that the model does not name is empty, whatever its default.

    Raises:
        EncoderError: if its configuration cannot be read.

    """
    prompts = _prompts(model, revision)
    return prompts.get("query", ""), prompts.get("document", "")


def notes_on_prompts(model: str, *, revision: str | None) -> tuple[str, ...]:
    """A sentence on a prompt of passages under a name that sentence-transformers does not use, if there is one."""
    prompts = _prompts(model, revision)
    unused = next((name for name in _UNUSED_PROMPTS if prompts.get(name) and not prompts.get("document")), None)
    if unused is None:
        return ()
    return (
        f"The model names a prompt {unused!r}, {prompts[unused]!r}, which sentence-transformers does not put before "
        f"passages: --model-arg passage_prompt={json.dumps(prompts[unused])} does.",
    )


def adds_end_token(model: str, *, revision: str | None) -> bool:
    """Whether a tokenizer's configuration says that it ends each text with the end token."""
    modules = _json(model, "modules.json", revision)
    paths = [str(module.get("path") or "") for module in modules if isinstance(module, dict)] if modules else []
    for path in dict.fromkeys(["", *paths]):
        with contextlib.suppress(EncoderError):
            record = _json(model, f"{path}/tokenizer_config.json".lstrip("/"), revision)
            if isinstance(record, dict) and record.get("add_eos_token") is True:
                return True
    return False


def _prompts(model: str, revision: str | None) -> dict[str, str]:
    record = _json(model, "config_sentence_transformers.json", revision)
    try:
        prompts = {name: str(prompt) for name, prompt in (record.get("prompts") or {}).items() if prompt}
        if record.get("default_prompt_name") not in (None, *(record.get("prompts") or {}), "query", "document"):
            raise ValueError(f"default_prompt_name {record['default_prompt_name']!r} is not among its prompts")
    except (ValueError, AttributeError, TypeError) as error:
        raise EncoderError(
            f"The configuration config_sentence_transformers.json of {model} is not the configuration of a "
            f"sentence-transformers model: {error}."
        ) from error
    return prompts


def _json(model: str, name: str, revision: str | None) -> Any:
    """A configuration file; empty if the model has none."""
    path = config_file(model, name, revision=revision)
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else {}
    except ValueError as error:
        raise EncoderError(f"{path} is not the configuration of a sentence-transformers model: {error}.") from error
