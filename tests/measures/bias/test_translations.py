"""Consistency: how much the lists of a question's translations have in common."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.measures.bias.made_rankings import measure
from xlbench.measures.best import Lists
from xlbench.measures.ranks import PooledRanks, Ranks

NAMES = ["RBO", "Overlap", "MRC"]


def of_lists(lists: list[list[int]], languages: list[int], *, pool: int = 40, asked: int = 0) -> PooledRanks:
    """One question in some languages with these lists, as its queries in the language ``asked`` see them."""
    names = ["de", "en", "fr"]
    ids = [f"{names[language]}:q" for language in languages]
    rows = [row for row, language in enumerate(languages) if language == asked]
    n = len(rows)
    return PooledRanks(
        ranks=Ranks(
            np.array(rows, np.int32),
            np.arange(n + 1),
            np.ones(n, np.int64),
            np.ones(n, np.int16),
            np.zeros(n, np.int16),
        ),
        asked=asked,
        n_passages=np.array([pool, 0, 0]),
        above_own=np.zeros(n, np.int64),
        top=np.zeros((n, len(lists[0])), np.int16),
        lists=Lists.of(np.array(lists, np.int32), ids, np.array(languages), names),
    )


def value(name: str, first: list[int], second: list[int], **more: int) -> float:
    """The measure of one question in two languages."""
    return float(measure(f"{name}@{len(first)}").value(of_lists([first, second], [0, 1], **more))[0])


# rbo 0.1.3, an independent implementation:
#   python -c "from rbo import RankingSimilarity as R; print(R([1,2,3],[1,3,4]).rbo_ext(.9))"
GOLDEN = [
    ([1, 2, 3], [1, 3, 4], 0.685),
    ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], 0.7377750000000001),
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 1, 20, 21, 0, 5, 30, 31, 2, 3], 0.4382898460071429),
]


@pytest.mark.parametrize(("first", "second", "expected"), GOLDEN)
def test_rank_biased_overlap_is_that_of_another_implementation(first, second, expected):
    """The extrapolated one, with p = .9."""
    assert value("RBO", first, second) == pytest.approx(expected, abs=1e-12)


def test_overlap_is_the_share_in_common():
    """In whatever order."""
    assert value("Overlap", [1, 2, 3, 4], [4, 9, 1, 8]) == 0.5


@pytest.mark.parametrize("seed", range(8))
def test_rank_correlation_is_scipys_of_all_passages_of_either_list(seed):
    """Those that a list lacks share the places behind its last."""
    rng = np.random.default_rng(seed)
    first, second = (rng.permutation(12)[:7].tolist() for _ in range(2))
    either = sorted({*first, *second})
    ranks = [[of.index(passage) + 1 if passage in of else 8 for passage in either] for of in (first, second)]
    assert value("MRC", first, second) == pytest.approx(spearmanr(*ranks).statistic, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_equal_lists_have_the_perfect_value(name):
    """It is 1, also at the first rank alone."""
    for k in (1, 2, 5):
        assert value(name, list(range(k)), list(range(k))) == 1
    ranks = of_lists([[1, 2], [2, 1]], [0, 1])
    assert measure(f"{name}@2").perfect(ranks).tolist() == [1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("k", "pool"), [(1, 6), (3, 6), (5, 30), (10, 12)])
def test_random_is_the_mean_of_random_lists(name, k, pool):
    """Of 4,000 pairs drawn from the pool, within five standard errors."""
    rng = np.random.default_rng(k * pool)
    drawn = [rng.permutation(pool)[:k].tolist() for _ in range(4001)]
    values = np.array([value(name, drawn[0], other, pool=pool) for other in drawn[1:]])
    random = measure(f"{name}@{k}").random(of_lists(drawn[:2], [0, 1], pool=pool))[0]
    assert abs(values.mean() - random) < 5 * values.std() / 4000**0.5 + 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_the_mean_over_translations(name):
    """Of those into the other languages that there are."""
    lists = [[1, 2, 3], [1, 2, 9], [7, 8, 1]]
    pairs = [value(name, lists[0], other) for other in lists[1:]]
    assert measure(f"{name}@3").value(of_lists(lists, [0, 1, 2]))[0] == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("name", NAMES)
def test_a_question_in_one_language_has_no_value(name):
    """Nor one whose translation has too short a list, or where lists are not known."""
    of = measure(f"{name}@3")
    alone = of_lists([[1, 2, 3]], [0])
    short = of_lists([[1, 2, 3], [1, 2, -1]], [0, 1])
    for ranks in (alone, short):
        assert all(np.isnan(getattr(of, end)(ranks)).all() for end in ("value", "perfect", "random"))


@pytest.mark.parametrize("name", NAMES)
def test_a_small_pool_is_compared_as_far_as_it_goes(name):
    """With 2 passages in the pool, a cut-off of 10 means these."""
    ranks = of_lists([[0, 1, *[-1] * 8], [0, 1, *[-1] * 8]], [0, 1], pool=2)
    assert measure(f"{name}@10").value(ranks).tolist() == [1]


def test_ids_that_do_not_begin_with_their_language_are_no_translations():
    """``law:1`` in one language and ``med:1`` in another are two questions."""
    lists = Lists.of(np.zeros((2, 1), np.int32), ["law:1", "med:1"], np.array([0, 1]), ["de", "en"])
    assert lists.translated.tolist() == [[0, -1], [-1, 1]]


@pytest.mark.parametrize("name", NAMES)
def test_a_value_is_the_mean_of_those_with_each_language(name):
    """NaN with the query's own language, and with one that does not ask the question."""
    lists = [[1, 2, 3], [1, 3, 4], [9, 8, 1]]
    known = measure(f"{name}@3")
    ranks = of_lists(lists, [0, 1, 2])
    parts = known.by_language(ranks)[0]
    assert np.isnan(parts).tolist() == [True, False, False]
    assert parts[1:].tolist() == [value(name, lists[0], other) for other in lists[1:]]
    assert known.value(ranks)[0] == pytest.approx(parts[1:].mean())
    assert np.isnan(known.by_language(of_lists(lists[:2], [0, 1]))[0]).tolist() == [True, False, True]
