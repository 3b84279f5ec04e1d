"""What the machine has."""

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
