"""Tests of ``xlbench compare``."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import write_task

BASE = "results/hash/tiny.json"
OTHER = "results/owner__counting/tiny.json"


@pytest.fixture
def results(xlbench, task):
    """The results of two models."""
    for model in ("hash", "models.py:Counting"):
        assert xlbench("run", "--model", model, "--task", task).code == 0


@pytest.mark.usefixtures("results")
def test_compare_shows_tables_explanations_and_a_sentence(xlbench):
    """Two results have a table a kind, their standings, their gains and losses, and a line that sums up."""
    outcome = xlbench("compare", BASE, OTHER)
    assert (outcome.code, outcome.err) == (0, "")
    titles = [line for line in outcome.out.splitlines() if line.startswith("tiny, ")]
    assert titles == [
        "tiny, all at once",
        "tiny, monolingual AP: owner/counting against hash",
        "tiny, cross-lingual AP: owner/counting against hash",
        "tiny, multilingual AP: owner/counting against hash",
        "tiny, gains and losses: owner/counting against hash",
    ]
    assert "corrected by Holm's method for all 16 tests" in " ".join(outcome.out.split())
    assert outcome.out.splitlines()[-1].startswith("owner/counting against hash on tiny, AP: mono ")
    # Six questions have 64 swaps: no draw decides, and a second call says the same.
    assert xlbench("compare", BASE, OTHER).out == outcome.out


@pytest.mark.usefixtures("results")
def test_compare_takes_measures_and_settings(xlbench, folder):
    """Both options take several values, before or after the files."""
    options = ["--measure", "AP", "R@1", "--setting", "multi", "de>en", "--format", "csv"]
    outcome = xlbench("compare", *options, BASE, OTHER)
    assert outcome.code == 0
    rows = list(csv.DictReader(outcome.out.splitlines()))
    assert [(row["measure"], row["setting"]) for row in rows] == [
        (measure, name) for measure in ("AP", "R@1") for name in ("de", "en", "th", "multi", "de>en")
    ]
    scores = json.loads((folder / OTHER).read_text(encoding="utf-8"))
    assert float(rows[4]["value"]) == pytest.approx(scores["scores"]["de>en"]["AP"])
    assert float(rows[8]["value"]) == pytest.approx(scores["summary"]["multi"]["R@1"])
    assert xlbench("compare", BASE, OTHER, *options).out == outcome.out


BOARD = Path(__file__).parents[2] / "leaderboard"


def test_a_model_of_the_leaderboard_is_compared_with_ones_own(xlbench, folder):
    """Everything follows from its ranks; a folder of results stands for its result of the task."""
    (folder / "leaderboard").symlink_to(BOARD)
    outcome = xlbench("compare", "leaderboard:hash", "leaderboard:bm25", "--task", "xquad-r", "--setting", "mono")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[-1].startswith("bm25 against hash on xquad-r, AP: mono ")
    several = xlbench("compare", "leaderboard:hash", "leaderboard:bm25")
    assert (several.code, several.out) == (2, "")
    assert "All places have results of mlqa-r, xquad-r: choose one with --task." in several.err
    unknown = xlbench("compare", "leaderboard:hush", "leaderboard:bm25")
    assert unknown.code == 2
    assert "Unknown model of the leaderboard 'hush'. Did you mean 'hash'?" in unknown.err


@pytest.mark.usefixtures("results")
def test_folders_stand_for_their_results(xlbench, folder):
    """A model's folder is its only result of the task that all have; a part gives way to the whole."""
    expected = xlbench("compare", BASE, OTHER).out
    assert xlbench("compare", "results/hash", "results/owner__counting").out == expected
    assert xlbench("run", "--model", "hash", "--task", "task/tiny.yaml", "--limit", 2).code == 0
    assert xlbench("compare", "results/hash", OTHER, "--task", "tiny").out == expected
    for arguments, said in (
        (["results", OTHER], "results has several results of tiny: give one of results/hash/tiny.json, results/owner"),
        ([BASE, "results/owner__counting", "--task", "demo"], f"{BASE} has no result of demo; it has tiny."),
        ([BASE, "task"], "task has no result files"),
        (["leaderboard:hash", OTHER], "There is no folder leaderboard/submissions here"),
    ):
        outcome = xlbench("compare", *arguments)
        assert (outcome.code, outcome.out) == (1, "")
        assert said in outcome.err


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
@pytest.mark.usefixtures("results")
def test_a_file_has_what_would_be_printed(xlbench, folder, form):
    """With --output each format goes to the file, and the sentence and the file's name are printed."""
    printed = xlbench("compare", BASE, OTHER, "--format", form)
    outcome = xlbench("compare", BASE, OTHER, "--format", form, "--output", "c.txt")
    written = (folder / "c.txt").read_text(encoding="utf-8")
    assert (printed.code, outcome.code) == (0, 0)
    if form == "json":
        assert json.loads(written)["others"] == ["owner/counting"]
    assert written.split() == printed.out.split()
    sentence, saved = outcome.out.splitlines()
    assert sentence.startswith("owner/counting against hash on tiny, AP: mono ")
    assert saved == "Saved to c.txt"


