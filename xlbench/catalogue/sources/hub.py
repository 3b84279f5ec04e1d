"""Downloads files of a data set on the Hugging Face Hub, by ``hf://datasets/OWNER/NAME@REVISION/PATH``.

HF_ENDPOINT and HF_TOKEN are honoured. Files that have arrived are kept when a download is cut off.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock

from xlbench.catalogue.sources.checksums import Checksum, check
from xlbench.catalogue.sources.patterns import matching
from xlbench.errors import DataError

SCHEME = "hf://"
_ADDRESS = re.compile(r"hf://datasets/(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)/(?P<path>[^/].*)")


@dataclass(frozen=True)
class Address:
    """One file of a data set, or with ``*`` in its name several."""

    name: str
    """``OWNER/NAME``."""
    revision: str
    path: str

    def __str__(self) -> str:
        return f"hf://datasets/{self.name}@{self.revision}/{self.path}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which always has the same files."""
        return re.fullmatch("[0-9a-f]{40}", self.revision) is not None


def parse(url: str) -> Address | None:
    """The parts of an address, or None if it is not of the form ``hf://datasets/OWNER/NAME@REVISION/PATH``."""
    match = _ADDRESS.fullmatch(url)
    return Address(**match.groupdict()) if match else None


def unfinished(target: Path) -> list[Path]:
    """The folders of downloads to ``target`` that have begun and not ended."""
    entries = target.parent.iterdir() if target.parent.is_dir() else ()
    return [
        entry
        for entry in entries
        if entry.name.startswith(f".{_plain(target)}.") and entry.suffix == ".part" and entry.is_dir()
    ]


def download(address: Address, target: Path, expected: Sequence[Checksum] | None) -> list[Path]:
    """The files of an address, downloaded and checked, in natural order; those that are there are kept.

    ``target`` is a path with ``*`` where the address has one. No file appears before all have arrived.

    Raises:
        DataError: if the Hub does not give a file, a file has another checksum, or there are not as many as checksums.

    """
    target.parent.mkdir(parents=True, exist_ok=True)
    arrived = target.with_name(f".{_plain(target)}.{address.revision[:12]}.part")
    with FileLock(target.with_name(f".{_plain(target)}.lock")):
        names = _names(address)
        if expected is not None and len(names) != len(expected):
            raise DataError(
                f"{address} stands for {len(names)} files on the Hub, but the task has the checksums of "
                f"{len(expected)}: correct one of them in the task file."
            )
        arrived.mkdir(exist_ok=True)
        several = "*" in target.name
        targets = [target.with_name(PurePosixPath(name).name) if several else target for name in names]
        checksums: Sequence[Checksum | None] = expected or [None] * len(names)
        for name, final, checksum in zip(names, targets, checksums, strict=True):
            if not final.is_file():
                _fetch(address, name, arrived, checksum)
            elif checksum is not None:
                check(final, checksum)
        for name, final in zip(names, targets, strict=True):
            if not final.is_file():
                (arrived / name).replace(final)
        shutil.rmtree(arrived)
    return targets


def _plain(target: Path) -> str:
    return target.name.replace("*", "all")


def _names(address: Address) -> list[str]:
    """The paths in the data set that the address stands for, in natural order."""
    if "*" not in address.path:
        return [address.path]
    folder = str(PurePosixPath(address.path).parent)
    with _errors(address) as hub:
        api = hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        tree = api.list_repo_tree(
            address.name, None if folder == "." else folder, revision=address.revision, repo_type="dataset"
        )
        names = matching(address.path, [entry.path for entry in tree if isinstance(entry, hub.hf_api.RepoFile)])
    if not names:
        raise DataError(f"{address} was not found: the Hub has no such file. Correct 'url' in the task file.")
    return names


def _fetch(address: Address, name: str, folder: Path, expected: Checksum | None) -> None:
    """Puts one file below a folder."""
    with _errors(address) as hub:
        path = hub.hf_hub_download(
            address.name,
            name,
            repo_type="dataset",
            revision=address.revision,
            local_dir=folder,
            endpoint=os.environ.get("HF_ENDPOINT"),
        )
    if expected is None:
        return
    try:
        check(Path(path), expected)
    except DataError as error:
        Path(path).unlink()
        raise DataError(f"The Hub gave another file than expected. {error}") from error


@contextmanager
def _errors(address: Address) -> Iterator[Any]:
    """The library, with its errors as sentences."""
    import huggingface_hub
    from huggingface_hub import errors

    try:
        yield huggingface_hub
    # HTTPError is that of the HTTP client that the library uses, which differs by version.
    except (errors.EntryNotFoundError, errors.HTTPError, OSError, ValueError) as error:  # type: ignore[attr-defined]
        raise DataError(f"{address} {_reason(address, error)}") from error


def _reason(address: Address, error: Exception) -> str:
    """What an error of the library means, and what to do."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            "is gated: the Hub gives it to those only who have asked for access. Ask for it on "
            f"{_page(address)}, then run `hf auth login` or set HF_TOKEN; or put the files below --data-dir."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"was not found: the Hub has no data set {address.name}, or it is private. Correct 'url' in the task file, "
            "or run `hf auth login` or set HF_TOKEN for one that you may read."
        )
    unreachable = isinstance(error, errors.LocalEntryNotFoundError)
    if isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError) and not unreachable:
        return "was not found: the Hub has no such file or revision. Correct 'url' in the task file."
    return (
        f"could not be downloaded: {' '.join(str(error).split())} Run again to go on; for a machine without a network, "
        "run `xlbench fetch` on another one and pass the folder as --data-dir."
    )


def _page(address: Address) -> str:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    return f"{endpoint}/datasets/{address.name}"
