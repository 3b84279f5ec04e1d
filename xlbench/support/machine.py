"""What the machine has: memory, and a folder for what is kept between runs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_UNKNOWN = 8 << 30


def memory_bytes() -> int:
    """The memory of this machine, or of the container that it is, in bytes."""
    known = []
    with suppress(ValueError, OSError, AttributeError):  # Where there is no sysconf, or it does not know.
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):  # Without a limit the file says "max".
        known.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(known, default=_UNKNOWN)


def cache_folder(cache: str | Path | None) -> Path | None:
    """The folder that ``cache`` means: None for none, ``default`` for ``XLBENCH_CACHE`` or the user's cache folder."""
    if cache != "default":
        return None if cache is None else Path(cache)
    if named := os.environ.get("XLBENCH_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("xlbench")
