"""Measures: equal to trec_eval's for every query of every setting, from the counts of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import integer_vector, random_collection, torch_threads, vector_scores
from xlbench import catalogue
from xlbench.collection import Collection
from xlbench.engine.search import rank
from xlbench.errors import UnknownNameError
from xlbench.measures import get
from xlbench.measures.ranks import Ranking, Ranks
from xlbench.models.hash import HashEncoder
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, Setting, settings

VectorOf = Callable[[str], np.ndarray]

CUTOFFS = (1, 2, 5, 10, 20, 100)
TREC_FAMILIES = {"AP": "map_cut", "R": "recall", "P": "P", "Success": "success", "nDCG": "ndcg_cut"}
TREC_NAMES = {"AP": "map", "nDCG": "ndcg", "RR": "recip_rank"} | {
    f"{family}@{k}": f"{name}_{k}" for family, name in TREC_FAMILIES.items() for k in CUTOFFS
}
TREC_REQUEST = {"map", "ndcg", "recip_rank"} | {
    f"{name}.{','.join(map(str, CUTOFFS))}" for name in TREC_FAMILIES.values()
}
MEASURES = [*TREC_NAMES, *(f"RR@{k}" for k in CUTOFFS)]


def assert_equals_trec_eval(
    collection: Collection, ranking: Ranking, vector_of: VectorOf, wanted: Sequence[Setting]
) -> int:
    """Asserts that each measure of each query is trec_eval's, and returns how many settings have queries."""
    scored = {scores.setting: scores for scores in score(ranking, wanted, MEASURES)}
    for setting in wanted:
        expected = dict(trec_eval(collection, setting, vector_of))
        if not expected:
            assert setting not in scored
            continue
        found = scored[setting]
        assert list(found.query) == list(expected)
        assert list(found.values) == MEASURES
        for measure in MEASURES:
            by_trec_eval = np.array([values[measure] for values in expected.values()])
            assert np.abs(found.values[measure] - by_trec_eval).max() <= 1e-12, (str(setting), measure)
    return len(scored)


def trec_eval(collection: Collection, setting: Setting, vector_of: VectorOf) -> Iterator[tuple[str, dict[str, float]]]:
    """trec_eval's values for each query of a setting, from full rankings by plain products of whole numbers."""
    languages = np.array(collection.languages)
    in_pool = np.full(len(collection.passages), True)
    if setting.passages is not None:
        in_pool = languages[collection.passages.language] == setting.passages
    asked = languages[collection.queries.language] == setting.query
    qrels: dict[str, dict[str, int]] = {}
    pairs = collection.pairs
    for pair in np.flatnonzero(asked[pairs.query] & in_pool[pairs.passage]):
        query, passage = collection.queries.ids[pairs.query[pair]], collection.passages.ids[pairs.passage[pair]]
        qrels.setdefault(query, {})[passage] = int(pairs.gain[pair])
    text = dict(zip(collection.queries.ids, collection.queries.text, strict=True))
    ids = [collection.passages.ids[row] for row in np.flatnonzero(in_pool)]
    pool = np.stack([vector_of(collection.passages.text[row]) for row in np.flatnonzero(in_pool)])
    for start in range(0, len(qrels), 50):
        some = list(qrels)[start : start + 50]
        products = np.stack([vector_of(text[query]) for query in some]) @ pool.T
        run = {query: dict(zip(ids, line.tolist(), strict=True)) for query, line in zip(some, products, strict=True)}
        evaluator = pytrec_eval.RelevanceEvaluator({query: qrels[query] for query in some}, TREC_REQUEST)
        for query, found in evaluator.evaluate(run).items():
            reciprocal = found["recip_rank"]
            # trec_eval has no recip_rank_cut.
            cut = {f"RR@{k}": reciprocal if round(1 / reciprocal) <= k else 0.0 for k in CUTOFFS}
            yield query, {measure: found[name] for measure, name in TREC_NAMES.items()} | cut


@hypothesis_settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_languages=st.integers(1, 4),
    n_queries=st.integers(1, 12),
    n_passages=st.integers(1, 60),
)
def test_every_measure_in_every_setting_equals_trec_eval(seed, n_languages, n_queries, n_passages):
    """On random collections full of ties each query's values are trec_eval's, and the same queries are absent."""
    rng = np.random.default_rng(seed)
    collection = random_collection(rng, n_languages=n_languages, n_queries=n_queries, n_passages=max(n_passages, 5))
    ranking = rank(collection, vector_scores(collection, integer_vector))
    assert assert_equals_trec_eval(collection, ranking, integer_vector, settings(KINDS, collection.languages))


