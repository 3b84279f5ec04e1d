"""Tests of ``xlbench run``: what it writes, what it prints, and when it does not run again."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import LANGUAGES, calls, finish, start, without_timing, write_task
from tests.models.made_models import make_sentence_bert, one_thread

MEASURES = ["AP", "AP@20", "R@1", "R@10", "nDCG@10", "RR@10"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_run_writes_a_json_file_with_the_documented_keys(xlbench, folder, task):
    """The result has the keys that other tools read, and no others."""
    assert xlbench("run", "--model", "hash", "--model-arg", "dimensions=64", "--task", task).code == 0
    result = json.loads((folder / "results/hash+dimensions=64/tiny.json").read_text(encoding="utf-8"))
    assert list(result) == [
        "schema", "task", "task_version", "headline", "missing_languages", "unit", "n_clusters", "data", "model",
        "scores", "queries", "summary", "intervals", "references", "matrices", "alignment", "environment", "timing",
    ]  # fmt: skip
    assert (result["schema"], result["task"], result["task_version"], result["headline"]) == (2, "tiny", 1, "AP")
    assert result["missing_languages"] == []
    assert result["model"] == {"name": "hash", "revision": "1", "adapter": "hash", "arguments": {"dimensions": 64}}
    names = [f"{a}>{a}" for a in LANGUAGES] + [f"{a}>{b}" for a in LANGUAGES for b in LANGUAGES if a != b]
    names += [f"{a}>*" for a in LANGUAGES]
    assert list(result["scores"]) == list(result["queries"]) == names
    for name, scores in result["scores"].items():
        assert list(scores) == MEASURES + (["RankDistance"] if name.endswith("*") else [])
    assert {name: n for name, n in result["queries"].items() if n != 6} == dict.fromkeys(
        ["th>th", "th>de", "th>en", "th>*"], 5
    )
    assert list(result["summary"]) == ["mono", "cross", "multi"]
    assert list(result["timing"]) == ["encode_s", "encoded_share", "search_s", "score_s"]
    assert result["environment"].keys() >= {"xlbench", "python", "torch", "numpy", "platform", "dimensions"}
    assert result["environment"]["dimensions"] == 64
    assert result["environment"]["command"] == f"xlbench run --model hash --task {task} --model-arg dimensions=64"
    assert result["references"] == {"RankDistance": {"perfect": 2, "random": 2 * 19 / 4}}
    assert result["alignment"]["n_parallel"] == 18


def test_run_writes_one_parquet_row_a_setting_and_query(xlbench, folder, task):
    """The parquet file has a column a measure, the means of the JSON, and no RankDistance outside multi."""
    xlbench("run", "--model", "hash", "--task", task)
    result = json.loads((folder / "results/hash/tiny.json").read_text(encoding="utf-8"))
    table = pq.read_table(folder / "results/hash/tiny.queries.parquet").to_pylist()
    assert list(table[0]) == ["setting", "query", "cluster", *MEASURES, "RankDistance"]
    keys = [(row["setting"], row["query"]) for row in table]
    assert len(set(keys)) == len(keys) == sum(result["queries"].values())
    for setting, scores in result["scores"].items():
        rows = [row for row in table if row["setting"] == setting]
        n = 5 if setting.startswith("th") else 6
        assert [row["query"] for row in rows] == [f"{setting[:2]}:{i}" for i in range(n)]
        for measure, mean in scores.items():
            assert sum(row[measure] for row in rows) / n == pytest.approx(mean, abs=1e-15)
    assert {row["setting"][-1] for row in table if row["RankDistance"] is not None} == {"*"}
    assert all(row["RankDistance"] is not None for row in table if row["setting"].endswith("*"))


def test_run_prints_a_plain_summary_without_a_terminal(xlbench, task, monkeypatch):
    """Without a terminal there are plain lines: the summary on standard output, progress on standard error."""
    monkeypatch.setenv("COLUMNS", "100")
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert "\x1b" not in outcome.out + outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "hash on tiny: AP, 95 % intervals by 6 questions; with fewer than 30 they are too narrow"
    assert [line.split()[0] for line in lines[1:5]] == ["monolingual", "cross-lingual", "multilingual", "RankDistance"]
    assert all(re.search(r"  \d?\.\d{3} \[.*\]  █+$", line) for line in lines[1:4])
    assert lines[-2:] == [
        "All tables: xlbench report results/hash/tiny.json",
        "Saved to results/hash/tiny.json",
    ]
    # 17 queries and 18 passages, in three languages.
    assert outcome.err.splitlines()[0] == "tiny: encoding: 35 texts"
    assert re.fullmatch(r"tiny: encoding: 35 of 35 texts, [\d,]+ texts/s", outcome.err.splitlines()[-1])


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_run_ends_with_at_most_25_lines_a_task_at_any_width(xlbench, folder, monkeypatch, columns):
    """No line of the summary is longer than a line of the terminal, and the last table has a row for each task."""
    monkeypatch.setenv("COLUMNS", str(columns))
    files = [write_task(folder, name=name) for name in ("one", "two")]
    lines = xlbench("run", "--model", "hash", "--task", *files, "--force").out.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 2 * 25
    last = lines.index("hash: all tasks")
    assert lines[last + 1].split() == ["task", "measure", "mono", "cross", "multi", "RankDistance"]
    assert [line.split()[:2] for line in lines[last + 3 : -1]] == [["one", "AP"], ["two", "AP"]]


def test_full_prints_all_tables_before_the_summary(xlbench, task):
    """With --full there are the tables that a report has, and then the same summary."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--full")
    titles = [line.partition(":")[0] for line in outcome.out.splitlines() if line.startswith("tiny, ")]
    assert titles[:6] == [
        "tiny, summary",
        "tiny, monolingual",
        "tiny, cross-lingual",
        "tiny, direction",
        "tiny, multilingual",
        "tiny, language bias in the pool of all languages",
    ]
    summary = xlbench("run", "--model", "hash", "--task", task).out.splitlines()
    assert summary[0] in outcome.out.splitlines()
    assert "All tables: " not in outcome.out


