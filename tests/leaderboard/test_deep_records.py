"""The maintainers' record of what was verified with the model."""

from __future__ import annotations

import pytest

from xlbench.errors import SubmissionError
from xlbench.leaderboard.deep_records import DeepRecord, load_records, save_records

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


@pytest.mark.parametrize("text", ["{", "[]", '{"a": {}}', '{"a": {"model": "x"}}', '{"a": 1}', '{"a": null}'])
def test_a_damaged_record_is_said(tmp_path, text):
    """It is the maintainers' own file, and no submission can stand in for it."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SubmissionError, match=r"a\.json is damaged .* restore it from the repository"):
        load_records(tmp_path / "a.json")
