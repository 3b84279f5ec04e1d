"""Finds the files of a task: in the data folder, beside the task file, in the cache, or by download; always checked."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from xlbench import __version__
from xlbench.errors import DataError

_BLOCK = 1 << 20
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Source:
    """Where the files of a task are; ``{language}`` in a name stands for the language."""

    url: str | None
    """Pinned address, or None if the files come with the task file."""
    path: str
    """Relative to the data folder, the task file's folder, and the cache."""
    sha256: Mapping[str, str]
    """Checksum by language."""

    def path_of(self, language: str) -> str:
        """The relative path of a language's file."""
        return self.path.replace("{language}", language)

    def url_of(self, language: str) -> str | None:
        """The address of a language's file."""
        return None if self.url is None else self.url.replace("{language}", language)


def locate(source: Source, language: str, *, data_dir: Path | None, task_dir: Path, cache_dir: Path) -> Path:
    """The checked file of a language: from the data folder, beside the task file, from the cache, else downloaded.

    Raises:
        DataError: if a file has another checksum than the task says, or cannot be downloaded.

    """
    relative = source.path_of(language)
    download_to = cache_dir / "data" / relative
    folders = [folder for folder in (data_dir, task_dir) if folder is not None]
    for path in [*(folder / relative for folder in folders), download_to]:
        if path.is_file():
            check(path, source.sha256[language])
            return path
    url = source.url_of(language)
    if url is None:
        tried = " or ".join(str(folder) for folder in folders)
        raise DataError(f"{relative} was not found in {tried}, and the task names no address: restore the file.")
    download(url, download_to, source.sha256[language])
    return download_to


def fetch(source: Source, data_dir: Path, *, report: Callable[[str], None]) -> None:
    """Puts every file of a source under ``data_dir``; files that are there and right are kept.

    Raises:
        DataError: if a file has another checksum than the task says, or cannot be downloaded.

    """
    checksums = {source.path_of(language): (language, checksum) for language, checksum in source.sha256.items()}
    for relative, (language, checksum) in checksums.items():
        target = data_dir / relative
        url = source.url_of(language)
        if target.is_file():
            check(target, checksum)
            report(f"{target}: there, checked")
        elif url is None:
            report(f"{relative}: comes with xlbench, nothing to download")
        else:
            download(url, target, checksum)
            report(f"{target}: downloaded, checked")


def check(path: Path, expected: str) -> None:
    """Compares a file's sha256 with the one expected.

    Raises:
        DataError: if they differ.

    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise DataError(
            f"{path} is not the file that the task was made with: its sha256 is {found}, expected {expected}. "
            "Delete it and run again to download it, or point --data-dir at an unaltered copy."
        )


def download(url: str, target: Path, sha256: str) -> None:
    """Downloads a file and checks it; a download that was cut off is taken up where it ended.

    Of several runs that want the same file, one downloads it and the others wait.

    Raises:
        DataError: if the address does not answer, or the file has another checksum.

    """
    if not url.startswith(("https://", "http://")):
        raise DataError(f"{url} is not a web address: expected https://.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The lock's file stays: to remove it would let a third run in beside the second.
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():  # Another run has downloaded it while this one waited for the lock.
            check(target, sha256)
        else:
            _download(url, target, sha256)


def _download(url: str, target: Path, sha256: str) -> None:
    # Named by the checksum, so that a part of another version of the file is never continued.
    part = target.with_name(f".{target.name}.{sha256[:12]}.part")
    with part.open("ab") as file:
        for block in _blocks_from(url, file.tell(), restart=lambda: file.truncate(0)):
            file.write(block)
    try:
        check(part, sha256)
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
