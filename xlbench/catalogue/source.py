"""The key ``source`` of a task file: where the files of each part are, and their checksums."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers import optional, parts
from xlbench.catalogue.readers.datasets import ACROSS, COLUMNS, OPTIONAL_COLUMNS, PAIRS, PARTS
from xlbench.catalogue.readers.hub_tables import DatasetTable
from xlbench.catalogue.sources import ALGORITHMS, UNCHECKED_BYTES, Checksum, Source, hub
from xlbench.catalogue.task import Sizes
from xlbench.catalogue.yaml_values import by_language, mapping, names, one_of, typed
from xlbench.errors import TaskError


def sources(value: Any, reader: str, sizes: Mapping[str, Sizes], where: str) -> dict[str, Source]:
    """The source of each part of a task; where one file has all of them, the same for each.

    A language has files of passages if it has passages, and files of other parts if it has queries.
    """
    known = parts(reader)
    if len(known) == 1 or (isinstance(value, dict) and "path" in value):
        return dict.fromkeys(known, _source(value, list(sizes), f"{where} 'source'"))
    may_lack = optional(reader)
    record = mapping(value, known, f"{where} 'source'")
    return {
        part: _source(
            record[part],
            [language for language, size in sizes.items() if (size.passages if part == "passages" else size.queries)],
            f"{where} 'source', {part!r},",
            may_lack=part in may_lack,
        )
        for part in known
    }


def tables(value: Any, where: str) -> dict[str, DatasetTable]:
    """The tables of a task that `datasets` reads, by part."""
    several = (PAIRS,) if isinstance(value, dict) and PAIRS in value else PARTS
    record = mapping(value, several, f"{where} 'source'")
    return {part: _table(record[part], part, f"{where} 'source', {part!r},") for part in several}


def _table(value: Any, part: str, where: str) -> DatasetTable:
    place = "file" if isinstance(value, dict) and "file" in value else "config"
    more = {"queries": ["asked_in"], "judgements": ["across"]}.get(part, [])
    record = mapping(value, ["name", place, "split", "revision", "columns"], where, optional=["names", "header", *more])
    texts = {key: typed(record[key], str, f"{where} {key!r}") for key in ("name", place, "split", "revision")}
    if not re.fullmatch(r"[0-9a-f]{40}", texts["revision"]):
        raise TaskError(
            f"{where} 'revision' is {texts['revision']!r}, which may have other data tomorrow; expected a commit, 40 "
            "digits of 0-9a-f."
        )
    known = names(record["header"], f"{where} 'header'", known=None) if "header" in record else ()
    values = mapping(record["columns"], COLUMNS[part], f"{where} 'columns'", optional=OPTIONAL_COLUMNS[part])
    given = record.get("names", {})
    return DatasetTable(
        **{"config": "", **texts},
        columns={ours: _columns(theirs, f"{where} 'columns', {ours!r},") for ours, theirs in values.items()},
        header=known,
        names=_names(given, list(given) if isinstance(given, dict) else [], f"{where} 'names'"),
        asked_in=typed(record.get("asked_in", ""), str, f"{where} 'asked_in'"),
        across=one_of(record["across"], ACROSS, f"{where} 'across'") if "across" in record else "",
    )


def _columns(value: Any, where: str) -> tuple[str, ...]:
    """One name that a column may have, or several."""
    return names(value, where, known=None) if isinstance(value, list) else (typed(value, str, where),)


def _source(value: Any, languages: Sequence[str], where: str, *, may_lack: bool = False) -> Source:
    algorithm = "md5" if isinstance(value, dict) and "md5" in value else "sha256"
    record = mapping(value, ["url", "path", algorithm], where, optional=["names", "bytes"])
    path = _relative(typed(record["path"], str, f"{where} 'path'"), where)
    url = None if record["url"] is None else typed(record["url"], str, f"{where} 'url'")
    several = "*" in Path(path).name
    checksums: dict[str, tuple[Checksum, ...] | None]
    if record[algorithm] is None:
        checksums = dict.fromkeys(languages)
    else:
        convert = partial(_checksums, algorithm=algorithm, several=several)
        if may_lack:
            there = typed(record[algorithm], dict, f"{where} {algorithm!r}")
            languages = [language for language in languages if language in there]
        checksums = by_language(record[algorithm], languages, f"{where} {algorithm!r}", convert)
    names = _names(record.get("names", {}), languages, f"{where} 'names'")
    if url is not None:
        _check_address(url, path, where, is_checked=None not in checksums.values())
    most_bytes = typed(record.get("bytes", UNCHECKED_BYTES), int, f"{where} 'bytes'")
    return Source(url=url, path=path, checksums=checksums, names=names, most_bytes=most_bytes)


def _check_address(url: str, path: str, where: str, *, is_checked: bool) -> None:
    address = hub.parse(url.replace("{language}", "x"))
    if url.startswith(hub.SCHEME) and address is None:
        raise TaskError(f"{where} 'url' is {url!r}; expected hf://datasets/OWNER/NAME@REVISION/PATH.")
    if address is not None and not (address.is_pinned or is_checked):
        raise TaskError(
            f"{where} 'url' is {url!r}, which may have other files tomorrow, and not all have a checksum; expected a "
            "commit, 40 digits of 0-9a-f, after '@'."
        )
    if "*" not in url + path:
        return
    if address is None or url.rpartition("/")[2] != path.rpartition("/")[2] or "*" in url.rpartition("/")[0]:
        raise TaskError(
            f"{where} 'url' is {url!r} and 'path' {path!r}; '*' may stand in the name of a file, which must be the "
            "same in both, and at hf:// addresses only."
        )


def _relative(path: str, where: str) -> str:
    parts = Path(path).parts
    if not path or Path(path).is_absolute() or ".." in parts or "\0" in path or any("*" in part for part in parts[:-1]):
        raise TaskError(
            f"{where} 'path' is {path!r}; expected a path below the data folder, '*' only in its last part."
        )
    return path


def _names(value: Any, languages: Sequence[str], where: str) -> dict[str, str]:
    record = mapping(value, [], where, optional=languages)
    names = {language: typed(name, str, f"{where}, {language!r},") for language, name in record.items()}
    for language, name in names.items():
        if not name or set(name) & set("/\\*\0") or name.startswith("."):
            raise TaskError(f"{where}, {language!r}, is {name!r}; expected a part of the name of a file or folder.")
    return names


def _checksums(value: Any, where: str, *, algorithm: str, several: bool) -> tuple[Checksum, ...] | None:
    """One checksum, or of several files a list of them; None if nobody has published any."""
    if value is None:
        return None
    items = typed(value, list, where) if several else [value]
    return tuple(Checksum(algorithm, _digits(item, where, algorithm)) for item in items)


def _digits(value: Any, where: str, algorithm: str) -> str:
    text = typed(value, str, where)
    n_digits = ALGORITHMS[algorithm]
    if len(text) != n_digits or set(text) - set("0123456789abcdef"):
        raise TaskError(f"{where} is {text!r}; expected the {algorithm}, {n_digits} digits of 0-9a-f.")
    return text
