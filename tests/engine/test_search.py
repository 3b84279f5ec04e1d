"""The engine: its counts are those of plain sorting, and nothing but vectors, ids and languages changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import integer_vector, random_collection, torch_threads, vector_scores
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.engine.scores import TILE_PASSAGES, TILE_QUERIES, VectorScores, matrix
from xlbench.engine.search import Work, rank
from xlbench.engine.vectors import Embeddings
from xlbench.errors import DataError
from xlbench.measures.ranks import ALL, ASKED, OWN, Ranking
from xlbench.settings import KINDS, settings


def real_vector(text: str) -> np.ndarray:
    """A text's vector of 50 random floats, of unit length, the same wherever the text stands."""
    vector = np.random.default_rng([*text.encode()]).standard_normal(50)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


VECTORS = pytest.mark.parametrize("vector_of", [integer_vector, real_vector])


@pytest.fixture(scope="module")
def large() -> Collection:
    """A collection of several tiles of queries and several shards of distinct passages."""
    collection = random_collection(np.random.default_rng(7), n_queries=250, n_passages=2400)
    assert len(set(collection.queries.text)) > 1.5 * TILE_QUERIES
    assert len(set(collection.passages.text)) > 2 * TILE_PASSAGES
    return collection


def above(collection: Collection, vector_of: Callable[[str], np.ndarray], **options: int) -> np.ndarray:
    """The table of counts, ``[pairs, languages]``."""
    return ranked(collection, vector_of, **options).above


def sorted_above(collection: Collection, products: np.ndarray) -> np.ndarray:
    """The table of counts by plain sorting: what stands before a passage by score and then by id, descending."""
    by_id = np.argsort(np.array(collection.passages.ids))[::-1]
    pairs = collection.pairs
    found = np.empty((len(pairs), len(collection.languages)), np.int64)
    for row in np.unique(pairs.query):
        ranking = by_id[np.argsort(-products[row, by_id], kind="stable")]
        place = np.argsort(ranking)
        language = collection.passages.language[ranking]
        before = np.stack(
            [np.cumsum(language == i) - (language == i) for i in range(len(collection.languages))], axis=1
        )
        mine = pairs.query == row
        found[mine] = before[place[pairs.passage[mine]]]
    return found


def test_counts_are_those_of_plain_sorting(large):
    """Over several tiles and shards each count is the number of a language's passages that sort before the pair's."""
    products = (
        stacked(large.queries, integer_vector).astype(int) @ stacked(large.passages, integer_vector).astype(int).T
    )
    assert np.array_equal(above(large, integer_vector, shard_rows=1), sorted_above(large, products))


def test_counts_follow_the_scores_where_products_are_rounded(large):
    """Different texts with equal float vectors tie, wherever the product puts them: the counts are those of scores."""

    def vector_of(text: str) -> np.ndarray:
        return real_vector(text[-2:])

    products = products_of(stacked(large.queries, vector_of), stacked(large.passages, vector_of))
    assert np.array_equal(above(large, vector_of, shard_rows=1), sorted_above(large, products))


def products_of(queries: np.ndarray, passages: np.ndarray) -> np.ndarray:
    """The engine's inner products of vectors, ``[q, p]``."""
    rows = np.arange(len(queries)), np.arange(len(passages))
    return matrix(VectorScores(Embeddings(queries, rows[0]), Embeddings(passages, rows[1])), *rows)


def ranked(collection: Collection, vector_of: Callable[[str], np.ndarray], **options: Any) -> Ranking:
    """The ranking of these vectors."""
    return rank(collection, vector_scores(collection, vector_of), **options)


def best_of(collection: Collection, products: np.ndarray, query: int, depth: int, pool: tuple[int, ...]) -> list[int]:
    """The best passages by plain sorting, by score and then by id, descending; -1 where there are fewer."""
    ids = collection.passages.ids
    rows = np.flatnonzero(np.isin(collection.passages.language, pool)).tolist()
    found = sorted(rows, key=lambda row: (products[query, row], ids[row]), reverse=True)[:depth]
    return found + [-1] * (depth - len(found))


BOTH = pytest.mark.parametrize("by_language", [False, True])


@pytest.fixture(scope="module")
def middling() -> Collection:
    """A collection of two shards of distinct passages, with texts repeated within and across languages."""
    collection = random_collection(np.random.default_rng(11), n_queries=30, n_passages=1200)
    assert TILE_PASSAGES < len(set(collection.passages.text)) < 2 * TILE_PASSAGES
    assert len(set(collection.queries.text)) < len(collection.queries)
    return collection


