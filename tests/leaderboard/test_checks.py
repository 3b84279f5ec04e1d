"""What is found out about a submission without its model."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from tests.leaderboard.made_submissions import edit, edit_counts, edit_evidence, made, recompute
from xlbench.leaderboard import judgements
from xlbench.leaderboard.checks import Checker


def test_a_sound_submission_is_verified(made_once):
    """What xlbench wrote passes, and has the level that it earned: verified, or deep-verified if it is on record."""
    checked = Checker().check(made_once)
    assert (checked.problems, checked.level) == ((), "verified")
    assert Checker(on_record={checked.digest: "deep-verified"}).check(made_once).level == "deep-verified"


def test_what_is_extracted_is_recomputed(made_once, checker):
    """``extract`` gets the result with per-query scores and the ranking, which the files do not have."""
    of = checker.check(made_once, lambda submission: submission).extracted
    assert [scores.setting for scores in of.result.per_query] == list(of.result.values)
    for scores in of.result.per_query:
        assert scores.means() == pytest.approx(of.result.values[scores.setting])
    assert of.result.ranking is of.ranking


@pytest.mark.parametrize(
    "options",
    [{"model": "bm25"}, {"transform": "center", "dimensions": 16}, {"languages": ("de", "th")}, {"dimensions": 16}],
    ids=["no vectors", "transform", "some languages", "arguments"],
)
def test_submissions_of_every_kind_are_sound(tmp_path, options):
    """A model without vectors, a transform, a part of the languages and arguments of a model are no obstacle."""
    assert Checker().check(made(tmp_path, **options)).problems == ()


def _shift(record, *path, by=1e-8):
    *way, last = path
    for key in way:
        record = record[key]
    record[last] += by


@pytest.mark.parametrize(
    ("path", "by", "message"),
    [
        (("scores", "de>en", "AP"), 1e-8, "AP of de>en: "),
        (("scores", "th>*", "RankDistance"), 1e-6, "RankDistance of th>*: "),
        (("intervals", "zh>*", "LPR", 0), -1e-6, "interval of LPR of zh>*, end low: "),
        (("intervals", "cross", "AP", 1), 1e-6, "interval of AP of cross, end high: "),
        (("references", "Share@10", "random"), 1e-8, "random Share@10: "),
        (("references", "RankDistance", "perfect"), -1e-8, "perfect RankDistance: "),
        (("matrices", "first_language", "ar", "en"), 1e-8, "first_language, ar to en: "),
        (("matrices", "one_target", "vi", "vi"), 1e-8, "one_target, vi to vi: "),
        (("queries", "de>en"), -1, "number of queries of de>en: 63 is claimed, and the evidence gives 64"),
    ],
)
def test_a_changed_number_is_named(submission, checker, path, by, message):
    """A score, interval, reference, matrix cell or count that does not follow is named with both numbers."""
    edit(submission / "result.json", lambda record: _shift(record, *path, by=by))
    checked = checker.check(submission)
    assert checked.level == "reported"
    claimed = json.loads((submission / "result.json").read_text())
    # Where the parts of a result contradict each other already, that is said instead.
    if "scores" in path and "'summary' is not the mean of 'scores'" in checked.problems[0]:
        _shift(
            claimed, "summary", "multi" if "*" in path[1] else "cross", path[2], by=by / (11 if "*" in path[1] else 110)
        )
        (submission / "result.json").write_text(json.dumps(claimed))
        checked = checker.check(submission)
    assert any(problem.startswith(message) for problem in checked.problems), checked.problems


def test_numbers_below_the_tolerance_pass(submission, checker):
    """What differs by less than 1e-9 may be rounding on another machine."""
    edit(submission / "result.json", lambda record: _shift(record, "references", "Share@10", "random", by=5e-10))
    assert checker.check(submission).problems == ()


def test_only_the_first_differences_are_shown(submission, checker):
    """Where hundreds of numbers differ, five are named and the others counted."""

    def change(record):
        for ends in record["intervals"].values():
            ends["AP"][1] += 1e-3

    edit(submission / "result.json", change)
    problems = checker.check(submission).problems
    assert len(problems) == 6
    assert problems[-1] == "And 130 more numbers do not follow from the evidence."


def test_a_missing_or_an_additional_number_is_named(submission, checker):
    """A cell of a matrix that is left out or made up is a difference too."""
    edit(submission / "result.json", lambda record: record["matrices"]["one_target"]["ar"].pop("de"))
    assert "one_target, ar to de: nothing is claimed" in checker.check(submission).problems[0]
    edit(submission / "result.json", lambda record: record["matrices"]["one_target"]["ar"].update(de=0.5, xx=0.5))
    problems = checker.check(submission).problems
    assert "one_target, ar to xx: 0.5 is claimed, and the evidence gives nothing." in problems


def test_a_changed_rank_is_found(submission, checker):
    """One pair that is said to rank one place higher, which could be, gives scores that are not those claimed."""

    def change(counts, table):
        # A rank far down, with room above it.
        row = int(np.argmax(counts[:, 0] - counts[:, 0].min()))
        counts[row, 0] -= 1

    edit_counts(submission, change)
    problems = checker.check(submission).problems
    assert problems
    assert any("evidence" in problem for problem in problems)


def test_counts_of_no_ranking_are_refused_even_if_all_numbers_follow(submission, checker):
    """Who claims one more passage above a pair than there are, and recomputes every score from that, is found out."""
    edit_counts(submission, lambda counts, table: counts.__setitem__((0, 0), 110))
    recompute(submission)
    (problem,) = checker.check(submission).problems
    assert problem.startswith("The evidence is of no ranking: 110 passages in ar are said to be above query 'ar:")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.slice(1), "The evidence has 63 pairs of ar>ar; expected 64."),
        (lambda table: table.slice(0, len(table) - 11), "The evidence has 63 pairs of zh>ar; expected 64."),
        (
            lambda table: table.set_column(
                3,
                table.schema.field("passage"),
                pa.array(["ar:x", *table["passage"].to_pylist()[1:]]),
            ),
            "The pairs of ar>ar in the evidence are not those of the task, though as many: 64.",
        ),
        (
            lambda table: table.set_column(
                5, table.schema.field("gain"), pa.array([3, *table["gain"].to_pylist()[1:]], pa.int16())
            ),
            "The pairs of ar>ar in the evidence are not those of the task, though as many: 64.",
        ),
    ],
    ids=["a pair is missing", "a query is missing", "another passage", "another gain"],
)
def test_other_pairs_than_the_task_s_are_found_without_data(submission, change, message):
    """Judged pairs are held against checksums that come with xlbench, even if all numbers follow from the evidence."""
    edit_evidence(submission, change)
    recompute(submission)
    assert Checker().check(submission).problems == (message,)


def test_pairs_that_do_not_come_with_xlbench_are_held_against_the_data(submission, tmp_path, monkeypatch):
    """Of a task without checksums of its pairs the data says what is judged; without data nothing is taken on trust."""
    monkeypatch.setattr(judgements, "known", lambda task: None)
    (problem,) = Checker().check(submission).problems
    assert problem == "What is judged in demo does not come with xlbench: give its data as --data-dir."
    checker = Checker(data_dir=tmp_path, cache_dir=tmp_path / "cache")
    assert checker.check(submission).problems == ()
    edit_evidence(submission, lambda table: table.slice(1))
    recompute(submission)
    assert checker.check(submission).problems == ("The evidence has 63 pairs of ar>ar; expected 64.",)


def test_evidence_of_other_pairs_is_found_after_a_right_one(submission, made_once):
    """What is remembered of a submission that was right does not let the next one pass."""
    checker = Checker()
    assert checker.check(made_once).problems == ()
    edit_evidence(submission, lambda table: table.slice(1))
    recompute(submission)
    assert checker.check(submission).problems == ("The evidence has 63 pairs of ar>ar; expected 64.",)
    assert checker.check(made_once).problems == ()


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("manifest.json", {"task_version": 1}, "The task version in manifest.json is 1; expected 2."),
        ("result.json", {"task_version": 1}, "The task version in result.json is 1; expected 2."),
        ("manifest.json", {"task": "xquad-r"}, "The task in manifest.json is 'xquad-r'; expected 'demo'."),
        ("result.json", {"task": "xquad-r"}, "The task in result.json is 'xquad-r'; expected 'demo'."),
        ("result.json", {"headline": "RR@10"}, "The headline is 'RR@10'; expected 'AP'."),
        ("manifest.json", {"model": "better"}, "The model in manifest.json is 'better'; expected 'hash'."),
        ("manifest.json", {"revision": "2"}, "The revision in manifest.json is '2'; expected '1'."),
        ("manifest.json", {"command": "xlbench run"}, "The command in manifest.json is 'xlbench run'; expected "),
        ("manifest.json", {"dimensions": 8}, "The number of dimensions in manifest.json is 8; expected 1024."),
        ("manifest.json", {"xlbench_version": "9"}, "The version of xlbench in manifest.json is '9'; expected "),
        ("manifest.json", {"data_checksums": {"de": "0" * 64}}, "The list of data checksums is "),
        ("result.json", {"missing_languages": ["de"]}, "The list of languages of the evidence is "),
        ("result.json", {"missing_languages": ["xx"]}, "The list of missing languages is ['xx']; expected []."),
        ("result.json", {"alignment": {"parallel_cosine": 1.5}}, "'alignment' has 'parallel_cosine' 1.5; expected "),
    ],
)
def test_parts_that_contradict_each_other_are_named(submission, checker, file, change, message):
    """Manifest, result, evidence, folder and task must say the same; what differs is named with both values."""
    edit(submission / file, lambda record: record.update(change))
    problems = checker.check(submission).problems
    assert any(problem.startswith(message) for problem in problems), problems


def test_a_folder_of_another_model_is_refused(submission, checker):
    """The folder has the model's name; a variant may follow it, and nothing else."""
    variant = submission.parent.with_name("hash--small")
    shutil.copytree(submission.parent, variant)
    assert checker.check(variant / "demo").problems == ()
    other = submission.parent.with_name("hash2")
    shutil.copytree(submission.parent, other)
    assert checker.check(other / "demo").problems == ("The name of the model's folder is 'hash2'; expected 'hash'.",)


