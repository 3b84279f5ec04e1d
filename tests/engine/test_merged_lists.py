"""Poolings: the counts and the best passages are those of lists that are merged by hand, passage by passage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.collection import Collection
from xlbench.engine.merged_lists import pooled
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.search import rank
from xlbench.errors import DataError
from xlbench.measures.ranks import Ranking, sums_of
from xlbench.models.pooling import parse
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, settings
from xlbench.trec.final_order import FinalOrder
from xlbench.trec.verify import verify

IN_ORDER = ["round-robin", "round-robin:fixed", "own-first", "balanced:1", "balanced:3", "balanced:500"]
NORMALISING = ["z-score", "min-max"]
MEASURES = ["AP", "nDCG@10", "R@5", "RankDistance", "LPR", "OneTargetBias", "Share@10", "AWRF@10", "RBO@10", "TLR@5",
            "FirstOtherIrrelevant"]  # fmt: skip
COLLECTION = random_collection(np.random.default_rng(11), n_languages=4, n_queries=20, n_passages=15)
SCORES = vector_scores(COLLECTION, integer_vector)


def products(collection: Collection) -> np.ndarray:
    """All scores, exact integers."""
    queries, passages = (
        np.stack([integer_vector(text) for text in texts.text]) for texts in (collection.queries, collection.passages)
    )
    return queries @ passages.T


def merged(collection: Collection, scores: np.ndarray, query: int, name: str) -> list[int]:
    """All passages in the order of a pooling, from the definition in words."""
    language, asked = collection.passages.language, collection.queries.language[query]
    one_index = sorted(range(len(language)), key=lambda row: collection.passages.ids[row], reverse=True)
    one_index.sort(key=lambda row: -scores[row])  # Stable: ties stay by descending id.
    lists = [[row for row in one_index if language[row] == code] for code in range(len(collection.languages))]
    if name == "own-first":
        return lists[asked] + [row for row in one_index if language[row] != asked]
    most = int(name.partition(":")[2]) if name.startswith("balanced") else len(one_index)
    turns = list(range(len(lists)))
    if name != "round-robin:fixed":
        turns = [asked, *(code for code in turns if code != asked)]
    rounds = [lists[code][place] for place in range(most) for code in turns if place < len(lists[code])]
    return rounds + [row for row in one_index if row not in rounds]


def reranked(name: str, depth: int = 0) -> Ranking:
    """The ranking under a pooling."""
    places = Places(depth, 10, in_languages=True, pooled=name in IN_ORDER)
    return ranking_of(COLLECTION, SCORES, places=places, pooling=parse(name))


@pytest.mark.parametrize("name", IN_ORDER)
def test_counts_are_those_of_lists_merged_by_hand(name):
    """For each judged pair and language, as many passages of the language stand before the pair's."""
    ranking, scores = reranked(name), products(COLLECTION)
    for pair, (query, passage) in enumerate(zip(COLLECTION.pairs.query, COLLECTION.pairs.passage, strict=True)):
        order = merged(COLLECTION, scores[query], int(query), name)
        before = COLLECTION.passages.language[order[: order.index(passage)]]
        assert ranking.above[pair].tolist() == np.bincount(before, minlength=4).tolist()


@pytest.mark.parametrize("name", IN_ORDER)
@pytest.mark.parametrize("depth", [3, 40])
def test_the_best_passages_are_those_of_lists_merged_by_hand(name, depth):
    """In the pool of all languages, also where it has more passages than one language; and in each language's."""
    ranking, scores = reranked(name, depth), products(COLLECTION)
    judged = np.unique(COLLECTION.pairs.query)
    top = ranking.best.top(ranking.judged.everything, judged, depth)
    alone = ranking.best.top((1,), judged, depth)
    for row, query in enumerate(judged.tolist()):
        order = merged(COLLECTION, scores[query], query, name)
        assert top.passage[row].tolist() == order[:depth]
        of_language = [passage for passage in order if COLLECTION.passages.language[passage] == 1][:depth]
        assert alone.passage[row].tolist() == of_language + [-1] * (depth - len(of_language))
        assert ranking.top[query].tolist() == COLLECTION.passages.language[order[:10]].tolist()
    assert (np.diff(top.score, axis=1) < 0).all()


@pytest.mark.parametrize("name", [*IN_ORDER, *NORMALISING])
def test_a_pooling_changes_nothing_within_a_language(name):
    """Monolingual and cross-lingual values are those of the model."""
    wanted = settings(["mono", "cross"], COLLECTION.languages)
    plain = ranking_of(COLLECTION, SCORES, places=Places(0, 0, in_languages=True))
    for ours, theirs in zip(score(reranked_scores(name), wanted, ["AP"]), score(plain, wanted, ["AP"]), strict=True):
        assert np.array_equal(ours.values["AP"], theirs.values["AP"])


