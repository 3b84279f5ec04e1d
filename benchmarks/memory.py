"""Peak memory of encoding and counting, for more and more passages: it should stay the same.

    python benchmarks/memory.py --folder DIR     # DIR needs 9 GB

Passages are made up: texts of 200 characters and vectors of 384 dimensions by an encoder that draws them, so that the
time is xlbench's own. With 4 million passages the vectors are there from the start, and only counting is measured.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import common

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from xlbench.collection import Collection, Texts
    from xlbench.engine.vectors import Embeddings

DIMENSIONS = 384
N_QUERIES = 200
WITH_TEXTS = (100_000, 1_000_000)
VECTORS_ONLY = 4_000_000
ROWS_A_SHARD = 1024
UNIT_MB = 1024 if sys.platform == "linux" else 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for texts and vectors; removed at the end")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(*child(options.child, options.folder))
        return
    rows = []
    first = 0.0
    try:
        for n in (*WITH_TEXTS, VECTORS_ONLY):
            command = [sys.executable, __file__, "--folder", str(options.folder / str(n)), "--child", str(n)]
            made, counted, peak = map(
                float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            )
            first = first or peak
            rows.append([f"{n:,}", f"{made:.1f}", f"{counted:.1f}", f"{peak:.0f} MB", f"{peak - first:+.0f} MB"])
            shutil.rmtree(options.folder / str(n))
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    header = ["passages", "encode s", "count s", "peak memory", "more than first"]
    common.show(f"{N_QUERIES} queries, {DIMENSIONS} dimensions", header, rows, libraries=common.MAIN)


def child(n: int, folder: Path) -> tuple[float, float, float]:
    """Seconds of encoding and of counting, and the peak memory of this process in MB."""
    from xlbench.engine.scores import VectorScores
    from xlbench.engine.search import rank

    collection = made_up(n, folder)
    start = time.perf_counter()
    passages = drawn(n, folder) if n == VECTORS_ONLY else encoded(collection.passages, folder)
    queries = encoded(collection.queries, folder)
    middle = time.perf_counter()
    rank(collection, VectorScores(queries, passages), depth=100)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT_MB
    return middle - start, time.perf_counter() - middle, peak


def made_up(n: int, folder: Path) -> Collection:
    """A collection of one language; each query has five relevant passages."""
    import numpy as np

    from xlbench.collection import Collection, Judgement, Text, Texts
    from xlbench.collection.strings import StoredStrings, store

    def records() -> Iterator[tuple[str, str]]:
        for i in range(n):
            yield f"xx:{i}#0", f"{i} ".ljust(200, "x") if n < VECTORS_ONLY else "x"

    store(records(), folder / "texts.arrow")
    ids, text = (StoredStrings([folder / "texts.arrow"], column) for column in ("id", "text"))
    relevant = np.random.default_rng(1).choice(n, (N_QUERIES, 5), replace=False).tolist()
    return Collection.build(
        ["xx"],
        [Text(f"xx:q{i}", "xx", f"query {i}") for i in range(N_QUERIES)],
        Texts(ids, text, np.zeros(n, np.int16)),
        [Judgement(f"xx:q{i}", f"xx:{row}#0", 1) for i, rows in enumerate(relevant) for row in rows],
    )


def encoded(texts: Texts, folder: Path) -> Embeddings:
    from xlbench.engine.vectors import VectorStore, embed

    return embed(texts, draw, store=VectorStore.open(folder, "texts", {"name": "drawn"}))


def draw(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors of length 1 that depend on the first text."""
    import numpy as np

    found = np.random.default_rng(zlib.crc32(texts[0].encode())).standard_normal((len(texts), DIMENSIONS), np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def drawn(n: int, folder: Path) -> Embeddings:
    """Vectors on disk, as an encoder would have left them."""
    import numpy as np

    from xlbench.engine.representations import DENSE
    from xlbench.engine.vectors import Embeddings, StoredVectors
    from xlbench.support.sealed import seal

    paths = [folder / f"{shard}.npy" for shard in range(-(-n // ROWS_A_SHARD))]
    lengths = [min(ROWS_A_SHARD, n - shard * ROWS_A_SHARD) for shard in range(len(paths))]
    for path, length in zip(paths, lengths, strict=True):
        path.write_bytes(seal(path, DENSE.content(draw([path.name] * length), np.float32)))
    return Embeddings(StoredVectors(paths, lengths, width=DIMENSIONS, form=DENSE), row=np.arange(n))


if __name__ == "__main__":
    main()
