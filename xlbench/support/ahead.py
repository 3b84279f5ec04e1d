"""Results that a thread computes before they are asked for."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def ahead(function: Callable[[_T], _R], items: Iterable[_T], *, n: int = 1) -> Iterator[_R]:
    """What the function gives for each item, in their order; a thread is up to ``n`` items ahead.

    The first is computed by the caller's own thread, which loads what is loaded once. What it raises is raised where
    its result would come.
    """
    remaining = iter(items)
    for item in remaining:
        first = function(item)
        break
    else:
        return
    thread = ThreadPoolExecutor(1)
    pending: deque[Future[_R]] = deque()
    try:
        for item in itertools.islice(remaining, n):
            pending.append(thread.submit(function, item))
        yield first
        for item in remaining:
            pending.append(thread.submit(function, item))
            if len(pending) > n:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)
