"""``xlbench pairs``, ``mine``, ``debias`` and ``convert``."""

from __future__ import annotations

import json

import pytest

from tests.training.made_pairs import ROWS, write_pairs
from xlbench.catalogue import load, read_collection


@pytest.fixture
def file(folder):
    """A pair file in the current folder."""
    return write_pairs(folder / "pairs.jsonl")


def test_pairs_shows_what_a_file_holds(xlbench, file):
    """Rows, languages and pairs of languages; and that no task has the same texts."""
    outcome = xlbench("pairs", file, "--quiet")
    assert outcome.code == 0
    assert "3 rows with 2 passages; 0 are in one language only" in " ".join(outcome.out.split())
    assert "overlap with the tasks at hand" in outcome.out
    assert "for example" not in outcome.out
    assert outcome.err == ""


def test_pairs_shows_texts_that_tasks_have_too(xlbench, folder):
    """The row, the query that it has and how much of it are shown, also as JSON."""
    demo = load("demo")
    query = read_collection(demo, languages=["en"], data_dir=None, cache_dir=folder).queries
    row = {"id": "it", "queries": {"en": query.text[0]}, "passages": {"en": "?"}}
    path = write_pairs(folder / "known.jsonl", [row])
    assert ["demo", "it", query.ids[0], "100%"] in [*map(str.split, xlbench("pairs", path, "--quiet").out.splitlines())]
    record = json.loads(xlbench("pairs", path, "--format", "json", "--quiet").out)[0]
    assert record["overlap"][0]["rows"] == ["it"]
    assert record["n_rows"] == 1
    assert json.loads(xlbench("pairs", path, "--format", "json", "--no-overlap").out)[0]["overlap"] == []


def test_a_broken_line_ends_with_its_file_and_number(xlbench, folder):
    """What is wrong with the data exits with 1 and no stack trace."""
    (folder / "broken.jsonl").write_text(json.dumps(ROWS[0]) + "\n{", encoding="utf-8")
    outcome = xlbench("pairs", "broken.jsonl")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("xlbench: broken.jsonl, line 2 is not valid JSON")


def test_mine_writes_negatives(xlbench, file, folder):
    """The file with negatives is a pair file; how many were found is said."""
    outcome = xlbench(
        "mine", "--model", "hash", "--pairs", file, "--output", "mined.jsonl", "--negatives", 1, "--quiet"
    )
    assert outcome.code == 0
    assert outcome.out == "3 negatives for 4 queries; 1 have fewer than 1.\nSaved to mined.jsonl\n"
    lines = [json.loads(line) for line in (folder / "mined.jsonl").read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == [row["id"] for row in ROWS]
    assert set(lines[0]["negatives"]) == {"de", "en"}


def test_mine_has_a_reranker_score_what_it_finds(xlbench, file, folder):
    """The scores are in the file; an argument without a reranker, and a model that is none, are refused first."""
    code = "class Judge:\n    name = revision = 'judge'\n    def score_pairs(self, queries, passages):\n"
    code += "        import numpy\n        return numpy.array([len(text) for text in passages], numpy.float32)\n"
    (folder / "judge.py").write_text(code)
    command = ("mine", "--model", "hash", "--pairs", file, "--output", "mined.jsonl", "--quiet")
    assert xlbench(*command, "--judge", "judge.py:Judge").code == 0
    row = json.loads((folder / "mined.jsonl").read_text("utf-8").splitlines()[0])
    assert row["scores"]["passages"] == {language: len(text) for language, text in row["passages"].items()}
    assert row["scores"]["negatives"] == {code: [*map(len, texts)] for code, texts in row["negatives"].items()}
    assert "--judge-arg needs --judge" in xlbench(*command, "--judge-arg", "dtype=float32").err
    assert "There is no reranker absent" in xlbench(*command, "--judge", "./absent").err.replace("./", "")


def test_mine_does_not_overwrite_what_it_reads(xlbench, file):
    """The output must be another file."""
    outcome = xlbench("mine", "--model", "hash", "--pairs", file, "--output", file)
    assert outcome.code == 2
    assert "is one of the files to read" in outcome.err


def test_a_debiased_folder_is_a_model(xlbench, folder, task):
    """What debias writes, run evaluates under the folder's name; languages need not be declared to it."""
    pairs = write_pairs(folder / "fit.jsonl", ROWS[:3])
    outcome = xlbench(
        "debias", "--model", "hash", "--fit-on", pairs, "--method", "center", "--output", "mine", "--quiet"
    )
    assert (outcome.code, outcome.out) == (0, "Fitted center on de, en, fr.\nSaved to mine\n")
    assert xlbench("run", "--model", "mine", "--task", task, "--quiet").code == 0
    result = json.loads((folder / "results" / "mine" / "tiny.json").read_text("utf-8"))
    assert result["model"]["adapter"] == "debiased"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "centre", "--output", "new"], "Unknown transform 'centre'"),
        (["--method", "center", "--output", "task"], "--output task already exists"),
    ],
)
def test_debias_refuses_unknown_methods_and_folders_that_are_there(xlbench, file, task, arguments, message):
    """A usage error exits with 2, before anything is encoded."""
    outcome = xlbench("debias", "--model", "hash", "--fit-on", file, *arguments)
    assert outcome.code == 2
    assert message in outcome.err


