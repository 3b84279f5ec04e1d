"""Data sets that `datasets` loads: here from folders, which stand for the Hub."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

import xlbench
from xlbench import catalogue
from xlbench.errors import DataError, TaskError

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture
def record() -> dict:
    """The task file that docs/data.md shows."""
    example = DOCS.read_text(encoding="utf-8").partition("reader: datasets\n")
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)[-1:]
    assert example[1]
    return yaml.safe_load(block)


@pytest.fixture
def data(tmp_path) -> Path:
    """The tables of two languages as parquet files, below a data folder."""
    for language in ("de", "en"):
        tables = {
            "queries": {"_id": ["1", "2", "3"], "text": [f"{language} one?", f"{language} two?", "nobody"]},
            "corpus": {"_id": ["10", "9"], "title": ["Ten", None], "text": [f"{language} one", f"{language} two"]},
            "qrels": {"query-id": ["1", "2", "3"], "corpus-id": ["10", "9", "9"], "score": [2, 1, 0]},
        }
        for name, columns in tables.items():
            folder = tmp_path / "data/owner/parallel" / f"{language}-{name}"
            folder.mkdir(parents=True)
            pd.DataFrame(columns).to_parquet(folder / "test.parquet")
    return tmp_path / "data"


def written(folder: Path, record: dict) -> Path:
    """The record as a task file."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
    return path


def test_the_example_of_the_documentation_is_evaluated(tmp_path, record, data):
    """Titles stand before texts; queries without a relevant passage are left out; gains are kept."""
    task = catalogue.load(written(tmp_path, record))
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=data, cache_dir=tmp_path / "cache")
    assert collection.queries.ids == ("de:1", "de:2", "en:1", "en:2")
    assert collection.passages.text[:2] == ("Ten de one", "de two")
    assert collection.pairs.gain.tolist() == [2, 1, 2, 1]
    result = xlbench.evaluate("hash", task.file, data_dir=data, cache=tmp_path / "cache", quiet=True)
    assert result.value("mono", "AP") == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda source: source["queries"].update(revision="main"), "'revision' is 'main', which may have other data"),
        (lambda source: source["queries"].pop("split"), "'queries'"),
        (lambda source: source["queries"]["columns"].pop("text"), "'columns'"),
        (lambda source: source.pop("judgements"), "'source'"),
    ],
)
def test_a_wrong_source_is_refused(tmp_path, record, change, message):
    """What is missing or could change is said before anything is loaded."""
    change(record["source"])
    with pytest.raises(TaskError, match=re.escape(message)):
        catalogue.load(written(tmp_path, record))


def test_a_column_that_is_not_there_is_named(tmp_path, record, data):
    """With those that the data set has."""
    record["source"]["queries"]["columns"]["text"] = "question"
    task = catalogue.load(written(tmp_path, record))
    with pytest.raises(DataError, match=r"has the columns _id, text; expected 'question' for 'text' of queries"):
        catalogue.read_collection(task, languages=["de"], data_dir=data, cache_dir=tmp_path / "cache")


def test_a_data_set_that_cannot_be_reached_is_said(tmp_path, record, monkeypatch):
    """Without a network and without a folder the message says both places."""
    import datasets

    def unreachable(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    task = catalogue.load(written(tmp_path, record))
    with pytest.raises(DataError, match=r"cannot be loaded \(ConnectionError: no route\); .* is no folder"):
        catalogue.read_collection(task, languages=["de"], data_dir=tmp_path, cache_dir=tmp_path / "cache")


def test_other_sizes_than_the_task_says_are_refused(tmp_path, record, data):
    """As of files."""
    record["sizes"]["de"]["passages"] = 3
    task = catalogue.load(written(tmp_path, record))
    with pytest.raises(DataError, match="owner/parallel has 2 passages in 'de', but task parallel says 3"):
        catalogue.read_collection(task, languages=["de"], data_dir=data, cache_dir=tmp_path / "cache")
