"""Reads what strangers wrote: files of bounded size, behind no link, and JSON that means the same to every reader."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xlbench.errors import SubmissionError, shown

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_MARKUP = re.compile(r"<[A-Za-z/!?]")
DEEPEST = 12
"""How many lists and objects may be in each other: a result has four."""
LARGEST = 1 << 53
"""Larger whole numbers are not the same to every reader of JSON."""


def read_file(path: Path, *, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes; a link is not followed.

    Raises:
        SubmissionError: if it is none.

    """
    # Without O_NONBLOCK a pipe would be waited for.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise SubmissionError(f"{path} is a link; expected a file of its own.")
    try:
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 (a descriptor)
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SubmissionError(f"{path} is no regular file.")
            content = file.read(limit + 1)
    except FileNotFoundError as error:
        raise SubmissionError(f"{path} is missing; `xlbench submit` writes it.") from error
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > limit:
        raise SubmissionError(f"{path} is larger than {limit:,} bytes, the most that it may have.")
    return content


def parse_json(content: bytes, where: str) -> Any:
    """The value that is written as JSON; ``where`` names the file in errors.

    Raises:
        SubmissionError: if it is none, or one of which readers may differ: a key twice, NaN, infinity, a number that
            is too large, or more than 12 levels.

    """
    try:
        value = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError as error:
        raise SubmissionError(f"{where} is nested too deeply to be read.") from error
    except ValueError as error:
        raise SubmissionError(f"{where} is not JSON: {error}.") from error
    if fault := _shape_fault(value):
        raise SubmissionError(f"{where} {fault}.")
    return value


def _shape_fault(value: Any) -> str | None:
    """Which part of a JSON value is too deep or too large a number; None if none is."""
    # Level by level and not by recursion: the parser takes values nested almost as deep as Python can call.
    level = [value]
    for _ in range(DEEPEST + 1):
        for each in level:
            number = isinstance(each, int | float) and not isinstance(each, bool)
            if number and not (math.isfinite(each) and (isinstance(each, float) or abs(each) <= LARGEST)):
                return f"has the number {shown(each)}; expected none beyond {LARGEST:,}"
        level = [inner for each in level for _, inner in _inner("", each) if not isinstance(inner, str)]
        if not level:
            return None
    return f"is nested too deeply; expected at most {DEEPEST} levels"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError(f"a key is given twice among {shown([name for name, _ in pairs])}")
    return record


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def text_fault(value: Any, *, longest: int, lines: bool = False) -> str | None:
    """What is wrong with a text that strangers are to read; None if nothing is.

    It must be short, have no sign that cannot be seen or that steers what is around it, such as a right-to-left
    override, and nothing that looks like markup. With ``lines`` it may have line breaks and tabs.
    """
    if not isinstance(value, str):
        return f"is {shown(value)}; expected text"
    if not value.strip():
        return "is empty; expected text"
    if len(value) > longest:
        return f"has {len(value):,} characters; expected at most {longest:,}"
    if unseen := _unseen(value, lines=lines):
        return f"has the sign {unseen}, which cannot be seen; leave it out"
    if markup := _MARKUP.search(value):
        return f"has {markup[0]!r}, which looks like markup; write it without '<'"
    return None


def _unseen(value: str, *, lines: bool) -> str | None:
    for character in value:
        if unicodedata.category(character) in _UNSEEN and not (lines and character in "\n\t"):
            name = unicodedata.name(character, "")
            return f"U+{ord(character):04X}{f' ({name})' if name else ''}"
    return None


def unseen_text(value: Any, where: str = "") -> str | None:
    """Where in a JSON value a text has a sign that cannot be seen, and which; None if none has.

    Line breaks and tabs are no such sign: prompts of models have them.
    """
    # Not by recursion: the parser takes values nested almost as deep as Python can call.
    left: list[tuple[str, Any]] = [(where, value)]
    while left:
        at, each = left.pop()
        if isinstance(each, str):
            if unseen := _unseen(each, lines=True):
                return f"{at or 'a text'} has the sign {unseen}"
        else:
            left += _inner(at, each)
    return None


def _inner(at: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield "a key", name
            yield (at or name)[:60], inner
    elif isinstance(value, list):
        for inner in value:
            yield at, inner
