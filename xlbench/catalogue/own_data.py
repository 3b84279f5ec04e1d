"""One's own data as a task: a collection, or a folder in BEIR form."""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path

import numpy as np

from xlbench import measures
from xlbench.catalogue.readers import beir, read
from xlbench.catalogue.task import Sizes, Task
from xlbench.collection import Collection
from xlbench.errors import DataError, TaskError
from xlbench.settings import KINDS, Kind

_LOG = logging.getLogger("xlbench")
_FORMS = {"passages": ("corpus.jsonl", "corpus.jsonl.gz"), "queries": ("queries.jsonl", "queries.jsonl.gz")}
_JUDGEMENTS = ("qrels/test.tsv", "qrels.tsv", "test.tsv")
_UNKNOWN = "und"
"""BCP 47's tag of a language that is not determined."""


def read_folder(folder: Path) -> Collection:
    """The collection in a folder in BEIR form, or in a folder that has one such folder a language.

    A folder in BEIR form has ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``. Of several languages the
    folders' names are the languages; that of a single folder without subfolders is ``und``.

    Raises:
        DataError: if the folder has neither form, or a file is not of its shape.

    """
    parts = files_of(folder)
    collection = read("beir", parts, text="title+text")
    _tell_of_unjudged(folder, parts["queries"], collection)
    return collection


def files_of(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """The files of such a folder by part and language; a language without a file of a part has none.

    Raises:
        DataError: if a part has no file at all.

    """
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and _part(path, _FORMS["passages"]))
    of_language = {path.name: path for path in inside} or {_UNKNOWN: folder}
    parts = {
        part: {language: _part(path, names) for language, path in of_language.items()}
        for part, names in (*_FORMS.items(), ("judgements", _JUDGEMENTS))
    }
    for part, files in parts.items():
        if not any(files.values()):
            names = " or ".join((_FORMS | {"judgements": _JUDGEMENTS})[part])
            raise DataError(
                f"{folder} has no {part}; expected a folder in BEIR form (corpus.jsonl, queries.jsonl, "
                f"qrels/test.tsv), or one such folder a language. Looked for {names} in "
                f"{', '.join(map(str, of_language.values()))}."
            )
    return parts


def task_name(folder: Path) -> str:
    """The folder's name with the letters that a task's name may have."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip(".-") or "own-data"


def _tell_of_unjudged(folder: Path, files: beir.Files, collection: Collection) -> None:
    """Warns of queries that are left out since no passage is judged relevant to them, by language."""
    n_read = Counter(query.language for query in beir.queries(files))
    n_kept = np.bincount(collection.queries.language, minlength=len(collection.languages)).tolist()
    left_out = [
        f"{n_read[language] - n:,} of {n_read[language]:,} in {language}"
        for language, n in zip(collection.languages, n_kept, strict=True)
        if n < n_read[language]
    ]
    if left_out:
        _LOG.warning(
            "%s: queries without a passage that is judged relevant are left out: %s.", folder, ", ".join(left_out)
        )


def _part(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [path for path in (folder / name for name in names) if path.is_file()][:1]


def of_collection(collection: Collection, *, name: str = "collection", file: Path | None = None) -> Task:
    """The task of a collection: all settings that its judgements allow, and the usual measures.

    Raises:
        TaskError: if nothing is judged.

    """
    asked = collection.queries.language[collection.pairs.query]
    answered = collection.passages.language[collection.pairs.passage]
    if not len(asked):
        raise TaskError(f"{name} has no judgements, so that there is nothing to evaluate.")
    has = {"mono": (asked == answered).any(), "cross": (asked != answered).any(), "multi": len(collection.pooled) > 1}
    kinds: tuple[Kind, ...] = tuple(kind for kind in KINDS if has[kind])
    counts = [
        np.bincount(texts.language, minlength=len(collection.languages))
        for texts in (collection.queries, collection.passages)
    ]
    sizes = zip(*(count.tolist() for count in counts), strict=True)
    of_bias = measures.USUAL_BIAS if "multi" in kinds else ()
    return Task(
        name=name,
        title=name,
        version=1,
        reader="beir",
        text="title+text",
        source={},
        sizes={language: Sizes(*size) for language, size in zip(collection.languages, sizes, strict=True)},
        languages=collection.languages,
        settings=kinds,
        measures=(*measures.USUAL, *of_bias),
        headline=measures.USUAL[0],
        licence="not stated",
        citation="not stated",
        file=file or Path(name),
    )