@BOTH
@VECTORS
@pytest.mark.parametrize(("depth", "shard_rows"), [(1, 10**9), (10, 1), (10, 10**9)])
def test_the_best_passages_are_those_of_plain_sorting(middling, vector_of, depth, shard_rows, by_language):
    """The best of each query in the pool, with their scores and languages; ties go by descending id."""
    found = ranked(middling, vector_of, depth=depth, shard_rows=shard_rows, by_language=by_language)
    products = products_of(stacked(middling.queries, vector_of), stacked(middling.passages, vector_of))
    language = middling.passages.language
    for setting in settings(KINDS if by_language else ["multi"], middling.languages):
        pool, asked = found.judged.pool(setting), found.ranks(setting).query
        top = found.best.top(pool, asked, depth)
        for query, passages, score in zip(asked, top.passage.tolist(), top.score, strict=True):
            assert passages == best_of(middling, products, query, depth, pool)
            np.testing.assert_array_equal(score, products[query][passages])
        if setting.kind == "multi":
            np.testing.assert_array_equal(found.pooled(setting).top, language[top.passage])


@BOTH
@pytest.mark.parametrize("depth", [7, 25])
def test_a_depth_beyond_the_pool_keeps_all_of_it(depth, by_language):
    """With more places than passages all are kept, in order, and the places left over are -1 with no score."""
    collection = random_collection(np.random.default_rng(12), n_passages=6)
    found = ranked(collection, integer_vector, depth=depth, by_language=by_language)
    products = stacked(collection.queries, integer_vector) @ stacked(collection.passages, integer_vector).T
    for setting in settings(["cross", "multi"] if by_language else ["multi"], collection.languages):
        pool, asked = found.judged.pool(setting), found.ranks(setting).query
        top = found.best.top(pool, asked, depth)
        expected = [best_of(collection, products, query, depth, pool) for query in asked]
        assert top.passage.tolist() == expected
        assert (np.isneginf(top.score) == (np.array(expected) == -1)).all()
        assert setting.kind == "cross" or np.array_equal(found.pooled(setting).top == -1, top.passage == -1)


@BOTH
def test_a_query_without_a_judged_pair_has_no_best_passages(by_language):
    """Only judged queries are scored: the others have -1 in each place."""
    texts = [Text("a", "de", "x"), Text("b", "de", "y")]
    collection = Collection.build(["de"], texts, texts, [Judgement("a", "b", 1)])
    found = ranked(collection, integer_vector, depth=2, by_language=by_language)
    assert (found.top[0] >= 0).all()
    assert found.top[1].tolist() == [-1, -1]
    assert found.best.top((0,), np.array([1]), 2).passage.tolist() == [[-1, -1]]


@BOTH
@VECTORS
def test_depth_changes_no_count(large, vector_of, by_language):
    """The counts are the same however many of the best passages are kept."""
    expected = above(large, vector_of)
    for depth in (1, 20):
        assert np.array_equal(above(large, vector_of, depth=depth, by_language=by_language), expected)


@BOTH
@VECTORS
def test_shards_and_threads_change_no_best_passage(large, vector_of, by_language):
    """The best passages are the same however many passages are scored at a time, and on however many threads."""
    expected = ranked(large, vector_of, depth=10, by_language=by_language)
    with torch_threads(5):
        found = ranked(large, vector_of, depth=10, by_language=by_language, shard_rows=1)
    assert_same_best(found, expected)


def assert_same_best(found: Ranking, expected: Ranking) -> None:
    """The same passages were kept, with the same scores."""
    assert np.array_equal(found.best.order, expected.best.order)
    assert np.array_equal(found.best.score, expected.best.score)
    assert np.array_equal(found.top, expected.top)


def stacked(texts: Texts, vector_of: Callable[[str], np.ndarray]) -> np.ndarray:
    """The vector of each text, repeated where the text is."""
    return np.stack([vector_of(text) for text in texts.text])


@VECTORS
@pytest.mark.parametrize("shard_rows", [1, TILE_PASSAGES, TILE_PASSAGES + 1, 10**9])
def test_the_size_of_a_shard_changes_nothing(large, vector_of, shard_rows):
    """The counts are the same however many passages are scored at a time."""
    assert np.array_equal(above(large, vector_of, shard_rows=shard_rows), above(large, vector_of))


@VECTORS
@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(large, vector_of, n_threads):
    """The counts are the same on one thread, two, or more than there are cores."""
    with torch_threads(3):
        expected = above(large, vector_of)
    with torch_threads(n_threads):
        assert np.array_equal(above(large, vector_of), expected)


@VECTORS
def test_the_order_of_texts_and_languages_changes_nothing(large, vector_of):
    """Queries, passages and languages in another order give each pair the same counts."""
    rng = np.random.default_rng(1)
    queries, passages = records(large, large.queries), records(large, large.passages)
    rng.shuffle(queries)
    rng.shuffle(passages)
    shuffled = Collection.build(sorted(large.languages), queries, passages, judgements(large))
    assert shuffled.languages != large.languages
    assert by_id(shuffled, above(shuffled, vector_of)) == by_id(large, above(large, vector_of))


