"""Results that a thread computes ahead."""

from __future__ import annotations

import threading
import time

import pytest

from xlbench.support.ahead import ahead


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("n_items", [0, 1, 2, 7])
def test_results_come_in_order(n, n_items):
    """Each item has its result, in order, whatever the lead."""
    assert list(ahead(lambda i: i * i, range(n_items), n=n)) == [i * i for i in range(n_items)]


def test_a_thread_works_ahead_and_no_further():
    """While the first result is used, the thread computes two more, and none beyond."""
    computed = []
    results = ahead(computed.append, range(9), n=2)
    next(results)
    until = time.monotonic() + 5
    while len(computed) < 3 and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.01)
    assert computed == [0, 1, 2]
    results.close()


def test_the_first_is_computed_by_the_caller_s_thread():
    """What loads a model is not done in another thread."""
    threads = list(ahead(lambda _: threading.current_thread(), range(3), n=1))
    assert [thread is threading.main_thread() for thread in threads] == [True, False, False]


def test_an_error_comes_in_its_turn():
    """Results before it are given first, and nothing after it."""
    results = ahead(lambda i: 1 // (3 - i), range(9), n=2)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
