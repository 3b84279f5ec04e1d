"""Checks many submissions in processes of their own, each within bounds of memory and time.

A file can be made such that a library that reads it asks for all memory, runs for hours or crashes. Each process may
use what a sound submission of the task needs several times over; one that ends is told from the others that were
checked at that moment by checking them again, one by one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from xlbench.errors import SubmissionError, XlbenchError
from xlbench.leaderboard.checks import Checked, Checker
from xlbench.leaderboard.known import Known
from xlbench.leaderboard.levels import Level
from xlbench.leaderboard.likeness import Sketch
from xlbench.leaderboard.submission import (
    Submission,
    evidence_limits,
    find,
    load,
    task_of,
)

T = TypeVar("T")
U = TypeVar("U")
_MOST_JOBS = 4
"""More processes than that would not fit into 1 GB."""
_ALONE = 0
"""The pool in which submissions are checked again, one by one."""
_CPU_SECONDS = 120
_MEMORY = 1 << 29
_MEMORY_A_BYTE = 12
"""Of the evidence's limit: a sound submission of XQuAD-R needs a quarter of the 860 MB that it may have."""


@dataclass(frozen=True)
class Options:
    """What all checks of one call share."""

    on_record: Mapping[str, Level] = field(default_factory=dict)
    """The levels of the submissions that the maintainers verified with the model, by digest."""
    data_dir: Path | None = None
    """For the judged pairs of tasks that do not come with xlbench."""
    cache_dir: Path | None = None
    jobs: int | None = None
    """How many processes; by default as many as there are CPUs, but at most 4."""

    def checker(self) -> Checker:
        """A checker with these options."""
        return Checker(on_record=self.on_record, data_dir=self.data_dir, cache_dir=self.cache_dir)


def check_all(
    paths: Iterable[Path],
    *,
    extract: Callable[[Submission], T] | None = None,
    options: Options | None = None,
) -> Iterator[Checked[T]]:
    """What is found out about each submission in these paths (see ``find``), in the order of their names.

    ``extract`` is a function of a module: it is called in the process that has checked a sound submission, and what it
    gives comes back in ``extracted``. Two submissions of one model revision are a problem of the second.
    """
    folders, options = list(find(paths)), options or Options()
    jobs = min(options.jobs or min(os.cpu_count() or 1, _MOST_JOBS), len(folders) or 1)
    with _environment(), _Workers(jobs, options) as workers:
        known = Known.of(folders, workers.sketch)
        for checked in _streamed(folders, extract, workers, jobs):
            if not checked.problems and (fault := known.fault(checked)):
                yield replace(checked, level="reported", problems=(fault,), extracted=None)
            elif not checked.problems and (note := known.note(checked)):
                yield replace(checked, notes=(note,))
            else:
                yield checked


def _streamed(
    folders: list[Path], extract: Callable[[Submission], T] | None, workers: _Workers, jobs: int
) -> Iterator[Checked[T]]:
    window: deque[tuple[Path, Future[Checked[T]]]] = deque()
    for folder in folders:
        window.append((folder, workers.submit(folder, extract)))
        # What waits to be taken is bounded, however large it is.
        if len(window) > 2 * jobs:
            yield workers.result(*window.popleft(), extract)
    while window:
        yield workers.result(*window.popleft(), extract)


class _Workers:
    """A pool of processes that is made anew when one of them ends."""

    def __init__(self, jobs: int, options: Options) -> None:
        self._options = options
        self._pools = {jobs: self._made(jobs)}
        self._jobs = jobs

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def submit(self, folder: Path, extract: Callable[[Submission], T] | None) -> Future[Checked[T]]:
        return self._submit(self._jobs, _work, folder, extract)

    def result(self, folder: Path, future: Future[Checked[T]], extract: Callable[[Submission], T] | None) -> Checked[T]:
        with suppress(BrokenProcessPool):
            return future.result()
        # All that were checked at that moment come here; in a process alone it shows which of them ended it.
        try:
            return self._submit(_ALONE, _work, folder, extract).result()
        except BrokenProcessPool:
            reason = f"To read it takes more memory or time than it may, {_CPU_SECONDS} seconds, or crashes."
            return Checked(folder, problems=(reason,))

    def sketch(self, folder: Path) -> Sketch | None:
        """The sketch of a submission that is not checked; None if it cannot be read."""
        with suppress(BrokenProcessPool):
            return self._submit(_ALONE, _sketch, folder).result()
        return None

    def _submit(self, which: int, work: Callable[..., U], *arguments: object) -> Future[U]:
        with suppress(BrokenProcessPool, KeyError):
            return self._pools[which].submit(work, *arguments)
        self._pools[which] = self._made(which)
        return self._pools[which].submit(work, *arguments)

    def _made(self, jobs: int) -> ProcessPoolExecutor:
        # Spawned: a fork of a process whose libraries have threads may hang.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(max(jobs, 1), mp_context=context, initializer=_start, initargs=(self._options,))


_ENVIRONMENT = {
    # Processes are as many as there are CPUs.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # Other allocators reserve a gigabyte of addresses at once, whatever is used.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


@contextmanager
def _environment() -> Iterator[None]:
    """Gives the processes that are started meanwhile one thread each, and memory by the page."""
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_checker: Checker | None = None


def _start(options: Options) -> None:
    """Readies a process: libraries are there before its memory is measured and bounded."""
    import pyarrow.parquet  # noqa: F401 (as said)
    import scipy.special  # noqa: F401

    global _checker
    _checker = options.checker()


def _work(folder: Path, extract: Callable[[Submission], T] | None) -> Checked[T]:
    if _checker is None:
        raise RuntimeError("the process was not readied")
    try:
        limit(folder)
        return _checker.check(folder, extract)
    except MemoryError:
        return Checked(folder, problems=("To read it takes more memory than it may.",))
    except XlbenchError as error:
        return Checked(folder, problems=(str(error),))
    except Exception as error:  # noqa: BLE001 (whatever a stranger's file brings about, the others are checked)
        return Checked(folder, problems=(f"It cannot be checked or shown ({type(error).__name__}); report this.",))


def _sketch(folder: Path) -> Sketch | None:
    with suppress(Exception):  # It is not what is checked now.
        limit(folder)
        return Sketch.of(load(folder).ranking)
    return None


def limit(folder: Path) -> None:
    """Bounds what this process may use from here on, by the task of the submission; where the system can do that."""
    if sys.platform == "win32":
        return
    import resource

    try:
        memory = _MEMORY + _MEMORY_A_BYTE * evidence_limits(task_of(folder)).n_bytes
    except SubmissionError:
        memory = _MEMORY
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _CPU_SECONDS
    bounds = {resource.RLIMIT_CPU: seconds}
    if size := _address_space():
        bounds[resource.RLIMIT_AS] = size + memory
    for what, most in bounds.items():
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _address_space() -> int:
    """How many bytes of addresses this process has; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
