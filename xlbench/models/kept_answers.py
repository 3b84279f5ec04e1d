"""Answers of an API, each kept on disk as it comes, until all that it is a part of is stored."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.support.files import write_whole
from xlbench.support.sealed import seal, unseal


class Answers:
    """The answers to requests within ``kept_in``: a run that ended between two of them pays for none twice."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    @contextlib.contextmanager
    def kept_in(self, folder: Path) -> Iterator[None]:
        """Keeps the answers to what is asked meanwhile in this folder, which is for one model and role."""
        self._folder = folder / "answers"
        try:
            yield
        finally:
            self._folder = None

    def forget(self, folder: Path) -> None:
        """Removes what is kept in this folder: it is stored, or is to be asked for again."""
        for path in (folder / "answers").glob("*.npy"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # It is not there, or another run keeps an answer.
            (folder / "answers").rmdir()

    def of(self, path: str, body: Mapping[str, Any], ask: Callable[[], VectorArray]) -> VectorArray:
        """The numbers in the answer to a request: those that are kept, or what ``ask`` gives, which then are."""
        if self._folder is None:
            return ask()
        request = json.dumps([path, dict(body)], sort_keys=True)
        file = self._folder / f"{hashlib.sha256(request.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.npy"
        with contextlib.suppress(OSError, ValueError, EOFError):  # Whatever is wrong with it, the API has it again.
            kept: VectorArray = np.load(io.BytesIO(unseal(file)), allow_pickle=False)
            return kept
        numbers = ask()
        if np.isfinite(numbers).all():  # What is refused must not be kept.
            self._folder.mkdir(mode=0o700, exist_ok=True)
            content = io.BytesIO()
            np.save(content, numbers, allow_pickle=False)
            write_whole(file, seal(file, content.getbuffer()))
        return numbers