def test_json_is_one_record_a_number_of_all_results(xlbench, folder):
    """Standard output is JSON alone, the records of a report; what was written is said on standard error."""
    files = [write_task(folder, name=name) for name in ("one", "two")]
    outcome = xlbench("run", "--model", "hash", "--task", *files, "--format", "json")
    records = json.loads(outcome.out)
    assert {record["task"] for record in records} == {"one", "two"}
    assert records == json.loads(xlbench("report", "results", "--format", "json").out)
    assert outcome.err.splitlines()[-1] == "Saved to results/hash/two.json"
    again = xlbench("run", "--model", "hash", "--task", *files, "--format", "json", "--quiet")
    assert (json.loads(again.out), again.err) == (records, "")


def test_quiet_prints_the_headline_and_the_place_only(xlbench, task):
    """With --quiet there are two lines on standard output and nothing on standard error."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--quiet")
    headline, saved = outcome.out.splitlines()
    assert headline.startswith("hash on tiny: AP ")
    assert saved == "Saved to results/hash/tiny.json"
    assert outcome.err == ""


def test_a_second_run_shows_the_result_that_exists(xlbench, folder, task):
    """The same command as a new process encodes nothing, says so, and leaves the files alone."""
    first = xlbench("run", "--model", "hash", "--task", task)
    written = (folder / "results/hash/tiny.json").stat().st_mtime_ns
    second = finish(start(folder, "run", "--model", "hash", "--task", task))
    assert second.code == 0
    assert second.err == ""
    assert second.out.splitlines()[:-1] == first.out.splitlines()[:-1]
    assert second.out.splitlines()[-1] == ("Result already exists: results/hash/tiny.json (--force runs it again)")
    assert (folder / "results/hash/tiny.json").stat().st_mtime_ns == written


def test_force_runs_again_and_replaces_the_result(xlbench, folder, task):
    """With --force a result that is there is written anew, even one that cannot be read."""
    xlbench("run", "--model", "hash", "--task", task)
    path = folder / "results/hash/tiny.json"
    right = without_timing(path)
    path.write_text("{", encoding="utf-8")
    outcome = xlbench("run", "--model", "hash", "--task", task, "--force")
    assert outcome.out.endswith("Saved to results/hash/tiny.json\n")
    assert without_timing(path) == right


def test_equal_runs_give_equal_bytes(xlbench, folder, task):
    """Two runs without a common cache differ in timing alone; their parquet files are equal byte for byte."""
    for name in ("a", "b"):
        xlbench(
            "run", "--model", "models.py:Counting", "--task", task, "--output", name, "--cache-dir", f"cache-{name}"
        )
    a, b = folder / "a/owner__counting", folder / "b/owner__counting"
    assert without_timing(a / "tiny.json") == without_timing(b / "tiny.json")
    for name in ("tiny.queries.parquet", "tiny.ranks.parquet"):
        assert (a / name).read_bytes() == (b / name).read_bytes()
    assert sorted(path.name for path in a.iterdir()) == ["tiny.json", "tiny.queries.parquet", "tiny.ranks.parquet"]


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        (["--language", "de", "th"], "it has en>en, de>en, en>de and 3 others"),
        (["--setting", "mono"], "it has de>en, de>th, en>de and 6 others"),
    ],
)
def test_another_run_in_the_same_place_is_refused(xlbench, folder, task, arguments, difference):
    """A result of other languages or settings is not replaced, and the message says what differs."""
    xlbench("run", "--model", "hash", "--task", task)
    before = (folder / "results/hash/tiny.json").read_bytes()
    outcome = xlbench("run", "--model", "hash", "--task", task, *arguments)
    assert outcome.code == 1
    assert outcome.err.startswith("xlbench: results/hash/tiny.json is the result of another run: ")
    assert difference in outcome.err
    assert "--force" in outcome.err
    assert "--output" in outcome.err
    assert (folder / "results/hash/tiny.json").read_bytes() == before


def test_other_arguments_make_a_result_of_their_own(xlbench, folder, task):
    """Two settings of a model's arguments are two results in two folders, named by them; --name names the model."""
    for arguments in ([], ["--model-arg", "dimensions=32"], ["--model-arg", "dimensions=8", "--name", "mine"]):
        assert xlbench("run", "--model", "hash", "--task", task, *arguments).code == 0
    assert sorted(path.name for path in (folder / "results").iterdir()) == [
        "hash",
        "hash+dimensions=32",
        "mine+dimensions=8",
    ]


