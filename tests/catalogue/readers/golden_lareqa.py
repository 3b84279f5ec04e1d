"""Prints the golden values of test_lareqa.py, from the JSON alone, by another way than the reader's.

    python tests/readers/golden_lareqa.py DATA > tests/readers/golden_lareqa.tsv

DATA is the folder with lareqa/xquad-r and lareqa/mlqa-r. A row: data set, language, what, number of records, and for
the first, tenth and last record its id and the start of the sha256 of its text.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def main(data: Path) -> None:
    """Prints one row for each data set, language, and kind of record."""
    for file in sorted(data.glob("lareqa/*-r/*.json")):
        paragraphs = [p for article in json.loads(file.read_text("utf-8"))["data"] for p in article["paragraphs"]]
        questions = [(q["id"], q["question"]) for p in paragraphs for q in p["qas"]]
        sentences = [
            (f"{number}:{i}", p["context"][slice(*ends)], p["context"])
            for number, p in enumerate(paragraphs)
            for i, ends in enumerate(p["sentence_breaks"])
        ]
        kinds = {
            "query": questions,
            "sentence": [(id_, sentence) for id_, sentence, _ in sentences],
            "sentence+context": [(id_, "".join((s + context).split("\n"))) for id_, s, context in sentences],
        }
        for what, records in kinds.items():
            shown = [
                f"{file.stem}:{id_}\t{hashlib.sha256(text.encode()).hexdigest()[:12]}"
                for id_, text in (records[0], records[9], records[-1])
            ]
            print(file.parent.name, file.stem, what, len(records), *shown, sep="\t")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
