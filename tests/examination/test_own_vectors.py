"""The vectors that an index has of its own, in place of a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from xlbench.errors import DataError, UsageError
from xlbench.examination.index_check import index_check
from xlbench.models.hash import HashEncoder

PASSAGES = [
    {"id": f"{language}{i}", "language": language, "text": f"{word} {i} {word}"}
    for language, word in (("de", "Blatt"), ("fr", "feuille"))
    for i in range(8)
]
QUERIES = [{"query": f"{i} Blatt?", "language": "de", "passage_id": f"{'df'[i % 2]}{'er'[i % 2]}{i}"} for i in range(4)]


def write(path: Path, records: list[dict]) -> Path:
    """The records as lines of JSON."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def with_vectors(records: list[dict], vectors: np.ndarray) -> list[dict]:
    """The records with a vector each; one without text has one too."""
    return [record | {"embedding": vector} for record, vector in zip(records, vectors.tolist(), strict=True)]


def numbers(checked) -> tuple:
    """What is counted of an index."""
    return checked.plain, checked.centred, checked.passages, checked.queries, checked.known


@pytest.mark.parametrize("form", ["column", "file"])
def test_they_give_what_the_model_gives_that_made_them(tmp_path, form):
    """From a column of the index and of the queries, or from a file with a row for each of the index's."""
    model = HashEncoder()
    records = [{"id": "empty", "language": "de", "text": " "}, *PASSAGES]
    encoded = model.encode_passages([record["text"] for record in PASSAGES])
    vectors = np.vstack([np.zeros_like(encoded[:1]), encoded])
    asked = with_vectors(QUERIES, model.encode_queries([record["query"] for record in QUERIES]))
    index = write(tmp_path / "index.jsonl", with_vectors(records, vectors))
    queries = write(tmp_path / "queries.jsonl", asked) if form == "column" else None
    np.save(tmp_path / "vectors.npy", vectors)
    given = "embedding" if form == "column" else tmp_path / "vectors.npy"
    own = index_check(index, vectors=given, queries=queries, cache=None, quiet=True)
    plain = index_check(index, model, queries=queries, cache=None, quiet=True)
    assert numbers(own) == numbers(plain)
    assert own.model == ("embedding" if form == "column" else "vectors.npy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda array: array[:-1], r"has 15 vectors, and .*index.jsonl 16 rows; expected one for each"),
        (lambda array: array[0], r"is float64\[3\]; expected numbers with a point, \[rows, D\]"),
        (lambda array: array.astype(int), r"is int64\[16, 3\]; expected numbers with a point"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(tmp_path, change, message):
    """With what it is and what was expected."""
    index = write(tmp_path / "index.jsonl", PASSAGES)
    np.save(tmp_path / "v.npy", change(np.ones((16, 3))))
    with pytest.raises(DataError, match=message):
        index_check(index, vectors=tmp_path / "v.npy", cache=None, quiet=True)


def test_queries_need_vectors_as_well(tmp_path):
    """A file of vectors is of the passages alone; in columns, all are of one length."""
    index = write(tmp_path / "index.jsonl", with_vectors(PASSAGES, np.ones((16, 3))))
    queries = write(tmp_path / "queries.jsonl", with_vectors(QUERIES, np.ones((4, 2))))
    np.save(tmp_path / "v.npy", np.ones((16, 3)))
    with pytest.raises(DataError, match=r"has the vectors of passages, and .*queries.jsonl, line 1 needs one"):
        index_check(index, vectors=tmp_path / "v.npy", queries=queries, cache=None, quiet=True)
    with pytest.raises(DataError, match=r"queries.jsonl, line 1 has a vector of 2 numbers; expected 3"):
        index_check(index, vectors="embedding", queries=queries, cache=None, quiet=True)
    with pytest.raises(DataError, match=r"index.jsonl, line 1 has no 'embeddings'; expected it beside"):
        index_check(index, vectors="embeddings", cache=None, quiet=True)


def test_what_is_no_array_is_refused(tmp_path):
    """Whatever its suffix says."""
    index = write(tmp_path / "index.jsonl", PASSAGES)
    (tmp_path / "v.npy").write_text("1 2 3")
    with pytest.raises(DataError, match=r"v.npy is no array of numpy"):
        index_check(index, vectors=tmp_path / "v.npy", cache=None, quiet=True)
    with pytest.raises(UsageError, match="a model that encodes the index, or vectors"):
        index_check(index, cache=None, quiet=True)