def test_convert_squad_writes_pairs(xlbench, folder):
    """A file for each language gives rows of them."""
    question = {"id": "q", "question": "What?", "answers": [{"answer_start": 0, "text": "It"}]}
    content = {"data": [{"paragraphs": [{"context": "It is.", "qas": [question]}]}]}
    (folder / "en.json").write_text(json.dumps(content), encoding="utf-8")
    outcome = xlbench("convert", "squad", "en=en.json", "--output", "out.jsonl")
    assert (outcome.code, outcome.out) == (0, "1 rows.\nSaved to out.jsonl\n")
    assert json.loads((folder / "out.jsonl").read_text("utf-8"))["queries"] == {"en": "What?"}


def test_convert_drops_and_counts_texts_without_letters(xlbench, folder):
    """An empty context and a failed translation are dropped, and what is written can be read."""
    answer = [{"answer_start": 0, "text": "It"}]
    for language, questions, context in (("en", ("What?", "Who?"), "It is."), ("de", ("???", "Wer?"), "")):
        asked = [{"id": str(i), "question": question, "answers": answer} for i, question in enumerate(questions)]
        content = {"data": [{"paragraphs": [{"context": context, "qas": asked}]}]}
        (folder / f"{language}.json").write_text(json.dumps(content), encoding="utf-8")
    outcome = xlbench("convert", "squad", "en=en.json", "de=de.json", "--output", "out.jsonl")
    assert outcome.code == 0
    assert "2 rows.\nDropped texts without letters: 3; rows left without a pair: 0.\n" in outcome.out
    assert xlbench("pairs", "out.jsonl", "--no-overlap").code == 0


@pytest.mark.parametrize("given", [["en.json"], ["en=absent.json"], ["en=a.json", "en=b.json"]])
def test_convert_squad_refuses_files_without_a_language(xlbench, folder, given):
    """Each file is given with its language, once."""
    assert xlbench("convert", "squad", *given, "--output", "out.jsonl").code == 2


def test_convert_mmarco_says_which_file_is_missing(xlbench, folder):
    """An empty folder is no copy of the data set."""
    outcome = xlbench("convert", "mmarco", ".", "--language", "de", "en", "--output", "out.jsonl")
    assert outcome.code == 1
    assert "triples.train.ids.small.tsv was not found" in outcome.err


def test_convert_without_a_row_fails_and_writes_nothing(xlbench, folder):
    """Empty files make no file of pairs that other commands would have to refuse."""
    for language in ("de", "en"):
        (folder / f"{language}.txt").write_bytes(b"")
    outcome = xlbench("convert", "lines", "de=de.txt", "en=en.txt", "--output", "rows.jsonl")
    assert outcome.code == 1
    assert "There is no row to write to rows.jsonl" in outcome.err
    assert not (folder / "rows.jsonl").exists()


def test_convert_does_not_write_over_what_it_reads(xlbench, folder):
    """The texts would be lost."""
    (folder / "de.txt").write_text("eins\n", encoding="utf-8")
    outcome = xlbench("convert", "lines", "de=de.txt", "--output", "de.txt")
    assert outcome.code == 2
    assert "one of the files to read" in outcome.err
    assert (folder / "de.txt").read_text(encoding="utf-8") == "eins\n"
