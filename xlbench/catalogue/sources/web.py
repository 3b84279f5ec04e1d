"""Downloads a file from a web address; one that was cut off is taken up where it ended."""

from __future__ import annotations

import hashlib
import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from xlbench import __version__
from xlbench.catalogue.sources.checksums import Checksum, check
from xlbench.errors import DataError

_LOG = logging.getLogger("xlbench")
_BLOCK = 1 << 20
_TIMEOUT_S = 60


def download(url: str, target: Path, expected: Checksum | None, *, most_bytes: int | None = None) -> None:
    """Downloads a file and checks it; a download that was cut off is taken up where it ended.

    A file without a checksum may have no more than ``most_bytes``.
    Of several runs that want the same file, one downloads it and the others wait.

    Raises:
        DataError: if the address does not answer, or the file has another checksum or is too large.

    """
    if not url.startswith(("https://", "http://")):
        raise DataError(f"{url} is not a web address: expected https://.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The lock's file stays: to remove it would let a third run in beside the second.
    with FileLock(target.with_name(f".{target.name}.lock")):
        if not target.is_file():
            _download(url, target, expected, most_bytes if expected is None else None)
        elif expected is not None:  # Another run has downloaded it while this one waited for the lock.
            check(target, expected)


def _download(url: str, target: Path, expected: Checksum | None, most_bytes: int | None) -> None:
    _LOG.info("downloading %s", url)
    # Named by the checksum, so that a part of another version of the file is never continued.
    version = expected.digits if expected else hashlib.sha256(url.encode()).hexdigest()
    part = target.with_name(f".{target.name}.{version[:12]}.part")
    with part.open("ab") as file:
        for block in _blocks_from(url, file.tell(), restart=lambda: file.truncate(0)):
            file.write(block)
            if most_bytes is not None and file.tell() > most_bytes:
                file.truncate(0)
                raise DataError(
                    f"{url} gave more than {most_bytes:,} bytes, the most that this file without a checksum may have: "
                    "give its checksum in the task file, or 'bytes', how large it may be."
                )
    if expected is not None:
        try:
            check(part, expected)
        except DataError as error:
            part.unlink()
            raise DataError(f"{url} gave another file than expected. {error}") from error
    part.replace(target)


def _blocks_from(url: str, start: int, *, restart: Callable[[], object]) -> Iterator[bytes]:
    """The content behind an address, from byte ``start`` on; ``restart`` is called if the server begins at 0."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": f"xlbench/{__version__}"})  # noqa: S310 (http only)
        if start:
            request.add_header("Range", f"bytes={start}-")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 (http only)
            if start and response.status != 206:
                restart()
            while block := response.read(_BLOCK):
                yield block
            # http.client ends a read in silence when the connection is cut.
            if response.length:
                raise ConnectionError(f"the connection was cut {response.length:,} bytes before the end")
    except (OSError, http.client.HTTPException, ValueError) as error:
        # ValueError and HTTPException: an address that cannot be parsed, or an answer that is no HTTP.
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            if start and error.code == 416:  # Range not satisfiable: the part is whole, or is no part of this file.
                return
        raise DataError(
            f"{url} could not be downloaded: {error}. Run again to go on where it stopped; for a machine "
            "without a network, run `xlbench fetch` on another one and pass the folder as --data-dir."
        ) from error
