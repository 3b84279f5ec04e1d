"""Shards on their way to kept vectors, with an encoder in stages."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.engine.test_vectors import LANGUAGES, SHARDS, Encode, files_in, small_shards, store_in, texts_of
from xlbench.engine.vectors import embed
from xlbench.errors import EncoderError

assert small_shards


class Staged:
    """Stages that keep what was asked of them, and fail at the shard ``fail_at`` in one stage."""

    def __init__(self, fail_at=None, stage=""):
        self.asked, self.threads = [], set()
        self.fail_at, self.stage = fail_at, stage

    def _check(self, stage, texts):
        if stage == self.stage and texts == SHARDS[self.fail_at]:
            raise ZeroDivisionError(stage)
        self.threads.add((stage, threading.current_thread() is threading.main_thread()))

    def prepare(self, texts, /):
        """The texts as they are."""
        self._check("prepare", texts)
        return texts

    def compute(self, prepared, /):
        """Waits for vectors that are there."""
        self._check("compute", prepared)
        self.asked.append(prepared)

        def vectors():
            self._check("wait", prepared)
            return Encode()(prepared)

        return vectors


def test_stages_leave_the_files_that_one_go_leaves(tmp_path, small_shards):
    """The same bytes, shards in the same order, progress too; the device's own thread neither prepares nor writes."""
    told, stages = [], Staged()
    texts = texts_of(*LANGUAGES)
    embed(texts, Encode(), store=store_in(tmp_path / "plain"))
    found = embed(
        texts, pytest.fail, store=store_in(tmp_path / "staged"), stages=stages, advance=lambda **step: told.append(step)
    )
    assert stages.asked == SHARDS
    assert [step["texts"] for step in told] == [len(shard) for shard in SHARDS]
    assert files_in(tmp_path / "staged") == files_in(tmp_path / "plain")
    np.testing.assert_array_equal(found.vectors[found.row], Encode()(texts.text))
    assert {("prepare", False), ("compute", True), ("wait", False)} <= stages.threads
    assert ("compute", False) not in stages.threads


@pytest.mark.parametrize("stage", ["prepare", "compute", "wait"])
@pytest.mark.parametrize("fail_at", range(len(SHARDS)))
def test_a_stage_that_fails_is_a_sentence_and_keeps_what_was_before(tmp_path, small_shards, stage, fail_at):
    """Whichever stage fails, the shards before are stored, and the next run encodes the others alone."""
    texts = texts_of(*LANGUAGES)
    store = store_in(tmp_path)
    with pytest.raises(EncoderError, match=rf"failed on {len(SHARDS[fail_at])} texts: ZeroDivisionError: {stage}"):
        embed(texts, pytest.fail, store=store, stages=Staged(fail_at, stage))
    assert all(store.path(shard).exists() for shard in SHARDS[:fail_at])
    assert not store.path(SHARDS[fail_at]).exists()
    again = Staged()
    embed(texts, pytest.fail, store=store, stages=again)
    assert again.asked[0] == SHARDS[fail_at]
