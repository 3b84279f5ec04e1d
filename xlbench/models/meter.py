"""How fast a model computes: tokens a second, and on CUDA the share of the time that the device was busy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Meter:
    """Adds up what was computed since the first batch."""

    def __init__(self) -> None:
        self.n_tokens = 0
        """Of the texts, without padding."""
        self.busy_s: float | None = None
        """Seconds that the device computed; None where it does not say."""
        self._start = self._last = 0.0

    def start(self) -> None:
        """Starts the clock, if it is not running."""
        self._start = self._start or time.perf_counter()

    def add(self, n_tokens: int, busy_s: float | None) -> None:
        """So many more tokens are done."""
        self.n_tokens += n_tokens
        if busy_s is not None:
            self.busy_s = (self.busy_s or 0.0) + busy_s
        self._last = time.perf_counter()

    @property
    def tokens_a_second(self) -> float:
        """From the first batch's start to the last one's end."""
        return self.n_tokens / max(self._last - self._start, 1e-9)

    @property
    def busy_share(self) -> float | None:
        """Of that time, from 0 to 1; None where the device does not say."""
        return None if self.busy_s is None else min(1.0, self.busy_s / max(self._last - self._start, 1e-9))

    def said(self) -> str:
        """What a display of progress says of it; nothing before the first batch is done."""
        if not self.n_tokens:
            return ""
        busy = "" if self.busy_share is None else f", device busy {self.busy_share:.0%}"
        return f", {self.tokens_a_second:,.0f} tokens/s{busy}"


class Clock:
    """How long a device computes what is begun while the clock is running; CUDA alone says it."""

    def __init__(self, device: str) -> None:
        self._on_cuda = device.startswith("cuda")
        self._events: list[tuple[Any, Any]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts what is begun in it, from when the device begins it until it is done."""
        if not self._on_cuda:
            yield
            return
        import torch

        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        yield
        end.record()
        self._events.append((start, end))

    def seconds(self) -> float | None:
        """The seconds, once the device is done; None where it does not say."""
        if not self._on_cuda:
            return None
        for _, end in self._events:
            end.synchronize()
        return float(sum(start.elapsed_time(end) for start, end in self._events)) / 1000
