"""The exceptions a user may see.

::

    XlbenchError                 base of all, exit code 1
    ├── UnknownNameError         a task, language, setting, model or option that does not exist, exit code 2
    ├── UsageError               options that cannot be meant together, exit code 2
    ├── TaskError                a task file that breaks the rules
    ├── DataError                a data file or a collection that is not what the task says
    ├── EncoderError             a model that cannot be loaded or gives unusable vectors
    ├── ResultError              a result file that cannot be read, written or compared
    ├── TrainingError            training that cannot begin, or cannot go on
    ├── MissingLibraryError      a library that a command needs, and that is not installed
    └── SubmissionError          a submission to the leaderboard that is not taken

Each message says what was found, where, what was expected and what to do.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Iterator, Mapping

_MOST_LISTED, _SOME = 40, 24
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxlong = 1, 60, 40


def shown(value: object) -> str:
    """A value from a file for an error message, shortened: a few lines of YAML can stand for gigabytes."""
    try:
        return _REPR.repr(value)
    except ValueError:  # An integer of more digits than Python converts.
        return "a number of thousands of digits"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means, or None if none is near."""
    # Whatever its case: nDCG@10 is often written in small letters.
    folded = {each.casefold(): each for each in reversed(list(known))}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def differences(recorded: object, asked: object, name: str = "") -> Iterator[str]:
    """What differs between two records, a clause for each key at any depth; ``None`` stands for what is not there."""
    if isinstance(recorded, Mapping | None) and isinstance(asked, Mapping | None):
        theirs, ours = recorded or {}, asked or {}
        for key in dict.fromkeys((*ours, *theirs)):
            yield from differences(theirs.get(key), ours.get(key), f"{name} {key}".strip())
    elif recorded != asked:
        yield f"its {name} is {recorded}, not {asked}"


class XlbenchError(Exception):
    """Base of every error that a user can cause."""

    exit_code = 1


class UnknownNameError(XlbenchError):
    """A name that does not exist; the message suggests the nearest one that does."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        known = list(known)
        near = nearest(name, known)
        more = f" and {len(known) - _SOME:,} more" if len(known) > _MOST_LISTED else ""
        listed = f"Known: {', '.join(known[:_SOME] if more else known)}{more}." if known else ""
        advice = f"Did you mean {near!r}?" if near is not None else listed
        super().__init__(" ".join(part for part in (f"Unknown {kind} {name!r}.", advice, hint) if part))


class UsageError(XlbenchError):
    """Options or arguments that cannot be meant together."""

    exit_code = 2


class TaskError(XlbenchError):
    """A task file that breaks the rules of task files."""


class DataError(XlbenchError):
    """A data file or a collection that is not what it should be."""


class EncoderError(XlbenchError):
    """A model that cannot be loaded, or that gives unusable vectors."""


class ResultError(XlbenchError):
    """A result file that cannot be read, written or compared."""


class TrainingError(XlbenchError):
    """Training that cannot begin, or cannot go on."""


class MissingLibraryError(XlbenchError):
    """A library that a command needs, and that is not installed."""


class SubmissionError(XlbenchError):
    """A submission to the leaderboard that is not taken."""
