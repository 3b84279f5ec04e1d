"""Folders and Hub ids of models: their adapter, their revision and their configuration, without loading weights."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from xlbench.errors import EncoderError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_CACHED = re.compile(r"models--(.+)")
_SAYS_NOTHING = re.compile(
    r"(checkpoint|step|epoch)[-_]?\d+|[0-9a-f]{40}|models?|final|output|out|best|last|latest|weights"
)
# sentence-transformers takes the first of these that there is.
_PASSAGE_PROMPTS = ("document", "passage", "corpus")
_NOT_THE_MODEL = {".md", ".png", ".jpg", ".onnx"}


def is_hub_id(model: str) -> bool:
    """Whether a name has the form of a Hub id, ``owner/name``."""
    return _HUB_ID.fullmatch(model) is not None


def adapter_of(model: str, *, revision: str | None) -> str:
    """``sentence-transformers`` if the model has modules.json, else ``transformers``.

    Raises:
        EncoderError: if there is no such model.

    """
    if config_file(model, "modules.json", revision=revision) is not None:
        return "sentence-transformers"
    if config_file(model, "config.json", revision=revision) is not None:
        return "transformers"
    where = f"The folder {model}" if Path(model).exists() else f"The Hub model {model}"
    raise EncoderError(
        f"{where} has neither modules.json nor config.json: expected a sentence-transformers or transformers model."
    )


def config_file(model: str, name: str, *, revision: str | None) -> Path | None:
    """A small file of the model, downloaded if the model is on the Hub; None if the model has no such file.

    Raises:
        EncoderError: if the Hub has no such model or cannot be reached.

    """
    if Path(model).exists():
        path = Path(model) / name
        return path if path.is_file() else None
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(model, name, revision=revision))
    except LocalEntryNotFoundError as error:
        # Without a network, a model that was used before is in the hub's cache, and so is which files it does not have.
        if try_to_load_from_cache(model, name, revision=revision) is not None:
            return None
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

    A Hub model's files lie in a cache folder named by the commit.
    """
    if not Path(model).exists():
        config = config_file(model, "config.json", revision=revision) or config_file(
            model, "modules.json", revision=revision
        )
        return config.parent.name if config else str(revision)
    digest = hashlib.sha256()
    for path in sorted(Path(model).rglob("*")):
        relative = path.relative_to(model)
        hidden = any(part.startswith((".", "checkpoint-")) for part in relative.parts)
        if path.is_file() and not hidden and path.suffix not in _NOT_THE_MODEL:
            with path.open("rb") as file:
                digest.update(f"{relative.as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


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


def prompts_of(model: str, *, revision: str | None) -> tuple[str, str]:
    """The prompts for queries and for passages that a sentence-transformers model names; empty if it names none.

    A prompt that is named as the default stands in for one that is not there, as in sentence-transformers.

    Raises:
        EncoderError: if its configuration cannot be read.

    """
    path = config_file(model, "config_sentence_transformers.json", revision=revision)
    try:
        config: Any = json.loads(path.read_text(encoding="utf-8")) if path else {}
        prompts = {name: str(prompt) for name, prompt in (config.get("prompts") or {}).items() if prompt}
        default = prompts.get(config.get("default_prompt_name"), "")
    except (ValueError, AttributeError, TypeError) as error:
        raise EncoderError(f"{path} is not the configuration of a sentence-transformers model: {error}.") from error
    passage = next((prompts[name] for name in _PASSAGE_PROMPTS if name in prompts), default)
    return prompts.get("query", default), passage
