"""A checkpoint: what was done is taken up again, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from xlbench.support import checkpoint
from xlbench.support.checkpoint import Checkpoint


@pytest.fixture(autouse=True)
def every_time(monkeypatch):
    """Keeps the arrays each time that it is asked to."""
    monkeypatch.setattr(checkpoint, "_SAVE_EVERY_S", 0.0)


def test_what_was_saved_is_taken_up(tmp_path):
    """Arrays come back as they were, with how far they are; after the end there is no file."""
    inputs = np.arange(4)
    path = tmp_path / "counts" / "x.npz"
    Checkpoint(path, inputs).save({"above": np.arange(6).reshape(2, 3)}, done=512)
    found = np.zeros((2, 3), np.int64)
    again = Checkpoint(path, inputs)
    assert again.load({"above": found}) == 512
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]
    again.remove()
    again.remove()
    assert not path.exists()


@pytest.mark.parametrize(
    ("inputs", "shape", "dtype"),
    [
        (np.arange(5), (2,), np.int64),
        (np.arange(4.0), (2,), np.int64),
        (np.arange(4), (3,), np.int64),
        (np.arange(4), (2,), np.int32),
    ],
)
def test_other_work_is_not_taken_up(tmp_path, inputs, shape, dtype):
    """Where inputs, shapes or types differ the work begins anew, with arrays that are as they were."""
    path = tmp_path / "x.npz"
    Checkpoint(path, np.arange(4)).save({"above": np.ones(2, np.int64)}, done=512)
    found = np.zeros(shape, dtype)
    assert Checkpoint(path, inputs).load({"above": found}) == 0
    assert not found.any()


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04", None])
def test_a_damaged_file_is_no_checkpoint(tmp_path, content):
    """What cannot be read, or was cut off, is as if it were not there."""
    path = tmp_path / "x.npz"
    Checkpoint(path, np.arange(4)).save({"above": np.ones(2)}, done=512)
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    assert Checkpoint(path, np.arange(4)).load({"above": np.zeros(2)}) == 0


def test_it_is_not_saved_all_the_time(tmp_path, monkeypatch):
    """Within the interval nothing is written, so that short shards cost nothing."""
    monkeypatch.setattr(checkpoint, "_SAVE_EVERY_S", 60.0)
    Checkpoint(tmp_path / "x.npz", np.arange(4)).save({"above": np.ones(2)}, done=512)
    assert list(tmp_path.iterdir()) == []
