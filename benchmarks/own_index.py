"""Writes an index as someone may have it, of passages of XQuAD-R in all its languages, for ``xlbench index-check``.

Each of 200 questions names one passage, in about half of them in another language than the question. Other passages are
drawn beside these. Whatever says their language is left out.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xlbench import catalogue


def main() -> None:
    """Writes chunks.parquet and queries.jsonl."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    task = catalogue.load("xquad-r")
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=options.data_dir, cache_dir=None)
    queries, passages = collection.queries, collection.passages
    relevant: dict[int, list[int]] = {}
    for query, passage in zip(collection.pairs.query.tolist(), collection.pairs.passage.tolist(), strict=True):
        relevant.setdefault(query, []).append(passage)
    rng = random.Random(0)
    named = {}
    for query in rng.sample(range(len(queries)), options.queries):
        own = [p for p in relevant[query] if passages.language[p] == queries.language[query]]
        other = [p for p in relevant[query] if passages.language[p] != queries.language[query]]
        named[query] = rng.choice(own if rng.random() < 0.5 else other)
    known = sorted({*named.values()})
    rest = sorted({*range(len(passages))} - {*known})
    drawn = known + rng.sample(rest, options.passages - len(known))
    rng.shuffle(drawn)
    options.output.mkdir(parents=True, exist_ok=True)
    chunks = {"id": [passages.ids[p] for p in drawn], "text": [passages.text[p] for p in drawn]}
    pq.write_table(pa.table(chunks), options.output / "chunks.parquet")
    with (options.output / "queries.jsonl").open("w", encoding="utf-8") as file:
        for query, passage in named.items():
            language = collection.languages[queries.language[query]]
            record = {"query": queries.text[query], "passage_id": passages.ids[passage], "language": language}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
