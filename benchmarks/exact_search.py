"""Exact counting against exact search, on the same vectors and threads: 1,000 queries, a million passages.

    pip install faiss-cpu 'sentence-transformers'
    python benchmarks/exact_search.py

xlbench counts what beats each relevant passage, from which every rank follows; the others find the best 100 or 1,000.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import common

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

UNIT_MB = 1024 if sys.platform == "linux" else 1024**2
CONTESTANTS = {
    "xlbench": "xlbench: counts",
    "xlbench-100": "xlbench: counts and best 100",
    "faiss": "faiss.IndexFlatIP: best 100",
    "semantic_search": "sentence-transformers semantic_search: best 1,000",
}


def main() -> None:
    parser = common.parser(__doc__.splitlines()[0], runs=3)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--child", choices=["vectors", *CONTESTANTS], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        call = made(options.child, *vectors(options))
        call()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT_MB)
        return
    # Before anything is imported here: a child's peak starts at the memory of its parent.
    memory = {name: peak(name) for name in ("vectors", *CONTESTANTS)}
    found = vectors(options)
    times = common.medians({name: made(name, *found) for name in CONTESTANTS}, runs=options.runs)
    rows = [
        [
            title,
            f"{times[name]:.1f}",
            f"{times['xlbench'] / times[name]:.2f}",
            f"{memory[name] - memory['vectors']:.0f} MB",
        ]
        for name, title in CONTESTANTS.items()
    ]
    header = ["", "seconds", "xlbench / this", "memory beside the vectors"]
    sizes = f"{options.queries:,} queries, {options.passages:,} passages, {options.dimensions} dimensions"
    libraries = (*common.MAIN, "faiss-cpu", "sentence-transformers")
    common.show(f"{sizes}, medians of {options.runs}", header, rows, libraries=libraries)


def peak(name: str) -> float:
    """The peak memory in MB of a process that does this alone."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def vectors(options: argparse.Namespace) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Queries and passages, seeded and of length 1."""
    import numpy as np

    found = []
    for seed, n in enumerate((options.queries, options.passages)):
        made_up = np.random.default_rng(seed).standard_normal((n, options.dimensions), np.float32)
        for rows in np.array_split(made_up, -(-n // 10_000)):  # In one go the squares would take as much memory again.
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found.append(made_up)
    return found[0], found[1]


def made(name: str, queries: npt.NDArray[np.float32], passages: npt.NDArray[np.float32]) -> Callable[[], object]:
    """What a contestant does; an index that holds the vectors is made before."""
    import torch

    if name == "vectors":
        return lambda: None
    if name == "faiss":
        import faiss

        faiss.omp_set_num_threads(torch.get_num_threads())
        index = faiss.IndexFlatIP(passages.shape[1])
        index.add(passages)
        return lambda: index.search(queries, 100)
    if name == "semantic_search":
        from sentence_transformers.util import semantic_search

        return lambda: semantic_search(torch.from_numpy(queries), torch.from_numpy(passages), top_k=1000)
    return counting(queries, passages, depth=100 if name == "xlbench-100" else 0)


def counting(
    queries: npt.NDArray[np.float32], passages: npt.NDArray[np.float32], *, depth: int
) -> Callable[[], object]:
    """The counts of five relevant passages a query."""
    import numpy as np

    from xlbench.collection import Collection, Judgement, Text
    from xlbench.engine.scores import VectorScores
    from xlbench.engine.search import rank
    from xlbench.engine.vectors import Embeddings

    relevant = np.random.default_rng(2).integers(0, len(passages), (len(queries), 5))
    collection = Collection.build(
        ["xx"],
        [Text(f"q{i}", "xx", "query") for i in range(len(queries))],
        [Text(str(i), "xx", "passage") for i in range(len(passages))],
        [Judgement(f"q{i}", str(row), 1) for i, rows in enumerate(relevant.tolist()) for row in set(rows)],
    )
    scores = VectorScores(*(Embeddings(found, np.arange(len(found))) for found in (queries, passages)))
    return lambda: rank(collection, scores, depth=depth)


if __name__ == "__main__":
    main()
