"""The task file of a folder in BEIR form: sizes and checksums counted, not typed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import yaml

from xlbench.catalogue.own_data import files_of, of_collection, read_folder, task_name
from xlbench.errors import DataError

_HEAD = """\
# Written by `xlbench tasks --new {folder}`: title, licence and citation are yours to fill in. Raise the version
# whenever a number could change.
"""


def written(folder: Path) -> tuple[Path, str]:
    """Where the task file of a folder belongs, beside it, and its content.

    Raises:
        DataError: if the folder has no such form, or files of one part have two names.

    """
    folder = folder.resolve()
    task = of_collection(read_folder(folder), name=task_name(folder))
    source = {}
    for part, files in files_of(folder).items():
        # A language without passages has no file of them, and one without queries neither of the other parts.
        kept = {a for a, size in task.sizes.items() if (size.passages if part == "passages" else size.queries)}
        source[part] = _source({a: paths for a, paths in files.items() if a in kept}, folder, part)
    content = {
        "name": task.name,
        "title": folder.name,
        "version": task.version,
        "reader": task.reader,
        "text": task.text,
        "source": source,
        "sizes": {a: {"queries": size.queries, "passages": size.passages} for a, size in task.sizes.items()},
        "languages": list(task.languages),
        "settings": list(task.settings),
        "measures": list(task.measures),
        "headline": task.headline,
        "licence": task.licence,
        "citation": task.citation,
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return folder.with_name(f"{task.name}.yaml"), _HEAD.format(folder=folder.name) + text


def _source(files: Mapping[str, list[Path]], folder: Path, part: str) -> dict[str, object]:
    """The source of a part: one path for all languages, and the checksum of each."""
    paths: dict[str, None] = {}
    checksums = {}
    for language, of_language in files.items():
        for path in of_language:
            inside = path.relative_to(folder).parts
            below = ("{language}", *inside[1:]) if inside[0] == language else inside
            paths["/".join((folder.name, *below))] = None
            with path.open("rb") as file:
                checksums[language] = hashlib.file_digest(file, "sha256").hexdigest()
    if len(paths) > 1:
        raise DataError(
            f"{folder} has {part} under several names: {', '.join(paths)}; expected one name in all languages. Rename "
            "them, or unpack what is gzip."
        )
    return {"url": None, "path": next(iter(paths)), "sha256": checksums}