def test_the_random_collections_have_what_makes_ranking_hard():
    """What the property above is tried on has ties, repeated texts, graded gains and queries absent from a pool."""
    collection = random_collection(np.random.default_rng(0))
    assert len(set(collection.passages.text)) < len(collection.passages)
    assert set(collection.pairs.gain) == {1, 2, 3}
    assert not all(id_.isascii() for id_ in collection.passages.ids)
    by_number = sorted(collection.passages.rows(0).indices(len(collection.passages))[:2])
    assert list(collection.passages.ids[slice(*by_number)]) != sorted(collection.passages.ids[slice(*by_number)])
    ranking = rank(collection, vector_scores(collection, integer_vector))
    sizes = {len(ranking.ranks(setting)) for setting in settings(["mono", "cross"], collection.languages)}
    assert min(sizes) < len(collection.queries.rows(0).indices(99))
    products = [integer_vector(collection.queries.text[0]) @ integer_vector(text) for text in collection.passages.text]
    assert len(set(products)) < 10


@pytest.fixture(scope="module")
def xquad_r(real_data, tmp_path_factory) -> tuple[Collection, Ranking, VectorOf]:
    """XQuAD-R ranked by trigram counts rounded to whole numbers, whose products are exact in any order."""
    task = catalogue.load("xquad-r")
    collection = catalogue.read_collection(
        task, languages=task.languages, data_dir=real_data, cache_dir=tmp_path_factory.mktemp("cache")
    )
    texts = sorted({*collection.queries.text, *collection.passages.text})
    vectors = dict(zip(texts, np.rint(1024 * HashEncoder(dimensions=256).encode_passages(texts)), strict=True))
    vector_of = vectors.__getitem__
    scores = vector_scores(collection, vector_of)
    with torch_threads(1):
        return collection, rank(collection, scores), vector_of


@pytest.mark.real_data
@pytest.mark.parametrize(
    "names",
    [
        ("ar>ar", "de>de", "el>el", "en>en", "es>es", "hi>hi", "ru>ru", "th>th", "tr>tr", "vi>vi", "zh>zh"),
        ("de>en", "ar>th", "el>zh"),
        ("tr>*",),
    ],
    ids=KINDS,
)
def test_every_measure_on_xquad_r_equals_trec_eval(xquad_r, names):
    """On XQuAD-R all monolingual settings, some cross-lingual and a multilingual one equal trec_eval query by query."""
    collection, ranking, vector_of = xquad_r
    by_name = {str(setting): setting for setting in settings(KINDS, collection.languages)}
    assert assert_equals_trec_eval(collection, ranking, vector_of, [by_name[name] for name in names]) == len(names)


def ranks_of(*queries: dict[int, int]) -> Ranks:
    """Ranks of queries given as gains by ascending rank."""
    return Ranks(
        query=np.arange(len(queries), dtype=np.int32),
        starts=np.cumsum([0, *map(len, queries)], dtype=np.int64),
        rank=np.array([rank for query in queries for rank in query], np.int64),
        gain=np.array([gain for query in queries for gain in query.values()], np.int16),
        language=np.zeros(sum(map(len, queries)), np.int16),
    )


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("AP", [(1 / 2 + 2 / 4) / 2, 1.0]),
        ("AP@3", [(1 / 2) / 2, 1.0]),
        ("R@3", [1 / 2, 1.0]),
        ("P@3", [1 / 3, 1 / 3]),
        ("Success@1", [0.0, 1.0]),
        ("RR", [1 / 2, 1.0]),
        ("RR@1", [0.0, 1.0]),
        ("nDCG", [(1 / np.log2(3) + 3 / np.log2(5)) / (3 + 1 / np.log2(3)), 1.0]),
        ("nDCG@2", [(1 / np.log2(3)) / (3 + 1 / np.log2(3)), 1.0]),
        ("nDCG@1", [0.0, 1.0]),
    ],
)
def test_values_by_hand(measure, values):
    """A query with gains 1 and 3 at ranks 2 and 4, and one whose only relevant passage is first."""
    ranks = ranks_of({2: 1, 4: 3}, {1: 2})
    assert get(measure).value(ranks) == pytest.approx(values, rel=1e-15)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_setting_without_queries_has_no_values(measure):
    """Of no ranks every measure gives no value, and no warning."""
    assert get(measure).value(ranks_of()).shape == (0,)


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_prints_as_it_is_parsed(name):
    """The name of a measure is its one spelling."""
    assert str(get(name)) == name


@pytest.mark.parametrize(
    "name",
    ["", "MAP", "ap", "AP@0", "AP@-1", "AP@1.5", "AP@01", "AP@", "R", "P", "Success", "nDCG@10 ", "R@9999999999"],
)
def test_other_names_are_no_measures(name):
    """A name that is not spelt as ir_measures spells it, or lacks the cut-off it needs, is an error."""
    with pytest.raises(UnknownNameError, match="Unknown measure"):
        get(name)


def test_an_unknown_measure_gets_a_suggestion():
    """The nearest measure is suggested."""
    with pytest.raises(UnknownNameError, match=r"Did you mean 'nDCG@10'\?"):
        get("NDCG@10")
