"""The final order: verify agrees with the engine on reranked rankings, and finds a value that is not theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.reranking import RerankedPools, reranked
from xlbench.models.reranker import Reranking
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, settings
from xlbench.trec.final_order import FinalOrder
from xlbench.trec.verify import verify

COLLECTION = random_collection(np.random.default_rng(8), n_languages=3, n_queries=30, n_passages=20)
SCORES = vector_scores(COLLECTION, integer_vector)
MEASURES = ["AP", "nDCG@10", "R@5", "RankDistance", "Share@10", "RBO@5"]
WANTED = settings(KINDS, COLLECTION.languages)


def of_texts(query: str, passage: str) -> int:
    """A small integer, so that there are ties."""
    return int(np.random.default_rng([*f"{query}|{passage}".encode()]).integers(0, 4))


class Made:
    """A reranker of small integers."""

    name, revision = "made", "1"

    def score_pairs(self, queries, passages):
        return np.array([of_texts(*pair) for pair in zip(queries, passages, strict=True)], np.float32)


def of_pairs(pairs):
    """The scores of pairs of distinct texts."""
    queries, passages = COLLECTION.queries, COLLECTION.passages
    texts = [(queries.text[queries.distinct.first[q]], passages.text[passages.distinct.first[p]]) for q, p in pairs]
    return Made().score_pairs(*zip(*texts, strict=True))


def reported(reranking: Reranking):
    """What a result has."""
    kept = []
    ranking_of(
        COLLECTION,
        SCORES,
        places=Places(0, 12, in_languages=True, candidates=reranking.depth),
        rerank=lambda ranking: kept.append(ranking) or ranking,
    )
    ranking = reranked(kept[0], COLLECTION, reranking, RerankedPools(pooled=True, own=True, other=True, depth=12))
    return score(ranking, WANTED, MEASURES)


def largest(values, reranking: Reranking) -> float:
    """The largest difference that verify finds."""
    final = FinalOrder(COLLECTION, reranking=reranking, score_pairs=of_pairs)
    compared = verify(COLLECTION, SCORES, values, settings=WANTED, final=final, advance=lambda **done: None)
    return max(difference.difference for difference in compared)


@pytest.mark.parametrize("among", ["pool", "language"])
@pytest.mark.parametrize("depth", [1, 4, 60])
def test_trec_eval_and_the_engine_agree_on_reranked_lists(among, depth):
    """In every setting and measure, ties included; with more candidates than passages too."""
    reranking = Reranking(Made(), depth, among)
    assert largest(reported(reranking), reranking) < 1e-12


def test_values_of_another_depth_are_found():
    """Candidates that were not reranked stand elsewhere."""
    reranking = Reranking(Made(), 4)
    assert largest(reported(reranking), replace(reranking, depth=5)) > 0.01
