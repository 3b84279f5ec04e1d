"""Pair files that `datasets` reads: parquet files, and the Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made_hub_server import serving
from tests.training.made_pairs import write_pairs
from xlbench.errors import DataError
from xlbench.training.pairs import checksum, read_pairs

ROWS = [
    {"id": "1", "queries": {"de": "a", "en": "b"}, "passages": {"de": "c"}, "negatives": {"de": ["x", "y"]}},
    {"id": "2", "passage_id": "p", "queries": {"en": "d"}, "passages": {"en": "e", "fr": "f"}},
    {"id": "3", "passage_id": "p", "queries": {"de": "g"}, "passages": {"en": "e"}},
]


def write_parquet(path, rows):
    """Writes rows with all columns that any of them has."""
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), path)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    """The library's cache is in the test's folder."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))


@pytest.fixture
def lines(tmp_path):
    """The rows as JSON lines."""
    return write_pairs(tmp_path / "rows.jsonl", ROWS)


def test_a_parquet_file_has_the_rows_of_json_lines(tmp_path, lines):
    """Structs by language are the same rows; null is a language, a passage id or negatives that a row lacks."""
    path = tmp_path / "rows.parquet"
    write_parquet(path, ROWS)
    pairs, expected = read_pairs(path), read_pairs(lines)
    assert pairs.rows == expected.rows
    assert pairs.languages == expected.languages
    assert pairs.sha256 == checksum(path)


def test_what_is_wrong_in_a_parquet_file_is_said_with_its_row(tmp_path):
    """Another shape, and a file that is none, are errors of data."""
    path = tmp_path / "rows.parquet"
    write_parquet(path, [*ROWS, {"id": "4", "queries": {"de": " "}, "passages": {"de": "c"}}])
    with pytest.raises(DataError, match=r"rows\.parquet, row 4 "):
        read_pairs(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"rows\.parquet cannot be loaded"):
        read_pairs(path)


READ = """
import json, sys
from xlbench.training.pairs import read_pairs
for source in sys.argv[1:]:
    pairs = read_pairs(source)
    print(json.dumps([[row.id for row in pairs.rows], list(pairs.languages), pairs.sha256]))
"""


def test_pairs_are_read_from_the_hub(tmp_path, lines, monkeypatch):
    """A file of a data set on the Hub has the rows of the file that is there, and one identity however often."""
    with serving(monkeypatch, tmp_path) as hub:
        hub.files["lab/pairs"] = {"rows.jsonl": lines.read_bytes()}
        environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        sources = ["hf://datasets/lab/pairs/rows.jsonl"] * 2
        command = [sys.executable, "-c", READ, *sources]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == second
    assert first[:2] == [["1", "2", "3"], ["de", "en", "fr"]]