@VECTORS
def test_other_queries_change_nothing(large, vector_of):
    """A query's pairs have the same counts if it is evaluated with a third of the other queries."""
    kept = records(large, large.queries)[::3]
    ids = {query.id for query in kept}
    passages, judged = records(large, large.passages), [j for j in judgements(large) if j.query in ids]
    fewer = Collection.build(large.languages, kept, passages, judged)
    found, expected = by_id(fewer, above(fewer, vector_of)), by_id(large, above(large, vector_of))
    assert found == {pair: expected[pair] for pair in found}
    assert 0 < len(found) < len(expected)


def records(collection: Collection, texts: Texts) -> list[Text]:
    """These texts as a reader yields them."""
    languages = (collection.languages[language] for language in texts.language)
    return list(map(Text, texts.ids, languages, texts.text))


def judgements(collection: Collection) -> list[Judgement]:
    """The pairs as a reader yields them."""
    pairs = collection.pairs
    queries = (collection.queries.ids[row] for row in pairs.query)
    passages = (collection.passages.ids[row] for row in pairs.passage)
    return list(map(Judgement, queries, passages, pairs.gain.tolist()))


def by_id(collection: Collection, counts: np.ndarray) -> dict[tuple[str, str], dict[str, int]]:
    """The counts by ids and name of the language."""
    named = (dict(zip(collection.languages, line.tolist(), strict=True)) for line in counts)
    return {(j.query, j.passage): line for j, line in zip(judgements(collection), named, strict=True)}


@pytest.mark.parametrize("dimensions", [1, 50, 384])
@pytest.mark.parametrize(
    ("n_queries", "n_passages"), [(1, 1), (3, 5), (TILE_QUERIES + 1, TILE_PASSAGES - 1), (300, 2 * TILE_PASSAGES + 3)]
)
def test_a_score_depends_on_its_two_vectors_alone(n_queries, n_passages, dimensions):
    """A score is the same bits wherever its query and passage stand and whatever stands beside them."""
    rng = np.random.default_rng(3)
    queries = rng.standard_normal((n_queries, dimensions)).astype(np.float32)
    passages = rng.standard_normal((n_passages, dimensions)).astype(np.float32)
    all_at_once = products_of(queries, passages)
    assert all_at_once.shape == (n_queries, n_passages)
    np.testing.assert_allclose(all_at_once, queries.astype(float) @ passages.T.astype(float), rtol=0, atol=1e-4)
    for _ in range(3):
        q, p = rng.permutation(n_queries), rng.permutation(n_passages)
        assert np.array_equal(products_of(queries[q], passages[p]), all_at_once[np.ix_(q, p)])
        few_q, few_p = q[: rng.integers(1, n_queries + 1)], p[: rng.integers(1, n_passages + 1)]
        assert np.array_equal(products_of(queries[few_q], passages[few_p]), all_at_once[np.ix_(few_q, few_p)])


def test_equal_vectors_have_equal_scores():
    """Passages with one vector tie for every query, in whichever column of a tile they stand."""
    rng = np.random.default_rng(4)
    queries, passage = rng.standard_normal((9, 384)).astype(np.float32), rng.standard_normal(384).astype(np.float32)
    found = products_of(queries, np.tile(passage, (TILE_PASSAGES + 100, 1)))
    assert (found == found[:, :1]).all()


def test_no_pairs_give_an_empty_table():
    """A collection without judgements has nothing to count, and no error."""
    texts = [Text("a", "de", "x")]
    assert above(Collection.build(["de", "en"], texts, texts, []), integer_vector).shape == (0, 2)


@pytest.mark.parametrize(
    ("ids", "order"),
    [
        (("10", "9", "100"), [0, 2, 1]),
        (("a", "B", "é", "z", "中"), [1, 0, 3, 2, 4]),
        (("a#0", "a"), [1, 0]),
        (("\uffff", "\U00010000"), [0, 1]),
    ],
)
def test_ties_go_by_id_as_text(ids, order):
    """Of equal scores the id that is later as text, not as a number, ranks first: by code point, as by UTF-8 byte."""
    texts = Texts(ids, ids, np.zeros(len(ids), np.int16))
    assert texts.tie_order.tolist() == order
    assert sorted(ids) == sorted(ids, key=str.encode)


