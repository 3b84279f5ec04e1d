"""Counts that no ranking has are found, whatever the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.collection import Clusters
from xlbench.engine.search import rank
from xlbench.leaderboard.consistency import fault
from xlbench.measures.ranks import Judged, Ranking


def ranking_of(orders: list[list[tuple[str, bool]]], *, depth: int, n_languages: int = 2) -> Ranking:
    """The ranking of queries whose passages stand in these orders: the language of each, and whether it is relevant."""
    languages = ["a", "b", "c"][:n_languages]
    query, language, above = [], [], []
    for row, order in enumerate(orders):
        before = np.zeros(n_languages, np.int32)
        for name, relevant in order:
            if relevant:
                query.append(row)
                language.append(languages.index(name))
                above.append(before.copy())
            before[languages.index(name)] += 1
    top = np.full((len(orders), depth), -1, np.int16)
    for row, order in enumerate(orders):
        top[row, : len(order)] = [languages.index(name) for name, _ in order][:depth]
    n = len(query)
    judged = Judged(
        languages=tuple(languages),
        query_ids=[f"q{row}" for row in range(len(orders))],
        query_language=np.zeros(len(orders), np.int16),
        query=np.array(query, np.int32),
        passage_ids=[f"p{i}" for i in range(n)],
        passage_language=np.array(language, np.int16),
        gain=np.ones(n, np.int16),
        n_passages=np.array([sum(name == code for name, _ in orders[0]) for code in languages], np.int64),
        clusters=Clusters.of([f"q{row}" for row in range(len(orders))]),
    )
    return Ranking(judged, np.array(above, np.int32).reshape(-1, n_languages), top)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("depth", [0, 5, 100])
def test_a_ranking_has_no_fault(seed, depth):
    """Whatever the vectors, with ties and repeated texts, the counts of the engine are consistent."""
    collection = random_collection(np.random.default_rng(seed))
    assert fault(rank(collection, vector_scores(collection, integer_vector), depth=depth)) is None


ORDER = st.permutations([("a", True), ("a", False), ("a", False), ("b", True), ("b", True), ("b", False)])


@given(st.data())
def test_counts_pass_just_if_some_order_has_them(data):
    """Of all changes of counts and best passages, those pass for which an order of the passages exists, no other."""
    depth = data.draw(st.sampled_from([0, 2, 4, 6]))
    ranking = ranking_of([data.draw(ORDER)], depth=depth)
    above, top = ranking.above.copy(), ranking.top.copy()
    for _ in range(data.draw(st.integers(1, 2))):
        above[data.draw(st.integers(0, 2)), data.draw(st.integers(0, 1))] += data.draw(st.sampled_from([-1, 0, 1]))
        if depth:
            top[0, data.draw(st.integers(0, depth - 1))] = data.draw(st.sampled_from([0, 1, -1]))
    changed = replace(ranking, above=above, top=top)
    assert (fault(changed) is None) == exists(changed, depth)


def exists(ranking: Ranking, depth: int) -> bool:
    """Whether any order of the passages has these counts and best passages: all are tried, place by place."""
    judged = ranking.judged

    def placed(order: list[int], left: list[int], waiting: frozenset[int]) -> bool:
        if not waiting and not sum(left):
            return not depth or order[:depth] == ranking.top[0, :depth].tolist()
        before = [order.count(language) for language in range(2)]
        for pair in waiting:
            if ranking.above[pair].tolist() == before and placed(
                [*order, int(judged.passage_language[pair])], left, waiting - {pair}
            ):
                return True
        for language in range(2):
            if left[language] and placed(
                [*order, language], [n - (i == language) for i, n in enumerate(left)], waiting
            ):
                return True
        return False

    relevant = np.bincount(judged.passage_language, minlength=2)
    return placed([], (judged.n_passages - relevant).tolist(), frozenset(range(len(judged.query))))


BASE = ranking_of([[("a", False), ("a", True), ("b", False), ("b", True), ("a", False)]], depth=3)


@pytest.mark.parametrize(
    ("above", "top", "message"),
    [
        ([[-1, 0], [2, 1]], [0, 0, 1], "-1 passages in a are said to be above query 'q0' and passage 'p0'; expected 0"),
        ([[1, 0], [4, 1]], [0, 0, 1], "4 passages in a are said to be above query 'q0' and passage 'p1'; expected 0"),
        ([[1, 0], [2, 2]], [0, 0, 1], "2 passages in b are said to be above query 'q0' and passage 'p1'; expected 0"),
        ([[1, 0], [1, 1]], [0, 0, 1], "the ranks of query 'q0' and passage 'p0' contradict those of its passage 'p1'"),
        ([[1, 1], [2, 0]], [0, 1, 0], "contradict"),
        ([[1, 0], [2, 1]], [0, 1, 0], "the best passages have another language at its rank"),
        ([[1, 0], [2, 1]], [1, 0, 1], "passage 'p0': 0 of the best passages before it are in a, but 1 are"),
        ([[1, 0], [2, 1]], [0, 0, -1], "query 'q0' does not have 3 best passages"),
    ],
)  # fmt: skip
def test_the_fault_is_said(above, top, message):
    """The sentence names the query, the passage and what contradicts what."""
    assert fault(BASE) is None
    changed = replace(BASE, above=np.array(above, np.int32), top=np.array([top], np.int16))
    assert message in fault(changed)


def test_a_gain_below_one_is_a_fault():
    """A pair that is not relevant is no judged pair."""
    judged = replace(BASE.judged, gain=np.array([1, 0], np.int16))
    assert fault(replace(BASE, judged=judged)) == "query 'q0' and passage 'p1' have the gain 0; expected at least 1"
