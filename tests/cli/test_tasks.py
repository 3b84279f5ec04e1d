"""Tests of ``xlbench tasks``, ``models``, ``fetch``, ``--help`` and ``--version``."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import write_task
from xlbench import __version__
from xlbench import catalogue as registry
from xlbench.catalogue import suites
from xlbench.cli import GROUPS
from xlbench.models import kinds

COMMANDS = (
    *("run", "tasks", "models", "fetch", "check", "remedies", "sizes", "report", "compare", "score", "verify"),
    *("submit", "leaderboard", "train", "card", "pairs", "mine", "average", "debias", "convert", "completion"),
)


def test_tasks_lists_every_task_with_its_sizes(xlbench):
    """Each task file is a row, and each suite's below; XQuAD-R and MLQA-R have the sizes of their paper."""
    outcome = xlbench("tasks")
    assert outcome.code == 0
    tasks, _, of_suites = outcome.out.partition("\nSuites\n")
    assert [line.split()[0] for line in of_suites.splitlines()[2:] if line] == suites.names()
    rows = {line.split()[0]: line for line in tasks.splitlines()[3:] if line}
    assert (
        list(rows)
        == registry.names()
        == sorted(path.stem for path in (Path(__file__).parents[2] / "tasks").glob("*.yaml"))
    )
    # LAReQA, arXiv 2004.05484: 11 x 1,190 questions and 13,014 sentences; 4,199 and 20,534 for MLQA-R.
    for name, numbers in {"xquad-r": ["11", "13,090", "13,014"], "mlqa-r": ["7", "4,199", "20,534"]}.items():
        assert rows[name].split()[-7:] == [*numbers, "mono", "cross", "multi", "2"]


def test_tasks_shows_one_task_with_its_checksums(xlbench):
    """One task has its licence, citation, source and a row a language with the sha256."""
    out = xlbench("tasks", "xquad-r").out
    task = registry.load("xquad-r")
    source = task.source["texts"]
    for fact in (task.title, task.licence, task.citation.strip(), source.url, source.path, str(task.file)):
        assert fact in out
    rows = [line.split() for line in out.splitlines()]
    for language in task.languages:
        size = task.sizes[language]
        (checksum,) = source.checksums[language]
        assert [language, f"{size.queries:,}", f"{size.passages:,}", "sha256", checksum.digits] in rows
    assert ["all", "13,090", "13,014"] in rows


def test_tasks_shows_a_task_file(xlbench, task):
    """A task file of the user's is shown like one that comes with xlbench."""
    out = xlbench("tasks", task).out
    assert re.search("source: +comes with the task file", out)
    assert ["all", "17", "18"] in [line.split() for line in out.splitlines()]


def test_models_lists_the_kinds_and_how_to_install_them(xlbench, monkeypatch):
    """Each kind of model has its lines, none over 100 characters; one whose package is missing says what to install."""
    rows = xlbench("models").out.splitlines()
    assert [row for row in rows if not row.startswith(" ")] == [kind.takes for kind in kinds.KINDS]
    assert max(map(len, rows)) <= 100
    assert "    such as intfloat/multilingual-e5-small" in rows
    missing = kinds.Kind("other", "other", "a model", "other", ("no_such_package",), "pip install 'xlbench[other]'")
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, missing))
    assert xlbench("models").out.splitlines()[-2:] == ["    a model", "    not installed: pip install 'xlbench[other]'"]


def test_tasks_as_json_are_what_the_files_say(xlbench, task):
    """One record a task with its sizes; a single task is a list of one."""
    records = json.loads(xlbench("tasks", "--format", "json").out)
    assert [record["task"] for record in records] == registry.names()
    (xquad,) = (record for record in records if record["task"] == "xquad-r")
    assert (xquad["n_queries"], xquad["n_passages"], xquad["version"]) == (13_090, 13_014, 2)
    assert xquad["languages"]["de"]["n_queries"] == 1_190
    (tiny,) = json.loads(xlbench("tasks", task, "--format", "json").out)
    assert (tiny["task"], tiny["settings"], tiny["sources"][0]["url"]) == ("tiny", ["mono", "cross", "multi"], None)


