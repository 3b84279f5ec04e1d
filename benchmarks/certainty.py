"""How long the intervals of one result take, and `xlbench compare` of two or more in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import common

from xlbench.results import load_whole
from xlbench.statistics import intervals

TARGET_S = 5.0


def compare(*results: Path) -> None:
    subprocess.run([sys.executable, "-m", "xlbench", "compare", *map(str, results)], check=True, capture_output=True)


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("results", nargs="+", type=Path, help="result files of one task, with their parquet files")
    options = parser.parse_args()
    result = load_whole(options.results[0])
    n_columns = sum(map(len, result.values.values()))
    contestants = {
        f"intervals, {len(result.values)} settings, {n_columns:,} means": partial(intervals, result.per_query)
    }
    for n in range(2, len(options.results) + 1):
        contestants[f"xlbench compare, {n} results"] = partial(compare, *options.results[:n])
    times = common.medians(contestants, runs=options.runs)
    rows = [[name, f"{time:.2f}", f"{time / TARGET_S:.2f}"] for name, time in times.items()]
    header = ["", "seconds", f"of {TARGET_S:g} s"]
    common.show(f"{result.task}, medians of {options.runs}", header, rows, libraries=["xlbench", "numpy", "pyarrow"])


if __name__ == "__main__":
    main()
