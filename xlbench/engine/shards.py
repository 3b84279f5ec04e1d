"""Shards: texts that are stored together, which depends on the collection alone, and their way to kept vectors.

With stages a device waits neither for texts nor for a disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from xlbench.arrays import IntArray
from xlbench.collection import Texts
from xlbench.engine.checked_vectors import encoded
from xlbench.engine.probe import Probe
from xlbench.engine.representations import Form, Rows
from xlbench.errors import EncoderError
from xlbench.models.kept_answers import Answers
from xlbench.models.protocols import Stages
from xlbench.support.ahead import ahead

_SHARD_TEXTS = 1024
_SHARD_CHARACTERS = 1 << 17
# A long language is encoded window by window, so that not all of its texts are in memory to be sorted by length; its
# shards are larger, for there would be hundreds of thousands of files.
_WINDOW_ROWS = 1 << 15
_SHARD_CHARACTERS_OF_MANY = 1 << 20
_AHEAD = 2
"""Shards that are looked up and tokenised before the device is done with the one at hand."""
_IN_FLIGHT = 2
"""Shards whose vectors are computed or being written; on CUDA the device computes them meanwhile."""


@dataclass(frozen=True)
class Shard:
    """Some distinct texts."""

    rows: IntArray
    texts: list[str]
    ids: list[str]
    stored: Rows | None = None
    """Vectors of an earlier run."""
    prepared: Any = None
    """What the device takes."""


def shards_of(texts: Texts) -> Iterator[Shard]:
    """The distinct texts of each shard: of one language, of like length, longest first."""
    distinct = texts.distinct
    language = texts.language[distinct.first]
    for code in np.unique(language):
        mine = np.flatnonzero(language == code)
        window = (distinct.first[mine] - distinct.first[mine[0]]) // _WINDOW_ROWS
        most = _SHARD_CHARACTERS if window[-1] == 0 else _SHARD_CHARACTERS_OF_MANY
        for number in np.unique(window):
            some = mine[window == number]
            start = int(distinct.first[some[0]])
            of_window = texts.text[start : int(distinct.first[some[-1]]) + 1]
            some = some[np.argsort(-distinct.n_characters[some], kind="stable")]
            for first, last in _spans(distinct.n_characters[some].tolist(), most):
                shard = some[first:last]
                at = distinct.first[shard].tolist()
                yield Shard(shard, [of_window[row - start] for row in at], [texts.ids[row] for row in at])


def _spans(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """The first and the last text, exclusive, of each shard."""
    first = characters = 0
    for i, length in enumerate(lengths):
        if i > first and (i - first == _SHARD_TEXTS or characters + length > most):
            yield first, i
            first, characters = i, 0
        characters += length
    yield first, len(lengths)


class Store(Protocol):
    """Where the rows of shards are kept."""

    @property
    def folder(self) -> Path:
        """Where their files are."""
        ...

    def get(self, texts: Sequence[str]) -> Rows | None:
        """The rows of these texts, or None if they are not there or damaged."""
        ...

    def put(self, texts: Sequence[str], rows: Rows) -> None:
        """Stores the rows."""
        ...

    def path(self, texts: Sequence[str]) -> Any:
        """The file of the rows of these texts; of several representations one each, by name."""
        ...

    def has(self, texts: Sequence[str]) -> bool:
        """Whether there is a file of these texts."""
        ...


class Keeper:
    """Checks the vectors of shards, and keeps them in the store, or in memory where there is none."""

    def __init__(self, form: Form, store: Store | None, probe: Probe | None, n_texts: int, *, fresh: bool) -> None:
        """With ``fresh`` nothing is taken from the store; ``n_texts`` are to come."""
        self._form, self._store, self._probe, self._fresh = form, store, probe, fresh
        self.shards: list[Any] = []
        """The file of each shard, or its vectors."""
        self.width: Any = 0
        self.is_constant = n_texts > 1
        """Whether all vectors so far are equal."""
        self._first: Rows | None = None

    def look_up(self, shard: Shard) -> Shard:
        """The shard with its vectors, if they are stored."""
        return replace(shard, stored=self._store.get(shard.texts)) if self._store and not self._fresh else shard

    def keep(self, shard: Shard, answer: object) -> None:
        """Keeps what the encoder gives, or holds what was stored against it.

        Raises:
            EncoderError: if the vectors cannot be used, or are not what the model gives now.

        """
        form, is_stored = self._form, shard.stored is not None
        vectors = shard.stored if is_stored else form.checked(answer, shard.ids)
        if self._probe and is_stored:
            self._probe.check(shard.texts, vectors, shard.ids)
        if self.width and form.width(vectors) != self.width:
            raise EncoderError(
                f"The encoder gave vectors of {form.width(vectors)} dimensions for {shard.ids[0]!r} "
                f"and of {self.width} before: expected one dimension for all texts."
            )
        self.width = form.width(vectors)
        self._first = form.take(vectors, np.zeros(1, np.int64)) if self._first is None else self._first
        self.is_constant = self.is_constant and form.all_equal(vectors, self._first)
        if self._store and not is_stored:
            self._store.put(shard.texts, vectors)
        self.shards.append(self._store.path(shard.texts) if self._store else vectors)


class KeptAnswers:
    """Has an API's answers kept one by one in a folder until all that they are part of is stored; nothing for others.

    With ``fresh`` those of an earlier run are not taken.
    """

    def __init__(self, answers: Answers | None, folder: Path | None, *, fresh: bool) -> None:
        self._answers, self._folder = answers, folder
        if fresh:
            self.forget()

    def within(self, call: Callable[[list[str]], Any]) -> Callable[[list[str]], Any]:
        """The call, with each answer kept."""
        answers, folder = self._answers, self._folder
        if answers is None or folder is None:
            return call

        def keeping(texts: list[str]) -> Any:
            with answers.kept_in(folder):
                return call(texts)

        return keeping

    def forget(self) -> None:
        """Removes the answers: what they are part of is stored."""
        if self._answers is not None and self._folder is not None:
            self._answers.forget(self._folder)


def kept(
    shards: Iterable[Shard], keeper: Keeper, *, encode: Callable[[list[str]], object], stages: Stages | None
) -> Iterator[Shard]:
    """Each shard when its vectors are kept, in order.

    Where there are stages, shards are looked up and prepared in a thread, and kept in another, one after the other.
    When a shard fails, those before it are kept.
    """
    if stages is None:
        for shard in map(keeper.look_up, shards):
            keeper.keep(shard, encoded(encode, shard.texts) if shard.stored is None else None)
            yield shard
        return

    def prepared(shard: Shard) -> Shard:
        shard = keeper.look_up(shard)
        return shard if shard.stored is not None else replace(shard, prepared=encoded(stages.prepare, shard.texts))

    def finish(shard: Shard, vectors: Callable[[], object]) -> Shard:
        keeper.keep(shard, encoded(lambda _: vectors(), shard.texts) if shard.stored is None else None)
        return replace(shard, prepared=None)

    pending: deque[Future[Shard]] = deque()
    with ThreadPoolExecutor(1) as thread:
        for shard in ahead(prepared, shards, n=_AHEAD):
            vectors: Any = None
            if shard.stored is None:
                vectors = encoded(lambda _, shard=shard: stages.compute(shard.prepared), shard.texts)  # type: ignore[misc]
            pending.append(thread.submit(finish, shard, vectors))
            if len(pending) > _IN_FLIGHT:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