def test_models_as_json_say_what_is_installed(xlbench):
    """One record a kind of model."""
    records = json.loads(xlbench("models", "--format", "json").out)
    assert [record["model"] for record in records] == [kind.takes for kind in kinds.KINDS]
    about = kinds.KINDS[0].about
    expected = {"model": "hash", "about": about, "example": "hash", "installed": True, "install": None}
    assert records[0] == expected


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site(folder, monkeypatch):
    """A folder that is served on loopback, and its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (folder / "site").mkdir()
    handler = functools.partial(_Quiet, directory=str(folder / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield folder / "site", f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def remote_task(folder, site):
    """A task file whose data is on the site only."""
    served, address = site
    file = write_task(folder / "task")
    shutil.move(file.with_suffix(".jsonl"), served / "tiny.jsonl")
    record = yaml.safe_load(file.read_text(encoding="utf-8"))
    record["source"] |= {"url": f"{address}/tiny.jsonl", "path": "remote/tiny.jsonl"}
    file.write_text(yaml.safe_dump(record), encoding="utf-8")
    return file


def test_fetch_fills_a_data_folder_for_a_machine_without_a_network(xlbench, site, remote_task):
    """What fetch downloads is found by run once the address is gone; a second fetch downloads nothing."""
    command = ["fetch", "--task", remote_task, "--data-dir", "data"]
    assert xlbench(*command).out == "data/remote/tiny.jsonl: downloaded, checked\n"
    (site[0] / "tiny.jsonl").unlink()
    assert xlbench(*command).out == "data/remote/tiny.jsonl: there, checked\n"
    run = ["run", "--model", "hash", "--task", remote_task]
    outcome = xlbench(*run)
    assert outcome.code == 1
    assert "tiny.jsonl could not be downloaded: HTTP Error 404" in outcome.err
    assert "xlbench fetch" in outcome.err
    assert xlbench(*run, "--data-dir", "data").code == 0


def test_run_downloads_into_the_cache(xlbench, folder, site, remote_task):
    """Without a data folder a run downloads what it needs, once."""
    run = ["run", "--model", "hash", "--task", remote_task]
    assert xlbench(*run).code == 0
    (site[0] / "tiny.jsonl").unlink()
    assert (folder / "cache/data/remote/tiny.jsonl").is_file()
    assert xlbench(*run, "--force").code == 0


def test_fetch_refuses_another_file_than_the_task_says(xlbench, folder, site, remote_task):
    """A download of another checksum is not kept, nor is a file in the data folder replaced that is not the task's."""
    with (site[0] / "tiny.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    command = ["fetch", "--task", remote_task, "--data-dir", "data"]
    outcome = xlbench(*command)
    assert outcome.code == 1
    assert "tiny.jsonl gave another file than expected." in outcome.err
    assert [path.name for path in (folder / "data/remote").iterdir()] == [".tiny.jsonl.lock"]
    (folder / "data/remote/tiny.jsonl").write_text("mine", encoding="utf-8")
    outcome = xlbench(*command)
    assert outcome.code == 1
    assert "remote/tiny.jsonl is not the file that the task was made with" in outcome.err
    assert (folder / "data/remote/tiny.jsonl").read_text(encoding="utf-8") == "mine"


def test_fetch_of_a_task_that_comes_with_xlbench_downloads_nothing(xlbench, folder):
    """The built-in task needs no download."""
    assert "comes with the task file" in xlbench("fetch", "--task", "demo", "--data-dir", "data").out
    outcome = xlbench("fetch", "--task", "demo", "muplr", "--data-dir", "data")
    assert (outcome.code, outcome.out) == (2, "")
    assert "muplr: read through `datasets`, which downloads into its own cache" in outcome.err
    assert not (folder / "data").exists()


def test_a_task_of_tables_says_where_they_are_and_that_some_sizes_are_not_counted(xlbench):
    """In place of files; a size that nobody has counted is no number."""
    shown = xlbench("tasks", "multi-eup").out
    assert "source of passages:   unimelb-nlp/MultiEup-v2, clean_all_with_did_qid.MEP.csv, train, at 38281785" in shown
    assert re.search(r"^all +\? +\?$", shown, flags=re.MULTILINE)
    (record,) = json.loads(xlbench("tasks", "multi-eup", "--format", "json").out)
    assert (record["n_queries"], record["languages"]["de"]) == (None, {})


def test_version_is_that_of_the_package(xlbench):
    """--version prints the name and the version."""
    assert xlbench("--version").out == f"xlbench, version {__version__}\n"


def test_help_lists_the_commands(xlbench):
    """--help, -h and no argument at all list the commands."""
    for outcome in (xlbench("--help"), xlbench("-h")):
        assert outcome.code == 0
        headings = re.findall(r"^(\w+):$", outcome.out, flags=re.MULTILINE)
        assert headings == ["Options", *GROUPS]
        listed = re.findall(r"^  ([a-z]+)  +[A-Z]", outcome.out.partition("Evaluate:\n")[2], flags=re.MULTILINE)
        assert sorted(listed) == sorted(COMMANDS)
    outcome = xlbench()
    assert outcome.code == 2
    assert "Evaluate:" in outcome.err


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(xlbench, command):
    """The help of a command explains every option."""
    outcome = xlbench(command, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: xlbench {command} ")
    assert f"Example:\n    xlbench {command}" in outcome.out
    # An option too long for its column has its explanation on the next line, further to the right.
    options = re.split(
        r"^  (?=-)", outcome.out.partition("Options:\n")[2].partition("Example:")[0], flags=re.MULTILINE
    )[1:]
    assert options
    for option in options:
        assert re.match(r"-.+(  +|\n {4,})[A-Z]", option), option


def test_light_commands_import_nothing_heavy():
    """Help, listings and usage errors import neither torch nor numba nor pyarrow."""
    code = """
import contextlib, io, sys
from xlbench.cli import GROUPS
from xlbench.cli import main
for line in ["--help", "run --help", "tasks", "tasks demo", "models", "run --model hahs", "run --model hash --task x"]:
    sys.argv = ["xlbench", *line.split()]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main()
print(*{"torch", "numba", "pyarrow", "transformers", "sentence_transformers"} & set(sys.modules))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "\n"


def test_new_writes_a_task_file_that_runs(xlbench, folder):
    """Beside the folder, once; a name that a task has already is refused."""
    for name in ("mine", "demo"):
        (folder / name / "qrels").mkdir(parents=True)
        (folder / name / "corpus.jsonl").write_text('{"_id": "a", "text": "Here."}\n')
        (folder / name / "queries.jsonl").write_text('{"_id": "1", "text": "Where?"}\n')
        (folder / name / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n")
    outcome = xlbench("tasks", "--new", "mine")
    assert outcome.code == 0
    assert outcome.out == f"1 languages, 1 queries, 1 passages.\nSaved to {folder / 'mine.yaml'}\n"
    assert xlbench("run", "--model", "hash", "--task", "mine.yaml", "--quiet").code == 0
    assert "exists: remove it" in xlbench("tasks", "--new", "mine").err
    assert "demo is a task that comes with xlbench" in xlbench("tasks", "--new", "demo").err
    assert xlbench("tasks", "demo", "--new", "mine").code == 2
