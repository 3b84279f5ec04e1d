"""Whether the model hub can be reached, found out in two seconds and not by its library's retries."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from collections.abc import Container, Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

_HUB = "https://huggingface.co"
_OFFLINE = "HF_HUB_OFFLINE"
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_SECONDS = 2.0
_OFF = ("", "0", "false", "no", "off")


def ask_hub_only_if_there(models: Iterable[str], known: Container[str]) -> None:
    """Has the hub's library look into its cache only, if one of the models may be on the hub and it cannot be reached.

    Models that are ``known``, those that come with xlbench, are on no hub. Without this a missing model would be said
    after half a minute of retries. ``HF_HUB_OFFLINE`` that the user has set stays as it is, and nothing is tried behind
    a proxy.
    """
    if os.environ.get(_OFFLINE, "").lower() not in _OFF or not any(_may_be_on_hub(model, known) for model in models):
        return
    if is_reachable(os.environ.get("HF_ENDPOINT") or _HUB):
        return
    os.environ[_OFFLINE] = "1"
    # Where the library was imported before, it has read the variable already.
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]


def is_reachable(url: str, *, seconds: float = _SECONDS) -> bool:
    """Whether a host takes connections; behind a proxy, which alone knows, it is taken for granted."""
    parts = urlsplit(url)
    if parts.scheme in getproxies() or "all" in getproxies():
        return True
    address = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    connected = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=seconds).close()
        except OSError:
            return
        connected.set()

    # A thread, because looking up a name takes as long as it takes.
    trying = threading.Thread(target=connect, daemon=True)
    trying.start()
    trying.join(seconds)
    return connected.is_set()


def _may_be_on_hub(model: str, known: Container[str]) -> bool:
    """Whether a name of a model, or a part of a fusion's, has the form of a Hub id and is no folder here."""
    names = model.removeprefix("fusion:").split("+") if model.startswith("fusion:") else [model]
    return any(_HUB_ID.fullmatch(name) and name not in known and not Path(name).exists() for name in names)
