"""Rerankers: a cross-encoder's scores are the library's own, and what cannot rerank is refused."""

from __future__ import annotations

import numpy as np
import pytest

import xlbench
from tests.models.made_models import TEXTS, make_bert, make_network, make_sentence_bert, one_thread
from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models import load, load_reranking


def make_cross_encoder(folder, *, n_labels=1):
    """A tiny model for sequence classification."""
    from transformers import BertConfig, BertForSequenceClassification

    class Config(BertConfig):
        def __init__(self, **options):
            super().__init__(**{"num_labels": n_labels, **options})

    return str(make_network(folder, BertForSequenceClassification, Config))


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory) -> str:
    """A tiny reranker."""
    return make_cross_encoder(tmp_path_factory.mktemp("models") / "cross")


@pytest.mark.parametrize("batch_tokens", [None, 8])
def test_scores_are_the_logits_of_the_library(cross_encoder, batch_tokens):
    """Whatever the batch; pairs come in any order and length."""
    import torch
    from sentence_transformers import CrossEncoder

    arguments = {"batch_tokens": batch_tokens} if batch_tokens else {}
    reranking = load_reranking(cross_encoder, arguments=arguments)
    queries, passages = TEXTS, TEXTS[::-1]
    with one_thread():
        found = reranking.reranker.score_pairs(queries, passages)
        library = CrossEncoder(cross_encoder, device="cpu")
        expected = [
            float(library.predict([pair], activation_fn=torch.nn.Identity(), show_progress_bar=False)[0])
            for pair in zip(queries, passages, strict=True)
        ]
    assert np.abs(found - np.array(expected)).max() < 1e-5


def test_more_tokens_than_the_network_has_positions_for_are_refused(cross_encoder):
    """By the rule of all folders."""
    with pytest.raises(EncoderError, match=r"max_length is 600, but .* takes 24 tokens at most"):
        load_reranking(cross_encoder, arguments={"max_length": 600}).reranker.score_pairs(["one"], ["two"])


def test_a_fusion_cannot_be_the_first_stage():
    """It is said before anything is encoded."""
    with pytest.raises(EncoderError, match="so that --rerank cannot make another order of them"):
        xlbench.evaluate("fusion:hash+bm25", "demo", rerank=Longest(), cache=None, quiet=True)


def test_a_reranker_names_the_result_and_its_key(cross_encoder):
    """By its name, the depth, and what the candidates are of."""
    reranking = load_reranking(cross_encoder, depth=7, among="language")
    record = reranking.identity({"name": "first", "revision": "1"})
    assert record["name"] == "first+cross@7-of-each"
    assert record["reranker"]["revision"].startswith("sha256:")
    assert (record["reranker"]["depth"], record["reranker"]["among"]) == (7, "language")
    assert reranking.key()["fingerprint"] == "1"


def test_what_encodes_texts_one_by_one_cannot_rerank(tmp_path):
    """A dense model as --rerank; and a reranker as --model cannot search."""
    dense = make_sentence_bert(tmp_path / "dense")
    bare = make_bert(tmp_path / "bare")
    for folder in (dense, bare):
        with pytest.raises(EncoderError, match="it cannot rerank"):
            load_reranking(str(folder))
    with pytest.raises(EncoderError, match="cannot search by itself"):
        load(make_cross_encoder(tmp_path / "cross"))


def test_a_classifier_is_refused(tmp_path):
    """Three numbers a pair are no score."""
    reranking = load_reranking(make_cross_encoder(tmp_path / "three", n_labels=3))
    with pytest.raises(EncoderError, match="expected one number a pair"):
        reranking.reranker.score_pairs(["one"], ["two"])


def test_an_untrained_head_is_refused(tmp_path):
    """A network that says to be a classifier and has no weights for it."""
    import json

    folder = make_bert(tmp_path / "bare")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["BertForSequenceClassification"]}))
    with pytest.raises(EncoderError, match="it lacks 2 weights"):
        load_reranking(str(folder)).reranker.score_pairs(["one"], ["two"])


@pytest.mark.parametrize("name", ["./absent", "no reranker", "tests.models.made_models:one_thread"])
def test_a_name_of_nothing_is_refused(name):
    """With what was expected."""
    with pytest.raises((EncoderError, UnknownNameError), match="expected"):
        load_reranking(name)


class Longest:
    """Likes long passages."""

    name, revision = "longest", "1"

    def score_pairs(self, queries, passages):
        """The length of each passage."""
        del queries
        return np.array([len(passage) for passage in passages], np.float32)


def test_an_object_reranks_and_the_result_says_the_bound():
    """No reranker finds what the first stage did not."""
    options = {"languages": ["de", "en"], "cache": None, "quiet": True}
    first = xlbench.evaluate("hash", "demo", **options)
    for among in ("pool", "language"):
        found = xlbench.evaluate("hash", "demo", rerank=Longest(), depth=10, among=among, **options)
        assert found.model["name"] == f"hash+longest@10{'-of-each' if among == 'language' else ''}"
        bound = found.environment["recall_of_candidates"]
        for kind in ("mono", "multi"):
            assert found.value(kind, "R@10") <= bound[kind] + 1e-12
        assert bound["mono"] == pytest.approx(first.value("mono", "R@10"))
        assert found.value("mono", "R@100") == pytest.approx(first.value("mono", "R@100"))
    assert bound["multi"] >= first.value("multi", "R@10")


def test_it_is_loaded_by_its_class():
    """As an encoder of one's own is."""
    reranking = load_reranking("tests.models.test_reranker:Longest")
    assert reranking.reranker.score_pairs(["a"], ["bcd"]).tolist() == [3]
    assert len(reranking.fingerprint) == 12
