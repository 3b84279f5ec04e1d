"""Fusion: fused scores are those of the formulas, in each pool, and both rankings reach every figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata

from tests.conftest import embeddings, integer_vector, random_collection
from xlbench.collection import Collection, Text
from xlbench.engine import fusion as module
from xlbench.engine.fusion import FusedScores, alone, ranks
from xlbench.engine.scores import TILE_PASSAGES, Scores, TextScores, VectorScores, matrix
from xlbench.engine.search import rank
from xlbench.errors import EncoderError
from xlbench.measures.ranks import Ranking
from xlbench.models.fused import Fusion
from xlbench.models.load import load
from xlbench.results import evidence_bytes, parse_evidence
from xlbench.results.from_ranking import figures, score
from xlbench.settings import KINDS, settings
from xlbench.trec.verify import verify

MEASURES = ("AP", "nDCG@10", "R@10", "RankDistance", "Share@3", "IrrelevantLoss", "ParallelLoss")


class Biased:
    """A scorer of inner products that likes one language better: equal texts of two languages differ."""

    name = "biased"
    revision = "1"

    def fit(self, passages):
        """Needs nothing."""

    def score(self, queries, passages):
        """A few values, so that many tie."""
        first, second = (
            np.stack([integer_vector(text.text, seed=2) for text in texts]) for texts in (queries, passages)
        )
        return (first @ second.T + 2 * np.array([text.language == "aa" for text in passages])).astype(np.float32)


def collection_of(seed: int, **sizes: int) -> Collection:
    """A collection with repeated texts, within and across languages."""
    return random_collection(np.random.default_rng(seed), **sizes)


def parts_of(collection: Collection) -> list[Scores]:
    """The scores of vectors, which tie often, and of a scorer that knows languages."""

    def vectors(text: str) -> np.ndarray:
        return integer_vector(text, seed=1)

    of_vectors = VectorScores(embeddings(collection.queries, vectors), embeddings(collection.passages, vectors))
    return [of_vectors, TextScores.of(collection, Biased())]


def fused(collection: Collection, **arguments: object) -> FusedScores:
    """The fused scores of both."""
    fusion = replace(load("fusion:hash+hash").encoder, **arguments)
    return FusedScores.of(collection, parts_of(collection), fusion)


def ranking_of(collection: Collection, scores: Scores, *, depth: int = 3, **options: int) -> Ranking:
    """The ranking in the pool of all languages, and in those of one."""
    pooled = rank(collection, scores, depth=depth, **options)
    return pooled.with_alone(rank(collection, alone(scores), depth=depth, by_language=True, **options))


def expected_scores(fusion: Fusion, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The fused scores of a query with the passages of a pool, by the formulas, one passage after the other."""
    total = np.zeros(len(first))
    for weight, values in ((fusion.weight, first), (1 - fusion.weight, second)):
        if fusion.method == "rrf":
            total += weight / (fusion.k + rankdata(-values, method="max"))
        elif values.max() > values.min():
            total += weight * (values.astype(float) - values.min()) / (float(values.max()) - float(values.min()))
    return total.astype(np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_ranks_are_the_last_among_equals(seed):
    """A distinct passage has the rank that scipy gives to each of its copies, with the last place among equals."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    scores, copies = rng.integers(-3, 4, n).astype(np.float32), rng.integers(1, 4, n)
    expected = rankdata(-np.repeat(scores, copies), method="max")[np.cumsum(copies) - 1]
    assert ranks(scores, copies).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "arguments",
    [{}, {"k": 0, "weight": 0.25}, {"method": "interpolation"}, {"method": "interpolation", "weight": 0.6}],
    ids=str,
)
@pytest.mark.parametrize("seed", range(3))
def test_ranks_in_every_setting_are_those_of_the_pool_s_own_fusion(seed, arguments):
    """Each setting ranks as if its pool were all there is: by the formulas over it, ties by descending id."""
    collection = collection_of(seed)
    scores = fused(collection, **arguments)
    dense = [matrix(part, part.query, part.passage) for part in parts_of(collection)]
    ranking = ranking_of(collection, scores)
    tie_order, ids = collection.passages.tie_order, collection.passages.ids
    differ = 0
    for setting in settings(KINDS, collection.languages):
        pool = np.flatnonzero(np.isin(collection.passages.language, ranking.judged.pool(setting)))
        found = ranking.ranks(setting)
        for i, query in enumerate(found.query.tolist()):
            values = expected_scores(scores.fusion, *(part[query, pool] for part in dense))
            order = pool[np.lexsort((-tie_order[pool], -values))].tolist()
            relevant = collection.pairs.passage[collection.pairs.query == query].tolist()
            expected = sorted(order.index(row) + 1 for row in relevant if row in order)
            assert found.rank[found.starts[i] : found.starts[i + 1]].tolist() == expected
            top = ranking.best.top(ranking.judged.pool(setting), np.array([query]), 3)
            assert [ids[row] for row in top.passage[0].tolist()] == [ids[row] for row in order[:3]]
            assert top.score[0].tolist() == sorted(values.tolist(), reverse=True)[:3]
        differ += int((ranking.ranks(setting).rank != replace(ranking, alone=None).ranks(setting).rank).sum())
    assert differ > 0, "one ranking would have done"


@pytest.mark.parametrize("method", ["rrf", "interpolation"])
@pytest.mark.parametrize("weight", [0, 1])
def test_all_the_weight_on_one_model_ranks_as_it_does(method, weight):
    """With weight 1 a fusion has the ranks of A in every setting, and with weight 0 those of B."""
    collection = collection_of(4)
    by_itself = rank(collection, parts_of(collection)[1 - weight])
    found = ranking_of(collection, fused(collection, method=method, weight=weight))
    for setting in settings(KINDS, collection.languages):
        assert found.ranks(setting).rank.tolist() == by_itself.ranks(setting).rank.tolist()


@pytest.mark.parametrize("method", ["rrf", "interpolation"])
def test_neither_tiles_nor_shards_change_a_fused_score(method):
    """Over several tiles of queries and passages the counts are the same, also shard by shard."""
    collection = collection_of(7, n_queries=150, n_passages=600)
    scores = fused(collection, method=method)
    assert scores.n_passages > TILE_PASSAGES
    whole, by_shard = (ranking_of(collection, scores, shard_rows=rows) for rows in (10**6, 1))
    assert np.array_equal(whole.above, by_shard.above)
    assert np.array_equal(whole.alone, by_shard.alone)
    products = matrix(scores, np.arange(scores.n_queries), np.arange(scores.n_passages))
    some = np.array([600, 3, 77])
    assert np.array_equal(matrix(scores, np.array([5, 2]), some), products[np.ix_([5, 2], some)])


def test_in_one_language_there_is_one_ranking():
    """The pool of all languages is that of the only one, so that nothing is ranked twice."""
    scores = fused(collection_of(1, n_languages=1))
    assert alone(scores) is scores
    assert alone(scores.parts[0].scores) is scores.parts[0].scores


def test_figures_of_a_fusion_follow_from_its_evidence():
    """The evidence has the second ranking, and the losses, which divide up what one ranking loses, are left out."""
    collection = collection_of(3)
    ranking = ranking_of(collection, fused(collection))
    content = evidence_bytes(ranking)
    read = parse_evidence(content, "evidence")
    assert read.alone.tolist() == ranking.alone.tolist()
    assert evidence_bytes(read) == content
    wanted = settings(KINDS, collection.languages)
    ours, theirs = figures(ranking, wanted, MEASURES), figures(read, wanted, MEASURES)
    assert ours.values == theirs.values
    assert list(ours.summary["multi"]) == list(MEASURES[:-2])
    assert figures(replace(read, alone=None), wanted, MEASURES).values != ours.values


def test_a_fusion_verifies():
    """Full rankings of each pool, scored by trec_eval, agree with the result in every setting and measure."""
    collection = collection_of(6, n_queries=30)
    scores, wanted = fused(collection), settings(KINDS, collection.languages)
    reported = score(ranking_of(collection, scores), wanted, MEASURES)
    found = list(verify(collection, scores, reported, settings=wanted, advance=lambda **done: None))
    assert max(d.difference for d in found) <= 1e-12
    pooled = score(rank(collection, scores, depth=3), wanted, MEASURES[:3])
    wrong = list(verify(collection, scores, pooled, settings=wanted, advance=lambda **done: None))
    assert max(d.difference for d in wrong) > 1e-3


def test_more_passages_than_memory_allows_are_refused(monkeypatch):
    """The message says how much memory it takes, how much there is, and what to do."""
    monkeypatch.setattr(module, "memory_bytes", lambda: 100_000)
    with pytest.raises(EncoderError, match=r"with all \d+ distinct passages in memory, 0.0 GB; expected at most half"):
        fused(collection_of(1))


def test_a_query_without_common_words_is_ranked_by_the_other_model_alone():
    """Where all scores of a model are equal it adds the same to each passage, by either method."""
    texts = [Text("a", "de", "x"), Text("b", "de", "yy"), Text("c", "de", "zzzz")]
    collection = Collection.build(["de"], texts[:1], texts, [])
    first, _ = parts_of(collection)
    flat = TextScores.of(collection, Flat())
    order = np.argsort(-matrix(first, first.query, first.passage)[0], kind="stable").tolist()
    for method in ("rrf", "interpolation"):
        fusion = replace(load("fusion:hash+hash").encoder, method=method)
        scores = FusedScores.of(collection, [first, flat], fusion)
        found = matrix(scores, scores.query, scores.passage)[0]
        assert np.argsort(-found, kind="stable").tolist() == order


class Flat(Biased):
    """Scores of 0, as of BM25 without a common word."""

    def score(self, queries, passages):
        """Nothing in common."""
        return np.zeros((len(queries), len(passages)), np.float32)