def test_as_many_other_settings_in_the_same_place_are_refused(xlbench, task):
    """Results of two languages differ although they have the same number of settings."""
    xlbench("run", "--model", "hash", "--task", task, "--language", "de", "en")
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "de", "th")
    assert outcome.code == 1
    assert "it has en>en, de>en, en>de, en>*; it lacks th>th, de>th, th>de, th>*" in outcome.err


def test_an_edited_model_file_is_another_revision(xlbench, folder, task):
    """Who edits the file of a class gets no result, and no vectors, of the class as it was."""
    xlbench("run", "--model", "models.py:Counting", "--task", task)
    with (folder / "models.py").open("a", encoding="utf-8") as file:
        file.write("Counting.encode = lambda self, role, texts: 1 + count(texts)\n")
    outcome = xlbench("run", "--model", "models.py:Counting", "--task", task)
    assert outcome.code == 1
    assert "its revision is 1+" in outcome.err


def test_a_newer_version_of_a_task_does_not_show_the_old_result(xlbench, folder, task):
    """Results of different versions of a task are different results."""
    xlbench("run", "--model", "hash", "--task", task)
    write_task(folder / "task", version=2)
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert outcome.code == 1
    assert "its task version is 1, not 2" in outcome.err


def test_chosen_languages_make_a_partial_result(xlbench, folder, task):
    """A result without some of the task's languages names them in the JSON, the tables and the headline."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "th", "de")
    result = json.loads((folder / "results/hash/tiny.json").read_text(encoding="utf-8"))
    assert result["missing_languages"] == ["en"]
    # In the task's order, whatever the order of the options.
    assert list(result["scores"]) == ["de>de", "th>th", "de>th", "th>de", "de>*", "th>*"]
    assert outcome.out.startswith("hash on tiny (partial: without en): AP")
    full = xlbench("run", "--model", "hash", "--task", task, "--language", "th", "de", "--full").out
    titles = [line for line in full.splitlines() if line.startswith("tiny, ")]
    assert len(titles) >= 5
    assert " ".join(full.split()).count("(partial: without en)") == len(titles) + 1
    quiet = xlbench("run", "--model", "hash", "--task", task, "--language", "th", "de", "--quiet").out
    assert quiet.splitlines()[0].endswith("; partial: without en")


def test_a_limit_makes_a_result_of_its_own_that_says_so(xlbench, folder, task):
    """A part of the questions is named in every view, found again, verified, and compared with its like only."""
    command = ("run", "--model", "hash", "--task", task, "--limit", 2)
    said = "partial: 2 of 6 questions, 6 of 18 passages"
    outcome = xlbench(*command, "--full")
    path = "results/hash/tiny.limit-2.json"
    assert outcome.out.splitlines()[-1] == f"Saved to {path}"
    titles = [line for line in outcome.out.splitlines() if line.startswith("tiny, ")]
    assert " ".join(outcome.out.split()).count(f"({said})") == len(titles) + 1
    assert xlbench(*command, "--quiet").out.splitlines()[0].endswith(f"; {said}")
    assert "Result already exists" in xlbench(*command).out
    assert xlbench("verify", path, "--model", "hash", "--task", task).code == 0
    sample = json.loads((folder / path).read_text(encoding="utf-8"))["sample"]
    assert sample == {"limit": 2, "n_questions": 2, "of_questions": 6, "n_passages": 6, "of_passages": 18}
    records = json.loads(xlbench("report", path, "--format", "json").out)
    assert all(record["sample"] == sample for record in records)
    xlbench(*command, "--model-arg", "dimensions=32")
    xlbench("run", "--model", "hash", "--task", task)
    other, whole = "results/hash+dimensions=32/tiny.limit-2.json", "results/hash/tiny.json"
    assert said in " ".join(xlbench("compare", path, other).out.split())
    refused = xlbench("compare", path, whole)
    assert refused.code == 1
    assert "is of 2 of 6 questions, 6 of 18 passages, results/hash/tiny.json of all questions" in refused.err
    assert said in xlbench("report", path, other, "--format", "html").out
    assert f"hash (result 1) ({said})" in xlbench("report", path, whole).out


def test_a_limit_above_all_questions_is_the_whole_task(xlbench, task):
    """Nothing is partial then, and the values are those of the task."""
    xlbench("run", "--model", "hash", "--task", task)
    outcome = xlbench("run", "--model", "hash", "--task", task, "--limit", 100)
    assert "partial" not in outcome.out
    whole, limited = (
        json.loads(Path(f"results/hash/tiny{end}.json").read_text(encoding="utf-8")) for end in ("", ".limit-100")
    )
    assert limited["scores"] == whole["scores"]


def test_a_part_without_questions_in_a_language_has_no_values_there(xlbench, folder):
    """Where languages have questions of their own, a small part has empty settings, and is found again."""
    for language in ("de", "en"):
        place = folder / "own" / language
        (place / "qrels").mkdir(parents=True)
        ids = [f"{language}{i}" for i in range(6)]
        texts = {"corpus": "it is", "queries": "what is"}
        for name, text in texts.items():
            lines = (json.dumps({"_id": id_, "text": f"{text} {id_}"}) for id_ in ids)
            (place / f"{name}.jsonl").write_text("\n".join(lines))
        judged = "".join(f"{id_}\t{id_}\t1\n" for id_ in ids)
        (place / "qrels/test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    command = ("run", "--model", "hash", "--task", "own", "--limit", 1)
    outcome = xlbench(*command)
    assert outcome.code == 0, outcome.err
    assert "partial: 1 of 12 questions" in outcome.out
    assert "Result already exists" in xlbench(*command).out


def test_a_part_is_no_submission(xlbench):
    """The leaderboard takes whole tasks only."""
    xlbench("run", "--model", "hash", "--task", "demo", "--limit", 8)
    outcome = xlbench("submit", "results/hash/demo.limit-8.json")
    assert outcome.code == 2
    assert "is of 8 of 64 questions, 154 of 1,210 passages: the leaderboard takes whole tasks." in outcome.err


def test_chosen_settings_are_the_only_ones(xlbench, folder, task):
    """With --setting the result has only settings of these kinds, in the task's order."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--setting", "multi", "--setting", "mono")
    result = json.loads((folder / "results/hash/tiny.json").read_text(encoding="utf-8"))
    assert list(result["summary"]) == ["mono", "multi"]
    assert "cross-lingual" not in outcome.out


