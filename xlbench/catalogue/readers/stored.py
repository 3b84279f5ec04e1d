"""Passages on disk: each file of a task is read once into a file that needs not be in memory; see ``texts``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from xlbench.collection import Text, Texts
from xlbench.collection.strings import StoredStrings, store
from xlbench.support.progress import Advance

Files = Mapping[str, Sequence[Path]]
_VERSION = 1  # Goes up when a reader gives other ids or texts for the same file.
_TOLD_EVERY = 1000


def stored(
    files: Files,
    passages: Callable[[Files], Iterable[Text]],
    *,
    form: str,
    folder: Path,
    advance: Advance | None = None,
) -> Texts:
    """The passages of all languages, in files under ``folder``; one that an earlier run has written is taken as it is.

    ``passages`` reads some files, and ``form`` names all but the files that its texts depend on.

    Raises:
        DataError: with file and line, if a passage is empty, or an id occurs twice.

    """
    kept: list[Path] = []
    lengths: list[int] = []
    for language, paths in files.items():
        before = len(kept)
        for path in paths:
            target = folder / f"{path.name.partition('.')[0]}-{_key(path, language, form)}.arrow"
            was_there = _length(target)
            if was_there is None:
                store(_told(passages({language: [path]}), advance), target)
            elif advance:
                advance(texts=was_there, characters=was_there, stored=True)
            kept.append(target)
        lengths.append(sum(len(StoredStrings([target], "id")) for target in kept[before:]))
    ids = StoredStrings(kept, "id")
    if (repeat := ids.first_repeat) is not None:
        places = [passage for passage in passages(files) if passage.id == repeat]
        raise places[1].repeated(places[0])
    return Texts(
        ids=ids,
        text=StoredStrings(kept, "text"),
        language=np.repeat(np.arange(len(lengths), dtype=np.int16), lengths),
    )


def _key(path: Path, language: str, form: str) -> str:
    """What tells a file, and what is read from it, from any other; its checksum was compared when it was located."""
    status = path.stat()
    known = [_VERSION, str(path.resolve()), status.st_size, status.st_mtime_ns, language, form]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def _length(path: Path) -> int | None:
    """How many passages a stored file has; None if it is not there, or damaged."""
    import pyarrow as pa

    try:
        return len(StoredStrings([path], "id"))
    except (OSError, pa.ArrowInvalid):
        return None


def _told(passages: Iterable[Text], advance: Advance | None) -> Iterator[tuple[str, str]]:
    """Ids and texts; ``advance`` hears of them in the meantime."""
    for i, passage in enumerate(passages, start=1):
        passage.refuse_empty()
        if advance and i % _TOLD_EVERY == 0:
            advance(texts=_TOLD_EVERY, characters=_TOLD_EVERY, stored=False)
        yield passage.id, passage.text
