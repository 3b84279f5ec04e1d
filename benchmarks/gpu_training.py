"""Ways to train on a GPU, with several seeds each: recipes, and pairs of several domains.

    python benchmarks/gpu_training.py --prepare FOLDER --model path/to/multilingual-e5-small --pairs PAIRS.jsonl.gz
    python benchmarks/gpu_training.py --inputs FOLDER --out OUT

The first writes all that the second needs into a folder of some 30 MiB, so that the second can run on a machine without
a network; PAIRS are LibreOffice's help. The second trains and evaluates each arm and seed in one process, seed after
seed, and writes a line of ``OUT/cells.jsonl`` for each as it is done; run again, it goes on with those that are not
there. ``OUT/summary.json`` has means over seeds with t intervals, and the differences between arms of the same seed.

Without ``--arm`` and ``--task`` these are the arms of docs/experiments/hybrid-batches.md on XQuAD-R. Both parts of the
command are given the same tasks; ``gpu_arms.py`` says what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gpu_arms
import small_inputs

ROOT = Path(__file__).parents[1]
HYBRID = ("alpha-0", "alpha-0.25", "alpha-0.5", "alpha-0.75", "alpha-1", "sequential")
COMPARED = (
    ("alpha-0.5", "alpha-0"),
    ("alpha-0.5", "sequential"),
    *(("alpha-0.5", other) for other in ("alpha-1", "x-x", "en-en", "teacher")),
    ("alpha-0", "sequential"),
)
"""Differences between arms; the first two are the primary hypotheses of hybrid batches."""
BOUND = 0.01
"""A difference of AP within it is called none."""
UNTRAINED = "untrained"


def main() -> None:
    options = parsed()
    sys.path.insert(0, str(ROOT))
    if options.prepare:
        pairs, tasks = gpu_arms.pairs_and_tasks(options.pairs, Path(options.data_dir), gpu_arms.TRAINED, options.task)
        small_inputs.prepare(options.prepare, model=options.model, pairs=pairs, tasks=tasks, python=options.python)
        return
    start = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if not options.no_wheels:
            small_inputs.use_wheels(options.inputs / "wheels", Path(folder) / "packages")
        inputs = small_inputs.unpack(options.inputs, Path(folder))
        options.task = [name.partition(":")[0] for name in options.task]

        # Only here, because it needs the packages.
        from gpu_cells import Bench

        run(options, Bench.of(options, inputs), start)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", type=Path, metavar="FOLDER", help="write the inputs there; needs the data")
    parser.add_argument("--model", type=Path, help="with --prepare: a folder with multilingual-e5-small")
    parser.add_argument("--pairs", type=Path, help="with --prepare: LibreOffice's help, JSON lines, packed")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("XLBENCH_DATA"), help="[XLBENCH_DATA]")
    parser.add_argument("--python", default="3.12", help="with --prepare: the version of Python on the other machine")
    parser.add_argument("--inputs", type=Path, help="what --prepare wrote")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--no-wheels", action="store_true", help="use the packages that are installed")
    parser.add_argument("--arm", nargs="+", choices=gpu_arms.ARMS, default=list(HYBRID))
    parser.add_argument("--task", nargs="+", default=["xquad-r"], help="such as xquad-r miracl:yo software")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--temperature", type=float, default=0.01)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--query-length", type=int, default=32)
    parser.add_argument("--passage-length", type=int, default=96)
    parser.add_argument("--minutes", type=float, default=8.7, help="begin no cell that would end later")
    options = parser.parse_args()
    needed = ("model", "pairs", "data_dir") if options.prepare else ("inputs", "out")
    if absent := [name for name in needed if getattr(options, name) is None]:
        parser.error(f"needs {', '.join('--' + name.replace('_', '-') for name in absent)}")
    return options


def run(options: argparse.Namespace, bench: Any, start: float) -> None:
    """Trains and evaluates the cells that are not there yet, seed after seed, as long as there is time."""
    path = options.out / "cells.jsonl"
    cells = finished(path, bench.settings)
    wanted = [(UNTRAINED, 0), *((arm, seed) for seed in range(options.seeds) for arm in options.arm)]
    longest = 0.0
    for arm, seed in wanted:
        if any((cell["arm"], cell["seed"]) == (arm, seed) for cell in cells):
            continue
        began = time.monotonic()
        if began + longest > start + 60 * options.minutes:
            print(f"stopped before {arm}, seed {seed}: run again to go on", flush=True)
            break
        cell = {
            "arm": arm,
            "seed": seed,
            "settings": bench.settings,
            **bench.cell(None if arm == UNTRAINED else arm, seed),
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(cell) + "\n")
            file.flush()
            os.fsync(file.fileno())
        cells.append(cell)
        longest = max(longest, time.monotonic() - began)
        shown = " ".join(f"{name} {value:.4g}" for name, value in figures(cell).items() if name.endswith("AP"))
        print(f"{time.monotonic() - start:6.1f} s  {arm} seed {seed}: {shown} {cell['seconds']}", flush=True)
        (options.out / "summary.json").write_text(json.dumps(summary(cells), indent=1) + "\n")
    show(summary(cells))


def finished(path: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that are there; a last line that was cut off is none."""
    cells = []
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        try:
            cells.append(json.loads(line))
        except ValueError:
            continue
    if any(cell["settings"] != settings for cell in cells):
        sys.exit(f"{path} has cells of other settings: choose another --out, or remove it.")
    if lines:
        path.write_text("".join(json.dumps(cell) + "\n" for cell in cells), encoding="utf-8")
    return cells


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds with 95 % t intervals, of arms and of differences between arms of one seed."""
    values = {(cell["arm"], cell["seed"]): figures(cell) for cell in cells}
    arms = dict.fromkeys(arm for arm, _ in values)
    of_arm = {arm: {seed: of for (name, seed), of in values.items() if name == arm} for arm in arms}
    result: dict[str, Any] = {"settings": cells[0]["settings"] if cells else {}, "arms": {}, "differences": {}}
    for arm, by_seed in of_arm.items():
        result["arms"][arm] = {
            figure: interval([by_seed[seed][figure] for seed in by_seed]) for figure in next(iter(by_seed.values()))
        }
    for a, b in COMPARED:
        seeds = sorted({*of_arm.get(a, {})} & {*of_arm.get(b, {})})
        if not seeds:
            continue
        differences = result["differences"][f"{a} - {b}"] = {
            figure: interval([of_arm[a][seed][figure] - of_arm[b][seed][figure] for seed in seeds])
            for figure in of_arm[a][seeds[0]]
        }
        for figure, difference in differences.items():
            if figure.endswith(" AP") and "low" in difference:
                difference["within_bound"] = difference["low"] > -BOUND and difference["high"] < BOUND
    return result


def figures(cell: dict[str, Any]) -> dict[str, float]:
    """The figures of a cell, such as ``xquad-r multi AP``."""
    return {
        f"{task} {kind} {measure}": value
        for task, of_task in cell["tasks"].items()
        for kind, of_kind in of_task["summary"].items()
        for measure, value in of_kind.items()
    }


def interval(values: list[float]) -> dict[str, Any]:
    """The mean, and where there are two or more values its 95 % t interval and their standard deviation."""
    from xlbench.statistics.seeds import mean_of_seeds

    of = mean_of_seeds(values)
    ends = {"low": of.low, "high": of.high, "sd": of.deviation} if of.n > 1 else {}
    return {"mean": of.mean, **ends, "n": of.n}


def show(result: dict[str, Any]) -> None:
    """Prints the summary."""
    for part in ("arms", "differences"):
        for name, figures in result[part].items():
            cells = [
                f"{figure} {of['mean']:.4g}" + (f" [{of['low']:.4g}, {of['high']:.4g}]" if "low" in of else "")
                for figure, of in figures.items()
                if figure.endswith((" AP", "RankDistance"))
            ]
            print(f"{name:<24} {'  '.join(cells)}")


if __name__ == "__main__":
    main()
