"""What the benchmarks share: options, interleaved timing, and a plain table with what the machine is."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# A checkout beside a folder of shared data, which is also where the tests look.
_BESIDE = Path(__file__).parents[2] / "shared" / "data"
MAIN = ("xlbench", "numpy", "numba", "torch")
MODELS = (*MAIN, "transformers", "sentence-transformers")
END = "<!-- end -->"


def parser(description: str, *, runs: int = 5) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--data-dir", type=Path, default=os.environ.get("XLBENCH_DATA", _BESIDE), help="[XLBENCH_DATA]")
    found.add_argument("--runs", type=int, default=runs, help="runs of each contestant; medians are shown")
    return found


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long a call takes."""
    start = clock()
    call()
    return clock() - start


def medians(
    contestants: Mapping[str, Callable[[], object]],
    *,
    runs: int,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """The median time of each contestant in seconds; they take turns, so that a busy machine is busy for all.

    With ``warm``, each is called once before the clock starts: kernels are compiled and memory is touched.
    """
    for call in contestants.values() if warm else ():
        call()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, call in contestants.items():
            times[name].append(seconds(call, clock))
    return {name: statistics.median(found) for name, found in times.items()}


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, libraries: Sequence[str]) -> None:
    """Prints a table, and under it what of the machine and the versions matters for its figures."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    print(f"\n{title}\n")
    for row in (header, ["-" * width for width in widths], *rows):
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    print(f"\n{machine(libraries)}", flush=True)


def machine(libraries: Sequence[str]) -> str:
    """What of the machine and the versions matters for figures."""
    facts = [f"{os.cpu_count()} CPUs", f"{platform.system()} {platform.machine()}"]
    if "torch" in libraries:
        import torch

        facts.append(f"{torch.get_num_threads()} threads")
    if hasattr(os, "getloadavg"):
        facts.append(f"load {os.getloadavg()[0]:.1f}")
    facts.append(f"Python {platform.python_version()}")
    for name in libraries:
        try:
            facts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            facts.append(f"{name} not installed")
    return ", ".join(facts)


def filled(text: str, script: str, part: str, lines: Iterable[str]) -> str:
    """The page with these lines between the marker of a part, which names script and part, and END."""
    start = f"<!-- computed by benchmarks/{script}: {part} -->"
    before, rest = text.split(start)
    _, after = rest.split(END, 1)
    return f"{before}{start}\n\n" + "\n".join(lines) + f"\n\n{END}{after}"
