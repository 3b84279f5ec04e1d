"""Tests of ``xlbench report``."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import write_task
from tests.reports.made_results import made_result
from xlbench.reports.html import SECTIONS, render
from xlbench.results import load_whole, save

RESULT = "results/hash/tiny.json"


def test_report_shows_the_tables_of_the_run_again(xlbench, task):
    """The tables of a result file, and of a folder with it, are those that the run showed with --full."""
    shown = xlbench("run", "--model", "hash", "--task", task, "--full").out
    outcome = xlbench("report", RESULT)
    assert shown.split("\n\n")[:-1] == outcome.out.split("\n\n")[:-2]
    assert outcome.out.splitlines()[-2].startswith("hash on tiny: AP monolingual ")
    assert "preference: share of queries" in outcome.out
    assert xlbench("report", "results").out == outcome.out
    assert xlbench("report", RESULT, "results").out == outcome.out


def test_report_compares_several_results(xlbench, folder, task):
    """Of several results there are the tables of each, and a table a task with one row a model."""
    other = write_task(folder, name="other")
    xlbench("run", "--model", "hash", "--task", task, "--task", other)
    xlbench("run", "--model", "models.py:Counting", "--task", task, "--language", "de", "en")
    outcome = xlbench("report", "results")
    assert outcome.out.count("multilingual: queries of a language") == 3
    _, _, compared = outcome.out.rpartition("partial: without th\n\n")
    # Only equal versions of one task stand in one table.
    other_table, tiny_table = compared.strip().split("\n\n")
    assert other_table.splitlines()[0] == "other, version 1"
    title, header, _, *rows, better, favourite = tiny_table.splitlines()
    assert title == "tiny, version 1"
    assert f"{better} {favourite}" == (
        "Better is: RankDistance lower. Favourite: the language of most first answers to queries of other languages, "
        "and their share."
    )
    assert re.split(r"\s{2,}", header.strip()) == [
        "model", "mono AP", "cross AP", "multi AP", "multi RankDistance", "favourite",
    ]  # fmt: skip
    assert [row.split("  ")[0] for row in rows] == ["hash", "owner/counting (partial: without th)"]
    assert xlbench("report", RESULT, "results/owner__counting/tiny.json").out.endswith(tiny_table + "\n\n")


@pytest.fixture
def two_models(folder):
    """Two results with all measures and per-query scores, in a folder; the first one's file."""
    for name, level in (("first", 0.4), ("second", 0.6)):
        save(made_result(name, level=level), folder / f"made/{name}/tiny.json")
    return "made/first/tiny.json"


BEGINNINGS = {
    "table": "tiny, summary: means over languages\n",
    "markdown": "**tiny, summary: means over languages**\n\n| measure",
    "latex": "% Needs \\usepackage{booktabs}",
    "csv": "model,revision,arguments,task,task_version,kind,setting,measure,value,low,high,perfect,random,n_rankings,",
    "json": '[\n{"model": "first", ',
    "html": "<!doctype html>",
}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_report_has_six_formats(xlbench, folder, two_models, form):
    """Each is printed, or written to a file that is then named; both are the same bytes, and the same each time."""
    printed = xlbench("report", "made", "--format", form)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.lower().startswith(BEGINNINGS[form].lower())
    assert "second" in printed.out
    written = xlbench("report", "made", "--format", form, "--output", "report.out")
    assert (written.code, written.out) == (0, "Saved to report.out\n")
    assert (folder / "report.out").read_text(encoding="utf-8") == printed.out


def test_the_order_of_the_results_is_that_of_the_command(xlbench, two_models):
    """The first-named model is the one that others are tested against in LaTeX."""
    outcome = xlbench("report", "made/second/tiny.json", two_models, "--format", "latex")
    overview = outcome.out.partition(r"\end{table")[0]
    assert "than second: paired randomisation test" in overview
    assert [line.partition(" &")[0] for line in overview.splitlines() if line.endswith(r"\\")][2:] == [
        "second",
        "first",
    ]
    assert overview.count(r"$^{\ddagger}$") == 3


def test_latex_needs_no_per_query_scores(xlbench, folder, two_models):
    """Without the parquet files the tables have no marks; html says that they are missing."""
    for path in folder.rglob("*.parquet"):
        path.unlink()
    assert "ddagger" not in xlbench("report", "made", "--format", "latex").out
    outcome = xlbench("report", "made", "--format", "html")
    assert outcome.code == 1
    assert "tiny.queries.parquet cannot be read" in outcome.err


