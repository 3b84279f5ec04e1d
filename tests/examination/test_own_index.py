"""One's own index as a collection: whose languages are declared, identified or not told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlbench.errors import DataError
from xlbench.examination.own_index import OwnIndex

GERMAN = "In diesem Herbst fielen die Blätter früher als im Jahr davor, Nummer {}."
FRENCH = "Cet automne, les feuilles sont tombées plus tôt que l'année passée, numéro {}."
CHINESE = "今年秋天树叶比去年落得早，街上到处都是黄色的叶子，编号{}。"


def write(path: Path, records: list[dict[str, object]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def index(folder: Path, **more: dict[str, object]) -> Path:
    """An index of texts that anyone can tell apart: 150 German ones, 150 French ones, and one in Chinese."""
    texts = [text.format(i) for text in (GERMAN, FRENCH) for i in range(150)] + [CHINESE.format(0)]
    return write(folder / "index.jsonl", [{"id": f"p{i}", "text": text, **more} for i, text in enumerate(texts)])


def test_languages_are_identified_among_the_frequent_ones(tmp_path):
    """One passage in 301 makes no language of its own: it is in none that is told."""
    own = OwnIndex.read(index(tmp_path), queries=None)
    assert own.collection.languages == ("de", "fr", "und")
    assert [len(range(300)[own.collection.passages.rows(i)]) for i in (0, 1)] == [150, 150]
    assert own.collection.passages.ids[-1] == "p300"
    assert own.n_identified == 301


def test_queries_name_passages_and_are_in_a_language(tmp_path):
    """A query of a language that is surely none of the index's is left out, and counted; a declared one is not."""
    asked = [
        {"query": GERMAN.format("?"), "passage_id": "p200"},
        {"query": CHINESE.format("?"), "passage_id": "p1"},
        {"query": CHINESE.format("!"), "passage_id": "p1", "language": "zh"},
        {"query": FRENCH.format("?")},
    ]
    own = OwnIndex.read(index(tmp_path), queries=write(tmp_path / "q.jsonl", asked))
    collection = own.collection
    assert collection.queries.ids == ("de:1", "fr:4", "zh:3")
    assert collection.languages == ("de", "fr", "zh", "und")
    assert [collection.passages.ids[row] for row in collection.pairs.passage] == ["p200", "p1"]
    assert own.n_unknown_queries == 1


def test_what_is_declared_is_not_identified(tmp_path, monkeypatch):
    """Then nothing more needs to be installed, and the names are those of the file."""
    monkeypatch.setattr("xlbench.examination.own_index.Identifier", None)
    records = [{"text": "Nummer eins", "language": "sw"}, {"text": "zwei", "language": "yo"}]
    own = OwnIndex.read(write(tmp_path / "x.jsonl", records), queries=None)
    assert own.collection.languages == ("sw", "yo")
    assert own.n_identified == 0


def test_a_limit_draws_passages_and_keeps_those_that_queries_name(tmp_path):
    """The same ones each time; how many there were is known."""
    queries = write(tmp_path / "q.jsonl", [{"query": GERMAN.format("?"), "passage_id": "p7"}])
    first, second = (OwnIndex.read(index(tmp_path), queries=queries, limit=20) for _ in range(2))
    assert first.collection.passages.ids == second.collection.passages.ids
    assert len(first.collection.passages) == 20
    assert "p7" in first.collection.passages.ids
    assert first.n_passages == 301


def test_an_index_in_one_language_is_said(tmp_path):
    """There is no other to be preferred."""
    path = write(tmp_path / "x.jsonl", [{"text": f"Nummer {i}", "language": "de"} for i in range(20)])
    with pytest.raises(DataError, match=r"The 20 passages of .* are all in 'de'; expected two languages"):
        OwnIndex.read(path, queries=None)


def test_a_passage_that_is_not_there_is_said(tmp_path):
    """With where it is named, and the nearest that is there."""
    queries = write(tmp_path / "q.jsonl", [{"query": "Wo?", "passage_id": "p3000"}])
    with pytest.raises(DataError, match=r"q\.jsonl, line 1 names the passage 'p3000', .* Did you mean 'p300'\?"):
        OwnIndex.read(index(tmp_path), queries=queries)


def test_a_language_that_is_no_code_is_said(tmp_path):
    """It would be a part of the names of settings."""
    path = write(tmp_path / "x.jsonl", [{"text": "Hier", "language": "de>en"}])
    with pytest.raises(DataError, match=r"line 1 has the language 'de>en'; expected a code"):
        OwnIndex.read(path, queries=None)


def test_an_index_whose_languages_cannot_be_told_is_said(tmp_path):
    """Numbers are in no language."""
    path = write(tmp_path / "x.jsonl", [{"text": f"{i}{i}{i}"} for i in range(20)])
    with pytest.raises(DataError, match=r"The language of none of the 20 passages of .* could be told"):
        OwnIndex.read(path, queries=None)
