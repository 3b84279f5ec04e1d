"""A submission is made of a result, whole and sound or not at all."""

from __future__ import annotations

import json

import pytest

import xlbench
from tests.leaderboard.made_submissions import ANSWERS, edit, made_result
from xlbench.errors import ResultError, SubmissionError
from xlbench.leaderboard.checks import Checker
from xlbench.leaderboard.draft import Draft, lacking, read_answers, template, write
from xlbench.leaderboard.manifest import ASKED


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A result file of ``hash`` on ``demo``; not to be changed."""
    return made_result(tmp_path_factory.mktemp("result"))


@pytest.fixture
def draft(result):
    """Its draft."""
    return Draft.of(result)


def test_a_submission_has_the_result_and_the_evidence_as_they_are(draft, result, tmp_path, checker):
    """Both files are copied byte for byte; the manifest has what follows from them and what the submitter says."""
    folder = write(draft, ANSWERS, output=tmp_path / "new" / "submissions", checker=checker)
    assert folder == tmp_path / "new" / "submissions" / "hash" / "demo"
    assert (folder / "result.json").read_bytes() == result.read_bytes()
    assert (folder / "ranks.parquet").read_bytes() == result.with_name("demo.ranks.parquet").read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {name: manifest[name] for name in ANSWERS} == ANSWERS
    assert (manifest["model"], manifest["task"], manifest["dimensions"]) == ("hash", "demo", 1024)
    assert manifest["hardware"].startswith("Linux") or manifest["hardware"]
    assert [path.name for path in folder.parents[1].iterdir()] == ["hash"]  # Nothing is left behind.


def test_the_submitter_may_say_more_of_the_hardware(draft, tmp_path, checker):
    """What the result knows of the machine is taken unless the manifest says it better."""
    folder = write(draft, {**ANSWERS, "hardware": "1 x H200"}, output=tmp_path, checker=checker)
    assert json.loads((folder / "manifest.json").read_text())["hardware"] == "1 x H200"


def test_what_follows_from_the_result_cannot_be_said_otherwise(draft, tmp_path, checker):
    """A key that the result has may be said, but not in another way."""
    write(draft, {**ANSWERS, "model": "hash"}, output=tmp_path, checker=checker)
    with pytest.raises(SubmissionError, match=r"'model' is said to be 'better', but .* has 'hash': leave it out"):
        write(draft, {**ANSWERS, "model": "better"}, output=tmp_path, checker=checker)


def test_a_submission_of_the_same_model_is_replaced(draft, tmp_path, checker):
    """What was submitted before is written anew, with a mended manifest."""
    write(draft, ANSWERS, output=tmp_path, checker=checker)
    folder = write(draft, {**ANSWERS, "licence": "MIT"}, output=tmp_path, checker=checker)
    assert json.loads((folder / "manifest.json").read_text())["licence"] == "MIT"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hash"]


def test_another_revision_needs_a_name_of_its_own(draft, tmp_path, checker):
    """A folder that holds something else is left as it is, and the way out is said."""
    folder = write(draft, ANSWERS, output=tmp_path, checker=checker)
    edit(folder / "manifest.json", lambda record: record.update(revision="0"))
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(
        SubmissionError, match=r"of another revision or of other arguments\. Remove it, or .* --variant"
    ):
        write(draft, ANSWERS, output=tmp_path, checker=checker)
    assert (folder / "manifest.json").read_bytes() == before
    beside = write(draft, ANSWERS, output=tmp_path, variant="new.1", checker=checker)
    assert beside == tmp_path / "hash--new.1" / "demo"
    assert Checker().check(beside).problems == ()


@pytest.mark.parametrize("variant", ["", "../x", "a--b", "A", "a b", "x" * 41, "-a"])
def test_a_variant_is_a_plain_name(draft, tmp_path, checker, variant):
    """It becomes part of a folder's name, which people type."""
    if variant:
        with pytest.raises(SubmissionError, match="is no name of a variant"):
            write(draft, ANSWERS, output=tmp_path, variant=variant, checker=checker)
        assert not list(tmp_path.iterdir())


def test_an_unsound_result_is_not_submitted(result, tmp_path, checker):
    """Nothing is written of a result whose numbers do not follow from its evidence, and why is said."""
    other = tmp_path / "results" / "demo.json"
    other.parent.mkdir()
    other.write_bytes(result.read_bytes())
    other.with_name("demo.ranks.parquet").write_bytes(result.with_name("demo.ranks.parquet").read_bytes())
    edit(other, lambda record: record["references"]["LPR"].update(random=0.5))
    with pytest.raises(SubmissionError, match=r"demo\.json cannot be submitted: random LPR: 0\.5 is claimed"):
        write(Draft.of(other), ANSWERS, output=tmp_path / "submissions", checker=checker)
    assert list((tmp_path / "submissions").iterdir()) == []


def test_a_result_without_evidence_is_not_submitted(result, tmp_path):
    """One that an older xlbench wrote has none, and is made again."""
    alone = tmp_path / "demo.json"
    alone.write_bytes(result.read_bytes())
    with pytest.raises(ResultError, match=r"demo\.ranks\.parquet is missing, .* `xlbench run --force` writes both"):
        Draft.of(alone)


def test_a_task_of_one_s_own_is_not_submitted(result, tmp_path):
    """The leaderboard has tasks that everybody has."""
    other = tmp_path / "demo.json"
    other.write_bytes(result.read_bytes())
    other.with_name("demo.ranks.parquet").write_bytes(b"")
    edit(other, lambda record: record.update(task="mine"))
    with pytest.raises(SubmissionError, match="is of 'mine'; the leaderboard takes "):
        Draft.of(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": "round-robin"}, "a model with pooling; the leaderboard takes a model's own lists"),
        ({"perturb": "lower"}, "a model with perturbation; the leaderboard takes"),
        ({"dimensions": 64, "quantize": "int8"}, "a model with compression; the leaderboard takes"),
    ],
)
def test_what_the_leaderboard_does_not_take_is_said_before_anything_is_asked(tmp_path, options, message):
    """A pooled or compressed list has no row there."""
    result = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True, **options)
    result.save(tmp_path / "results")
    with pytest.raises(SubmissionError, match=message):
        Draft.of(next((tmp_path / "results").rglob("demo.json")))


def test_a_template_asks_for_what_is_missing(tmp_path):
    """It has all keys that are asked for, empty ones count as missing, and filled in it says all."""
    path = tmp_path / "m.json"
    path.write_text(template({"licence": "MIT"}), encoding="utf-8")
    answers = read_answers(path)
    assert answers == {"licence": "MIT"}
    assert lacking(answers) == [name for name in ASKED if name != "licence"]
    path.write_text(template(ANSWERS), encoding="utf-8")
    assert read_answers(path) == ANSWERS
    assert lacking(ANSWERS) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"license": "MIT"}', "Unknown key 'license'. Did you mean 'licence'?"),
        ('{"licence": "<b>"}', "'licence' has '<b', which looks like markup"),
        ("[]", r"expected the keys link, licence"),
        ("{", "is not JSON"),
    ],
)
def test_answers_that_cannot_be_used_are_said(tmp_path, text, message):
    """A key that does not exist, a value that is none, and a file of another form."""
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(SubmissionError) as error:
        read_answers(path)
    assert message in str(error.value)