def test_other_files_in_a_folder_are_left_out(xlbench, folder, two_models):
    """A JSON file that is no result is named on standard error; given by itself it is refused."""
    (folder / "made/notes.json").write_text('{"a": 1}', encoding="utf-8")
    outcome = xlbench("report", "made", "--format", "csv")
    assert outcome.code == 0
    assert outcome.err == "Left out: made/notes.json is not a result of xlbench: it has no 'schema'.\n"
    assert {line.partition(",")[0] for line in outcome.out.splitlines()} == {"model", "first", "second"}
    outcome = xlbench("report", two_models, "made/notes.json")
    assert (outcome.code, outcome.out) == (1, "")
    assert "made/notes.json is not a result of xlbench" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--format", "mteb"], "--format mteb writes results of xlbench into a folder"),
        (["mteb:made", "--format", "csv"], "mteb:FOLDER has no csv form"),
        (["--format", "html", "--paper"], "--paper has no html form"),
        (["--output", "made/second/tiny.json"], "--output made/second/tiny.json is one of the files to read"),
        (["--output", "made/second/tiny.queries.parquet", "--format", "csv"], "is one of the files to read"),
        (["--format", "pdf"], "'pdf' is not one of"),
    ],
)
def test_wrong_combinations_are_usage_errors(xlbench, folder, two_models, arguments, phrase):
    """They exit with 2 and write nothing."""
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    outcome = xlbench("report", "made", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert phrase in outcome.err
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_an_output_that_cannot_be_written_is_one_line(xlbench, two_models):
    """A folder that does not exist is named before any result is read."""
    outcome = xlbench("report", "made", "--output", "nowhere/report.txt")
    assert outcome.code == 2
    assert "nowhere/report.txt: the folder nowhere does not exist; make it, or choose another." in outcome.err


@pytest.mark.parametrize(
    ("suffix", "form"),
    [(".html", "html"), (".HTM", "html"), (".md", "markdown"), (".tex", "latex"), (".csv", "csv"), (".json", "json")],
)
def test_the_suffix_of_the_output_decides_the_format(xlbench, folder, two_models, suffix, form):
    """Without --format a file has the form that its name says, and the two may be given together."""
    assert xlbench("report", "made", "--output", f"named{suffix}").code == 0
    assert xlbench("report", "made", "--output", f"both{suffix}", "--format", form).code == 0
    texts = [(folder / f"{name}{suffix}").read_text(encoding="utf-8") for name in ("named", "both")]
    assert texts[0] == texts[1]
    assert texts[0].lower().startswith(BEGINNINGS[form].lower())


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["report", "made", "--format", "csv", "--output", "a.html"], "a.html ends in .html, which is html, and"),
        (["compare", "made/tiny.json", "pairs.jsonl", "--output", "a.html"], "which is html: this command has table,"),
        (["pairs", "pairs.jsonl", "--output", "a.csv"], "which is csv: this command has table, json."),
        (["leaderboard", "show", "made", "--format", "table", "--output", "a.md"], "and --format is table"),
        (
            ["report", "made", "--output", "a.xyz"],
            "a.xyz ends in .xyz, which says no format: expected .txt, .csv, .htm",
        ),
    ],
)
def test_a_suffix_that_contradicts_the_format_is_refused(xlbench, folder, arguments, phrase):
    """It is said before anything is read: the files named here are no results."""
    (folder / "made").mkdir()
    (folder / "made/tiny.json").write_text("no result", encoding="utf-8")
    (folder / "pairs.jsonl").write_text("no pairs", encoding="utf-8")
    outcome = xlbench(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert phrase in outcome.err
    assert not list(folder.glob("a.*"))


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv", "json"])
def test_paper_sets_measured_beside_reported(xlbench, folder, form):
    """Results on the paper's tasks stand beside its numbers, in each format but html; other tasks are left aside."""
    save(made_result("mine", task="xquad-r"), folder / "made/mine/xquad-r.json")
    save(made_result("mine", task="demo"), folder / "made/mine/demo.json")
    outcome = xlbench("report", "made", "--paper", "--format", form)
    assert outcome.code == 0
    assert "reported" in outcome.out
    assert "measured" in outcome.out
    assert ".7977" in outcome.out
    assert "demo" not in outcome.out
    (folder / "made/mine/xquad-r.json").unlink()
    outcome = xlbench("report", "made", "--paper", "--format", form)
    assert (outcome.code, outcome.out) == (1, "")
    assert "The paper has xquad-r and mlqa-r, the results are of demo" in outcome.err


@pytest.fixture
def three_models(folder):
    """Results of three models on one task, and of one of them on another."""
    for name, level in (("first", 0.4), ("second", 0.6), ("third", 0.5)):
        save(made_result(name, level=level), folder / f"made/{name}/tiny.json")
    save(made_result("first", level=0.3, task="other"), folder / "made/first/other.json")


def test_the_baseline_is_chosen_by_name(xlbench, folder, three_models):
    """--baseline has the others compared with that model, in every form; a name that none has is refused."""
    assert xlbench("report", "made", "--baseline", "third", "--output", "r.html").code == 0
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert "Verdicts are against third" in page
    assert "Verdicts are against first" in xlbench("report", "made", "--format", "html").out
    shown = xlbench("report", "made", "--baseline", "second", "--section", "models").out
    rows = shown[shown.index("tiny, version") :].splitlines()
    assert [row.split()[0] for row in rows[3:6]] == ["second", "first", "third"]
    assert "worse than second" in xlbench("report", "made", "--baseline", "second", "--format", "latex").out
    outcome = xlbench("report", "made", "--baseline", "fourth")
    assert outcome.code != 0
    assert "Unknown model of these results 'fourth'" in outcome.err


def test_sections_are_chosen_by_name(xlbench, folder, three_models):
    """--section leaves the parts that are named, as a table and as a page; others are refused before any work."""
    outcome = xlbench("report", "made/first/tiny.json", "--section", "summary", "multi")
    whole = xlbench("report", "made/first/tiny.json").out
    assert outcome.code == 0
    assert "summary: means over languages" in outcome.out
    assert "multilingual: queries of a language" in outcome.out
    assert "monolingual: queries of a language" not in outcome.out
    assert "monolingual: queries of a language" in whole
    sections = ("--section", "overview", "summary")
    assert xlbench("report", "made", "--output", "r.html", *sections).code == 0
    page = (folder / "r.html").read_text(encoding="utf-8")
    ids = re.findall('<section id="([^"]*)"', page)
    assert "overview" in ids
    assert any(key.endswith("-summary") for key in ids)
    assert 'class="keys"' in page
    assert not any(key.endswith(("-languages", "-models", "-grid")) for key in ids)
    refused = xlbench("report", "made/first/tiny.json", "--section", "overview")
    assert (refused.code, "--section overview: a report as table has summary, mono" in refused.err) == (2, True)
    refused = xlbench("report", "made", "--section", "summary", "--format", "csv")
    assert (refused.code, "not csv" in refused.err) == (2, True)


def test_the_names_of_sections_are_those_of_a_page(folder, three_models):
    """Each section of a page has a name of SECTIONS, and is on it if it alone is named."""
    results = [load_whole(path) for path in sorted((folder / "made").rglob("tiny.json"))]
    named = {key.rpartition("-")[2] for key in re.findall('<section id="([^"]*)"', render(results))}
    named = {name for name in named if not re.fullmatch(r"[tm]\d+", name)}
    assert named <= set(SECTIONS)
    for name in named:
        keys = re.findall('<section id="([^"]*)"', render(results, sections=[name]))
        shown = {key.rpartition("-")[2] for key in keys if not re.search(r"(^t|-m)\d+$", key)}
        assert name in shown
        # Those of all models have two sections within.
        assert shown <= ({name, "languages", "tradeoffs"} if name == "models" else {name, "models"})


def test_models_of_the_leaderboard_are_reported(xlbench, monkeypatch):
    """leaderboard:NAME is that model's submissions, in a clone of the repository, beside results of one's own."""
    monkeypatch.chdir(Path(__file__).parents[2])
    outcome = xlbench("report", "leaderboard:hash", "leaderboard:bm25", "--section", "models")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("mlqa-r, version 2")
    refused = xlbench("report", "leaderboard:nobody")
    assert refused.code != 0
    assert "Unknown model of the leaderboard 'nobody'" in refused.err


@pytest.mark.parametrize("part", ["scores", "summary"])
def test_a_summary_that_is_not_the_mean_of_the_scores_is_refused(xlbench, folder, task, part):
    """Who changes only a score or only the summary has no result any more."""
    xlbench("run", "--model", "hash", "--task", task)
    record = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    record[part]["en>en" if part == "scores" else "mono"]["AP"] -= 0.3
    (folder / RESULT).write_text(json.dumps(record), encoding="utf-8")
    for command in (["verify", RESULT, "--model", "hash", "--task", task], ["report", RESULT]):
        outcome = xlbench(*command)
        assert outcome.code == 1
        assert f"{RESULT}: 'summary' is not the mean of 'scores'" in outcome.err


@pytest.mark.parametrize("redirected", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_stack_trace(xlbench, folder, task, redirected):
    """With standard output or error closed a command does its work, and has nowhere to say so."""
    xlbench("run", "--model", "hash", "--task", task)
    command = f"{shlex.quote(sys.executable)} -m xlbench report {RESULT} --output report.txt {redirected}"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "monolingual" in (folder / "report.txt").read_text(encoding="utf-8")


def test_what_a_terminal_cannot_show_is_replaced(xlbench, folder):
    """Where the output's encoding lacks a character there is a question mark, and no stack trace."""
    save(made_result("größe 東京", task="tiny"), folder / "made/one/tiny.json")
    command = [sys.executable, "-m", "xlbench", "report", "made"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "größe ??".encode("latin-1") in done.stdout
