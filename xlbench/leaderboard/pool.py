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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from xlbench.errors import SubmissionError, XlbenchError
from xlbench.leaderboard.checks import Checked, Checker
from xlbench.leaderboard.model_names import skeleton
from xlbench.leaderboard.submission import (
    Submission,
    evidence_limits,
    find,
    load,
    read_manifest,
    rough_identity,
    task_of,
)

T = TypeVar("T")
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

    deep_verified: frozenset[str] = frozenset()
    """Digests of the submissions that the maintainers verified with the model."""
    data_dir: Path | None = None
    """For the judged pairs of tasks that do not come with xlbench."""
    cache_dir: Path | None = None
    jobs: int | None = None
    """How many processes; by default as many as there are CPUs, but at most 4."""

    def checker(self) -> Checker:
        """A checker with these options."""
        return Checker(deep_verified=self.deep_verified, data_dir=self.data_dir, cache_dir=self.cache_dir)


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
    folders = list(find(paths))
    known = _Known.of(folders)
    for checked in _streamed(folders, extract, options or Options()):
        if not checked.problems and (other := known.other(checked)):
            reason = f"It is of the same model, revision and arguments as {other}: keep one of them."
            yield replace(checked, level="reported", problems=(reason,), extracted=None)
        elif not checked.problems and (other_name := known.look_alike(checked)):
            reason = f"Its name looks like {other_name!r:.100}, which was submitted before: choose another."
            yield replace(checked, level="reported", problems=(reason,), extracted=None)
        elif alike := known.alike(checked):
            yield replace(checked, notes=(f"It has the very same ranks as {alike}.",))
        else:
            yield checked


class _Known:
    """The submissions that came before, and those that stand beside the ones that are checked."""

    def __init__(self, beside: dict[tuple[str, str, str], list[Path]], names: Iterable[str]) -> None:
        self._beside = beside
        self._names = {skeleton(name): name for name in names}
        self._identities: dict[str, Path] = {}
        self._evidence: dict[str, Path] = {}

    @classmethod
    def of(cls, folders: Sequence[Path]) -> _Known:
        checked = {folder.absolute() for folder in folders}
        roots = sorted({folder.parent.parent for folder in checked if folder.parent.parent.name == "submissions"})
        beside: dict[tuple[str, str, str], list[Path]] = {}
        names = set()
        for folder in find(roots):
            if folder not in checked:
                with suppress(SubmissionError):  # It is not what is checked now.
                    manifest = read_manifest(folder)
                    beside.setdefault(rough_identity(manifest), []).append(folder)
                    names.add(manifest.model)
        return cls(beside, sorted(names))

    def other(self, checked: Checked[T]) -> Path | None:
        """A submission of the same identity, if there is one."""
        first = self._identities.setdefault(checked.identity, checked.folder)
        if first != checked.folder:
            return first
        for folder in self._beside.get(rough_identity(checked.manifest), []) if checked.manifest else []:
            with suppress(SubmissionError):
                if load(folder).identity == checked.identity:
                    return folder
        return None

    def look_alike(self, checked: Checked[T]) -> str | None:
        """The name of another model that looks like that of this one, if there is one."""
        if checked.manifest is None:
            return None
        name = checked.manifest.model
        first = self._names.setdefault(skeleton(name), name)
        return first if first.casefold() != name.casefold() else None

    def alike(self, checked: Checked[T]) -> Path | None:
        """A submission with the same evidence, if one came before."""
        if checked.problems:
            return None
        first = self._evidence.setdefault(checked.evidence, checked.folder)
        return first if first != checked.folder else None


def _streamed(folders: list[Path], extract: Callable[[Submission], T] | None, options: Options) -> Iterator[Checked[T]]:
    jobs = options.jobs or min(os.cpu_count() or 1, _MOST_JOBS)
    window: deque[tuple[Path, Future[Checked[T]]]] = deque()
    with _environment(), _Workers(min(jobs, len(folders) or 1), options) as workers:
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
        return self._submit(folder, extract, self._jobs)

    def result(self, folder: Path, future: Future[Checked[T]], extract: Callable[[Submission], T] | None) -> Checked[T]:
        with suppress(BrokenProcessPool):
            return future.result()
        # All that were checked at that moment come here; in a process alone it shows which of them ended it.
        try:
            return self._submit(folder, extract, _ALONE).result()
        except BrokenProcessPool:
            reason = f"To read it takes more memory or time than it may, {_CPU_SECONDS} seconds, or crashes."
            return Checked(folder, problems=(reason,))

    def _submit(self, folder: Path, extract: Callable[[Submission], T] | None, which: int) -> Future[Checked[T]]:
        with suppress(BrokenProcessPool, KeyError):
            return self._pools[which].submit(_work, folder, extract)
        self._pools[which] = self._made(which)
        return self._pools[which].submit(_work, folder, extract)

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
