"""Tests of tasks of one's own in BEIR form: one language, and queries and passages in different languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.made_hub_server import COMMIT, serving

N = 6


def jsonl(records):
    """Records as lines of JSON."""
    return "".join(json.dumps(record) + "\n" for record in records)


def write_beir(folder, *, asked, answering, **changes):
    """A task file with data beside it: queries in some languages, passages in some, of which the first answers."""
    contents = {}
    for language in asked:
        queries = [{"_id": f"{language}{i}", "text": f"{language} what is {i}?"} for i in range(N)]
        contents[f"{language}/queries.jsonl"] = jsonl([*queries, {"_id": "train", "text": "of another set"}])
        rows = "".join(f"{language}{i}\td{i}\t{1 + i % 2}\n" for i in range(N))
        contents[f"{language}/qrels/test.tsv"] = f"query-id\tcorpus-id\tscore\n{rows}"
    for language in answering:
        passages = [{"_id": f"d{i}", "title": f"On {i}", "text": f"{language} value {i}"} for i in range(N + 2)]
        contents[f"{language}/corpus.jsonl"] = jsonl(passages)
    for name, content in contents.items():
        path = folder / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    names = {"passages": "corpus.jsonl", "queries": "queries.jsonl", "judgements": "qrels/test.tsv"}
    languages = list(dict.fromkeys([*asked, *answering]))
    record = {
        "name": "mine",
        "title": "Mine",
        "version": 1,
        "reader": "beir",
        "text": "title+text",
        "source": {
            part: {"url": None, "path": f"mine/{{language}}/{name}", "sha256": None} for part, name in names.items()
        },
        "sizes": {
            language: {"queries": N * (language in asked), "passages": (N + 2) * (language in answering)}
            for language in languages
        },
        "languages": languages,
        "settings": ["cross"],
        "measures": ["nDCG@10", "R@10"],
        "headline": "nDCG@10",
        "licence": "mine",
        "citation": "None.",
    }
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(record | changes, sort_keys=False), encoding="utf-8")
    return file


def result(folder):
    """The result of the hash model on the task."""
    return json.loads(next((folder / "results").glob("hash*/mine.json")).read_text(encoding="utf-8"))


def test_a_collection_in_one_language_has_one_setting(xlbench, folder):
    """A task in BEIR form is a YAML file of a few lines; queries of other sets are left out."""
    task = write_beir(folder, asked=["en"], answering=["en"], settings=["mono"])
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert outcome.code == 0, outcome.err
    found = result(folder)
    assert found["queries"] == {"en>en": N}
    assert outcome.out.startswith("hash on mine: nDCG@10, ")
    assert "\nmonolingual  " in outcome.out
    assert xlbench("report", "results").code == 0


def test_queries_in_several_languages_are_asked_of_passages_in_one(xlbench, folder):
    """Where English alone has passages, each other language has one cross-lingual setting, and English none."""
    task = write_beir(folder, asked=["te", "ar", "bn"], answering=["en"])
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert outcome.code == 0, outcome.err
    found = result(folder)
    assert found["queries"] == {"te>en": N, "ar>en": N, "bn>en": N}
    assert list(found["summary"]) == ["cross"]
    assert xlbench("report", "results").code == 0
    for form in ("latex", "csv", "json", "markdown"):
        assert xlbench("report", "results", "--format", form).code == 0
    again = xlbench("run", "--model", "hash", "--task", task)
    assert "Result already exists" in again.out


def test_all_kinds_of_setting_are_those_that_the_languages_allow(xlbench, folder):
    """A language without queries asks nothing, one without passages has no monolingual setting, and the pool is one."""
    task = write_beir(folder, asked=["en", "te"], answering=["en"], settings=["mono", "cross", "multi"])
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert outcome.code == 0, outcome.err
    found = result(folder)
    assert found["queries"] == {"en>en": N, "te>en": N, "en>*": N, "te>*": N}
    assert found["scores"]["te>en"]["nDCG@10"] == found["scores"]["te>*"]["nDCG@10"]


def test_a_choice_of_languages_without_passages_is_refused(xlbench, folder):
    """Query languages alone are a usage error that says in which language the passages are."""
    task = write_beir(folder, asked=["te", "ar"], answering=["en"])
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "te")
    assert outcome.code == 2
    assert "mine has no cross setting in te alone. Its passages are in en." in outcome.err
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "te", "en")
    assert outcome.code == 0
    assert "partial: without ar" in outcome.out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("miracl", "MIRACL's judgements of a query are of passages in the query's own language only."),
        ("beir-scifact", "Task beir-scifact has no such setting."),
    ],
)
def test_a_setting_that_a_task_cannot_have_is_refused_with_the_reason(xlbench, name, why):
    """Asking MIRACL for its cross-lingual setting is a usage error that says why there is none."""
    outcome = xlbench("run", "--model", "hash", "--task", name, "--setting", "cross")
    assert outcome.code == 2
    assert f"Unknown setting 'cross'. Known: mono{', multi' * (name == 'miracl')}. {why}" in outcome.err


def test_fetch_downloads_the_files_of_the_wanted_languages(xlbench, folder, monkeypatch, tmp_path):
    """``fetch --language`` downloads no other language's files, and run then needs no network."""
    task = write_beir(folder, asked=["te", "ar"], answering=["te", "ar"], settings=["mono"])
    record = yaml.safe_load(task.read_text(encoding="utf-8"))
    for source in record["source"].values():
        source["url"] = f"hf://datasets/owner/set@{COMMIT}/{source['path'].removeprefix('mine/')}"
    task.write_text(yaml.safe_dump(record), encoding="utf-8")
    with serving(monkeypatch, tmp_path / "home") as hub:
        mine = folder / "mine"
        hub.files["owner/set"] = {
            str(path.relative_to(mine)): path.read_bytes() for path in mine.rglob("*") if path.is_file()
        }
        mine.rename(folder / "gone")
        outcome = xlbench("fetch", "--task", task, "--language", "te", "--data-dir", "data")
    assert outcome.code == 0, outcome.err
    names = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    assert outcome.out.splitlines() == [f"data/mine/te/{name}: downloaded" for name in names]
    found = xlbench("run", "--model", "hash", "--task", task, "--language", "te", "--data-dir", "data")
    assert found.code == 0, found.err
    assert "partial: without ar" in found.out


