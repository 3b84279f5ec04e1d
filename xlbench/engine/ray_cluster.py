"""Ray: on this machine alone, or a cluster that is there; nothing of it is left when the work is done."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from xlbench.errors import UsageError

_STORE_BYTES = 200_000_000
"""Of Ray's object store, which would else take a third of the memory; nothing but texts goes through it."""
_CONNECT_S = 5.0


@dataclass(frozen=True)
class Workers:
    """How many, and where."""

    n: int | None = None
    """None for one a GPU, or where there is none one a machine of the cluster."""
    address: str | None = None
    """Of a Ray cluster, ``HOST:PORT`` or ``auto``; None for this machine alone."""

    def __post_init__(self) -> None:
        """Refuses to have none."""
        if self.n is not None and self.n < 1:
            raise UsageError(f"workers is {self.n}; expected 1 at least.")

    @classmethod
    def of(cls, n: int | None, address: str | None) -> Workers | None:
        """Those that are asked for; None if neither a number nor an address is given."""
        return None if n is None and address is None else cls(n, address)


@contextmanager
def cluster(workers: Workers) -> Iterator[tuple[Any, int, int]]:
    """Ray, how many workers there are, and how many threads each has; what is begun here is ended."""
    ray = _ray()
    begun = not ray.is_initialized()
    try:
        if begun:
            _begin(ray, workers)
        if workers.address is None:
            n = workers.n or 1
            yield ray, n, max(1, torch.get_num_threads() // n)
        else:
            resources, n_machines = ray.cluster_resources(), sum(node["Alive"] for node in ray.nodes())
            yield ray, *_sizes(workers, resources, n_machines)
    finally:
        if begun:
            ray.shutdown()


def _begin(ray: Any, workers: Workers) -> None:
    """Begins Ray on this machine, or connects to a cluster."""
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if workers.address is None:
        # "local", since Ray would else join whatever cluster this machine is a part of.
        local = {"num_cpus": workers.n or 1, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
        ray.init(address="local", **local, **quiet)
        return
    _reach(workers.address)
    try:
        ray.init(address=workers.address, **quiet)
    except (ConnectionError, RuntimeError) as error:  # RuntimeError: it has other versions of Python or Ray.
        why = " ".join(str(error).split())
        raise UsageError(f"The Ray cluster at {workers.address} cannot be used: {why}") from error


def _sizes(workers: Workers, resources: Mapping[str, float], n_machines: int) -> tuple[int, int]:
    """How many workers a cluster gets, and how many threads each."""
    n_cpus = int(resources.get("CPU", 1))
    n = workers.n or int(resources.get("GPU", 0)) or n_machines
    if n > n_cpus:
        raise UsageError(
            f"{n} workers are asked for, and the Ray cluster at {workers.address} has {n_cpus} CPUs: they would wait "
            "for each other."
        )
    return n, n_cpus // n


def _reach(address: str) -> None:
    """Returns if something answers there; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto" or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise UsageError(
            f"No Ray cluster answers at {address} ({error}): expected the address that `ray start --head` shows."
        ) from error


def _ray() -> Any:
    from xlbench.support.extras import require

    require("ray", "Encoding with workers")
    # Both are on unless they are forbidden before the import: reports to Ray's makers, and one thread for everything.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    import ray

    return ray