def test_a_model_with_other_keys_is_refused(submission, checker):
    """A key that nobody knows could make two submissions of one model look different."""
    edit(submission / "result.json", lambda record: record["model"].update(more=1))
    assert checker.check(submission).problems[0].startswith("The model in result.json has the key 'more'; expected ")


def test_a_part_of_the_settings_is_refused(submission, checker):
    """A result without a kind of setting is not what the task asks for."""

    def change(record):
        for part in ("scores", "queries", "intervals"):
            record[part] = {name: value for name, value in record[part].items() if ">" not in name or "*" in name}
        for part in ("summary", "intervals"):
            record[part] = {name: value for name, value in record[part].items() if name not in ("mono", "cross")}

    edit(submission / "result.json", change)
    assert (
        "number of queries of ar>ar: nothing is claimed, and the evidence gives 64."
        in checker.check(submission).problems
    )


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"1"', "null", "true", "[]"])
def test_what_is_no_number_is_refused(submission, checker, value):
    """NaN, infinity, text and null where a score should be are refused with a sentence."""
    path = submission / "result.json"
    record = json.loads(path.read_text())
    record["scores"]["de>en"]["AP"] = "HERE"
    path.write_text(json.dumps(record).replace('"HERE"', value))
    (problem,) = checker.check(submission).problems
    assert "result.json" in problem
