"""Belebele's shape in 122 languages: time and peak memory of a whole run with made-up texts and vectors.

    python benchmarks/many_languages.py               # --languages 122

900 questions on 488 passages in each language, and all of a passage's translations relevant: 13.4 million judged pairs.
The files are read, counted, measured and saved as ``xlbench run`` does; the vectors are drawn, near each other for one
passage in all languages, so that encoding takes next to nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import common
import numpy as np
import numpy.typing as npt

N_QUESTIONS, N_PASSAGES, DIMENSIONS = 900, 488, 384
UNIT_MB = 1024 if sys.platform == "linux" else 1024**2
TASK = "belebele-122"


class Drawn:
    """Vectors by the number that a text begins with, and a little by the text itself."""

    name, revision = "drawn", "1"

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for i, text in enumerate(texts):
            shared = np.random.default_rng(int(text.split()[0])).standard_normal(DIMENSIONS)
            vectors[i] = shared + 1.5 * np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSIONS)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    encode_passages = encode_queries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", type=int, default=122)
    options = parser.parse_args()
    import xlbench
    from xlbench import catalogue

    task = catalogue.load(TASK)
    languages = task.languages[: options.languages]
    with tempfile.TemporaryDirectory() as folder:
        write(languages, Path(folder) / "belebele/data")
        start, cpu = time.perf_counter(), time.process_time()
        result = xlbench.evaluate(
            Drawn(), TASK, languages=languages, data_dir=folder, cache=None, name="drawn", quiet=True
        )
        result.save(folder)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        evidence = next(Path(folder).rglob("*.ranks.parquet")).stat().st_size
    assert result.ranking is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT_MB
    rows = [
        ["languages", str(len(languages))],
        ["settings", f"{len(result.values):,}"],
        ["judged pairs", f"{len(result.ranking.above):,}"],
        ["seconds", f"{seconds:.0f}"],
        ["of these counting", f"{result.timing['search_s']:.0f}"],
        ["of these measures and intervals", f"{result.timing['score_s']:.0f}"],
        ["seconds of CPU", f"{cpu:.0f}"],
        ["peak memory, MB", f"{peak:.0f}"],
        ["evidence, MB", f"{evidence / 2**20:.0f}"],
    ]
    common.show("Many languages", ["", "figure"], rows, libraries=common.MAIN)


def write(languages: Sequence[str], folder: Path) -> None:
    """Files in the form of Belebele's."""
    folder.mkdir(parents=True)
    for language in languages:
        path = folder / f"{language}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number in range(N_QUESTIONS):
                passage = number % N_PASSAGES
                record = {
                    "link": f"https://example.org/{passage}",
                    "question_number": number // N_PASSAGES + 1,
                    "flores_passage": f"{passage} passage in {language}",
                    "question": f"{passage} question {number} in {language}",
                }
                file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