@pytest.mark.usefixtures("results")
def test_models_that_differ_in_an_argument_stay_distinguishable(xlbench, task):
    """Three models have orders with letters; two of one name are labelled by their arguments."""
    xlbench("run", "--model", "hash", "--task", task, "--model-arg", "dimensions=16", "--output", "small")
    outcome = xlbench("compare", BASE, "small/hash+dimensions=16/tiny.json", OTHER)
    assert outcome.code == 0
    assert "tiny, multilingual AP: models in order" in outcome.out
    assert "tiny, multilingual AP: hash (dimensions=16) against hash (no arguments)" in outcome.out
    assert "tiny, multilingual AP: owner/counting against hash (no arguments)" in outcome.out


@pytest.mark.usefixtures("results")
def test_a_file_given_twice_is_a_usage_error(xlbench, folder):
    """Under whatever path; a copy of a file is another result, labelled by its path."""
    outcome = xlbench("compare", BASE, f"results/../{BASE}")
    assert outcome.code == 2
    assert "is given twice" in outcome.err
    shutil.copytree(folder / "results", folder / "copy")
    outcome = xlbench("compare", BASE, f"copy/{BASE.removeprefix('results/')}")
    assert outcome.code == 0
    assert "hash (copy/hash/tiny.json) against hash (results/hash/tiny.json)" in outcome.out
    assert "better (" not in outcome.out


@pytest.mark.usefixtures("results")
def test_partial_results_are_compared_with_their_like_only(xlbench, task):
    """Two results without the same languages are compared, and every title says so; a whole one is refused."""
    for model in ("hash", "models.py:Counting"):
        xlbench("run", "--model", model, "--task", task, "--language", "de", "en", "--output", "partial")
    some, other = "partial/hash/tiny.json", "partial/owner__counting/tiny.json"
    outcome = xlbench("compare", some, other)
    assert outcome.code == 0
    titles = [line for line in outcome.out.splitlines() if line.startswith("tiny, ")]
    assert len(titles) == 5
    assert all(title.endswith("(partial: without th)") for title in titles)
    outcome = xlbench("compare", BASE, other)
    assert outcome.code == 1
    assert f"{BASE} has all languages of the task, {other} is partial, without th" in outcome.err


@pytest.mark.usefixtures("results")
def test_results_of_two_tasks_are_refused(xlbench, folder):
    """The message names the files and their tasks."""
    other = write_task(folder, name="other")
    xlbench("run", "--model", "hash", "--task", other)
    outcome = xlbench("compare", BASE, "results/hash/other.json")
    assert outcome.code == 1
    assert f"{BASE} is of tiny version 1, results/hash/other.json of other version 1" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([BASE], "Missing argument 'OTHERS...'"),
        ([BASE, "no.json"], "'no.json' does not exist"),
        ([BASE, OTHER, "--measure", "RankDistanze"], "Did you mean 'RankDistance'"),
        ([BASE, OTHER, "--setting", "de>eng"], "Did you mean 'de>en'"),
        ([BASE, OTHER, "--alpha", "0"], "0 is not in the range"),
        ([BASE, OTHER, "--alpha", "nan"], "not in the range"),
        ([BASE, OTHER, "--format", "pdf"], "'pdf' is not one of"),
    ],
)
@pytest.mark.usefixtures("results")
def test_what_cannot_be_meant_is_a_usage_error(xlbench, arguments, message):
    """A missing file, an unknown measure or setting, or a bad value has exit code 2 and says what was expected."""
    outcome = xlbench("compare", *arguments)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())


@pytest.mark.usefixtures("results")
def test_a_result_without_its_parquet_file_is_refused(xlbench, folder):
    """Tests need the values of queries: the missing file is named."""
    (folder / "results/owner__counting/tiny.queries.parquet").unlink()
    outcome = xlbench("compare", BASE, OTHER)
    assert outcome.code == 1
    assert "results/owner__counting/tiny.queries.parquet cannot be read" in outcome.err


def test_ways_to_train_are_compared_by_seed(xlbench, folder, task):
    """Models named ARM-SEED are arms; all formats have the differences, and --language is refused."""
    names = ("a-0", "a-1", "b-0", "b-1")
    for i, name in enumerate(names):
        command = ("run", "--model", "hash", "--model-arg", f"dimensions={200 + i}", "--name", name, "--task", task)
        assert xlbench(*command, "--quiet").code == 0
    command = ("compare", *sorted(str(path) for path in (folder / "results").glob("*/")), "--paired-by", "seed")
    outcome = xlbench(*command)
    assert outcome.code == 0, outcome.err
    assert "tiny: differences from a, of models with the same seed" in outcome.out
    assert "t intervals over seeds" in outcome.out
    assert outcome.out.splitlines()[-1].startswith("b against a on tiny: mono AP ")
    records = json.loads(xlbench(*command, "--format", "json").out)
    assert [(record["arm"], record["n_seeds"]) for record in records if record["baseline"]] == [("b", 2)] * 3
    assert xlbench(*command, "--format", "csv").out.count("\n") == 1 + 9
    assert "**tiny: means over seeds**" in xlbench(*command, "--format", "markdown").out
    assert "--language is for comparisons by question" in xlbench(*command, "--language", "de").err
    alone = xlbench(*command[:3], "--paired-by", "seed")
    assert (alone.code, "All results are of a: expected two arms or more" in alone.err) == (1, True)
