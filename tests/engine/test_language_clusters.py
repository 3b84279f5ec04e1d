"""How far vectors lie by language: neighbours, variance and the first passages of queries, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xlbench.collection import Texts
from xlbench.engine import language_clusters
from xlbench.engine.language_clusters import LanguageClusters
from xlbench.engine.vectors import Embeddings

KNOWN = np.array([True, True])
# Three texts of the first language lie together, one of it among two of the second.
VECTORS = np.array([[9, 0, 0], [9, 1, 0], [9, 0, 1], [0, 9, 0], [0, 9, 1], [1, 9, 0]], np.float32)


def made(vectors: np.ndarray, languages: list[int], row: list[int] | None = None) -> LanguageClusters:
    """The clusters of texts with these vectors."""
    n = len(languages)
    ids, language = tuple(map(str, range(n))), np.array(languages, np.int16)
    row_of = np.arange(n) if row is None else np.array(row)
    return LanguageClusters.of(Texts(ids, ids, language), Embeddings(vectors, row_of))


def test_neighbours_are_the_nearest_others_by_cosine():
    """The share in the text's language, and what its size gives without it."""
    neighbours = made(VECTORS, [0, 0, 0, 0, 1, 1]).neighbours(KNOWN, k=2, sample=10)
    assert neighbours.language.tolist() == [0, 0, 0, 0, 1, 1]
    assert neighbours.own.tolist() == [1, 1, 1, 0, 0.5, 0.5]
    assert neighbours.expected.tolist() == [3 / 5] * 4 + [1 / 5] * 2


def test_the_length_of_a_vector_matters_to_a_query_and_not_to_a_neighbour():
    """A query's first passages are by inner product, as the model scores them."""
    longer = VECTORS * np.array([[1], [1], [1], [1], [1], [100]], np.float32)
    clusters = made(longer, [0, 0, 0, 0, 1, 1])
    assert clusters.neighbours(KNOWN, k=2, sample=10).own.tolist() == [1, 1, 1, 0, 0.5, 0.5]
    first = clusters.first(np.array([[9, 0, 0], [0, 9, 0]], np.float32), 1)
    assert first.tolist() == [[1], [1]]


def test_tiles_change_nothing(monkeypatch):
    """In tiles of any size the same neighbours are found."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 5)).astype(np.float32)
    clusters = made(vectors, [0] * 15 + [1] * 25)
    whole = clusters.neighbours(KNOWN, k=3, sample=99).own
    asked = clusters.first(vectors[:7], 3)
    monkeypatch.setattr(language_clusters, "_COLUMNS_AT_ONCE", 2)
    monkeypatch.setattr(language_clusters, "_ROWS_AT_ONCE", 3)
    assert clusters.neighbours(KNOWN, k=3, sample=99).own.tolist() == whole.tolist()
    assert (np.sort(clusters.first(vectors[:7], 3)) == np.sort(asked)).all()


def test_equal_texts_of_a_language_count_once():
    """A passage that an index has three times is no neighbour of itself."""
    clusters = made(VECTORS[[0, 3, 4]], [0, 0, 0, 1, 1], row=[0, 0, 0, 1, 2])
    assert clusters.language.tolist() == [0, 1, 1]
    assert clusters.neighbours(KNOWN, k=1, sample=9).own.tolist() == [0, 1, 1]


def test_texts_of_no_known_language_are_neighbours_and_are_not_looked_at():
    """They are in the index, and say nothing of languages."""
    neighbours = made(VECTORS, [0, 0, 0, 1, 1, 1]).neighbours(np.array([False, True]), k=2, sample=9)
    assert neighbours.language.tolist() == [1, 1, 1]
    assert neighbours.expected.tolist() == [2 / 5] * 3


def test_variance_is_one_if_languages_are_points_and_chance_if_they_are_drawn():
    """Eta squared of vectors of length 1; random languages explain (L - 1) / (N - 1) in the mean."""
    points = made(np.array([[2, 0], [1, 0], [0, 3], [0, 1]], np.float32), [0, 0, 1, 1])
    assert points.variance(KNOWN) == pytest.approx(1)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 8)).astype(np.float32)
    shares = [made(vectors[rng.permutation(50)], [0] * 20 + [1] * 30).variance(KNOWN) for _ in range(200)]
    assert np.mean(shares) == pytest.approx(1 / 49, rel=0.1)


def test_a_sample_is_the_same_each_time():
    """It follows from the number of texts alone."""
    vectors = np.random.default_rng(1).standard_normal((60, 4)).astype(np.float32)
    clusters = made(vectors, [0] * 30 + [1] * 30)
    first, second = (clusters.neighbours(KNOWN, k=5, sample=7) for _ in range(2))
    assert len(first.own) == 7
    assert first.own.tolist() == second.own.tolist()
