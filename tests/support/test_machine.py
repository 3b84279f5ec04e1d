"""What the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlbench.support import machine
from xlbench.support.machine import memory_bytes


@pytest.mark.parametrize(
    ("of_machine", "of_container", "expected"),
    [(1000, "600\n", 600 * 1), (1000, "max\n", 4096 * 1000), (None, "600\n", 600), (None, "max\n", machine._UNKNOWN)],
)
def test_memory_is_the_least_that_is_known(of_machine, of_container, expected, monkeypatch):
    """The limit of a container counts where there is one, the machine's pages otherwise; neither is needed."""

    def sysconf(name: str) -> int:
        if of_machine is None:
            raise ValueError(name)
        return {"SC_PHYS_PAGES": of_machine, "SC_PAGE_SIZE": 4096}[name]

    monkeypatch.setattr(machine.os, "sysconf", sysconf)
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: of_container)
    assert memory_bytes() == expected


def test_this_machine_has_memory():
    """What the system says here is a sound number."""
    assert 1 << 28 < memory_bytes() < 1 << 50