def test_the_first_of_tied_passages_is_the_one_with_the_last_id():
    """Five passages of one text rank by descending id, also across languages and shards of equal copies."""
    passages = [Text(id_, language, "same") for language, id_ in zip("aabbb", ["10", "9", "1", "é", "99"], strict=True)]
    judged = [Judgement("q", passage.id, 1) for passage in passages]
    collection = Collection.build(["a", "b"], [Text("q", "a", "same")], passages, judged)
    found = {
        id_: sum(counts.values()) for (_, id_), counts in by_id(collection, above(collection, real_vector)).items()
    }
    assert sorted(found, key=found.__getitem__) == ["é", "99", "9", "10", "1"]
    assert sorted(found.values()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("change", ["precision", "dtype", "device"])
def test_what_an_encoder_does_to_torch_changes_no_score(change):
    """Encoders ask torch for faster products or another default type; the engine's stay float32 on the CPU."""
    rng = np.random.default_rng(5)
    queries, passages = (rng.standard_normal((n, 64)).astype(np.float32) for n in (3, 700))
    expected = products_of(queries, passages)
    try:
        if change == "precision":
            torch.set_float32_matmul_precision("medium")
        elif change == "dtype":
            torch.set_default_dtype(torch.bfloat16)
        else:
            torch.set_default_device("meta")
        np.testing.assert_array_equal(products_of(queries, passages), expected)
        assert torch.get_float32_matmul_precision() == ("medium" if change == "precision" else "highest")
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


@VECTORS
@pytest.mark.parametrize(("stop_at", "by_language"), [(0, False), (1, True), (2, False)])
def test_counting_that_was_interrupted_goes_on(large, vector_of, stop_at, by_language, tmp_path, monkeypatch):
    """After an end behind any shard, only the others are counted, with the same counts and best passages."""
    monkeypatch.setattr("xlbench.support.checkpoint._SAVE_EVERY_S", 0.0)
    options = {"depth": 5, "shard_rows": 1, "by_language": by_language}
    undisturbed = ranked(large, vector_of, **options)
    checkpoint = tmp_path / "counts.npz"
    told: list[tuple[int, bool]] = []

    def advance(*, texts: int, characters: int, stored: bool) -> None:
        told.append((texts, stored))
        assert characters == texts
        if len(told) == stop_at + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ranked(large, vector_of, **options, work=Work(checkpoint, advance))
    assert checkpoint.exists()
    done = sum(texts for texts, _ in told)
    told.clear()
    stop_at = -1
    found = ranked(large, vector_of, **options, work=Work(checkpoint, advance))
    assert told[0] == (done, True)
    assert not any(stored for _, stored in told[1:])
    assert sum(texts for texts, _ in told) == len(large.passages.distinct)
    assert np.array_equal(found.above, undisturbed.above)
    assert_same_best(found, undisturbed)
    assert not checkpoint.exists()


def test_the_counts_of_other_scores_are_not_taken_up(large, tmp_path, monkeypatch):
    """A checkpoint of other vectors, of the same texts, is of other work: its counts are not used."""
    monkeypatch.setattr("xlbench.support.checkpoint._SAVE_EVERY_S", 0.0)
    checkpoint = tmp_path / "counts.npz"

    def stop(*, texts: int, characters: int, stored: bool) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ranked(large, integer_vector, shard_rows=1, work=Work(checkpoint, stop))
    found = ranked(large, real_vector, shard_rows=1, work=Work(checkpoint))
    assert np.array_equal(found.above, above(large, real_vector))


@pytest.mark.parametrize("vector_of", [integer_vector, real_vector])
@pytest.mark.parametrize("options", [{}, {"shard_rows": TILE_PASSAGES}, {"depth": 5, "by_language": True}])
@pytest.mark.parametrize("device", [None, "cpu"])
def test_sums_are_those_of_the_table(large, vector_of, options, device):
    """Of the passage's language, of the query's and of all, whoever counts, in one shard or several."""
    scores = replace(vector_scores(large, vector_of), device=device)
    whole, sums = rank(large, scores, **options), rank(large, scores, sums=True, **options)
    own, asked = whole.judged.passage_language, whole.judged.query_language[whole.judged.query]
    rows = np.arange(len(own))
    assert sums.above[:, OWN].tolist() == whole.above[rows, own].tolist()
    assert sums.above[:, ASKED].tolist() == whole.above[rows, asked].tolist()
    assert sums.above[:, ALL].tolist() == whole.above.sum(axis=1).tolist()
    assert sums.top.tolist() == whole.top.tolist()
    assert sums.has_sums
    assert not whole.has_sums


def test_a_table_of_sums_has_no_counts_of_each_language(large):
    """What needs them is refused in a sentence with what to do."""
    sums = rank(large, vector_scores(large, integer_vector), sums=True)
    with pytest.raises(DataError, match="Choose fewer languages"):
        _ = sums.table
