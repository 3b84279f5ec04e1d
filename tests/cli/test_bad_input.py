"""Tests of what a user can get wrong: each is said in a clear sentence, with exit code 1 or 2 and no stack trace."""

from __future__ import annotations

import os
import shutil

import pytest
import yaml

from tests.cli.conftest import finish, start, write_task

REMEDY = "run the same command again to go on"


def refused(outcome, code, *phrases):
    """Checks that a command failed with this exit code, and that its message has these phrases and no stack trace."""
    assert outcome.code == code
    assert "Traceback" not in outcome.err
    said = " ".join(line for line in outcome.err.splitlines() if ": encoding" not in line)
    assert said.startswith(("xlbench: ", "Usage: "))
    for phrase in phrases:
        assert phrase in said
    return True


@pytest.mark.parametrize(
    ("arguments", "phrases"),
    [
        (["--model", "hash", "--task", "xquad-q"], ["Unknown task 'xquad-q'. Did you mean 'xquad-r'?"]),
        (["--model", "hash", "--task", "zzz"], ["Unknown task 'zzz'. Known: ", ", demo, "]),
        (["--model", "hash", "--task", "zzz.yaml"], ["Unknown task file 'zzz.yaml'."]),
        (["--model", "hahs"], ["Unknown model 'hahs'. Did you mean 'hash'?", "package.module:Class"]),
        (["--model", "hash", "--language", "dd"], ["Unknown language 'dd'. Known: de, en, th. Task tiny has no other"]),
        (["--model", "hash", "--language", "de", "dee"], ["Unknown language 'dee'. Did you mean 'de'?"]),
        (["--model", "hash", "--setting", "monoo"], ["'monoo' is not one of 'mono', 'cross', 'multi'"]),
        (["--model", "hash", "--langauge", "de"], ["No such option", "--language"]),
        (["--model", "hash", "--model-arg", "dimension=3"], ["Unknown model argument 'dimension'.", "'dimensions'?"]),
        (["--model", "hash", "--model-arg", "dimensions"], ["'dimensions' is not KEY=VALUE."]),
        (["--model", "hash", "--dtype", "float16"], ["Unknown model argument 'dtype'.", "hash takes dimensions."]),
        (["--model", "hash", "--dtype", "float8"], ["'float8' is not one of 'float32', 'bfloat16', 'float16'"]),
        (["--model", "hash", "--max-length", "0"], ["0 is not in the range x>=1"]),
        (["--model", "hash", "--data-dir", "nowhere"], ["Directory 'nowhere' does not exist"]),
        ([], ["Missing option '--model'"]),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_a_suggestion(xlbench, task, arguments, phrases):
    """A name that does not exist gives exit code 2, and the nearest one or all that do exist."""
    given = arguments if "--task" in arguments else ["--task", task, *arguments]
    assert refused(xlbench("run", *given), 2, *phrases)


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(xlbench):
    """A mistyped command names the nearest one."""
    assert refused(xlbench("rnu"), 2, "No such command 'rnu'", "'run'")


def test_a_setting_that_the_task_does_not_have_is_a_usage_error(xlbench, folder):
    """A kind of setting that exists, but not in this task, is refused."""
    task = write_task(folder, settings=["mono", "multi"])
    outcome = xlbench("run", "--model", "hash", "--task", task, "--setting", "cross")
    assert refused(outcome, 2, "Unknown setting 'cross'. Known: mono, multi. Task tiny has no such setting.")


@pytest.mark.parametrize(
    ("changes", "phrases"),
    [
        ({"licnece": "CC0"}, ["has an unknown key: Unknown key 'licnece'. Did you mean 'licence'?"]),
        ({"licence": None}, ["lacks the key 'licence'", "expected name, title, version"]),
        ({"version": "one"}, ["'version' is 'one'; expected an integer"]),
        ({"version": True}, ["'version' is True; expected an integer"]),
        ({"languages": "de"}, ["'languages' is 'de'; expected a list"]),
        ({"languages": ["de", "de"]}, ["'languages'", "none twice"]),
        ({"sizes": {"de": {"queries": 6, "passages": 6}}}, ["'sizes' lacks the key 'en'"]),
        ({"measures": ["AP", "nDGC@10"]}, ["Unknown measure 'nDGC@10'. Did you mean 'nDCG@10'?"]),
        ({"headline": "R@5"}, ["'headline' has an unknown value: Unknown name 'R@5'."]),
        ({"reader": "paralel"}, ["'reader' has an unknown value", "Did you mean 'parallel'?"]),
        ({"text": "sentence"}, ["'text' has an unknown value", "passage"]),
        ({"settings": ["mono", "multii"]}, ["'settings' has an unknown value", "Did you mean 'multi'?"]),
    ],
)
def test_a_task_file_that_breaks_the_rules_is_refused(xlbench, folder, task, changes, phrases):
    """A key too many, missing or of the wrong type is named, with the file, before the model is looked at."""
    found = yaml.safe_load((folder / task).read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in found.items() if value is not None}
    (folder / task).write_text(yaml.safe_dump(kept), encoding="utf-8")
    assert refused(xlbench("run", "--model", "no-such-model", "--task", task), 1, f"xlbench: {task}", *phrases)


def test_a_task_file_that_is_no_yaml_is_refused(xlbench, folder):
    """A task file that cannot be parsed says so."""
    (folder / "broken.yaml").write_text("name: [", encoding="utf-8")
    assert refused(xlbench("run", "--model", "hash", "--task", "broken.yaml"), 1, "broken.yaml is not valid YAML")


def test_an_altered_data_file_is_refused(xlbench, folder, task):
    """A data file of another checksum is named with both sums and what to do."""
    sums = yaml.safe_load((folder / task).read_text(encoding="utf-8"))["source"]["sha256"]
    with (folder / "task/tiny.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert refused(outcome, 1, "task/tiny.jsonl", "its sha256 is", f"expected {sums['de']}", "--data-dir")


def test_other_sizes_than_the_task_says_are_refused(xlbench, folder):
    """A file with another number of queries than the task says shows both numbers."""
    sizes = {language: {"queries": 7, "passages": 6} for language in ("de", "en", "th")}
    task = write_task(folder, sizes=sizes)
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert refused(outcome, 1, "tiny.jsonl has 6 queries in 'de', but task tiny says 7")


@pytest.mark.parametrize(
    ("fault", "phrases"),
    [
        # Longest texts come first, as 4 and 5 here, so that the third text of the shard is not the third of the file.
        ("nan", ["NaN or infinity for the text 'de:0'", "1 of 6 texts"]),
        ("rows", ["an array of shape (5, 3) for 6 texts; expected (6, D)"]),
        ("dimension", ["vectors of 2 dimensions for 'th:", "of 3 before"]),
        ("flat", ["an array of shape (3,) for 6 texts; expected (6, D)"]),
        ("none", ["for 6 texts; expected"]),
    ],
)
def test_a_model_with_unusable_vectors_is_refused(xlbench, task, fault, phrases):
    """Vectors that are not finite, too few, or of several dimensions name the text or the shape."""
    outcome = xlbench("run", "--model", "models.py:Faulty", "--model-arg", f"fault={fault}", "--task", task)
    assert refused(outcome, 1, "The encoder gave", *phrases)


@pytest.mark.parametrize(
    ("model", "code", "phrases"),
    [
        ("task", 1, ["The folder task has neither modules.json nor config.json"]),
        (
            "models.py:Nobody",
            1,
            ["models.py has no 'Nobody'; it has os, time, np, count, Counting, Sparse, "],
        ),
        ("nothing.py:Model", 1, ["nothing.py is no file; expected file.py:Class."]),
        ("no_such_package.module:Model", 1, ["no_such_package.module cannot be imported", "ModuleNotFoundError"]),
        ("models.py:count", 1, ["models.py:count is no class"]),
        ("models.py:Unnamed", 1, ["models.py:Unnamed has no 'name'", "encode_passages"]),
        ("models.py:Faulty", 1, ["could not be made with the arguments {}", "'fault'"]),
        ("broken.py:Model", 1, ["broken.py cannot be imported: ZeroDivisionError", "broken.py, line 2"]),
    ],
)
def test_a_model_that_cannot_be_loaded_is_refused(xlbench, folder, task, model, code, phrases):
    """A folder that is no model, or a class that is not there or no encoder, says what was expected."""
    (folder / "broken.py").write_text("x = 1\ny = x / 0\n", encoding="utf-8")
    assert refused(xlbench("run", "--model", model, "--task", task), code, *phrases)


@pytest.mark.parametrize("option", ["--output", "--cache-dir"])
def test_a_folder_that_cannot_be_made_is_refused(xlbench, folder, task, option):
    """A folder below a regular file cannot be made: the message names it and says to choose another one."""
    (folder / "file").write_text("", encoding="utf-8")
    outcome = xlbench("run", "--model", "hash", "--task", task, option, "file/below")
    assert refused(outcome, 1, "file/below", "Not a directory", "choose another folder")
    # Said before hours of encoding, not after.
    assert not list(folder.rglob("*.npy"))
    assert refused(xlbench("run", "--model", "hash", "--task", task, option, "file"), 2, "'file' is a file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("option", ["--output", "--cache-dir"])
def test_a_folder_that_is_not_writable_is_refused(xlbench, folder, task, option):
    """A folder without permission to write names the options that choose another one."""
    (folder / "locked").mkdir(mode=0o500)
    outcome = xlbench("run", "--model", "hash", "--task", task, option, "locked")
    assert refused(outcome, 1, "locked", "Permission denied", "--cache-dir, --output")


@pytest.mark.parametrize(
    ("limit", "dimensions", "stored"),
    [
        pytest.param(8000, 1000, 0, id="vectors"),
        pytest.param(1500, 4, 6, id="result"),
    ],
)
def test_a_run_without_space_is_refused_and_goes_on_when_there_is_some(
    xlbench, folder, task, limit, dimensions, stored
):
    """When no more can be written, what is there stays whole, and the next run ends as an undisturbed one."""
    command = ["run", "--model", "hash", "--model-arg", f"dimensions={dimensions}", "--task", task]
    setup = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    outcome = finish(start(folder, *command, setup=setup))
    assert refused(outcome, 1, "File too large", "Free some space", REMEDY)
    assert len(list((folder / "cache").rglob("*.npy"))) == stored
    assert list((folder / f"results/hash+dimensions={dimensions}").iterdir()) == []
    assert not list((folder / "cache").rglob(".*"))
    assert xlbench(*command).code == 0
    assert xlbench(*command, "--output", "undisturbed", "--cache-dir", "other").code == 0
    found = [
        (folder / place / f"hash+dimensions={dimensions}/tiny.queries.parquet").read_bytes()
        for place in ("results", "undisturbed")
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        ('{"schema": 1}', "has schema 1, but this xlbench reads schema 2"),
        ("[1, 2]", "is not a result of xlbench"),
        ("{", "is not JSON"),
        ('{"schema": 2}', "missing required field"),
        (b"\xff\xfe", "is not JSON"),
    ],
)
@pytest.mark.parametrize("command", ["run", "report", "verify"])
def test_a_file_that_is_no_result_is_refused(xlbench, folder, task, command, content, phrase):
    """A result of another schema, no JSON or another JSON value is named by each command that reads results."""
    path = folder / "results/hash/tiny.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    arguments = {
        "run": ["--model", "hash", "--task", task],
        "report": ["results"],
        "verify": ["results/hash/tiny.json", "--model", "hash", "--task", task],
    }
    assert refused(xlbench(command, *arguments[command]), 1, "results/hash/tiny.json", phrase)


def test_a_setting_that_the_result_does_not_have_is_a_usage_error_of_verify(xlbench, task):
    """An unknown setting of verify names the nearest one."""
    xlbench("run", "--model", "hash", "--task", task)
    outcome = xlbench("verify", "results/hash/tiny.json", "--model", "hash", "--task", task, "--setting", "de>em")
    assert refused(outcome, 2, "Unknown setting 'de>em'. Did you mean 'de>en'?")


@pytest.mark.parametrize("command", ["report", "verify"])
def test_a_result_that_does_not_exist_is_a_usage_error(xlbench, command):
    """A path that does not exist is named."""
    model = ["--model", "hash"] if command == "verify" else []
    assert refused(xlbench(command, "nowhere.json", *model), 2, "'nowhere.json' does not exist")


def test_a_folder_without_results_is_refused(xlbench, folder):
    """A folder that has no result files says where they are expected."""
    (folder / "empty").mkdir()
    assert refused(xlbench("report", "empty"), 1, "empty has no result files; expected OUTPUT/<model>/<task>.json")


def test_a_missing_parquet_file_is_refused_by_verify(xlbench, folder, task):
    """A result without its per-query scores cannot be verified."""
    xlbench("run", "--model", "hash", "--task", task)
    (folder / "results/hash/tiny.queries.parquet").unlink()
    outcome = xlbench("verify", "results/hash/tiny.json", "--model", "hash", "--task", task)
    assert refused(outcome, 1, "tiny.queries.parquet cannot be read", "--force")


def test_a_result_of_another_model_is_refused_by_verify(xlbench, folder, task):
    """The revision of the model at hand and that of the result are compared."""
    xlbench("run", "--model", "models.py:Counting", "--task", task)
    path = "results/owner__counting/tiny.json"
    outcome = xlbench("verify", path, "--model", "hash", "--task", task)
    assert refused(outcome, 1, "is of revision 1+", "but hash is of revision 1.")
    shutil.copytree(folder / "task", folder / "newer")
    write_task(folder / "newer", version=3)
    outcome = xlbench("verify", path, "--model", "models.py:Counting", "--task", "newer/tiny.yaml")
    assert refused(outcome, 1, "is of tiny version 1", "the task at hand is of tiny version 3")


@pytest.mark.parametrize("model", ["Sparse", "Late"])
@pytest.mark.parametrize("option", [["--dimensions", "2"], ["--quantize", "int8"]])
def test_sparse_and_token_vectors_are_not_made_smaller(xlbench, folder, task, monkeypatch, model, option):
    """Said before a text is encoded."""
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    outcome = xlbench("run", "--model", f"models.py:{model}", "--task", task, *option)
    assert refused(outcome, 1, "does not give one dense vector a text", "leave them out")
    assert not (folder / "calls").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--depth", "6"], ""),
        (["--depth", "7"], "--depth 7 is more than the 6 passages of de: the reranker gets all of them."),
        (["--depth", "7", "--setting", "multi"], ""),
        (["--depth", "19", "--setting", "multi"], "more than the 18 passages of all languages"),
        (["--depth", "7", "--setting", "multi", "--among", "language"], "more than the 6 passages of de"),
    ],
)
def test_a_depth_beyond_the_pool_is_said(xlbench, task, caplog, options, said):
    """The run goes on: nothing is left to rerank."""
    rerank = ["--rerank", "models.py:Judging"]
    assert xlbench("run", "--model", "hash", "--task", task, *rerank, *options).code == 0
    assert (said in caplog.text) if said else ("--depth" not in caplog.text)
