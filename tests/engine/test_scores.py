"""Scores: of vectors and of scorers, in tiles; what a scorer gives is checked."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.collection import Collection, Judgement, Text
from xlbench.engine.scores import TILE_PASSAGES, TextScores, matrix
from xlbench.engine.search import rank
from xlbench.errors import EncoderError


class ProductScorer:
    """Scores texts by the products of small integer vectors, as an encoder with these vectors would."""

    name = "product"
    revision = "1"

    def fit(self, passages):
        """Remembers the pool."""
        self.pool = list(passages)

    def score(self, queries, passages):
        """Exact products."""
        stacked = [np.stack([integer_vector(text.text) for text in texts]) for texts in (queries, passages)]
        return stacked[0] @ stacked[1].T


@pytest.fixture(scope="module")
def collection() -> Collection:
    """Several tiles of queries and of passages."""
    return random_collection(np.random.default_rng(3), n_queries=150, n_passages=1200)


def test_a_scorer_is_ranked_as_an_encoder_with_the_same_products(collection):
    """Counts and best passages do not depend on whether scores come from vectors or from a scorer, nor on shards."""
    expected = rank(collection, vector_scores(collection, integer_vector), depth=5)
    scores = TextScores.of(collection, ProductScorer())
    for shard_rows in (TILE_PASSAGES, 10_000):
        found = rank(collection, scores, depth=5, shard_rows=shard_rows)
        np.testing.assert_array_equal(found.above, expected.above)
        tops = [ranking.best.top((0, 1, 2), np.arange(len(collection.queries)), 5) for ranking in (found, expected)]
        np.testing.assert_array_equal(tops[0].passage, tops[1].passage)
        np.testing.assert_array_equal(tops[0].score, tops[1].score)


def test_the_matrix_is_what_the_scorer_gives(collection):
    """Each score stands at its query and its passage, over the borders of tiles."""
    scores = TextScores.of(collection, ProductScorer())
    queries, passages = scores.query[::7], scores.passage[::-3]
    texts = [[scores.distinct_queries[row] for row in queries], [scores.distinct_passages[row] for row in passages]]
    np.testing.assert_array_equal(matrix(scores, queries, passages), ProductScorer().score(*texts))


def test_a_scorer_is_fitted_on_all_passages_and_scores_each_text_of_a_language_once():
    """Copies count in its statistics; equal texts of two languages are two, which it may analyse differently."""
    texts = [("de:1", "de", "taxi"), ("de:2", "de", "taxi"), ("en:1", "en", "taxi"), ("en:2", "en", "bus")]
    passages = [Text(*text) for text in texts]
    judged = [Judgement("q", "de:1", 1)]
    collection = Collection.build(["de", "en"], [Text("q", "de", "taxi?")], passages, judged)
    scorer = ProductScorer()
    scores = TextScores.of(collection, scorer)
    assert scorer.pool == passages
    assert [(t.language, t.text) for t in scores.distinct_passages] == [("de", "taxi"), ("en", "taxi"), ("en", "bus")]
    assert scores.passage.tolist() == [0, 0, 1, 2]
    assert scores.query.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found: found[:, :-1], r"gave scores of shape \(.*expected float32"),
        (lambda found: found.astype(int), r"int64.*expected float32"),
        (lambda found: np.where(found > 0, np.nan, found), r"gave the score nan for query '.*' and passage '.*'"),
        (lambda found: np.where(found > 0, np.inf, found), r"gave the score inf"),
    ],
)
def test_unusable_scores_are_refused(collection, change, message):
    """Scores of another shape or type, or that are no finite numbers, are an error that says which."""

    class Bad(ProductScorer):
        def score(self, queries, passages):
            return change(super().score(queries, passages))

    with pytest.raises(EncoderError, match=message):
        rank(collection, TextScores.of(collection, Bad()))
