"""The maintainers' record of what was verified with the model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from xlbench.errors import SubmissionError
from xlbench.leaderboard.deep_records import (
    DeepRecord,
    Outcome,
    levels,
    load_outcomes,
    load_records,
    save_outcomes,
    save_records,
)

RECORD = DeepRecord(model="hash", task="demo", sample=200, seed=1, tolerance=3e-4, slack=0.25, xlbench_version="0.1.0")


def test_records_are_kept_in_the_order_of_their_digests(tmp_path):
    """What is written is read; the file is the same in whatever order records were made."""
    first, second = tmp_path / "new" / "a.json", tmp_path / "b.json"
    save_records({"b": RECORD, "a": RECORD}, first)
    save_records({"a": RECORD, "b": RECORD}, second)
    assert load_records(first) == {"a": RECORD, "b": RECORD}
    assert first.read_bytes() == second.read_bytes()


def test_no_file_is_no_record(tmp_path):
    """Where nothing was verified there is no file."""
    assert load_records(tmp_path / "none.json") == {}


def test_a_record_has_the_level_of_its_passages(tmp_path):
    """Records from before there was a choice are of all passages; a level that does not fit is damage."""
    old = {"model": "hash", "task": "demo", "sample": 200, "seed": 1, "tolerance": 3e-4, "slack": 0.25}
    content = {"a": old | {"xlbench_version": "0.1.0"}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    part = replace(RECORD, passages=0.1, level="sample-verified")
    save_records({**load_records(tmp_path / "a.json"), "b": part}, tmp_path / "a.json")
    assert levels(load_records(tmp_path / "a.json")) == {"a": "deep-verified", "b": "sample-verified"}
    content["a"]["passages"] = 0.1
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(SubmissionError, match=r"the level is 'deep-verified'; expected 'sample-verified' with 0\.1"):
        load_records(tmp_path / "a.json")


def test_an_outcome_is_read_as_it_was_written(tmp_path):
    """Whether it agrees or not; what is damaged is said."""
    outcomes = [Outcome("a", True, (), RECORD), Outcome("b", False, ("Why.", "And why."), RECORD)]
    save_outcomes(outcomes, tmp_path / "new" / "a.json")
    assert load_outcomes(tmp_path / "new" / "a.json") == outcomes
    for text in ("[1]", "{", "[{}]", '[{"digest": "a", "agrees": true, "problems": [], "record": {}}]'):
        (tmp_path / "b.json").write_text(text)
        with pytest.raises(SubmissionError, match=r"b\.json"):
            load_outcomes(tmp_path / "b.json")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": {}}', '{"a": {"model": "x"}}', '{"a": 1}', '{"a": null}'])
def test_a_damaged_record_is_said(tmp_path, text):
    """It is the maintainers' own file, and no submission can stand in for it."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SubmissionError, match=r"a\.json is damaged .* restore it from the repository"):
        load_records(tmp_path / "a.json")