def reranked_scores(name: str) -> Ranking:
    """The ranking under a pooling of any kind."""
    if name in IN_ORDER:
        return reranked(name)
    return ranking_of(COLLECTION, normalised(name), places=Places(0, 10, in_languages=True))


def normalised(name: str):
    """The scores that a normalising pooling gives."""
    from xlbench.engine.normalised_scores import NormalisedScores

    return NormalisedScores.of(COLLECTION, SCORES, parse(name))


@pytest.mark.parametrize("name", NORMALISING)
def test_normalised_scores_are_those_of_the_formula(name):
    """Of all passages of a language with their copies, for each query; equal scores become 0."""
    from xlbench.engine.scores import matrix

    scores = normalised(name)
    plain = products(COLLECTION).astype(np.float64)
    found = matrix(scores, scores.query, scores.passage)
    for code in range(4):
        mine = COLLECTION.passages.language == code
        part = plain[:, mine]
        low, width = (
            (part.mean(axis=1), part.std(axis=1)) if name == "z-score" else (part.min(axis=1), np.ptp(part, axis=1))
        )
        expected = (part - low[:, None]) / np.where(width > 0, width, np.inf)[:, None]
        assert np.abs(found[:, mine] - expected).max() < 1e-5


@pytest.mark.parametrize("name", NORMALISING)
def test_some_normalised_scores_alone_are_the_same(name):
    """Selected passages keep the mean and the width of all."""
    from xlbench.engine.scores import matrix

    scores = normalised(name)
    some, queries = np.array([1, 5, 12]), np.arange(scores.n_queries)
    whole = matrix(scores, queries, np.arange(scores.n_passages))
    assert np.array_equal(matrix(scores.select(some), queries, np.arange(3)), whole[:, some])


@pytest.mark.parametrize("name", [*IN_ORDER, *NORMALISING])
def test_trec_eval_and_lists_made_one_by_one_agree(name):
    """verify finds no difference in any measure and setting."""
    wanted = settings(KINDS, COLLECTION.languages)
    reported = score(reranked_scores(name), wanted, MEASURES)
    scores = SCORES if name in IN_ORDER else normalised(name)
    final = FinalOrder(COLLECTION, parse(name))
    found = verify(COLLECTION, scores, reported, settings=wanted, final=final, advance=lambda **done: None)
    assert max(difference.difference for difference in found) < 1e-12


def test_verify_finds_values_of_another_pooling():
    """The values of one index are not those of lists in rounds."""
    wanted = settings(["multi"], COLLECTION.languages)
    reported = score(rank(COLLECTION, SCORES, depth=10), wanted, ["AP"])
    final = FinalOrder(COLLECTION, parse("round-robin"))
    found = verify(COLLECTION, SCORES, reported, settings=wanted, final=final, advance=lambda **done: None)
    assert max(difference.difference for difference in found) > 0.01


def test_a_pool_of_one_language_stays_as_it_is():
    """There is nothing to merge."""
    alone = COLLECTION.in_languages(["aa"])
    ranking = rank(alone, vector_scores(alone, integer_vector), depth=5, by_language=True)
    changed = pooled(ranking, parse("round-robin"), depth=5)
    assert np.array_equal(changed.above, ranking.above)
    judged = np.unique(alone.pairs.query)
    assert np.array_equal(changed.best.top((0,), judged, 5).passage, ranking.best.top((0,), judged, 5).passage)
    assert replace(changed, above=ranking.above, best=ranking.best) == ranking


@pytest.mark.parametrize("name", ["round-robin", "round-robin:fixed", "own-first"])
def test_lists_are_merged_from_sums_as_from_the_table(name):
    """The sums of a merged list follow from those of one index."""
    whole, sums = (pooled(rank(COLLECTION, SCORES, sums=sums), parse(name), depth=0) for sums in (False, True))
    judged = whole.judged
    expected = sums_of(whole.above, judged.passage_language, judged.query_language[judged.query])
    assert sums.above.tolist() == expected.tolist()


def test_balanced_lists_need_the_table():
    """How many of each language are above a passage beyond the rounds does not follow from sums."""
    with pytest.raises(DataError, match="4 languages"):
        pooled(rank(COLLECTION, SCORES, sums=True), parse("balanced:3"), depth=0)
