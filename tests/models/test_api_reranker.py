"""Rerankers behind an HTTP API, against a server on loopback that misbehaves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_api_server import KEY, score_of, serving
from xlbench.errors import EncoderError
from xlbench.models.load import load_reranking

pytest.importorskip("openai", reason="openai is not installed")

QUERIES = ["who is it", "what is it", "who is it", "who is it", "what is it"]
PASSAGES = ["it is me", "it is a stone", "nobody", "who knows", "what"]


@pytest.fixture
def api(monkeypatch):
    """The server."""
    with serving(monkeypatch) as api:
        yield api


def reranker(api, **arguments):
    """The reranker that the server calls mine."""
    given = {"base_url": api.url, "timeout": 0.3, "retries": 1, **arguments}
    return load_reranking("cohere:mine", arguments=given).reranker


@pytest.mark.parametrize(("batch_texts", "n_requests"), [(100, 2), (2, 3), (1, 5)])
def test_scores_are_in_the_order_of_the_pairs(api, batch_texts, n_requests):
    """Pairs of a query are asked together, whatever the order of the answer."""
    scores = reranker(api, batch_texts=batch_texts).score_pairs(QUERIES, PASSAGES)
    expected = [score_of(query, passage) for query, passage in zip(QUERIES, PASSAGES, strict=True)]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert len([body for body in api.bodies if body["query"] in QUERIES]) == n_requests


@pytest.mark.parametrize(
    ("fault", "said"),
    [("missing", "gave 2 scores for 3 passages"), ("400", "refuses the request (400"), ("401", "key")],
)
def test_what_does_not_pass_is_one_sentence_without_the_key(api, monkeypatch, fault, said):
    """As of an encoder."""
    monkeypatch.setenv("XLBENCH_API_KEY", KEY)
    ours = reranker(api, concurrency=1)
    api.faults += [fault]
    with pytest.raises(EncoderError) as caught:
        ours.score_pairs(QUERIES, PASSAGES)
    assert said in str(caught.value)
    assert KEY not in str(caught.value)


def test_the_probe_stands_for_a_revision(api):
    """It is asked for when the reranker is named, and part of the key of its scores."""
    reranking = load_reranking("cohere:mine", arguments={"base_url": api.url})
    assert reranking.key()["revision"] == reranker(api).revision
    assert reranking.reranker.revision.startswith("probe:")


def test_cohere_asks_for_its_own_key(monkeypatch):
    """The sentence names the variable."""
    monkeypatch.delenv("CO_API_KEY", raising=False)
    with pytest.raises(EncoderError, match=r"api.cohere.com asks for a key: .*CO_API_KEY"):
        load_reranking("cohere:rerank-v3.5")
