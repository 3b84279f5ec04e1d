"""Copies of another model's ranks are noticed, however they are stored or changed a little."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.made_sites import ranking
from tests.leaderboard.made_submissions import edit, edit_evidence
from xlbench.leaderboard.likeness import Sketch
from xlbench.leaderboard.pool import Options, check_all

ONE = Options(jobs=1)
GOOD = ranking(1.0)


def changed(share: float, by: int = 1):
    """The ranking with some of its counts changed."""
    rng = np.random.default_rng(0)
    above = GOOD.above + np.where(rng.random(np.shape(GOOD.above)) < share, by, 0)
    return replace(GOOD, above=np.minimum(above, 60).astype(np.int32))


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_a_copy_with_some_counts_changed_is_like_the_original(share):
    """By how many are equal, or, where each was moved a little, by correlation."""
    words = Sketch.of(changed(share)).likeness(Sketch.of(GOOD))
    assert words is not None
    assert words.startswith("has ranks (correlation ")


def test_the_same_counts_in_another_order_are_the_same():
    """Pairs are known by their ids."""
    judged = GOOD.judged
    order = np.lexsort((np.random.default_rng(1).random(len(judged.query)), judged.query))
    ids = [judged.passage_ids[row] for row in order]
    parts = {name: getattr(judged, name)[order] for name in ("query", "passage_language", "gain")}
    shuffled = replace(GOOD, judged=replace(judged, passage_ids=ids, **parts), above=np.asarray(GOOD.above)[order])
    assert Sketch.of(shuffled).likeness(Sketch.of(GOOD)) == "has the very same ranks as"


def test_other_models_are_not_alike():
    """Neither one of other skill, nor one of the same with another seed."""
    for other in (ranking(2.0), ranking(1.0, seed=1)):
        assert Sketch.of(other).likeness(Sketch.of(GOOD)) is None


def test_too_few_pairs_say_nothing():
    """A correlation of some dozen ranks is chance."""
    few = Sketch.of(GOOD)
    few = replace(few, keys=few.keys[:50], counts=few.counts[:50])
    assert few.likeness(Sketch.of(changed(0.01))) is None


def copied(submission):
    """A submission of another model with the same evidence, packed in another way."""
    other = submission.parents[1] / "zzz" / "demo"
    shutil.copytree(submission, other)
    edit(other / "manifest.json", lambda record: record.update(model="zzz"))
    edit(other / "result.json", lambda record: record["model"].update(name="zzz"))
    edit_evidence(other, lambda table: table, compression="gzip")
    assert (other / "ranks.parquet").read_bytes() != (submission / "ranks.parquet").read_bytes()
    return other


def test_evidence_that_is_packed_in_another_way_is_still_a_copy(submission):
    """Compared are the counts, of what is checked and of what stands beside it."""
    other = copied(submission)
    note = f"It has the very same ranks as {submission}; the history says which came first."
    assert [each.notes for each in check_all([submission.parents[1]], options=ONE)] == [(), (note,)]
    (alone,) = check_all([other], options=ONE)
    assert (alone.problems, alone.notes) == ((), (note,))


def test_what_stands_beside_and_cannot_be_read_is_passed_over(submission):
    """It is not what is checked now."""
    other = copied(submission)
    (submission / "ranks.parquet").write_bytes(b"PAR1")
    (alone,) = check_all([other], options=ONE)
    assert (alone.problems, alone.notes) == ((), ())
