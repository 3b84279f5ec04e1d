"""Encoding XQuAD-R's texts with our adapter against ``SentenceTransformer.encode(batch_size=32)``, same prompts."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import common
import numpy as np

TASK = "xquad-r"
BATCH_SIZE = 32


def sample(texts: list[str], n: int) -> list[str]:
    return random.Random(1).sample(texts, n) if n < len(texts) else texts


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--model", required=True, help="folder or Hub id with modules.json")
    parser.add_argument("--texts", type=int, default=2000, help="size of a seeded sample; 0 takes all 26,104")
    options = parser.parse_args()

    from sentence_transformers import SentenceTransformer

    from xlbench import models
    from xlbench.catalogue import load, read_collection

    task = load(TASK)
    cache_dir = Path(tempfile.gettempdir()) / "xlbench-benchmarks"
    collection = read_collection(task, languages=task.languages, data_dir=options.data_dir, cache_dir=cache_dir)
    queries, passages = list(collection.queries.text), list(collection.passages.text)
    if options.texts:
        share = len(queries) / (len(queries) + len(passages))
        n_queries = round(options.texts * share)
        queries, passages = sample(queries, n_queries), sample(passages, options.texts - n_queries)

    model = models.load(options.model)
    if model.adapter != "sentence-transformers":
        raise SystemExit(f"{options.model} is no sentence-transformers model: it has no modules.json.")
    adapter, peer = model.encoder, SentenceTransformer(options.model)
    prompts = model.provenance()
    vectors: dict[str, np.ndarray] = {}

    def ours(queries: list[str], passages: list[str]) -> None:
        vectors["ours"] = np.concatenate([adapter.encode_queries(queries), adapter.encode_passages(passages)])

    def theirs(queries: list[str], passages: list[str]) -> None:
        found = [
            peer.encode(texts, prompt=prompts[name], batch_size=BATCH_SIZE, normalize_embeddings=True)
            for texts, name in ((queries, "query_prompt"), (passages, "passage_prompt"))
        ]
        vectors["theirs"] = np.concatenate(found)

    for encode in (ours, theirs):
        encode(queries[:BATCH_SIZE], passages[:BATCH_SIZE])
    name = f"SentenceTransformer.encode(batch_size={BATCH_SIZE})"
    contestants = {"xlbench": lambda: ours(queries, passages), name: lambda: theirs(queries, passages)}
    times = common.medians(contestants, runs=options.runs, warm=False)
    n_texts = len(queries) + len(passages)
    rows = [[each, f"{time:.1f}", f"{n_texts / time:.0f}", f"{times[name] / time:.2f}"] for each, time in times.items()]
    rows.append(
        ["largest difference of the vectors", f"{np.abs(vectors['ours'] - vectors['theirs']).max():.1e}", "", ""]
    )
    common.show(
        f"{TASK}: {n_texts:,} texts with {adapter.name}, medians of {options.runs}",
        ["", "seconds", "texts/s", "speed"],
        rows,
        libraries=common.MODELS,
    )


if __name__ == "__main__":
    main()
