"""Readers: one module for each published shape of data; each gives a Collection.

A reader module has ``FORMS``, the forms of passage text it can give, and ``read(files, *, text) -> Collection``. One
that reads a single file a language is given ``files`` as a mapping from languages to paths. One that reads several has
``PARTS`` and is given a mapping from parts to languages to lists of paths, empty for a language without files; of the
parts in ``OPTIONAL`` a task may have no file in some languages. One whose data cannot have some kinds of settings has
``WITHOUT``, which says why, or ``WITHOUT_IN`` by form. One with ``WHOLE`` needs the files of all languages, whichever
are evaluated: passages of one language are in the files of others. One with ``answers(asked, answered)`` has
cross-lingual settings for some pairs of languages only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from xlbench.catalogue.readers.stored import stored
from xlbench.collection import Collection
from xlbench.settings import Kind
from xlbench.support.progress import Advance

Files = Mapping[str, Path]
Parts = Mapping[str, Mapping[str, Sequence[Path]]]
READERS = (
    "afriqa",
    "beir",
    "belebele",
    "by_answers",
    "datasets",
    "lareqa",
    "lines",
    "miracl",
    "parallel",
    "tatoeba",
    "tmx",
)
BY_ANSWERS = "by_answers"
"""The reader of what nobody has judged: a passage counts if it contains an answer as a string."""
ONE_FILE = ("texts",)
"""The parts of a reader of a single file a language."""


def forms(reader: str) -> tuple[str, ...]:
    """The forms of passage text that a reader can give."""
    forms_of: tuple[str, ...] = _module(reader).FORMS
    return forms_of


def parts(reader: str) -> tuple[str, ...]:
    """The parts of which a reader reads the files."""
    parts_of: tuple[str, ...] = getattr(_module(reader), "PARTS", ONE_FILE)
    return parts_of


def optional(reader: str) -> tuple[str, ...]:
    """The parts of which some languages may have no file."""
    parts_of: tuple[str, ...] = getattr(_module(reader), "OPTIONAL", ())
    return parts_of


def answers(reader: str, asked: str, answered: str) -> bool:
    """Whether passages in a language may answer queries in another."""
    of_reader: Callable[[str, str], bool] | None = getattr(_module(reader), "answers", None)
    return of_reader is None or of_reader(asked, answered)


def is_whole(reader: str) -> bool:
    """Whether the files of all languages are needed for any of them."""
    return bool(getattr(_module(reader), "WHOLE", False))


def why_not(reader: str, kind: Kind, *, text: str) -> str | None:
    """Why the data that a reader reads, in this form, has no settings of a kind, or None if it may have."""
    module = _module(reader)
    in_form: Mapping[str, Mapping[Kind, str]] = getattr(module, "WITHOUT_IN", {})
    reasons: Mapping[Kind, str] = in_form.get(text, getattr(module, "WITHOUT", {}))
    return reasons.get(kind)


def read(
    reader: str, files: Files | Parts, *, text: str, folder: Path | None = None, advance: Advance | None = None
) -> Collection:
    """The collection in these files, languages in their order.

    With a folder, the passages of a reader that reads them as a stream are kept there and not in memory; ``advance``
    hears of them.

    Raises:
        DataError: if a file is not of the reader's shape.

    """
    module = _module(reader)
    collection: Collection
    if folder is None or not streams(reader):
        collection = module.read(files, text=text)
        return collection
    passages = partial(module.passages, text=text)
    kept = stored(cast("Parts", files)["passages"], passages, form=f"{reader} {text}", folder=folder, advance=advance)
    collection = module.read(files, text=text, stored=kept)
    return collection


def streams(reader: str) -> bool:
    """Whether a reader gives its passages one by one, so that they need not be in memory."""
    return hasattr(_module(reader), "passages")


def _module(reader: str) -> Any:
    return importlib.import_module(f"xlbench.catalogue.readers.{reader}")