def test_other_settings_take_their_vectors_from_the_cache(xlbench, folder, task, monkeypatch):
    """A second run with other settings and another output encodes no more than some texts, to compare."""
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    model = ["--model", "models.py:Counting", "--task", task]
    xlbench("run", *model, "--setting", "mono", "--output", "a")
    assert calls(folder / "calls") == ["queries 6", "queries 6", "queries 5", *["passages 6"] * 3]
    xlbench("run", *model, "--setting", "multi", "--output", "b")
    probes = calls(folder / "calls")[6:]
    assert probes == ["queries 2", "queries 2", "passages 2", "passages 2"]


def test_several_tasks_make_a_result_each(xlbench, folder):
    """Each task has its own files and headline; a task that is named twice runs once."""
    files = [write_task(folder, name=name) for name in ("one", "two")]
    outcome = xlbench("run", "--model", "hash", "--task", *files, "--task", files[0], "--quiet")
    assert [line for line in outcome.out.splitlines() if line.startswith("Saved")] == [
        "Saved to results/hash/one.json",
        "Saved to results/hash/two.json",
    ]


def test_a_wrong_result_of_the_second_task_is_said_before_the_first_one_runs(xlbench, folder):
    """Nothing is encoded when a later task's result file is in the way."""
    files = [write_task(folder, name=name) for name in ("one", "two")]
    (folder / "results/hash").mkdir(parents=True)
    (folder / "results/hash/two.json").write_text("[]", encoding="utf-8")
    assert xlbench("run", "--model", "hash", "--task", *files).code == 1
    assert not (folder / "cache").exists()
    assert not (folder / "results/hash/one.json").exists()


