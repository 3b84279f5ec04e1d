"""Measures of open retrieval by answer strings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlbench import measures
from xlbench.collection import Clusters
from xlbench.measures.ranks import Judged, Lists, Ranking
from xlbench.settings import Setting


def ranking(rank: int, n_tokens: list[int]) -> Ranking:
    """Of one query whose first passage with an answer has this rank, and whose best passages have so many tokens."""
    judged = Judged(
        languages=("en", "fi"),
        query_ids=("fi:1",),
        query_language=np.array([1], np.int16),
        query=np.array([0], np.int32),
        passage_ids=("en:1",),
        passage_language=np.array([0], np.int16),
        gain=np.array([1], np.int16),
        n_passages=np.array([len(n_tokens), 0]),
        clusters=Clusters.of(("fi:1",)),
    )
    passage = np.arange(len(n_tokens), dtype=np.int32)[None]
    lists = Lists(passage, np.array([[-1, 0]]), np.array([n_tokens], np.int32))
    return Ranking(judged, np.array([[rank - 1, 0]], np.int32), np.zeros((1, len(n_tokens)), np.int16), lists=lists)


@pytest.mark.parametrize(
    ("rank", "n_tokens", "expected"),
    [
        (1, [100] * 30, 1.0),
        (20, [100] * 30, 1.0),  # It ends with the two thousandth token.
        (21, [100] * 30, 0.0),
        (20, [101] + [100] * 29, 0.0),
        (1, [2_001], 0.0),
        (3, [1] * 3, 1.0),
    ],
)
def test_tokens_are_counted_in_whole_passages(rank, n_tokens, expected):
    """A passage counts if it ends within the first 2,000 tokens."""
    pooled = ranking(rank, n_tokens).pooled(Setting("fi", None))
    assert measures.get("R@2kt").value(pooled).tolist() == [expected]
    assert measures.get("R@5kt").value(pooled).tolist() == [1.0 if sum(n_tokens[:rank]) <= 5_000 else 0.0]
    assert measures.get("Answer@20").value(pooled.ranks).tolist() == [float(rank <= 20)]


def test_without_the_passages_tokens_are_not_counted():
    """As in evidence, which has counts alone."""
    pooled = ranking(1, [100]).pooled(Setting("fi", None))
    for lists in (None, replace(pooled.lists, n_tokens=None)):
        assert np.isnan(measures.get("R@2kt").value(replace(pooled, lists=lists))).all()


def test_a_unit_is_part_of_the_name():
    """``R@2`` is recall of judged passages, and is no measure by answer strings."""
    assert measures.get("R@2").cutoff == 2
    assert not measures.by_answers("R@2")
    assert all(map(measures.by_answers, ("Answer@20", "R@2kt", "R@10kt")))
    assert [measures.find(name) for name in ("AP@2kt", "R@11kt", "R@kt", "Answer", "Answer@2kt")] == [None] * 5
    assert measures.depth(["R@2kt", "R@5kt"]) == 500


def test_by_chance_as_many_passages_are_drawn_as_there_are_tokens_for():
    """20 of 30 passages have 2,000 tokens, and one of the 30 has the answer."""
    measure = measures.get("R@2kt")
    assert measure.random(ranking(1, [100] * 30).pooled(Setting("fi", None))) == pytest.approx([20 / 30])
    assert measure.random(ranking(1, [100] * 10).pooled(Setting("fi", None))) == pytest.approx([1.0])
    assert measure.perfect(ranking(9, [100] * 10).pooled(Setting("fi", None))).tolist() == [1.0]
