"""Evidence as it is read: every value held against what a file may have, since files come from others."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlbench.collection import Clusters
from xlbench.errors import ResultError
from xlbench.measures.ranks import Judged, Ranking
from xlbench.results.evidence import EVIDENCE_SCHEMA, METADATA_KEY, ROWS_AT_ONCE, count_columns

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_LONGEST_ID = 1000
_LONGEST_NAME = 100
_TEXT, _COUNT, _GAIN = "BYTE_ARRAY String", "INT32 None", "INT32 Int(bitWidth=16, isSigned=true)"


@dataclass(frozen=True)
class EvidenceLimits:
    """What a file of evidence may ask for before any of it is read."""

    rows: int = 50_000_000
    languages: int = 1000
    n_bytes: int = 1 << 34
    """Of the whole table in memory."""


UNLIMITED = EvidenceLimits()


def load_evidence(path: Path) -> Ranking:
    """The ranking in a file of evidence; queries without a judged pair are not in it.

    Raises:
        ResultError: if it is missing, damaged or no evidence.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultError(
            f"{path} cannot be read ({error.strerror}); expected the evidence beside a result. "
            "`xlbench run --force` writes it anew."
        ) from error
    return parse_evidence(content, str(path))


def parse_evidence(content: bytes, where: str, *, limits: EvidenceLimits = UNLIMITED) -> Ranking:
    """The ranking in the content of a file of evidence; ``where`` names it in errors.

    What a file says of its size is held against the limits before anything is read, and what it gives after that.

    Raises:
        ResultError: if it is damaged, no evidence, or larger than the limits.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(pa.BufferReader(content))
        header = _Header.of(metadata, where, limits)
        header.check(metadata, where, limits)
        table = _read(content, header, where, limits)
        return _ranking(table, header, where)
    except MemoryError as error:
        raise ResultError(f"{where} asks for more memory than there is for it ({error}).") from error
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        first = " ".join(str(error).split())[:200]
        raise ResultError(
            f"{where} cannot be read ({type(error).__name__}: {first}); expected the parquet file that `xlbench run` "
            "writes: run it again with --force."
        ) from error


@dataclass(frozen=True)
class _Header:
    """What the metadata of a file says."""

    languages: tuple[str, ...]
    n_passages: tuple[int, ...]
    unit: str
    top: int
    alone: bool
    sums: bool

    @classmethod
    def of(cls, metadata: pq.FileMetaData, where: str, limits: EvidenceLimits) -> _Header:
        try:
            said: Any = json.loads((metadata.metadata or {}).get(METADATA_KEY, b"null"))
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or said.get("schema") != EVIDENCE_SCHEMA:
            raise ResultError(f"{where} has no evidence of schema {EVIDENCE_SCHEMA}: use the xlbench that wrote it.")
        languages: Any = said.get("languages")
        n_passages: Any = said.get("n_passages")
        unit: Any = said.get("unit")
        top: Any = said.get("top")
        alone: Any = said.get("alone", False)
        sums: Any = said.get("sums", False)
        sound = (
            isinstance(languages, list)
            and 0 < len(languages) <= limits.languages
            and all(isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME for name in languages)
            and len(set(languages)) == len(languages)
            and isinstance(n_passages, list)
            and len(n_passages) == len(languages)
            and all(type(n) is int and 0 <= n < 1 << 31 for n in n_passages)
            and isinstance(unit, str)
            and re.fullmatch(r"[a-z][a-z ]{0,30}", unit)
            and type(top) is int
            and 0 <= top < 10_000  # As measures of the best passages can ask for.
            and type(alone) is bool
            and type(sums) is bool
        )
        if not sound:
            raise ResultError(
                f"{where} does not say its languages, how many passages each has, what a cluster is, and how many "
                "passages are best."
            )
        return cls(tuple(languages), tuple(n_passages), unit, top, alone, sums)

    def columns(self) -> dict[str, str]:
        """The physical and the logical type of each column, by name."""
        return {
            "query": _TEXT,
            "query_language": _TEXT,
            "cluster": _TEXT,
            "passage": _TEXT,
            "passage_language": _TEXT,
            "gain": _GAIN,
            **dict.fromkeys(count_columns(self.languages, sums=self.sums), _COUNT),
            **{f"top.{i + 1}": _TEXT for i in range(self.top)},
            **({"alone": _COUNT} if self.alone else {}),
        }

    def check(self, metadata: pq.FileMetaData, where: str, limits: EvidenceLimits) -> None:
        """Refuses a file of other columns, or one that says to be larger than it may be."""
        schema = metadata.schema
        columns = [schema.column(i) for i in range(min(metadata.num_columns, len(self.columns()) + 1))]
        said = {
            column.path: f"{column.physical_type} {column.logical_type}"
            for column in columns
            if column.max_definition_level == column.max_repetition_level == 0
        }
        if list(said.items()) != list(self.columns().items()):
            wrong = sorted(dict(set(said.items()) ^ set(self.columns().items())))
            raise ResultError(
                f"{where} has {metadata.num_columns:,} columns, of which these are missing, too many or of another "
                f"type: {', '.join(wrong)[:200] or 'their order'}; expected those of evidence."
            )
        groups = [metadata.row_group(i) for i in range(min(metadata.num_row_groups, limits.rows + 1))]
        rows = [group.num_rows for group in groups]
        # Of the group alone: to ask for a column's own size ends the process if the file is damaged there.
        sizes = [group.total_byte_size for group in groups]
        if not metadata.num_rows:
            raise ResultError(f"{where} has no rows; expected one for each judged pair.")
        if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows or metadata.num_rows > limits.rows:
            raise ResultError(f"{where} says that it has {metadata.num_rows:,} rows; expected at most {limits.rows:,}.")
        if max(rows, default=0) > ROWS_AT_ONCE:
            raise ResultError(f"{where} has {max(rows):,} rows in one group; expected at most {ROWS_AT_ONCE:,}.")
        if min(sizes, default=0) < 0 or sum(sizes) > limits.n_bytes:
            raise ResultError(f"{where} says that it is {sum(sizes):,} bytes; expected at most {limits.n_bytes:,}.")


def _read(content: bytes, header: _Header, where: str, limits: EvidenceLimits) -> pa.Table:
    """The table, read one group of rows after the other, each held against what it says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [name for name, kind in header.columns().items() if kind == _TEXT]
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    parts, n_bytes = [], 0
    for i in range(file.num_row_groups):
        part = file.read_row_group(i, use_threads=False)
        n_bytes += part.nbytes
        if part.num_rows != file.metadata.row_group(i).num_rows or n_bytes > limits.n_bytes:
            raise ResultError(f"{where} is larger than it says; expected at most {limits.n_bytes:,} bytes.")
        part.validate(full=True)  # That texts are UTF-8, and codes those of texts.
        parts.append(part)
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _ranking(table: pa.Table, header: _Header, where: str) -> Ranking:
    query, query_ids = _codes(table, "query", where)
    passage, passage_ids = _codes(table, "passage", where)
    cluster, names = _codes(table, "cluster", where)
    language = {name: i for i, name in enumerate(header.languages)}
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    asked = _languages(table, "query_language", language, where)
    of_query = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(starts, append=len(query)))
    apart = (np.bincount(query[starts]) > 1).any()
    if apart or (np.diff(asked) < 0).any() or (asked != asked[starts][of_query]).any():
        raise ResultError(f"{where}: the rows of a query do not stand together, or the queries of a language do not.")
    if (cluster != cluster[starts][of_query]).any():
        raise ResultError(f"{where} says different clusters of one query.")
    if (np.diff(np.sort(of_query * np.int64(len(passage_ids)) + passage)) == 0).any():
        raise ResultError(f"{where} has a pair of a query and a passage twice.")
    columns = [table[name].to_numpy() for name in count_columns(header.languages, sums=header.sums)]
    known = {**language, "": -1}
    best = [_languages(table, f"top.{i + 1}", known, where) for i in range(header.top)]
    top = np.stack(best, axis=1) if best else np.empty((len(query), 0), np.int16)
    if (top != top[starts][of_query]).any():
        raise ResultError(f"{where} says different best passages of one query.")
    judged = Judged(
        languages=header.languages,
        query_ids=[query_ids[code] for code in query[starts].tolist()],
        query_language=asked[starts],
        query=of_query,
        passage_ids=[passage_ids[code] for code in passage.tolist()],
        passage_language=_languages(table, "passage_language", language, where),
        gain=table["gain"].to_numpy().astype(np.int16),
        n_passages=np.array(header.n_passages, np.int64),
        clusters=Clusters(header.unit, tuple(names[code] for code in cluster[starts].tolist())),
    )
    return Ranking(
        judged=judged,
        above=np.stack(columns, axis=1).astype(np.int32),
        top=top[starts],
        alone=table["alone"].to_numpy().astype(np.int32) if header.alone else None,
        has_sums=header.sums,
    )


def _codes(table: pa.Table, name: str, where: str) -> tuple[npt.NDArray[np.int64], Sequence[str]]:
    """Which of the distinct texts each row of a column has, and these texts."""
    column = table[name].combine_chunks()
    texts: Sequence[str] = column.dictionary.to_pylist()
    for text in texts:
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_ID:
            raise ResultError(f"{where} has the {name} {text!r:.60}; expected 1 to {_LONGEST_ID:,} characters.")
    if len(set(texts)) != len(texts):  # Codes are compared, and not texts.
        raise ResultError(f"{where} has a {name} twice in its dictionary.")
    return column.indices.to_numpy().astype(np.int64), texts


def _languages(table: pa.Table, name: str, known: dict[str, int], where: str) -> npt.NDArray[np.int16]:
    column = table[name].combine_chunks()
    texts = column.dictionary.to_pylist()
    for text in texts:
        if text not in known:
            raise ResultError(f"{where} has the language {text!r:.60} in {name!r}; expected one of its own.")
    code = np.array([known[text] for text in texts], np.int16)
    codes: npt.NDArray[np.int16] = code[column.indices.to_numpy()]
    return codes