def on_terminal(folder: Path, *arguments: str) -> str:
    """What ``xlbench`` shows on a pseudo-terminal of 140 columns, with its escape codes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "xlbench", *arguments],
        cwd=folder,
        env=os.environ | {"SLEEP": "0.25", "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while block := os.read(master, 1 << 16):
            shown += block
    except OSError:
        # Linux gives EIO once the last writer has gone.
        pass
    finally:
        os.close(master)
    assert process.wait(timeout=180) == 0
    return shown.decode()


BAR = r"tiny: encoding .*━.* \d+% \d+ of 35 texts, \d+ texts/s \d:\d\d:\d\d left"


def test_a_terminal_gets_a_progress_bar_with_time_left_and_coloured_tables(folder, task):
    """On a pseudo-terminal there are a bar, texts a second, the time left, and escape codes around the tables."""
    coloured = on_terminal(folder, "run", "--model", "models.py:Counting", "--task", task, "--full")
    plain = ESCAPES.sub("", coloured)
    assert re.search(BAR, plain)
    assert "\x1b[1mtiny, monolingual" in coloured
    assert "───" in plain
    assert re.search(r"^ ?mean .*\d", plain, re.MULTILINE)
    assert "owner/counting on tiny: AP" in plain


def test_a_quiet_run_keeps_its_bar_on_a_terminal(folder, task):
    """With --quiet a terminal shows how far the run is, and then two lines."""
    plain = ESCAPES.sub("", on_terminal(folder, "run", "--model", "models.py:Counting", "--task", task, "--quiet"))
    assert re.search(BAR, plain)
    assert plain.splitlines()[-1] == "Saved to results/owner__counting/tiny.json"
    assert "monolingual  " not in plain


def test_settings_that_do_not_exist_are_a_usage_error(xlbench, task):
    """One language has no cross-lingual setting, which is said before anything is encoded."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "de", "--setting", "cross")
    assert outcome.code == 2
    assert "has no cross setting in de alone" in outcome.err


