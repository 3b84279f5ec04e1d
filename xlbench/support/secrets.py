"""What looks like a secret: it must not become an argument of a model, which results and pages show."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from xlbench.errors import UsageError

_NAMES = re.compile(
    r"(?i)(api[_-]?key|secret|passw|credential|private[_-]?key|^(auth|access|bearer|hf|hub|api)?[_-]?token$)"
)
_KEYS = re.compile(
    r"(sk|pk|rk)-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|xox[abpr]-[\w-]{10,}"
    r"|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}|-----BEGIN"
)
_LONG, _BITS = 24, 4.0
_FOLDERS = re.compile(r"(?<![\w.])(~?/|[A-Za-z]:[/\\])[^\s+]*[/\\](?=[^/\\])")
_HOME = re.compile(r"(/home|/Users|/root)/|[A-Za-z]:\\+Users\\")


def refuse_secrets(arguments: Mapping[str, Any]) -> None:
    """Returns if no argument looks like a secret, by its name, a known form of key, or as random characters.

    Raises:
        UsageError: naming the argument, and never its value.

    """
    for name, value in _strings(arguments):
        if _NAMES.search(name.rpartition(".")[2]) or is_secret(value):
            raise UsageError(
                f"The model argument {name!r} looks like a secret, and arguments become part of results, cache keys "
                "and pages: set it in the environment, where the model's library reads it."
            )


def without_folders(word: str) -> str:
    """A word with each absolute path in it by its last part: where something lies on a machine is nobody's business."""
    return _FOLDERS.sub("", word)


def private_part(record: Any) -> str | None:
    """The name of the first text of a record that looks like a secret, or has a path below somebody's home; or None."""
    for name, value in _strings(record):
        if is_secret(value) or _HOME.search(value):
            return name
    return None


def is_secret(text: str) -> bool:
    """Whether a text has the form of a known kind of key, or is long and random."""
    return bool(_KEYS.search(text)) or any(map(_is_random, re.split(r"[^A-Za-z0-9+]+", text)))


def _is_random(word: str) -> bool:
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]")
    if len(word) < _LONG or not all(re.search(kind, word) for kind in kinds):
        return False  # A checksum has lower-case letters and digits alone.
    shares = [n / len(word) for n in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares) >= _BITS


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner, name)
    elif isinstance(value, str):
        yield name, value
