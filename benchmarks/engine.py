"""The engine and all measures on XQuAD-R, vectors given, against the bare matrix product of the same sizes.

The product alone says nothing about ranks: comparing its scores is what the engine adds. The memory is that of a child
process with the engine over that of one which stops when the vectors are there.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import common

from xlbench import measures

if TYPE_CHECKING:
    from xlbench.collection import Collection, Texts
    from xlbench.engine.scores import VectorScores
    from xlbench.engine.vectors import Embeddings

TASK = "xquad-r"
DIMENSIONS = 384
# ru_maxrss is in KiB, on macOS in bytes.
UNIT_MB = 1e6 if sys.platform == "darwin" else 1e6 / 1024


def read(data_dir: Path, cache_dir: Path) -> Collection:
    from xlbench.catalogue import load, read_collection

    task = load(TASK)
    return read_collection(task, languages=task.languages, data_dir=data_dir, cache_dir=cache_dir)


def random_embeddings(texts: Texts, seed: int) -> Embeddings:
    """Seeded random vectors of length 1, one for each distinct text."""
    import numpy as np

    from xlbench.engine.vectors import Embeddings

    vectors = np.random.default_rng(seed).standard_normal((len(texts.distinct), DIMENSIONS), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(vectors=vectors, row=texts.distinct.row)


def scores_of(collection: Collection, options: argparse.Namespace) -> VectorScores:
    from xlbench.engine.scores import VectorScores

    if options.model is None:
        return VectorScores(random_embeddings(collection.queries, 1), random_embeddings(collection.passages, 2))
    from xlbench import models
    from xlbench.engine.model_scores import score_collection

    return score_collection(collection, models.load(options.model), cache_dir=options.cache_dir)


def evaluate(collection: Collection, scores: VectorScores) -> None:
    """What ``xlbench run`` does after encoding: counts, and each measure of each query in all settings."""
    from xlbench.catalogue import load
    from xlbench.engine.search import rank
    from xlbench.results.from_ranking import score
    from xlbench.settings import settings

    task = load(TASK)
    ranking = rank(collection, scores, depth=measures.depth(task.measures))
    score(ranking, settings(task.settings, collection.languages), task.measures)


def child(options: argparse.Namespace) -> None:
    """Prints the peak memory of this process in MB, with or without the engine."""
    import xlbench.evaluation  # noqa: F401 (torch and numba count for both)

    collection = read(options.data_dir, options.cache_dir)
    scores = scores_of(collection, options)
    if options.child == "engine":
        evaluate(collection, scores)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT_MB)


def peak(kind: str) -> float:
    command = [sys.executable, __file__, *sys.argv[1:], "--child", kind]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--model", help="take the vectors of this model instead of random ones")
    parser.add_argument("--cpu", action="store_true", help="seconds of CPU, not of the clock: on a busy machine")
    parser.add_argument("--cache-dir", type=Path, default=Path(tempfile.gettempdir()) / "xlbench-benchmarks")
    parser.add_argument("--child", choices=["vectors", "engine"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return

    # Before anything is imported here: a child's peak starts at the memory of its parent.
    extra = sorted(peak("engine") - peak("vectors") for _ in range(options.runs))[options.runs // 2]

    import numpy as np
    import torch

    collection = read(options.data_dir, options.cache_dir)
    scores = scores_of(collection, options)
    q, p = scores.queries.vectors, scores.passages.vectors
    tq, tp = torch.from_numpy(q), torch.from_numpy(p)
    out = np.zeros((len(q), len(p)), np.float32)  # Fresh memory can double the product's time.
    engine = "engine + all measures of 132 settings"
    times = common.medians(
        {
            engine: lambda: evaluate(collection, scores),
            "numpy Q @ P.T": lambda: q @ p.T,
            "torch Q @ P.T": lambda: tq @ tp.T,
            "numpy, into memory that is there": lambda: np.matmul(q, p.T, out=out),
            "torch, into memory that is there": lambda: torch.mm(tq, tp.T, out=torch.from_numpy(out)),
        },
        runs=options.runs,
        clock=time.process_time if options.cpu else time.perf_counter,
    )
    rows = [[name, f"{time:.2f}", f"{times[engine] / time:.2f}"] for name, time in times.items()]
    rows.append(["extra peak memory of the engine", f"{extra:.0f} MB", ""])
    sizes = f"{len(q):,} x {len(p):,} distinct texts x {q.shape[1]} dimensions"
    header = ["", "seconds of CPU" if options.cpu else "seconds", "engine / this"]
    common.show(f"{TASK}: {sizes}, medians of {options.runs}", header, rows, libraries=common.MAIN)


if __name__ == "__main__":
    main()
