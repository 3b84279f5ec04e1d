"""TREC runs and judgements of each setting beside a result, from which any tool computes its figures again.

``<task>.runs/cross.de.en.run.gz`` has the best passages of ``de>en``, in trec_eval's order and with scores that give
the same float32 again; ``cross.de.en.qrels`` has what is judged there. ``languages.gz`` has the language of each
passage.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.collection import Collection, Texts
from xlbench.errors import DataError
from xlbench.measures.best import Top
from xlbench.results.result import Result
from xlbench.settings import Setting
from xlbench.support.files import whole, write_whole
from xlbench.support.progress import Advance

_LANGUAGES = "languages.gz"
_OURS = ("*.run.gz", "*.qrels", _LANGUAGES)
_SEPARATOR = re.compile(r"[\s\0]", re.ASCII)  # At the non-breaking space nothing is split.


@dataclass(frozen=True)
class Kept:
    """What is written."""

    best: int
    """How many passages of each query a run has; 0 for no runs."""
    judgements: bool
    """Whether the judgements are written, and the languages of passages."""

    def record(self) -> dict[str, Any]:
        """As the environment of a result says it."""
        return {"runs": {"best": self.best, "judgements": self.judgements}}


def runs_folder(path: Path) -> Path:
    """The folder of runs beside a result's JSON file."""
    return path.with_name(f"{path.name.removesuffix('.json')}.runs")


def run_path(path: Path, setting: Setting) -> Path:
    """The run of a setting: ``multi.de.run.gz`` for ``de>*``."""
    return runs_folder(path) / f"{_file_name(setting)}.run.gz"


def judgements_path(path: Path, setting: Setting) -> Path:
    """The judgements of a setting."""
    return runs_folder(path) / f"{_file_name(setting)}.qrels"


def languages_path(path: Path) -> Path:
    """The languages of all passages, as ``xlbench score --language-map`` takes them."""
    return runs_folder(path) / _LANGUAGES


def _file_name(setting: Setting) -> str:
    kind = setting.kind
    return f"cross.{setting.query}.{setting.passages}" if kind == "cross" else f"{kind}.{setting.query}"


def runs_are_there(path: Path, result: Result, kept: Kept) -> bool:
    """Whether all of this was written with a result."""
    wanted = [languages_path(path)] if kept.judgements else []
    for setting, n_queries in result.queries.items():
        if n_queries:
            wanted += [run_path(path, setting)] * (kept.best > 0) + [judgements_path(path, setting)] * kept.judgements
    return kept.record().items() <= result.environment.items() and all(file.exists() for file in wanted)


def check_ids(collection: Collection) -> None:
    """Refuses ids that a TREC file cannot have.

    Raises:
        DataError: if an id has white space, which separates columns.

    """
    for what, texts in (("query", collection.queries), ("passage", collection.passages)):
        for id_ in texts.ids:
            if _SEPARATOR.search(id_):
                raise DataError(
                    f"The id of the {what} {id_!r} has white space, which separates the columns of TREC files: "
                    "leave --keep-run and --qrels out, or rename it in the data."
                )


def clear_runs(path: Path) -> None:
    """Removes the runs of an earlier result."""
    folder = runs_folder(path)
    for file in (file for pattern in _OURS for file in folder.glob(pattern)):
        file.unlink()
    with suppress(OSError):  # It is not there, or holds files of others.
        folder.rmdir()


def save_runs(path: Path, result: Result, collection: Collection, *, kept: Kept, advance: Advance) -> None:
    """Writes what is kept of a result with its ranking, each file whole or not at all.

    ``advance`` is told how many queries are done.
    """
    ranking = result.ranking
    if ranking is None:
        raise ValueError("the result has no ranking")
    runs_folder(path).mkdir(parents=True, exist_ok=True)
    judged = ranking.judged
    if kept.judgements:
        named = zip(collection.passages.ids, collection.passages.language.tolist(), strict=True)
        with _written(languages_path(path)) as file:
            file.writelines(f"{id_} {judged.languages[code]}\n".encode() for id_, code in named)
    tag = re.sub(r"\s+", "_", str(result.model["name"]))
    for setting in (setting for setting, n_queries in result.queries.items() if n_queries):
        rows = judged.rows(setting)
        queries = np.unique(judged.query[rows]).astype(np.int64)
        if kept.judgements:
            pairs = zip(judged.query[rows].tolist(), rows.tolist(), judged.gain[rows].tolist(), strict=True)
            lines = [f"{judged.query_ids[query]} 0 {judged.passage_ids[row]} {gain}\n" for query, row, gain in pairs]
            write_whole(judgements_path(path, setting), "".join(lines).encode())
        if kept.best and ranking.best:
            top = ranking.best.top(judged.pool(setting), queries, kept.best)
            with _written(run_path(path, setting)) as file:
                file.writelines(
                    _lines([judged.query_ids[row] for row in queries.tolist()], top, collection.passages, tag)
                )
        advance(texts=len(queries), characters=len(queries), stored=False)


def _lines(queries: Sequence[str], top: Top, passages: Texts, tag: str) -> Iterator[bytes]:
    """The lines of each query, best first."""
    # In ascending order, for the ids may be on disk.
    ids = {row: passages.ids[row] for row in np.unique(top.passage[top.passage >= 0]).tolist()}
    for query, best, scores in zip(queries, top.passage.tolist(), top.score.tolist(), strict=True):
        ranked = enumerate(zip(best, scores, strict=True), 1)
        # Nine digits give the same float32 again.
        lines = [f"{query} Q0 {ids[row]} {rank} {score:.9g} {tag}\n" for rank, (row, score) in ranked if row >= 0]
        yield "".join(lines).encode()


@contextmanager
def _written(path: Path) -> Iterator[gzip.GzipFile]:
    """A file to be packed that appears whole or not at all, without name and time in it: equal runs are equal bytes."""
    with whole(path) as temporary, temporary.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        yield file
