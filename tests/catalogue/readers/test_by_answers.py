"""Open retrieval by answer strings: the reader, its tasks, and what is measured of them."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import xlbench
from xlbench import catalogue
from xlbench.catalogue import Sizes
from xlbench.catalogue.readers import read
from xlbench.errors import DataError, TaskError

QUESTIONS = [
    {"id": "1", "question": "Pääkaupunki?", "lang": "fi", "answers": ["Bonn", "Berlin"]},
    {"id": "2", "question": "首都は?", "lang": "ja", "answers": ["no", "Tokyo"]},
    {"id": "3", "question": "Onko?", "lang": "fi", "answers": ["yes"]},
    {"id": "4", "question": "Missä?", "lang": "fi", "answers": ["Atlantis"]},
]
PASSAGES = [("1", "Bonn was the capital.", "Bonn"), ("2", 'A "quoted" line', "Rhine"), ("3", "tokyo", "Tokyo")]


def xor(folder: Path) -> dict:
    """Questions of XOR-TyDi QA and a table of passages as DPR has it."""
    (folder / "dev.jsonl").write_text("".join(json.dumps(each) + "\n" for each in QUESTIONS), encoding="utf-8")
    with (folder / "wiki.tsv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("id", "text", "title"), *PASSAGES])
    questions, wiki = [folder / "dev.jsonl"], [folder / "wiki.tsv"]
    return {"questions": {"fi": questions, "ja": questions, "en": []}, "passages": {"fi": [], "ja": [], "en": wiki}}


def judged(collection) -> list[tuple[str, str]]:
    """Each pair by ids."""
    pairs = zip(collection.pairs.query.tolist(), collection.pairs.passage.tolist(), strict=True)
    return [(collection.queries.ids[query], collection.passages.ids[passage]) for query, passage in pairs]


def test_a_passage_with_an_answer_is_relevant(tmp_path):
    """Yes and no are not looked for; a question whose answer is nowhere has no relevant passage."""
    collection = read("by_answers", xor(tmp_path), text="title+text")
    assert collection.queries.ids == ("fi:1", "fi:4", "ja:2")
    assert collection.passages.text == ("Bonn Bonn was the capital.", 'Rhine A "quoted" line', "Tokyo tokyo")
    assert judged(collection) == [("fi:1", "en:1"), ("ja:2", "en:3")]
    assert collection.by_answers
    assert collection.in_languages(["en", "fi"]).by_answers


def test_passages_may_be_stored(tmp_path):
    """The answers are then looked for in what is stored, and nothing else changes."""
    plain = read("by_answers", xor(tmp_path), text="text")
    stored = read("by_answers", xor(tmp_path), text="text", folder=tmp_path / "texts")
    assert judged(stored) == judged(plain) == [("fi:1", "en:1"), ("ja:2", "en:3")]
    assert list(stored.passages.text) == list(plain.passages.text)


def test_mkqa_is_answered_in_the_language_of_the_passages(tmp_path):
    """By text or alias; long answers, yes and no are not looked for."""
    answers = {
        "1": [{"type": "entity", "text": "Germany", "aliases": ["BRD"]}],
        "2": [{"type": "binary", "text": "yes"}],
        "3": [{"type": "unanswerable", "text": None}],
    }
    lines = [
        {"example_id": int(id_), "queries": {"de": f"{id_}?", "en": f"{id_}?"}, "answers": {"en": its, "de": []}}
        for id_, its in answers.items()
    ]
    (tmp_path / "mkqa.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in lines).encode()))
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "the BRD"}\n{"_id": "b", "text": "x"}\n')
    questions = [tmp_path / "mkqa.jsonl.gz"]
    files = {
        "questions": {"de": questions, "en": questions},
        "passages": {"de": [], "en": [tmp_path / "corpus.jsonl"]},
    }
    assert judged(read("by_answers", files, text="title+text")) == [("de:1", "en:a"), ("en:1", "en:a")]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda files: files["passages"].update(en=[]), "There are passages in no language; expected one"),
        (lambda files: files["passages"]["en"][0].write_text("id\ttext\n1\tx\n"), "has the columns id, text; expected"),
        (lambda files: files["passages"]["en"][0].write_text("id\ttext\ttitle\n1\tx\n"), "line 2 has 2 columns"),
        (
            lambda files: files["questions"]["fi"][0].write_text('{"id": "1", "lang": "fi"}\n'),
            "line 1 has no 'answers'",
        ),
    ],
)
def test_files_of_another_shape_are_refused(tmp_path, broken, message):
    """With file and line."""
    files = xor(tmp_path)
    broken(files)
    with pytest.raises(DataError, match=message):
        read("by_answers", files, text="text")


def task_in(folder: Path, **changes) -> Path:
    """A task file beside such files."""
    xor(folder)
    record = {
        "name": "mine", "title": "Mine", "version": 1, "reader": "by_answers", "text": "title+text",
        "source": {
            "questions": {"url": None, "path": "dev.jsonl", "sha256": None},
            "passages": {"url": None, "path": "wiki.tsv", "sha256": None},
        },
        "sizes": {"fi": {"queries": 2, "passages": 0}, "ja": {"queries": 1, "passages": 0},
                  "en": {"queries": 0, "passages": 3}},
        "languages": ["fi", "ja", "en"], "settings": ["cross", "multi"], "measures": ["Answer@1", "R@2kt"],
        "headline": "Answer@1", "licence": "mine", "citation": "none",
    } | changes  # fmt: skip
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
    return path


def test_a_task_by_answers_is_evaluated(tmp_path):
    """Its measures have names of their own, and their tokens are counted in whole passages."""
    result = xlbench.evaluate("hash", str(task_in(tmp_path)), cache=tmp_path / "cache", quiet=True)
    assert set(result.summary["multi"]) == {"Answer@1", "R@2kt"}
    assert result.queries[xlbench.Setting("fi", "en")] == 1
    assert not any(result.matrices.values())  # They are of AP.
    assert result.value("multi", "R@2kt") == 1.0  # All passages together have fewer tokens.


def test_what_is_judged_and_what_contains_an_answer_are_not_mixed(tmp_path):
    """A task has measures of one or of the other."""
    with pytest.raises(TaskError, match=r"'measures' has 'AP'; expected Answer@k and R@2kt"):
        catalogue.load(task_in(tmp_path, measures=["Answer@1", "AP"]))
    record = yaml.safe_load(catalogue.load("demo").file.read_text(encoding="utf-8"))
    (tmp_path / "demo.yaml").write_text(
        yaml.safe_dump({**record, "name": "mine", "measures": [*record["measures"], "Answer@1"]}), encoding="utf-8"
    )
    with pytest.raises(TaskError, match=r"'measures' has 'Answer@1'; expected measures of judged passages"):
        catalogue.load(tmp_path / "demo.yaml")


@pytest.mark.parametrize("name", ["xor-tydi", "mkqa"])
def test_a_shipped_task_reads_files_of_its_form(name, tmp_path):
    """Of XOR-TyDi QA and DPR, and of MKQA and BEIR."""
    task = catalogue.load(name)
    languages = [*task.languages[:1], "en"]
    paths = {part: tmp_path / source.path_of("en") for part, source in task.source.items()}
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    if name == "xor-tydi":
        line = {"id": "1", "question": "?", "lang": "ar", "answers": ["Bonn"]}
        paths["questions"].write_text(json.dumps(line) + "\n", encoding="utf-8")
        paths["passages"].write_text("id\ttext\ttitle\n1\tx\tBonn\n", encoding="utf-8")
    else:
        line = {
            "example_id": 1,
            "queries": {"ar": "?", "en": "?"},
            "answers": {"en": [{"type": "entity", "text": "Bonn"}]},
        }
        paths["questions"].write_bytes(gzip.compress((json.dumps(line) + "\n").encode()))
        paths["passages"] = paths["passages"].with_suffix(".jsonl")
        paths["passages"].write_text('{"_id": "1", "title": "Bonn", "text": "x"}\n', encoding="utf-8")
    sizes = {
        language: Sizes(min(1, task.sizes[language].queries), min(1, task.sizes[language].passages))
        for language in languages
    }
    source = {
        part: replace(
            its,
            path=str(paths[part].relative_to(tmp_path)),
            checksums=dict.fromkeys(set(its.checksums) & set(languages)),
        )
        for part, its in task.source.items()
    }
    small = replace(task, languages=tuple(languages), sizes=sizes, source=source)
    collection = catalogue.read_collection(small, languages=languages, data_dir=tmp_path, cache_dir=None)
    assert {query[-2:] for query, _ in judged(collection)} == {":1"}
    assert collection.passages.text == ("Bonn x",)
    assert np.array_equal(collection.pairs.gain, np.ones(len(collection.queries)))
