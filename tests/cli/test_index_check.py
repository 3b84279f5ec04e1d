"""Tests of ``xlbench index-check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def files(folder: Path) -> Path:
    """An index and queries in the current folder, of two languages without a column of languages."""
    german = "In diesem Herbst fielen die Blätter an der {}. Straße früher als im Jahr davor."
    french = "Cet automne, les feuilles de la rue {} sont tombées plus tôt que l'année passée."
    passages = [
        {"id": f"{a}{i}", "text": text.format(i)} for a, text in (("d", german), ("f", french)) for i in range(9)
    ]
    asked = [{"query": german.format(i), "passage_id": f"{'df'[i % 2]}{i}"} for i in range(6)]
    asked += [{"query": french.format(i), "passage_id": f"{'df'[i % 2]}{i}"} for i in range(6)]
    for name, records in (("index.jsonl", passages), ("queries.jsonl", asked)):
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return folder


COMMAND = ("index-check", "index.jsonl", "--model", "hash", "--quiet")


def test_the_tables_end_with_what_a_person_would_say(xlbench, files):
    """Without queries: the neighbours, and how to go on."""
    outcome = xlbench(*COMMAND)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("hash on index.jsonl: neighbours\n")
    assert "The language of 18 passages was identified" in " ".join(outcome.out.split())
    assert "\nThe vectors lie by language: " in outcome.out
    assert outcome.out.splitlines()[-3].startswith("What to try: `xlbench remedies`")


def test_with_known_passages_the_usual_tables_and_remedies_follow(xlbench, files):
    """What each remedy does to these queries, in Markdown with intervals or in JSON."""
    outcome = xlbench(*COMMAND, "--queries", "queries.jsonl", "--remedies", "--output", "check.json")
    assert (outcome.code, outcome.out) == (0, "Saved to check.json\n")
    record = json.loads((files / "check.json").read_text(encoding="utf-8"))
    assert [(of["own"], of["n_queries"]) for of in record["known"]] == [(True, 6), (False, 6)]
    assert {remedy["remedy"] for remedy in record["remedies"]} >= {"one index", "center", "round-robin"}
    assert record["said"][0].startswith("The vectors lie by language")
    markdown = xlbench(*COMMAND, "--queries", "queries.jsonl", "--format", "markdown").out
    assert "**What queries find**" in markdown
    assert "FirstOwnRelevant" in markdown
    page = xlbench(*COMMAND, "--format", "html").out
    assert "<title>hash on index.jsonl · xlbench</title>" in page
    assert "The vectors lie by language" in page


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--remedies"], 2, "--remedies needs --queries"),
        (["--vectors", "v.npy"], 2, "Name a --model that encodes INDEX, or --vectors that it has of its own"),
        (["--column", "text"], 2, "'text' is not KEY=NAME"),
        (["--column", "text=body"], 1, "has no 'body', but 'id', 'text'; --column text=NAME says which it is"),
        (["--column", "title=text"], 2, "'title=text' is not KEY=NAME"),
        (["--output", "index.jsonl", "--format", "json"], 2, "is one of the files to read"),
        (["--output", "x.csv"], 2, "this command has table, markdown, latex, html, json"),
    ],
)
def test_what_cannot_be_meant_is_said(xlbench, files, more, code, said):
    """Before anything is encoded."""
    outcome = xlbench(*COMMAND, *more)
    assert outcome.code == code
    assert said in " ".join(outcome.err.split())


def test_queries_without_a_passage_have_no_remedies(xlbench, files):
    """There is nothing to test them by."""
    (files / "asked.csv").write_text("query,language\nWo?,de\n", encoding="utf-8")
    outcome = xlbench(*COMMAND, "--queries", "asked.csv", "--remedies")
    assert outcome.code == 2
    assert "asked.csv has no passage_id" in outcome.err
