"""Data sets that `datasets` loads: here from folders, which stand for the Hub."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

import xlbench
from tests.catalogue.readers import made_hub_tables
from xlbench import catalogue
from xlbench.catalogue import Sizes
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
    with pytest.raises(DataError, match=r"queries, has the columns _id, text; expected 'question' for 'text'"):
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


def small(task, languages):
    """The task in some languages; the sizes of the tables that the tests make are not counted."""
    sizes = {language: Sizes(min(1, size.queries), min(1, size.passages), counted=False)
             for language, size in task.sizes.items() if language in languages}  # fmt: skip
    return replace(task, sizes=sizes, languages=tuple(sizes))


def read(task, data_dir):
    """The collection of a task in all its languages."""
    return catalogue.read_collection(task, languages=task.languages, data_dir=data_dir, cache_dir=data_dir / "cache")


SHIPPED = {"muplr": ["el", "en"], "mmarco-multi": ["ar", "de"], "neuclir": ["fas", "rus"], "ciral": ["en", "ha", "so"]}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_task_reads_tables_of_its_form(name, tmp_path):
    """As configs of parquet or as files; passages without text are left out, and so are queries without an answer."""
    task = small(catalogue.load(name), SHIPPED[name])
    made_hub_tables.write(task, SHIPPED[name], tmp_path / "data")
    collection = read(task, tmp_path / "data")
    a, b = SHIPPED[name][-2:]
    title = "Ten " if task.text == "title+text" else ""
    assert collection.passages.text == (f"{title}{a} one", f"{a} two", f"{title}{b} one", f"{b} two")
    if name == "ciral":
        assert collection.queries.ids == ("en:ha-1", "en:ha-2", "en:so-1", "en:so-2")
        assert collection.queries.text[1] == 'ha "two?'
    else:
        assert collection.queries.ids == (f"{a}:1", f"{a}:2", f"{b}:1", f"{b}:2")
    assert len(collection.pairs) == (4 if name == "ciral" else 8)  # Each is answered in its own language, or in both.


def test_a_judgement_that_holds_in_all_languages_needs_its_ids_in_all(tmp_path):
    """Where ids are not those of translations, nothing is evaluated as if they were."""
    task = small(catalogue.load("muplr"), ["el", "en"])
    made_hub_tables.write(task, ["el"], tmp_path / "data")
    made_hub_tables.write(replace(task, tables=catalogue.load("neuclir").tables), ["en"], tmp_path / "other")
    hub = tmp_path / "data/mteb/MuPLeR-retrieval"
    (tmp_path / "other/mteb/NeuCLIR2022RetrievalHardNegatives/en-corpus").rename(hub / "en-corpus")
    for part in ("queries", "qrels"):
        shutil.copytree(hub / f"el-{part}", hub / f"en-{part}")
    with pytest.raises(DataError, match=r"which 2 and 1 of 2 languages have; expected all, as the task says"):
        read(task, tmp_path / "data")


def test_questions_and_answers_in_one_table(tmp_path):
    """Equal texts are one; rows that lack one are left out; no two languages share a question."""
    task = small(catalogue.load("publichealth-qa"), ["ar", "en"])
    made_hub_tables.write(task, ["ar", "en"], tmp_path)
    collection = catalogue.read_collection(
        task, languages=["ar", "en"], data_dir=tmp_path, cache_dir=tmp_path / "cache"
    )
    assert collection.queries.ids == ("ar:ar-0", "ar:ar-1", "ar:ar-2", "en:en-0", "en:en-1", "en:en-2")
    assert collection.passages.ids == ("ar:0", "ar:1", "en:0", "en:1")
    assert collection.pairs.passage.tolist() == [0, 1, 1, 2, 3, 3]


def test_one_table_of_all_languages(tmp_path):
    """A passage is of the language that its row says and answers the row's titles in all; an odd column is not read."""
    task = small(catalogue.load("multi-eup"), ["en", "fr"])
    path = tmp_path / "unimelb-nlp/MultiEup-v2/clean_all_with_did_qid.MEP.csv"
    path.parent.mkdir(parents=True)
    rows = [
        {"did": f"d{i}", "TEXT": f"speech {i}", "LANGUAGE": "FR" if i % 2 else "EN", "odd": "1" if i < 11_000 else "x",
         "qid_EN": f"q{i // 6000}#EN", "title_EN": f"debate {i // 6000}",
         "qid_FR": f"q{i // 6000}#FR", "title_FR": "" if i < 6_000 else "débat"}
        for i in range(12_000)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False)
    collection = catalogue.read_collection(
        task, languages=["en", "fr"], data_dir=tmp_path, cache_dir=tmp_path / "cache"
    )
    assert collection.queries.ids == ("en:q0#EN", "en:q1#EN", "fr:q1#FR")
    assert [collection.passages.ids[row] for row in (0, -1)] == ["en:d0", "fr:d11999"]
    assert len(collection.passages) == 12_000
    assert len(collection.pairs) == 3 * 6_000