def test_two_tasks_of_one_name_are_a_usage_error(xlbench, folder, task):
    """Two tasks of one name would have one result file; nothing is encoded."""
    path = folder / task
    copy = path.with_name("copy.yaml")
    copy.write_bytes(path.read_bytes())
    outcome = xlbench("run", "--model", "hash", "--task", task, copy.relative_to(folder))
    assert outcome.code == 2
    assert "would have one result" in outcome.err


def test_a_result_without_its_parquet_file_is_not_there(xlbench, folder, task):
    """A result counts as there if both of its files are; otherwise it is made again."""
    xlbench("run", "--model", "hash", "--task", task)
    parquet = next((folder / "results").rglob("*.parquet"))
    parquet.unlink()
    assert "Saved to" in xlbench("run", "--model", "hash", "--task", task).out
    assert parquet.exists()


def test_a_task_with_another_headline_is_another_task(xlbench, folder, task):
    """Who changes what a task reports without raising its version is told so, and not shown the old result."""
    xlbench("run", "--model", "hash", "--task", task)
    path = folder / task
    path.write_text(path.read_text().replace("headline: AP", "headline: RR@10"), encoding="utf-8")
    outcome = xlbench("run", "--model", "hash", "--task", task)
    assert outcome.code == 1
    assert "its headline is AP, not RR@10" in outcome.err


def test_a_transform_makes_a_result_of_its_own(xlbench, folder, task):
    """The result is named after the transform, says what it was fitted on, and can be verified."""
    assert xlbench("run", "--model", "hash", "--task", task).code == 0
    for options, name, fit_on in (
        (["--transform", "center"], "hash+center-transductive", "the evaluated texts (transductive)"),
        (["--transform", "lir:1", "--fit-on", task.replace(".yaml", ".jsonl")], "hash+lir:1", "tiny.jsonl, sha256 "),
    ):
        outcome = xlbench("run", "--model", "hash", "--task", task, *options)
        assert (outcome.code, outcome.out.partition(" on ")[0]) == (0, name)
        path = Path(outcome.out.splitlines()[-1].removeprefix("Saved to "))
        result = json.loads(path.read_text(encoding="utf-8"))
        assert result["model"]["name"] == name
        assert result["model"]["transform"]["fit_on"].startswith(fit_on)
        assert " ".join(options) in result["environment"]["command"]
        plain = json.loads((folder / "results/hash/tiny.json").read_text(encoding="utf-8"))
        assert result["scores"] != plain["scores"]
        assert xlbench("verify", path, "--model", "hash", "--task", task, *options[2:]).code == 0
        assert "Result already exists" in xlbench("run", "--model", "hash", "--task", task, *options).out
    refused = xlbench("verify", path, "--model", "hash", "--task", task)
    assert refused.code == 1
    assert "give --fit-on that file" in refused.err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--transform", "centre"], 2, "Did you mean 'center'?"),
        (["--fit-on", "{data}"], 2, "--fit-on needs --transform"),
        (["--transform", "lir:12"], 1, "'de' has 12 texts to fit lir:12 on; expected more than 12"),
        (["--transform", "center", "--fit-on", "{task}"], 1, "tiny.yaml, line 1 is not valid JSON"),
    ],
)
def test_a_transform_that_cannot_be_is_refused(xlbench, task, options, code, said):
    """An unknown transform, nothing to fit, too few texts and a file of another form are said in a sentence."""
    given = (option.format(task=task, data=task.replace(".yaml", ".jsonl")) for option in options)
    outcome = xlbench("run", "--model", "hash", "--task", task, *given)
    assert outcome.code == code
    assert said in outcome.err


def test_a_scorer_cannot_be_transformed(xlbench, task):
    """A model without vectors has nothing to transform; the message says what to do."""
    outcome = xlbench("run", "--model", "bm25", "--task", task, "--transform", "center")
    assert outcome.code == 1
    assert "bm25 does not give one dense vector a text, so that there is nothing to transform" in outcome.err


