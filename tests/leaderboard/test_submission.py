"""A submission's folder: where it is looked for, and what may be in it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.leaderboard.made_submissions import edit, edit_evidence
from xlbench import catalogue
from xlbench.errors import SubmissionError
from xlbench.leaderboard.submission import data_checksums, disagreements, evidence_limits, find, folder_name, load
from xlbench.measures.ranks import sums_of
from xlbench.results import evidence_bytes, load_evidence


def test_submissions_are_found_from_every_level(submission):
    """The folder itself, its model's folder and the folder of all lead to it; what explains a folder does not count."""
    root = submission.parents[1]
    (root / "README.md").write_text("How to.")
    (root / ".gitkeep").write_text("")
    for path in (submission, submission.parent, root):
        assert list(find([path])) == [submission]


def test_what_is_no_submission_is_not_passed_over(submission, tmp_path):
    """A stray file, an empty folder and a link are found too, so that the check can name them."""
    root = submission.parents[1]
    (root / "notes.txt").write_text("")
    (root / "hash" / "xquad-r").mkdir()
    (root / "empty").mkdir()
    (root / "link").symlink_to(tmp_path, target_is_directory=True)
    found = list(find([root]))
    assert [path.relative_to(root).as_posix() for path in found] == [
        "empty", "hash/demo", "hash/xquad-r", "link", "notes.txt"
    ]  # fmt: skip
    for path in {*found} - {submission}:
        with pytest.raises(SubmissionError):
            load(path)


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ("owner/model", "owner__model"),
        ("m+lir:1-transductive", "m_lir_1-transductive"),
        ("../../etc", "_.__..__etc"),
        ("模型", "__"),
        ("-rf", "_rf"),
        ("a\nb", "a_b"),
    ],
)
def test_a_model_s_folder_is_a_plain_name(model, folder):
    """Whatever the model is called, its folder has letters, digits, and no meaning to a system or a shell."""
    assert folder_name(model) == folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "ranks.parquet").unlink(), "ranks.parquet is missing; `xlbench submit` writes it"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda folder: (folder / "run.py").write_text("import os"), "has 'run.py'; expected manifest.json, "),
        (lambda folder: (folder / "a\x1b[2J").write_text(""), r"has 'a\x1b[2J'; expected"),
        (lambda folder: (folder / "more").mkdir(), "has 'more'; expected"),
        (lambda folder: (folder / "result.json").write_text("x" * 2_000_000), "result.json is larger than "),
        (lambda folder: (folder / "manifest.json").write_text("x" * 70_000), "manifest.json is larger than 65,536 b"),
        (lambda folder: os.truncate(folder / "ranks.parquet", 1 << 40), "ranks.parquet is larger than "),
        (lambda folder: os.truncate(folder / "ranks.parquet", 1000), "ranks.parquet cannot be read"),
        (lambda folder: (folder / "result.json").write_text("[" * 100_000), "nested too deeply"),
        (lambda folder: (folder / "result.json").write_text("{}"), "is not a result of xlbench"),
        (lambda folder: edit(folder / "result.json", lambda r: r["environment"].update(x="\u202e")), "U+202E"),
        (lambda folder: edit(folder / "result.json", lambda r: r["model"].update({"x\0": 1})), "a key has the sign U+"),
    ],
)  # fmt: skip
def test_a_spoilt_folder_is_refused(submission, spoil, message):
    """A file that is missing, too many, too large, cut off or hostile is named in a sentence."""
    spoil(submission)
    with pytest.raises(SubmissionError) as error:
        load(submission)
    assert message in str(error.value)


def test_a_file_that_unpacks_to_more_is_not_unpacked(submission):
    """A few kilobytes that say to be 50 MB of zeros are refused by what they say."""

    def change(table):
        ids = ["0" * 50_000_000, *table["passage"].to_pylist()[1:]]
        return table.set_column(3, table.schema.field("passage"), pa.array(ids))

    edit_evidence(submission, change, compression="zstd")
    assert (submission / "ranks.parquet").stat().st_size < 1_000_000
    with pytest.raises(SubmissionError, match=r"says that it is 5\d,\d+,\d+ bytes; expected at most 2,"):
        load(submission)


@pytest.mark.parametrize("name", ["manifest.json", "result.json", "ranks.parquet"])
def test_links_in_a_submission_are_not_followed(submission, tmp_path, name):
    """Not even to a file that would be right."""
    shutil.move(submission / name, tmp_path / name)
    (submission / name).symlink_to(tmp_path / name)
    with pytest.raises(SubmissionError, match=f"{name} is a link; expected a file of its own"):
        load(submission)


