"""Reranking: the counts and the best passages are those of lists that are reordered by hand, as trec_eval sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.collection import Collection, Judgement, Text
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.reranking import RerankedPools, reranked
from xlbench.errors import EncoderError, UnknownNameError, UsageError
from xlbench.measures import get
from xlbench.measures.oracle import trec_scores
from xlbench.measures.ranks import Ranking
from xlbench.models.reranker import Reranking
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, settings

MEASURES = ["AP", "nDCG@10", "R@5", "RR"]
COLLECTION = random_collection(np.random.default_rng(21), n_languages=3, n_queries=12, n_passages=15)
SCORES = vector_scores(COLLECTION, integer_vector)
ALL = RerankedPools(pooled=True, own=True, other=True, depth=12)


class Made:
    """A reranker of small integers, with many ties; it counts what it is asked for."""

    name, revision = "made", "1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def score_pairs(self, queries: Any, passages: Any) -> np.ndarray:
        """The score of each pair."""
        self.asked += zip(queries, passages, strict=True)
        return np.array([made_score(*pair) for pair in zip(queries, passages, strict=True)], np.float32)


def made_score(query: str, passage: str) -> int:
    """A small integer, the same for the same texts."""
    return int(np.random.default_rng([*f"{query}|{passage}".encode()]).integers(0, 4))


def kept(depth: int) -> Ranking:
    """The ranking as the reranker gets it."""
    found: list[Ranking] = []

    def keep(ranking: Ranking) -> Ranking:
        found.append(ranking)
        return ranking

    ranking_of(COLLECTION, SCORES, places=Places(0, 12, in_languages=True, candidates=depth), rerank=keep)
    return found[0]


def by_hand(query: int, pool: list[int], reranking: Reranking) -> list[int]:
    """All passages of a pool in order, from the definition in words."""
    ids, language = COLLECTION.passages.ids, COLLECTION.passages.language
    asked = integer_vector(COLLECTION.queries.text[query])
    rows = [row for row in range(len(language)) if language[row] in pool]
    rows.sort(key=lambda row: ids[row], reverse=True)
    rows.sort(key=lambda row: -float(asked @ integer_vector(COLLECTION.passages.text[row])))
    if reranking.among == "pool":
        candidates = rows[: reranking.depth]
    else:
        candidates = [row for code in pool for row in [r for r in rows if language[r] == code][: reranking.depth]]
    candidates.sort(key=lambda row: ids[row], reverse=True)
    candidates.sort(key=lambda row: -made_score(COLLECTION.queries.text[query], COLLECTION.passages.text[row]))
    return candidates + [row for row in rows if row not in candidates]


@pytest.mark.parametrize("among", ["pool", "language"])
@pytest.mark.parametrize("depth", [1, 4, 60])
def test_values_are_those_that_trec_eval_gives_lists_reordered_by_hand(among, depth):
    """In every setting, ties included; with more candidates than passages too."""
    reranking = Reranking(Made(), depth, among)
    ranking = reranked(kept(depth), COLLECTION, reranking, ALL)
    wanted = settings(KINDS, COLLECTION.languages)
    for of in score(ranking, wanted, MEASURES):
        pool = list(ranking.judged.pool(of.setting))
        for row, query in enumerate(of.query):
            asked = list(COLLECTION.queries.ids).index(query)
            order = by_hand(asked, pool, reranking)
            run = {COLLECTION.passages.ids[passage]: float(-place) for place, passage in enumerate(order)}
            pairs = COLLECTION.pairs
            qrels = {
                COLLECTION.passages.ids[passage]: int(gain)
                for q, passage, gain in zip(pairs.query, pairs.passage, pairs.gain, strict=True)
                if q == asked and COLLECTION.passages.language[passage] in pool
            }
            expected = trec_scores({query: qrels}, {query: run}, [get(name) for name in MEASURES])[query]
            assert {name: of.values[name][row] for name in MEASURES} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("among", ["pool", "language"])
@pytest.mark.parametrize("depth", [3, 20])
def test_the_best_passages_are_the_reordered_ones(among, depth):
    """Of the pool of all languages and of each, with their languages; what is not reranked follows."""
    reranking = Reranking(Made(), depth, among)
    ranking = reranked(kept(depth), COLLECTION, reranking, ALL)
    known = np.unique(COLLECTION.pairs.query).astype(np.int64)
    for pool in (ranking.judged.everything, (1,)):
        top = ranking.best.top(pool, known, 12)
        for row, query in enumerate(known.tolist()):
            assert top.passage[row].tolist() == by_hand(query, list(pool), reranking)[:12]
    order = by_hand(int(known[0]), list(ranking.judged.everything), reranking)[:12]
    assert ranking.top[known[0]].tolist() == COLLECTION.passages.language[order].tolist()


def test_each_pair_of_texts_is_scored_once():
    """Whatever the pools that it is in, and however often the texts occur."""
    made = Made()
    reranked(kept(4), COLLECTION, Reranking(made, 4), ALL)
    assert len(made.asked) == len(set(made.asked))


@pytest.mark.parametrize(
    ("wanted", "fewer"),
    [
        (RerankedPools(pooled=True, own=False, other=False, depth=0), True),
        (RerankedPools(pooled=False, own=True, other=False, depth=0), True),
        (ALL, False),
    ],
)
def test_only_pairs_that_a_setting_asks_for_are_scored(wanted, fewer):
    """The pool of all languages needs other pairs than the pools of each."""
    made, whole = Made(), Made()
    reranked(kept(4), COLLECTION, Reranking(made, 4), wanted)
    reranked(kept(4), COLLECTION, Reranking(whole, 4), ALL)
    assert set(made.asked) <= set(whole.asked)
    assert (len(made.asked) < len(whole.asked)) is fewer


def test_scores_are_stored_and_probed(tmp_path):
    """A second run asks for a few pairs only; a changed reranker of the same name is found out."""
    key = {"name": "made", "revision": "1"}
    first, second = Made(), Made()
    rankings = [
        reranked(kept(4), COLLECTION, Reranking(made, 4), ALL, cache_dir=tmp_path, key=key) for made in (first, second)
    ]
    assert np.array_equal(rankings[0].above, rankings[1].above)
    assert 0 < len(second.asked) <= 8 < len(first.asked)

    class Changed(Made):
        def score_pairs(self, queries, passages):
            return super().score_pairs(queries, passages) + 5

    with pytest.raises(EncoderError, match="is not what the model gives now"):
        reranked(kept(4), COLLECTION, Reranking(Changed(), 4), ALL, cache_dir=tmp_path, key=key)


def test_fresh_scores_replace_what_is_stored(tmp_path):
    """As --force asks for: nothing is read, and the next run reads the new ones."""
    key = {"name": "made", "revision": "1"}
    again, last = Made(), Made()
    for made, fresh in ((Made(), False), (again, True), (last, False)):
        reranked(kept(4), COLLECTION, Reranking(made, 4), ALL, cache_dir=tmp_path, key=key, fresh=fresh)
    assert len(again.asked) > 8 >= len(last.asked)


def test_texts_with_any_characters_keep_apart():
    """A query and a passage with a NUL in them get to the reranker as they are."""
    odd = Collection.build(
        ("de",),
        [Text("de:1", "de", "a\0b")],
        [Text("de:x", "de", "c\0"), Text("de:y", "de", "d")],
        [Judgement("de:1", "de:x", 1)],
    )
    found, made = [], Made()
    places, scores = Places(0, 2, in_languages=True, candidates=2), vector_scores(odd, integer_vector)
    ranking_of(odd, scores, places=places, rerank=lambda ranking: found.append(ranking) or ranking)
    reranked(found[0], odd, Reranking(made, 2), ALL)
    assert set(made.asked) == {("a\0b", "c\0"), ("a\0b", "d")}


@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN or infinity for the text '.* with .*'"), (None, "shape")])
def test_unusable_scores_are_refused(value, message):
    """With the ids of query and passage."""

    class Bad(Made):
        def score_pairs(self, queries, passages):
            scores = super().score_pairs(queries, passages)
            return scores[:1] if value is None else np.full_like(scores, value)

    with pytest.raises(EncoderError, match=message):
        reranked(kept(2), COLLECTION, Reranking(Bad(), 2), ALL)


def test_a_wrong_depth_or_choice_is_refused():
    """One passage is the least."""
    with pytest.raises(UsageError, match="expected 1 passage or more"):
        Reranking(Made(), 0)
    with pytest.raises(UnknownNameError, match="pool, language"):
        Reranking(Made(), 1, "all")
