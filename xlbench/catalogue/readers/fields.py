"""Typed access to decoded JSON, with errors that say where."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from xlbench.errors import DataError, shown

T = TypeVar("T")
_LONGEST = 1 << 24
_MOST_UNPACKED, _MOST_GROWTH = 1 << 27, 100
"""How large the texts of a file may be: so many bytes, and so many times its own size."""
_MOST_BLANK = 1_000_000
"""Lines after each other: a few megabytes of gzip can be gigabytes of them."""


class Growth:
    """How large the texts of a file are together: a few kilobytes can be gigabytes of one text, over and over."""

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, path.stat().st_size
        self._most = _MOST_UNPACKED + _MOST_GROWTH * self._size
        self._n = 0

    def add(self, n: int) -> None:
        """Counts so many more bytes or characters.

        Raises:
            DataError: if they are out of all proportion to the file.

        """
        self._n += n
        if self._n > self._most:
            raise DataError(
                f"{self._path} has {self._size:,} bytes, and its texts more than {self._most:,} together; expected "
                "texts that are not the same over and over."
            )


def decode(content: bytes, where: str) -> Any:
    """The JSON value in ``content``.

    Raises:
        DataError: if it is not UTF-8 JSON; a cut-off file says where it ends.

    """
    try:
        return json.loads(content.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 at byte {error.start}: is the file damaged or cut off?") from error
    except json.JSONDecodeError as error:
        raise DataError(
            f"{where} is not valid JSON at line {error.lineno}, column {error.colno} ({error.msg}): "
            "is the file cut off?"
        ) from error
    except RecursionError as error:
        raise DataError(f"{where} is nested too deeply to be a data file.") from error
    except ValueError as error:  # An integer of more digits than Python converts.
        raise DataError(f"{where} holds a value that cannot be read: {error}.") from error


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The number and the content of each line of a file, unpacked if it is gzip; blank ones are left out.

    Raises:
        DataError: if a gzip file is damaged or cut off, a line is longer than any query or passage, or a million lines
            in a row are blank.

    """
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        yield from lines_of(gzip.GzipFile(fileobj=file) if packed else file, str(path))


def lines_of(content: IO[bytes] | io.BufferedIOBase, where: str) -> Iterator[tuple[int, bytes]]:
    """The number and the content of each line of an open file; see ``lines``."""
    number = last = 0
    try:
        while line := content.readline(_LONGEST + 1):
            number += 1
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if len(line) > _LONGEST:
                raise DataError(
                    f"{where}, line {number:,}, is longer than {_LONGEST:,} bytes; expected one record a line. Does "
                    "the file lack its line breaks?"
                )
            if not line.isspace():
                last = number
                yield number, line
            elif number - last > _MOST_BLANK:
                raise DataError(
                    f"{where} has {_MOST_BLANK:,} blank lines after line {last:,}; expected one record a line."
                )
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{where} ends, or is damaged, after line {number:,} ({error}): copy or download it again."
        ) from error


def text_of(line: bytes, where: str) -> str:
    """A line as text, without its end.

    Raises:
        DataError: if it is not UTF-8.

    """
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 at byte {error.start}: is the file damaged or cut off?") from error


def decode_file(path: Path) -> Any:
    """The JSON value in a file; see ``decode``."""
    return decode(path.read_bytes(), str(path))


def expect(value: Any, kind: type[T], where: str) -> T:
    """``value``, which must be of this type.

    Raises:
        DataError: if it is of another.

    """
    # bool is a subclass of int, and JSON's true is no number.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise DataError(f"{where} is {shown(value)}; expected {_NAMES.get(kind, kind.__name__)}.")
    if isinstance(value, str) and _HALF_PAIR.search(value):
        raise DataError(f"{where} is {shown(value)}, which holds half of a surrogate pair; expected text.")
    return value


def field(record: Any, name: str, kind: type[T], where: str) -> T:
    """A field of a JSON object, which must be there and of this type.

    Raises:
        DataError: if it is absent or of another type.

    """
    known = expect(record, dict, where)
    if name not in known:
        raise DataError(f"{where} has no {name!r}; expected it beside {', '.join(map(repr, known)) or 'nothing'}.")
    return expect(known[name], kind, f"{where}, {name!r}")


_NAMES: dict[type, str] = {dict: "an object", list: "a list", str: "a string", int: "an integer"}
# JSON can write one as an escape; no tokenizer and no file takes it.
_HALF_PAIR = re.compile(r"[\ud800-\udfff]")