def test_fetch_refuses_a_language_that_a_task_does_not_have(xlbench):
    """A misspelt language is a usage error before anything is downloaded."""
    outcome = xlbench("fetch", "--task", "miracl", "--language", "yor", "--data-dir", "data")
    assert outcome.code == 2
    assert "Unknown language 'yor'. Did you mean 'yo'? Task miracl has no other languages." in outcome.err
    assert not Path("data").exists()


def test_tasks_says_which_files_have_no_checksum(xlbench, folder):
    """A task with several files a language shows each source, and where only the commit and the sizes vouch for it."""
    out = xlbench("tasks", "miracl").out
    for part in ("passages", "queries", "judgements"):
        assert f"source of {part}:" in out
        assert f"path of {part}:" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["de", "305", "15,866,222", "md5", "of", "32", "files", "sha256", "sha256"] in rows
    assert ["yo", "119", "49,043", "none", "sha256", "sha256"] in rows
    assert "only the commit in the address and the sizes say that the files are the right ones" in " ".join(out.split())
    assert "checksum" not in xlbench("tasks", "xquad-r").out.rpartition("zh")[2]


def test_queries_that_no_passage_answers_are_counted(xlbench, folder, caplog):
    """trec_eval leaves them out too; of one's own data a person wants to know, by language."""
    for language in ("de", "en"):
        (folder / "mine" / language / "qrels").mkdir(parents=True)
        write = {
            "corpus.jsonl": [{"_id": "a", "text": "Das"}],
            "queries.jsonl": [{"_id": str(i), "text": f"Was {i}"} for i in range(3)],
        }
        for name, records in write.items():
            (folder / "mine" / language / name).write_text("".join(f"{json.dumps(r)}\n" for r in records))
        judged = {"de": "0\ta\t1\n1\ta\t0\n", "en": "".join(f"{i}\ta\t1\n" for i in range(3))}[language]
        (folder / "mine" / language / "qrels/test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    assert xlbench("run", "--model", "hash", "--task", "mine").code == 0
    assert "queries without a passage that is judged relevant are left out: 2 of 3 in de." in caplog.text
