"""Writes files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}")
_A_DAY_S = 86_400


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Writes a file that appears whole or not at all, whatever else writes it at the same time.

    A link is followed, and what is no regular file (a device, a pipe) is written to, not replaced.

    Raises:
        OSError: with the name of the file, if it cannot be written.

    """
    target = path.resolve()
    if target.exists() and not target.is_file() and not target.is_dir():
        try:
            target.write_bytes(content)
        except OSError as error:
            error.filename = str(path)
            raise
        return
    with whole(path) as temporary:
        temporary.write_bytes(content)


def sweep(folder: Path) -> None:
    """Removes the temporary files that killed runs have left in a folder, once they are a day old."""
    oldest = time.time() - _A_DAY_S
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _TEMPORARY.fullmatch(path.name):
                with contextlib.suppress(OSError):  # Another run sweeps as well.
                    if path.is_file() and path.stat().st_mtime < oldest:
                        path.unlink()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file to write to, which takes the place of ``path`` when the block ends without an error.

    Raises:
        OSError: with the name of the file, if it cannot be written.

    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        # Libraries name the temporary file, or none at all.
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
