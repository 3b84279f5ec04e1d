"""What is drawn for a deep check: nobody can know it before, and everybody can draw it again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import random_collection
from xlbench.leaderboard.deep_sample import SEEDS, DeepSample, seed_of


def test_queries_are_the_same_for_the_same_seed():
    """Rows are ascending, without repeats, all if there are few; another seed gives others."""
    first = DeepSample(50, seed=1).rows(1000)
    assert len(set(first.tolist())) == 50
    assert (np.diff(first) > 0).all()
    assert first.tolist() == DeepSample(50, seed=1).rows(1000).tolist() != DeepSample(50, seed=2).rows(1000).tolist()
    assert DeepSample(50, seed=1).rows(3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_all_judged_passages_and_a_share_of_the_others_are_drawn(share):
    """Of each language rounded up; judged pairs are those of the whole, and passages stand judged ones first."""
    of = random_collection(np.random.default_rng(0), n_queries=12, n_passages=30)
    sample = DeepSample(5, seed=1, passages=share).of_passages(of)
    part = sample.collection
    pairs = [
        {(each.queries.ids[q], each.passages.ids[p]) for q, p in zip(each.pairs.query, each.pairs.passage, strict=True)}
        for each in (of, part)
    ]
    assert pairs[0] == pairs[1]
    judged = {passage for _, passage in pairs[0]}
    assert {id_ for id_, drawn in zip(part.passages.ids, sample.drawn, strict=True) if not drawn} == judged
    for code in range(len(of.languages)):
        others = [id_ for id_ in of.passages.ids[of.passages.rows(code)] if id_ not in judged]
        assert sample.n_others[code] == len(others)
        assert sample.n_drawn[code] == np.ceil(share * len(others))
        assert (np.diff(sample.drawn[sample.language == code].astype(int)) >= 0).all()
    assert sample.n_drawn * sample.weight == pytest.approx(sample.n_others)


def test_passages_are_the_same_for_the_same_seed():
    """And others for another one."""
    of = random_collection(np.random.default_rng(0), n_queries=4, n_passages=60)
    first, again, other = (DeepSample(5, seed, 0.3).of_passages(of).collection.passages.ids for seed in (1, 1, 2))
    assert first == again != other


def test_a_seed_follows_from_a_digest_and_a_commit():
    """Another submission or another commit is another seed; printf 'a\\nb' | sha256sum | cut -c 1-8 gives this one."""
    assert seed_of("a", "b") == 0x7E18F737
    assert len({seed_of("a", "b"), seed_of("a", "c"), seed_of("ab", "")}) == 3
    assert 0 <= seed_of("x", "y") < SEEDS
