"""Finds the files of a task: in the data folder, beside the task file, in the cache, or by download; always checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlbench.catalogue.sources import hub, web
from xlbench.catalogue.sources.checksums import ALGORITHMS, Checksum, check
from xlbench.catalogue.sources.patterns import files
from xlbench.errors import DataError

__all__ = ["ALGORITHMS", "UNCHECKED_BYTES", "Checksum", "Source", "at_hand", "check", "fetch", "hub", "locate"]


UNCHECKED_BYTES = 1 << 30
"""How large a file without a checksum may be, where the task file does not say."""


@dataclass(frozen=True)
class Source:
    """Where the files of a part of a task are, by language.

    In an address and a path, ``{language}`` stands for the language or for its name among ``names``, ``{code}`` for the
    language itself, and ``*`` in the name of a file for anything.
    """

    url: str | None
    """Pinned address, or None if the files come with the task file."""
    path: str
    """Relative to the data folder, the task file's folder, and the cache."""
    checksums: Mapping[str, Sequence[Checksum] | None]
    """By language that has files: one for each file, or None if nobody has published any."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What stands for ``{language}``, by language, where that is not the language itself."""
    most_bytes: int = UNCHECKED_BYTES
    """How large a file may be that is downloaded from a web address and has no checksum."""

    def path_of(self, language: str) -> str:
        """The relative path of a language's files."""
        return self._filled(self.path, language)

    def url_of(self, language: str) -> str | None:
        """The address of a language's files."""
        return None if self.url is None else self._filled(self.url, language)

    def _filled(self, template: str, language: str) -> str:
        return template.replace("{code}", language).replace("{language}", self.names.get(language, language))


def locate(
    source: Source, language: str, *, data_dir: Path | None, task_dir: Path, cache_dir: Path | None
) -> list[Path]:
    """The checked files of a language: from the data folder, beside the task file, from the cache, else downloaded.

    Raises:
        DataError: if a file has another checksum than the task says, is missing among others, or cannot be downloaded.

    """
    if here := at_hand(source, language, data_dir=data_dir, task_dir=task_dir, cache_dir=cache_dir):
        return here
    relative = source.path_of(language)
    folders = [folder for folder in (data_dir, task_dir) if folder is not None]
    tried = " or ".join(str(folder) for folder in folders)
    url = source.url_of(language)
    if url is None:
        raise DataError(f"{relative} was not found in {tried}, and the task names no address: restore the file.")
    for path in (folder / relative for folder in folders):
        if "*" in path.name and path.parent.is_dir():
            n_expected = len(source.checksums[language] or ()) or "some"
            raise DataError(
                f"{path.parent} has {len(files(path))} whole files {path.name}; expected {n_expected}. `xlbench fetch` "
                "downloads what is missing; without that folder, all are downloaded into the cache."
            )
    if cache_dir is None:
        raise DataError(f"{relative} was not found in {tried}, and without a cache there is nowhere to download it to.")
    return _download(url, cache_dir / "data" / relative, source.checksums[language], most_bytes=source.most_bytes)


def at_hand(
    source: Source, language: str, *, data_dir: Path | None, task_dir: Path, cache_dir: Path | None
) -> list[Path]:
    """The checked files of a language, in the order of ``locate``; none if they are not here: nothing is downloaded.

    Raises:
        DataError: if a file has another checksum than the task says.

    """
    relative = source.path_of(language)
    for folder in (data_dir, task_dir, cache_dir / "data" if cache_dir else None):
        if folder is not None and (here := _complete(folder / relative, source.checksums[language])):
            return here
    return []


def fetch(
    sources: Iterable[Source], data_dir: Path, *, languages: Sequence[str], report: Callable[[str], None]
) -> None:
    """Puts every file of some languages under ``data_dir``; files that are there and right are kept.

    Raises:
        DataError: if a file has another checksum than the task says, or cannot be downloaded.

    """
    wanted = {
        source.path_of(language): (source.url_of(language), checksums, source.most_bytes)
        for source in sources
        for language, checksums in source.checksums.items()
        if language in languages
    }
    for relative, (url, checksums, most_bytes) in wanted.items():
        target = data_dir / relative
        if here := _complete(target, checksums):
            said = "there, checked" if checksums else "there"
        elif url is None:
            report(f"{relative}: comes with the task file, nothing to download")
            continue
        else:
            here = _download(url, target, checksums, most_bytes=most_bytes)
            said = "downloaded, checked" if checksums else "downloaded"
        for path in here:
            report(f"{path}: {said}")


def _complete(path: Path, expected: Sequence[Checksum] | None) -> list[Path]:
    """The files of a path, checked; none if there are none, or not yet all."""
    here = [] if hub.unfinished(path) else files(path)
    if not here or (expected is not None and len(here) < len(expected)):
        return []
    if expected is not None and len(here) > len(expected):
        raise DataError(
            f"{path.parent} has {len(here)} files {path.name}, but the task {len(expected)}: remove those that are "
            "not the task's."
        )
    for file, checksum in zip(here, expected or (), strict=expected is not None):
        check(file, checksum)
    return here


def _download(url: str, target: Path, expected: Sequence[Checksum] | None, *, most_bytes: int) -> list[Path]:
    address = hub.parse(url)
    if address is not None:
        return hub.download(address, target, expected)
    web.download(url, target, expected[0] if expected else None, most_bytes=most_bytes)
    return [target]