def test_a_run_whose_data_was_changed_in_place_is_another_run(xlbench, folder):
    """Own data without checksums is read again: its result is printed while it is the same, and refused after."""
    data = folder / "own.jsonl"
    lines = [{"id": str(i), "queries": {"de": f"wer {i}?"}, "passages": {"de": f"der {i}"}} for i in range(4)]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    task = {
        "name": "own", "title": "Own", "version": 1, "reader": "parallel", "text": "passage",
        "source": {"url": None, "path": "own.jsonl", "sha256": {"de": None}}, "languages": ["de"],
        "sizes": {"de": {"queries": 4, "passages": 4}},
        "settings": ["mono"], "measures": ["AP"], "headline": "AP", "licence": "CC0", "citation": "none",
    }  # fmt: skip
    (folder / "own.yaml").write_text(json.dumps(task), encoding="utf-8")
    command = ["run", "--model", "hash", "--task", "own.yaml", "--quiet"]
    assert xlbench(*command).code == 0
    assert "Result already exists" in xlbench(*command).out
    lines[0]["passages"]["de"] = "die 0"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    outcome = xlbench(*command)
    assert outcome.code == 1
    assert "is the result of other data: the passages of own were changed since. Add --force" in outcome.err
    assert xlbench(*command, "--force").code == 0


def test_no_file_that_a_run_writes_has_a_secret_or_a_folder_of_the_machine(xlbench, folder, task):
    """A key as an argument is refused before anything is written; a model is called by its file's name."""
    canary = "sk-" + "canary0123456789abcd"
    for argument in (f"api_key={canary}", f"dimensions={canary}"):
        outcome = xlbench("run", "--model", "hash", "--task", task, "--model-arg", argument)
        assert (outcome.code, canary in outcome.out + outcome.err) == (2, False)
        assert "looks like a secret" in outcome.err
    (folder / "mine.py").write_text(
        "from xlbench.models.hash import HashEncoder\nclass Mine(HashEncoder):\n    name = 'mine'\n", encoding="utf-8"
    )
    assert xlbench("run", "--model", f"{folder.resolve()}/mine.py:Mine", "--task", task).code == 0
    written = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".parquet")]
    assert written
    for path in written:
        content = path.read_bytes()
        assert canary.encode() not in content
        assert f"{folder.resolve()}/mine.py".encode() not in content


def test_an_instruction_is_part_of_the_result(xlbench, folder, caplog):
    """The task's is filled in, --instruction and --no-instruction change it, each as a result of its own."""
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    task = write_task(folder / "task", languages=("de", "en"), instruction="two three")
    with one_thread():
        make_sentence_bert(folder / "tiny", prompts={"query": "Instruct: one\nQuery: "})
        for options, place, prompt in (
            ([], "tiny", "Instruct: two three\nQuery: "),
            (["--instruction", "six"], "tiny+instruction=six", "Instruct: six\nQuery: "),
            (["--no-instruction"], "tiny+instruction=False", ""),
        ):
            ran = xlbench("run", "--model", "tiny", "--task", task, "--device", "cpu", *options)
            assert ran.code == 0, ran.err
            result = json.loads((folder / "results" / place / "tiny.json").read_text(encoding="utf-8"))
            assert result["model"]["arguments"]["query_prompt"] == prompt
            assert result["environment"]["encoder"]["query_prompt"] == prompt
            assert f"tiny: The instruction is filled in: {prompt!r} before queries." in caplog.messages
    changed = write_task(folder / "task", languages=("de", "en"), instruction="four")
    again = xlbench("run", "--model", "tiny", "--task", changed, "--device", "cpu")
    assert again.code == 1
    assert "its arguments query_prompt is Instruct: two three\nQuery: , not Instruct: four" in again.err
    refused = xlbench("run", "--model", "tiny", "--task", task, "--instruction", "six", "--no-instruction")
    assert (refused.code, "exclude each other" in refused.err) == (2, True)
