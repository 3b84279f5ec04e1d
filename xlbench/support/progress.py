"""Progress of long work: a bar with speed and time left on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

_LINE_EVERY_S = 10.0
_SLOW = 10
"""Below so many a second, speeds have two digits."""


class Advance(Protocol):
    """Is told what has been done."""

    def __call__(self, *, texts: int, characters: int, stored: bool) -> None:
        """``stored`` says that an earlier run did it."""


class Progress(Protocol):
    """Starts a display of progress."""

    def __call__(
        self,
        doing: str,
        /,
        *,
        n_texts: int,
        n_characters: int,
        noun: str = "texts",
        more: Callable[[], str] = str,
    ) -> AbstractContextManager[Advance]:
        """For so many texts, or what ``noun`` says; time left goes by characters, since long texts come first.

        ``more`` gives what else is shown, from its comma on.
        """


def _ignore(*, texts: int, characters: int, stored: bool) -> None:
    del texts, characters, stored


@contextmanager
def silent(
    doing: str,  # noqa: ARG001 (part of the protocol, as all of these)
    /,
    *,
    n_texts: int,  # noqa: ARG001
    n_characters: int,  # noqa: ARG001
    noun: str = "texts",  # noqa: ARG001
    more: Callable[[], str] = str,  # noqa: ARG001
) -> Iterator[Advance]:
    """Shows nothing."""
    yield _ignore


def display(subject: str, *, quiet: bool) -> Progress:
    """The display for standard error: a bar on a terminal, plain lines elsewhere, nothing when quiet.

    It begins with the subject, such as the name of a task.
    """
    if quiet:
        return silent
    show = _bar if sys.stderr.isatty() else _lines

    @contextmanager
    def start(
        doing: str, /, *, n_texts: int, n_characters: int, noun: str = "texts", more: Callable[[], str] = str
    ) -> Iterator[Advance]:
        with show(f"{subject}: {doing}", noun, n_texts, n_characters, more) as advance:
            yield advance

    return start


@contextmanager
def _bar(description: str, noun: str, n_texts: int, n_characters: int, more: Callable[[], str]) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[shown]}"))
    speed = _Speed()
    with Progress(
        *columns, TimeRemainingColumn(), TextColumn("left"), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(description, total=n_characters, shown=f"{n_texts:,} {noun}")

        def advance(*, texts: int, characters: int, stored: bool) -> None:
            speed.add(texts, stored=stored)
            bar.update(task, advance=characters, shown=f"{speed.done:,} of {n_texts:,} {noun}{speed.of(noun)}{more()}")

        yield advance


@contextmanager
def _lines(
    description: str,
    noun: str,
    n_texts: int,
    n_characters: int,  # noqa: ARG001 (as _bar)
    more: Callable[[], str],
) -> Iterator[Advance]:
    speed = _Speed()
    last = time.monotonic()
    print(f"{description}: {n_texts:,} {noun}", file=sys.stderr)

    def advance(*, texts: int, characters: int, stored: bool) -> None:  # noqa: ARG001 (part of the protocol)
        nonlocal last
        speed.add(texts, stored=stored)
        now = time.monotonic()
        if now - last >= _LINE_EVERY_S or speed.done == n_texts:
            last = now
            print(f"{description}: {speed.done:,} of {n_texts:,} {noun}{speed.of(noun)}{more()}", file=sys.stderr)

    yield advance


class _Speed:
    """How many a second, over what was done now and not read from an earlier run."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.encoded = 0
        self.done = 0

    def add(self, texts: int, *, stored: bool) -> None:
        self.done += texts
        self.encoded += 0 if stored else texts

    def of(self, noun: str) -> str:
        """What follows a count: the speed, or that an earlier run did all of it."""
        if not self.encoded:
            return ", from an earlier run"
        speed = self.encoded / max(time.monotonic() - self.start, 1e-9)
        return f", {speed:,.0f} {noun}/s" if speed >= _SLOW else f", {speed:.2g} {noun}/s"


class EncodedShare:
    """A progress that also knows what share of the texts was encoded now, and not kept from an earlier run.

    Without it a time would say nothing of a model's speed.
    """

    def __init__(self, progress: Progress) -> None:
        """``progress`` is what is shown."""
        self._progress = progress
        self._n_texts = self._n_encoded = 0

    @property
    def value(self) -> float:
        """From 0 to 1, over all models of a fusion; 0 for a model that encodes nothing."""
        return self._n_encoded / self._n_texts if self._n_texts else 0.0

    @contextmanager
    def __call__(
        self, doing: str, /, *, n_texts: int, n_characters: int, noun: str = "texts", more: Callable[[], str] = str
    ) -> Iterator[Advance]:
        """Shows what the other shows, and counts."""
        self._n_texts += n_texts
        with self._progress(doing, n_texts=n_texts, n_characters=n_characters, noun=noun, more=more) as advance:

            def told(*, texts: int, characters: int, stored: bool) -> None:
                self._n_encoded += 0 if stored else texts
                advance(texts=texts, characters=characters, stored=stored)

            yield told