@pytest.mark.parametrize("level", [0, 1], ids=["task", "model"])
def test_a_linked_folder_is_refused(submission, tmp_path, level):
    """Neither the task's nor the model's folder may be a link to elsewhere."""
    target = [submission, submission.parent][level]
    moved = tmp_path / "moved"
    shutil.move(target, moved)
    target.symlink_to(moved, target_is_directory=True)
    with pytest.raises(SubmissionError, match="is a link; expected a folder"):
        load(submission)


@pytest.mark.parametrize("name", ["unknown", "demo.yaml", "xquad-r "])
def test_the_folder_is_named_after_a_task(submission, name):
    """A task that this xlbench does not have, or a path to a task file, is refused, and nothing is looked up there."""
    other = submission.with_name(name)
    submission.rename(other)
    with pytest.raises(SubmissionError, match=f"'{name}' is no task of this xlbench; expected a folder named "):
        load(other)


@pytest.mark.parametrize("name", ["a b", "模型", "a\nb", ".hidden", "-x"])
def test_the_model_s_folder_has_a_plain_name(submission, name):
    """A name with blanks, line breaks or letters that look like others is refused, and shown without them."""
    other = submission.parent.with_name(name)
    submission.parent.rename(other)
    with pytest.raises(SubmissionError, match=r"is no name of a model's folder") as error:
        load(other / "demo")
    assert "\n" not in str(error.value)


def test_a_relative_path_is_as_good(submission, monkeypatch):
    """The folder may be given as '.', for its name is looked up."""
    monkeypatch.chdir(submission)
    assert load(type(submission)()).manifest.model == "hash"


@pytest.mark.parametrize(("key", "value"), [("licence", "MIT"), ("link", "https://evil.example"), ("submitter", "me")])
def test_whatever_a_manifest_says_changes_the_digest(submission, key, value):
    """A mark of the maintainers is not for another link, licence or submitter; the spacing says nothing."""
    first = load(submission)
    path = submission / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=3), encoding="utf-8")
    assert load(submission).digest == first.digest
    edit(path, lambda record: record.update({key: value}))
    assert load(submission).digest != first.digest


def test_the_digest_is_of_result_and_evidence(submission):
    """Any byte of them changes it."""
    first = load(submission)
    edit(submission / "result.json", lambda record: record["timing"].update(encode_s=0.5))
    assert load(submission).digest != first.digest


def test_the_identity_is_that_of_the_model_and_not_of_its_spelling(submission):
    """Upper case and another timing are no other model; other arguments and another revision are."""
    first = load(submission).identity
    edit(submission / "manifest.json", lambda record: record.update(model="HASH"))
    assert load(submission).identity == first
    edit(submission / "result.json", lambda record: record["model"]["arguments"].update(dimensions=8))
    assert load(submission).identity != first


def test_the_evidence_of_a_fusion_is_not_taken(submission):
    """A fusion has a second ranking, in one language, which nothing checks."""
    sound = load(submission)
    fused = replace(sound, ranking=replace(sound.ranking, alone=sound.ranking.above[:, 0]))
    assert list(disagreements(sound)) == []
    assert [said.partition(",")[0] for said in disagreements(fused)] == ["The evidence is of a fusion"]


def test_checksums_are_those_of_the_task_s_files():
    """One file a language is named by its own sha256; where there are several, or none is published, it is said so."""
    xquad = catalogue.load("xquad-r")
    assert data_checksums(xquad, ["de"])["de"].startswith("16fb0f4bf4916154")
    miracl = data_checksums(catalogue.load("miracl"), ["yo", "en"])
    assert [len(digits) for digits in miracl.values()] in ([64, 64], [64, 0], [0, 0], [0, 64])
    assert json.loads(json.dumps(miracl)) == miracl


def test_limits_follow_from_the_task():
    """Evidence of XQuAD-R has 143,990 rows and at most 30 MB; no task has more than 256 MB."""
    limits = evidence_limits(catalogue.load("xquad-r"))
    assert limits.rows == 143_990
    assert limits.n_bytes < 32_000_000
    assert max(evidence_limits(task).n_bytes for task in map(catalogue.load, catalogue.names())) <= 1 << 28


def test_evidence_with_sums_is_refused(submission):
    """A check needs the counts of each language."""
    path = submission / "ranks.parquet"
    ranking = load_evidence(path)
    judged = ranking.judged
    sums = sums_of(ranking.above, judged.passage_language, judged.query_language[judged.query])
    path.write_bytes(evidence_bytes(replace(ranking, above=sums, has_sums=True)))
    with pytest.raises(SubmissionError, match="sums over its"):
        load(submission)
