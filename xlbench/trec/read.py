"""Reads what trec_eval reads, runs and judgements, and maps of ids to languages; plain or gzip, told by content.

Columns are separated by spaces or tabs, and nothing is quoted. Ids are kept as they are, also when they look like
numbers. Blank lines are skipped.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.errors import DataError, shown

_RUN = "qid Q0 docid rank score tag"
_JUDGEMENTS = "qid iter docid gain"
_TABLE = "query-id corpus-id score"
_LANGUAGES = "id language"
_BLOCK = 1 << 24
_LONGEST = 1 << 20
_ROWS_AT_ONCE = 1 << 20  # A text in a list takes some 60 bytes more than in an Arrow array.
_BOM = codecs.BOM_UTF8
_LARGEST_SCORE = float(np.finfo(np.float32).max)
_LARGEST_GAIN = int(np.iinfo(np.int16).max)

Judgements = Mapping[str, Mapping[str, int]]
"""Gains by query and passage."""


@dataclass(frozen=True)
class Run:
    """The passages that were retrieved for each query."""

    rows: Mapping[str, slice]
    """By query: its rows of ``passages``, best first."""
    passages: Any
    """An Arrow array of ids."""

    def ranking(self, query: str) -> list[str]:
        """The passages of a query, best first; none for a query that the run does not have."""
        if query not in self.rows:
            return []
        ids: list[str] = self.passages[self.rows[query]].to_pylist()
        return ids


def read_run(path: Path) -> Run:
    """The run in a file of lines ``qid Q0 docid rank score tag``, in the order that trec_eval gives it.

    That is by descending score in single precision, and among equal scores by descending id. The rank that the file
    says plays no part.

    Raises:
        DataError: for a line that is not of this form, a score that is no finite number, a passage that a query has
            twice, and a file that is empty, cut off or not UTF-8.

    """
    import pyarrow as pa

    code: dict[bytes, int] = {}
    query_of, score_of, line_of = array("i"), array("d"), array("q")
    chunks, passages = [], []
    for number, (query, _, passage, _, score, _) in _rows(path, _RUN):
        query_of.append(code.setdefault(query, len(code)))
        score_of.append(_score(score, path, number))
        line_of.append(number)
        passages.append(passage)
        if len(passages) == _ROWS_AT_ONCE:
            chunks.append(pa.array(passages, pa.large_binary()))
            passages = []
    chunks.append(pa.array(passages, pa.large_binary()))
    table = pa.table(
        {
            "query": np.frombuffer(query_of, np.int32),
            # As trec_eval keeps them: scores that differ in double precision only are ties.
            "score": np.frombuffer(score_of).astype(np.float32),
            "passage": pa.chunked_array(chunks).cast(pa.large_string()),
            "line": np.frombuffer(line_of, np.int64),
        }
    )
    table = table.sort_by([("query", "ascending"), ("score", "descending"), ("passage", "descending")])
    ids = table["passage"].combine_chunks()
    starts = np.searchsorted(table["query"].to_numpy(), np.arange(len(code) + 1)).tolist()
    rows = {query.decode(): slice(starts[i], starts[i + 1]) for query, i in code.items()}
    _refuse_repeats(rows, ids, table["line"].to_numpy(), path)
    return Run(rows, ids)


def read_judgements(path: Path) -> Judgements:
    """The gains in a file of lines ``qid iter docid gain``, by query and passage, in the order of the file.

    A table of BEIR, which begins with ``query-id corpus-id score``, is read as such.

    Raises:
        DataError: for a line that is not of this form, a gain that is no integer, a pair that is judged twice with
            different gains, and a file that is empty, cut off or not UTF-8.

    """
    gains: dict[str, dict[str, int]] = {}
    for number, (query, *_, passage, text) in _rows(path, _JUDGEMENTS, table=_TABLE):
        gain = _gain(text, path, number)
        known = gains.setdefault(query.decode(), {}).setdefault(passage.decode(), gain)
        if known != gain:
            raise DataError(
                f"{path}, line {number:,}, judges the passage {shown(passage.decode())} of query "
                f"{shown(query.decode())} with {gain}, and a line above it with {known}; expected one gain."
            )
    return gains


def read_languages(path: Path) -> dict[str, str]:
    """The languages in a file of lines ``id language``, by id.

    Raises:
        DataError: for a line that is not of this form, an id with two languages, and a file that is empty, cut off
            or not UTF-8.

    """
    language_of: dict[str, str] = {}
    names: dict[bytes, str] = {}
    for number, (id_, language) in _rows(path, _LANGUAGES):
        name = names.setdefault(language, language.decode())
        known = language_of.setdefault(id_.decode(), name)
        if known != name:
            raise DataError(
                f"{path}, line {number:,}, says that {shown(id_.decode())} is in {shown(name)}, and a line above it "
                f"that it is in {shown(known)}; expected one language."
            )
    return language_of


def _rows(path: Path, columns: str, *, table: str = "") -> Iterator[tuple[int, list[bytes]]]:
    """The number and the columns of each line that is not blank; as many columns as are named.

    A file may begin with the names of the columns of a ``table``, and then has these.
    """
    n_columns, empty = len(columns.split()), True
    for number, block in _blocks(path, columns):
        # Bytes split at ASCII white space only; text would also split at the non-breaking space within an id.
        for i, line in enumerate(block.split(b"\n")):
            fields = line.split()
            if empty and table and fields == table.encode().split():
                columns, n_columns = table, len(fields)
            elif len(fields) == n_columns:
                yield number + i, fields
                empty = False
            elif fields:
                raise DataError(_wrong_columns(f"{path}, line {number + i:,},", line, columns))
    if empty:
        raise DataError(f"{path} is empty; expected lines of the form '{columns}'.")


def _wrong_columns(where: str, line: bytes, columns: str) -> str:
    n_found = len(line.split())
    message = f"{where} has {n_found} column{'s' * (n_found > 1)}: {shown(line.decode().strip())}; "
    message += f"expected {len(columns.split())}: {columns}."
    other = {_RUN: _JUDGEMENTS, _JUDGEMENTS: _RUN}.get(columns, "")
    if n_found == len(other.split()):
        message += f" It looks like '{other}': were the run and the judgements exchanged?"
    return message


def _blocks(path: Path, columns: str) -> Iterator[tuple[int, bytes]]:
    """The number of the first line, and the whole lines, of each block of a file; valid UTF-8."""
    number, at, rest = 1, 0, b""
    for block in _contents(path):
        content = rest + block
        if at == 0 and content.startswith(_BOM):
            content, at = content[len(_BOM) :], len(_BOM)
        end = content.rfind(b"\n") + 1 if block else len(content)
        whole, rest = content[:end], content[end:]
        _check_text(whole, path, number, at)
        yield number, whole
        number, at = number + whole.count(b"\n"), at + end
        if len(rest) > _LONGEST:
            begin = shown(rest[:100].decode(errors="replace"))
            raise DataError(
                f"{path}, line {number:,}, is longer than {_LONGEST:,} bytes and begins with {begin}; "
                f"expected short lines of the form '{columns}'."
            )


def _contents(path: Path) -> Iterator[bytes]:
    """The blocks of a file, unpacked if it is gzip, and an empty one at its end."""
    with path.open("rb") as file:
        # Peeking, not opening twice, lets the file be a pipe.
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        content: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if packed else file
        try:
            while block := content.read(_BLOCK):
                yield block
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path} ends in the middle of its gzip data, or is damaged ({error}): copy it again."
            ) from error
        yield b""


def _check_text(content: bytes, path: Path, number: int, at: int) -> None:
    """Refuses what is not UTF-8, or holds a NUL, at which trec_eval would cut an id."""
    wrong = content.find(b"\0")
    if wrong < 0:
        try:
            content.decode()
        except UnicodeDecodeError as error:
            wrong = error.start
    if wrong >= 0:
        line = number + content.count(b"\n", 0, wrong)
        raise DataError(
            f"{path} is not UTF-8 text at byte {at + wrong:,}, in line {line:,} "
            f"(found 0x{content[wrong]:02x}); expected plain text or gzip."
        )


def _score(text: bytes, path: Path, number: int) -> float:
    try:
        score = float(text)
    except ValueError:
        score = float("nan")
    # Python reads 1_000 as a number. A NaN fails the comparison.
    if not -_LARGEST_SCORE <= score <= _LARGEST_SCORE or b"_" in text:
        raise DataError(
            f"{path}, line {number:,}, has the score {shown(text.decode())}; "
            f"expected a number between {-_LARGEST_SCORE:.1e} and {_LARGEST_SCORE:.1e}."
        )
    return score


def _gain(text: bytes, path: Path, number: int) -> int:
    try:
        gain = int(text) if len(text) < 10 and b"_" not in text else None
    except ValueError:
        gain = None
    if gain is None or abs(gain) > _LARGEST_GAIN:
        raise DataError(
            f"{path}, line {number:,}, has the gain {shown(text.decode())}; "
            f"expected an integer from {-_LARGEST_GAIN:,} to {_LARGEST_GAIN:,}."
        )
    return gain


def _refuse_repeats(rows: Mapping[str, slice], ids: Any, line: npt.NDArray[np.int64], path: Path) -> None:
    import pyarrow.compute as pc

    for query, where in rows.items():
        passages = ids[where]
        if pc.count_distinct(passages).as_py() < len(passages):
            first: dict[str, int] = {}
            for number, passage in sorted(zip(line[where].tolist(), passages.to_pylist(), strict=True)):
                if passage in first:
                    raise DataError(
                        f"{path}, line {number:,}, has the passage {shown(passage)} of query {shown(query)} again, "
                        f"after line {first[passage]:,}; expected each passage of a query once."
                    )
                first[passage] = number
