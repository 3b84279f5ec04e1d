"""Ranks: what the table of counts says of any pool of languages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlbench.collection import Collection, Judgement, Text
from xlbench.measures.ranks import Judged, Ranking
from xlbench.settings import Setting


@pytest.fixture
def ranking() -> Ranking:
    """Two queries in ``de`` and one in ``en``; ``d2`` is not relevant to anything; the counts are made up."""
    collection = Collection.build(
        ["de", "en"],
        [Text("qd1", "de", "a"), Text("qd2", "de", "b"), Text("qe", "en", "c")],
        [Text("d1", "de", "a"), Text("d2", "de", "b"), Text("e1", "en", "c"), Text("e2", "en", "d")],
        [
            Judgement("qd1", "d1", 1),
            Judgement("qd1", "e1", 2),
            Judgement("qd1", "e2", 3),
            Judgement("qd2", "e2", 1),
            Judgement("qe", "d1", 5),
        ],
    )
    above = np.array([[1, 2], [0, 1], [0, 0], [1, 0], [0, 7]], np.int32)
    return Ranking(Judged.of(collection), above, top=np.empty((3, 0), np.int16))


@pytest.mark.parametrize(
    ("setting", "query", "starts", "rank", "gain", "language"),
    [
        (Setting("de", "de"), [0], [0, 1], [2], [1], [0]),
        (Setting("de", "en"), [0, 1], [0, 2, 3], [1, 2, 1], [3, 2, 1], [1, 1, 1]),
        (Setting("de", None), [0, 1], [0, 3, 4], [1, 2, 4, 2], [3, 2, 1, 1], [1, 1, 0, 1]),
        (Setting("en", "de"), [2], [0, 1], [1], [5], [0]),
        (Setting("en", None), [2], [0, 1], [8], [5], [0]),
    ],
)
def test_a_rank_is_one_more_than_the_counts_of_the_pool(ranking, setting, query, starts, rank, gain, language):
    """A rank is 1 + the counts of the pool's languages, ascending within a query; gain and language go with it."""
    ranks = ranking.ranks(setting)
    found = (ranks.query, ranks.starts, ranks.rank, ranks.gain, ranks.language)
    assert [array.tolist() for array in found] == [query, starts, rank, gain, language]


def test_a_query_without_a_relevant_passage_in_the_pool_is_not_in_the_setting(ranking):
    """Neither ``qd2``, with nothing relevant in ``de``, is in ``de>de``, nor any query in ``en>en``."""
    assert len(ranking.ranks(Setting("de", "de"))) == 1
    empty = ranking.ranks(Setting("en", "en"))
    assert len(empty) == len(empty.rank) == 0
    assert empty.starts.tolist() == [0]


def test_ranks_past_int32_are_whole(ranking):
    """Counts of several languages are summed in 64 bits, so that a huge pool does not overflow."""
    huge = replace(ranking, above=np.full_like(ranking.above, np.iinfo(np.int32).max))
    assert huge.ranks(Setting("en", None)).rank.tolist() == [2 * (2**31 - 1) + 1]


def test_ranks_know_their_queries_and_their_places(ranking):
    """Each rank knows which query owns it, and the how-manieth relevant passage of the query it is."""
    ranks = ranking.ranks(Setting("de", None))
    assert ranks.n_relevant.tolist() == [3, 1]
    assert ranks.owner.tolist() == [0, 0, 0, 1]
    assert ranks.position.tolist() == [1, 2, 3, 1]
    empty = ranking.ranks(Setting("en", "en"))
    assert [len(array) for array in (empty.n_relevant, empty.owner, empty.position)] == [0, 0, 0]


@pytest.mark.parametrize(("query", "asked", "above_own"), [("de", 0, [0, 0, 1, 1]), ("en", 1, [7])])
def test_pooled_ranks_know_what_the_own_language_has_above(ranking, query, asked, above_own):
    """``above_own`` is the column of the query's language, in the order of the ranks, e2, e1, d1 and e2 for ``de``."""
    setting = Setting(query, None)
    pooled = ranking.pooled(setting)
    assert (pooled.asked, pooled.above_own.tolist()) == (asked, above_own)
    assert pooled.n_passages.tolist() == [2, 2]
    for name in ("query", "starts", "rank", "gain", "language"):
        np.testing.assert_array_equal(getattr(pooled.ranks, name), getattr(ranking.ranks(setting), name))


def test_without_best_passages_the_top_is_empty(ranking):
    """A ranking for which only counts were asked knows of no best passages: ``[m, 0]``."""
    assert ranking.pooled(Setting("de", None)).top.shape == (2, 0)


def test_the_top_is_that_of_the_queries_of_the_setting(ranking):
    """The languages of the best passages are those of the setting's queries, in its order."""
    top = np.array([[1, 0, 1, 0, -1], [0, 0, 1, 1, -1], [-1] * 5], np.int16)
    pooled = replace(ranking, top=top).pooled(Setting("de", None))
    assert pooled.top.tolist() == [[1, 0, 1, 0, -1], [0, 0, 1, 1, -1]]


def test_what_is_judged_has_no_texts(ranking):
    """The judged pairs are kept with the language of their passage, and the size of the pool by language."""
    assert ranking.judged.query.tolist() == [0, 0, 0, 1, 2]
    assert ranking.judged.passage_language.tolist() == [0, 1, 1, 1, 0]
    assert ranking.judged.query_language.tolist() == [0, 0, 1]
    assert ranking.judged.n_passages.tolist() == [2, 2]
    assert tuple(ranking.judged.query_ids) == ("qd1", "qd2", "qe")
