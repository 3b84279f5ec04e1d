"""Several representations from one encoding: each is scored as if it were alone, and so is their weighted sum."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.conftest import random_collection, torch_threads
from tests.engine.made_representations import LateMade, SeveralMade, SparseMade, product, terms_of
from xlbench.engine.model_scores import from_store, score_collection, vectors_of, warnings_of
from xlbench.engine.scores import matrix
from xlbench.engine.search import rank
from xlbench.errors import EncoderError, UsageError
from xlbench.models.compression import Compression
from xlbench.models.mixture import Mixture, parse
from xlbench.models.protocols import Model
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, settings

COLLECTION = random_collection(np.random.default_rng(4), n_queries=8, n_passages=30)
MODEL = Model(SeveralMade(), "made", {})


@cache
def of_texts(query: str, passage: str) -> dict[str, float]:
    """The score of each representation, from the definition."""
    dense = float(terms_of(query)[:3] @ terms_of(passage)[:3])
    return {
        "dense": dense,
        "sparse": product(query, passage, SparseMade),
        "late": product(query, passage, LateMade),
    }


def expected(mixture: Mixture) -> np.ndarray:
    """All scores from the definition."""
    weights = mixture.weight_of(SeveralMade.representation)
    rows = []
    for query in COLLECTION.queries.text:
        scores = [of_texts(query, passage) for passage in COLLECTION.passages.text]
        rows.append([sum(weight * of[name] for name, weight in weights.items()) for of in scores])
    return np.array(rows)


@pytest.mark.parametrize("name", ["dense", "sparse", "late", "sum", "sum:2,0.5,4"])
def test_scores_are_those_of_the_definition(name, tmp_path):
    """Of one, of the equal sum and of a weighted one (by powers of 2, so that it is exact); also from the store."""
    mixture = parse(name)
    scores_of_it = expected(mixture)
    for folder in (None, tmp_path, tmp_path):
        scores = score_collection(COLLECTION, replace(MODEL, mixture=mixture), cache_dir=folder)
        assert np.array_equal(matrix(scores, scores.query, scores.passage), scores_of_it)
        some = np.array([5, 12, 3])
        chosen = matrix(scores.select(some), np.arange(scores.n_queries), np.arange(3))
        assert np.array_equal(chosen, matrix(scores, np.arange(scores.n_queries), some))
    assert "of them were encoded again and agree" in from_store(scores)


def test_all_are_stored_by_one_encoding(tmp_path):
    """Three results and their sum encode each text once, but for the probes; a lost file is encoded again."""
    encoder = SeveralMade()
    n_texts = len({*COLLECTION.queries.text}) + len({*COLLECTION.passages.text})
    n_probed = 7
    for i, name in enumerate(["dense", "sparse", "late", "sum"]):
        score_collection(COLLECTION, Model(encoder, "made", {}, mixture=parse(name)), cache_dir=tmp_path)
        assert len(encoder.texts) == n_texts + n_probed * i
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.np*")}
    assert {path.suffix for path in files} == {".npy", ".npz"}
    lost = next(path for path in files if path.suffix == ".npz")
    lost.unlink()
    score_collection(COLLECTION, replace(MODEL, mixture=Mixture("dense")), cache_dir=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.np*")} == files


def test_a_changed_representation_is_found_out(tmp_path):
    """The probe compares each of them."""
    score_collection(COLLECTION, replace(MODEL, mixture=Mixture("dense")), cache_dir=tmp_path)

    class Changed(SeveralMade):
        def encode_queries(self, texts):
            rows = super().encode_queries(texts)
            return {**rows, "sparse": rows["sparse"] * np.float32(1.01)}

    with pytest.raises(EncoderError, match="is not what the model gives now"):
        score_collection(COLLECTION, Model(Changed(), "made", {}, mixture=Mixture("dense")), cache_dir=tmp_path)


def test_counts_are_the_same_whatever_the_shards_and_threads():
    """Of the sum: one passage tile at a time or all at once; its values are those of a matrix of its scores."""
    scores = score_collection(COLLECTION, replace(MODEL, mixture=Mixture("sum")), cache_dir=None)
    whole = rank(COLLECTION, scores, depth=5)
    for n_threads in (1, 2):
        with torch_threads(n_threads):
            parts = rank(COLLECTION, scores, depth=5, shard_rows=1)
        assert np.array_equal(parts.above, whole.above)
    assert all(of.values for of in score(whole, settings(KINDS, COLLECTION.languages), ["AP"]))


def test_one_dense_representation_is_a_dense_model_like_any_other():
    """It can be made smaller, and it has vectors; a sum cannot, and has none."""
    dense = replace(MODEL, mixture=Mixture("dense"), compression=Compression(2))
    assert vectors_of(score_collection(COLLECTION, dense, cache_dir=None)).passages.vectors.shape[1] == 2
    whole = replace(MODEL, mixture=Mixture("sum"))
    scores = score_collection(COLLECTION, whole, cache_dir=None)
    assert vectors_of(scores) is None
    assert warnings_of(scores) == []
    with pytest.raises(EncoderError, match="does not give one dense vector a text"):
        score_collection(COLLECTION, replace(whole, compression=Compression(2)), cache_dir=None)


@pytest.mark.parametrize(
    ("encoder", "mixture", "said"),
    [
        (SeveralMade(), None, "gives dense, sparse, late representations from one encoding: say which"),
        (SparseMade(), Mixture("sparse"), "gives one representation alone"),
        (SeveralMade(), Mixture("sum", (1.0, 2.0)), "has 2 weights; expected one for each of dense, sparse, late"),
    ],
)
def test_what_is_to_be_scored_must_be_said_and_be_there(encoder, mixture, said):
    """Before a text is encoded."""
    with pytest.raises(EncoderError, match=said):
        score_collection(COLLECTION, Model(encoder, "made", {}, mixture=mixture), cache_dir=None)
    assert getattr(encoder, "texts", []) == []


@pytest.mark.parametrize("name", ["dens", "sum:", "sum:1,x", "sum:1,-1,1", "sum:0,0,0", "late:1", "sum:nan,1,1", ""])
def test_what_names_no_representation_is_refused(name):
    """With what was expected."""
    with pytest.raises(UsageError, match=r"expected dense, sparse, late, sum, or sum:0.4,0.2,0.4"):
        parse(name)


@pytest.mark.parametrize("answer", [{"dense": 1}, np.zeros((1, 3))])
def test_another_answer_is_refused(answer):
    """A dict with other names, or none."""

    class Other(SeveralMade):
        def encode_queries(self, texts):
            return answer

    with pytest.raises(EncoderError, match="expected a dict with dense, sparse, late"):
        score_collection(COLLECTION, Model(Other(), "made", {}, mixture=Mixture("dense")), cache_dir=None)
