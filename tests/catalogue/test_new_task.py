"""The task file that is written for a folder in BEIR form."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import xlbench
from xlbench.catalogue import load
from xlbench.catalogue.new_task import written
from xlbench.errors import DataError, TaskError


def write(folder: Path, *, languages: tuple[str, ...] = ("de", "no")) -> Path:
    """A folder a language, each with two passages, two queries that are judged, and one that is not."""
    for language in languages:
        (folder / language / "qrels").mkdir(parents=True)
        for name, ids in (("corpus", "ab"), ("queries", "123")):
            lines = [json.dumps({"_id": i, "text": f"{language} {i}"}) for i in ids]
            (folder / language / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        table = "query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n"
        (folder / language / "qrels" / "test.tsv").write_text(table, encoding="utf-8")
    return folder


def saved(folder: Path) -> Path:
    """The file that is written for a folder."""
    path, content = written(folder)
    path.write_text(content, encoding="utf-8")
    return path


def test_the_file_gives_the_values_that_the_folder_gives(tmp_path):
    """With sizes and checksums; a code that YAML takes for a truth value is still a language."""
    folder = write(tmp_path / "My Data")
    path = saved(folder)
    assert path == tmp_path / "my-data.yaml"
    task = load(path)
    assert task.is_pinned
    assert {language: (size.queries, size.passages) for language, size in task.sizes.items()} == {
        "de": (2, 2),
        "no": (2, 2),
    }
    of_file, of_folder = (xlbench.evaluate("hash", data, cache=None, quiet=True) for data in (path, folder))
    assert of_file.values == of_folder.values
    assert of_file.task == of_folder.task


def test_a_single_folder_is_a_task_without_a_language(tmp_path):
    """Its language is not determined."""
    write(tmp_path / "x", languages=("one",))
    path = saved(tmp_path / "x" / "one")
    assert load(path).languages == ("und",)
    assert xlbench.evaluate("hash", path, cache=None, quiet=True).queries


def test_a_change_of_the_data_is_noticed(tmp_path):
    """By its checksum."""
    folder = write(tmp_path / "x")
    path = saved(folder)
    (folder / "de" / "corpus.jsonl").write_text('{"_id": "a", "text": "other"}\n{"_id": "b", "text": "more"}\n')
    with pytest.raises((DataError, TaskError), match="corpus"):
        xlbench.evaluate("hash", path, cache=None, quiet=True)


def test_a_language_without_queries_has_passages_only(tmp_path):
    """And no checksum of a file that it lacks."""
    folder = write(tmp_path / "x")
    (folder / "no" / "queries.jsonl").unlink()
    (folder / "no" / "qrels" / "test.tsv").unlink()
    task = load(saved(folder))
    assert (task.sizes["no"].queries, task.sizes["no"].passages) == (0, 2)
    assert list(task.source["queries"].checksums) == ["de"]


def test_two_names_of_one_part_are_said(tmp_path):
    """A task file has one name for all languages."""
    folder = write(tmp_path / "x")
    plain = folder / "no" / "corpus.jsonl"
    (folder / "no" / "corpus.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    with pytest.raises(DataError, match=r"has passages under several names: .*expected one name"):
        written(folder)
