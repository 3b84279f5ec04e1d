"""How fast a model computes, as the progress says it."""

from __future__ import annotations

import pytest

from xlbench.models import meter as module
from xlbench.models.meter import Clock, Meter


@pytest.fixture
def now(monkeypatch):
    """A clock that is set by hand."""
    times = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: times[-1])
    return times


@pytest.mark.parametrize(("busy_s", "said"), [(None, ", 1,250 tokens/s"), (3.0, ", 1,250 tokens/s, device busy 75%")])
def test_tokens_a_second_and_the_busy_share_are_said(now, busy_s, said):
    """From the first batch's start to the last one's end; the share only where the device says it."""
    meter = Meter()
    assert meter.said() == ""
    meter.start()
    now.append(102.0)
    meter.start()
    meter.add(2000, busy_s and busy_s / 2)
    now.append(104.0)
    meter.add(3000, busy_s and busy_s / 2)
    now.append(900.0)
    assert meter.said() == said


def test_a_cpu_does_not_say_how_long_it_was_busy():
    """Only CUDA has a clock of its own."""
    clock = Clock("cpu")
    with clock.running():
        pass
    assert clock.seconds() is None
