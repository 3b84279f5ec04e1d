"""Encoders behind an HTTP API, against a server on loopback that misbehaves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_api_server import KEY, serving, vector_of
from tests.models.made_models import unit
from xlbench.errors import EncoderError, UnknownNameError, UsageError
from xlbench.models.load import load

pytest.importorskip("openai", reason="openai is not installed")

TEXTS = [f"text number {i}" for i in range(10)]
EXPECTED = unit(np.array([vector_of(text, 6) for text in TEXTS]))


@pytest.fixture
def api(monkeypatch):
    """The server."""
    with serving(monkeypatch) as api:
        yield api


def model(api, **arguments):
    """The model that the server calls mine, four texts a request."""
    return load("openai:mine", arguments={"base_url": api.url, "batch_texts": 4, "timeout": 0.3, **arguments})


def test_vectors_are_in_the_order_of_the_texts_and_of_length_1(api):
    """However many requests they take, and however many are open at once."""
    encoder = model(api).encoder
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), EXPECTED, atol=1e-6)
    assert sorted(len(body["input"]) for body in api.bodies[1:]) == [2, 4, 4]
    assert {body["model"] for body in api.bodies} == {"mine"}


@pytest.mark.parametrize("fault", ["429", "500", "503", "half", "hang", "order"])
def test_what_passes_is_asked_for_again(api, fault):
    """A server that is busy, fails, breaks off or hangs once or twice gives the same vectors in the end."""
    encoder = model(api).encoder
    api.faults += [fault, "", fault]
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), EXPECTED, atol=1e-6)
    assert len(api.bodies) == 4 + (0 if fault == "order" else 2)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("429", "is busy, or has had enough of this key (429: 429 it is, Bearer [key])"),
        ("500", "failed 2 times (500: 500 it is, Bearer [key])"),
        ("400", "refuses the request (400: 400 it is, Bearer [key]): check the model's name and --base-url"),
        ("404", "refuses the request (404: 404 it is, Bearer [key]): check the model's name and --base-url"),
        ("401", "refuses the key in XLBENCH_API_KEY (401)"),
        ("403", "refuses the key in XLBENCH_API_KEY (403)"),
        ("half", "broke off 2 times before its answer was whole"),
        ("hang", "gave no answer within 0.3 seconds, 2 times"),
        ("html", "gave an answer that is no JSON"),
        ("missing", "gave 9 vectors for 10 texts; expected one a text"),
        ("twice", "gave 10 vectors for 10 texts; expected one a text"),
        ("ragged", "gave 10 vectors for 10 texts; expected one a text"),
        ("dimension", "gave vectors of 5 dimensions, and of 6 before: expected one dimension for all texts"),
    ],
)
def test_what_does_not_pass_is_one_sentence_without_the_key(api, monkeypatch, fault, said):
    """Also where the server repeats the key; no error of a library, which has the request, hangs on to it."""
    monkeypatch.setenv("XLBENCH_API_KEY", KEY)
    encoder = model(api, retries=1, batch_texts=10).encoder
    api.faults += [fault] * 2
    with pytest.raises(EncoderError) as caught:
        encoder.encode_passages(TEXTS)
    assert said in str(caught.value)
    assert "What was encoded before is kept" in str(caught.value) or fault == "dimension"
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert api.keys[-1] == f"Bearer {KEY}"


def test_the_key_is_in_nothing_that_is_stored(api, monkeypatch):
    """Not in the model's record, what tells its vectors apart, or what it says of a run."""
    monkeypatch.setenv("XLBENCH_API_KEY", KEY)
    api.key = KEY
    loaded = model(api, price=1)
    loaded.encoder.encode_queries(TEXTS)
    assert KEY not in repr(
        (loaded, loaded.identity(), loaded.key(), loaded.encoder.usage(), loaded.given, loaded.notes)
    )


def test_openai_s_key_is_not_sent_to_another_server(api, monkeypatch):
    """Each has a variable of its own, and key_variable names another."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model(api)
    monkeypatch.setenv("MINE", "other")
    model(api, key_variable="MINE")
    assert api.keys == ["Bearer none", "Bearer other"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "api.openai.com asks for a key: set it in the environment variable OPENAI_API_KEY"),
        ({"base_url": "http://127.0.0.1:9/v1"}, "There is no server at http://127.0.0.1:9/v1"),
        ({"max_cost": 1}, "--max-cost needs --price"),
        ({"price": "much"}, "price is 'much'; expected a number of 0 or more"),
        ({"price": float("nan")}, "price is nan"),
        ({"batch_texts": 0}, "batch_texts is 0; expected a whole number of 1 or more"),
        ({"query_body": "query"}, "query_body is 'query'; expected fields as JSON"),
        ({"query_prompt": 5}, "query_prompt is 5; expected text"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once(api, arguments, said):
    """Before anything is sent."""
    with pytest.raises(EncoderError) as caught:
        load("openai:mine", arguments=arguments)
    assert said in str(caught.value)
    assert api.bodies == []


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://x/v1", "http://", "http://a:b@x/v1", "https://x/v1?key=5", "http://x:99999999/v1"]
)
def test_an_address_that_is_none_or_has_a_secret_in_it_is_refused(url):
    """It becomes part of results."""
    with pytest.raises(UsageError, match=r"--base-url"):
        load("openai:mine", arguments={"base_url": url})


def test_a_key_that_cannot_be_sent_is_not_shown(api, monkeypatch):
    """Such as one that was copied with a line of something else."""
    monkeypatch.setenv("XLBENCH_API_KEY", f"{KEY}\nx")
    with pytest.raises(EncoderError, match="The key in XLBENCH_API_KEY has characters that cannot be sent") as caught:
        model(api)
    assert KEY not in str(caught.value)


def test_an_unknown_argument_is_refused_with_those_that_exist(api):
    """--dtype and the like are of models that run here."""
    with pytest.raises(UnknownNameError, match=r"dtype.*openai takes base_url"):
        model(api, dtype="float16")


def test_the_probe_stands_for_a_revision(api):
    """Another model under the same name has another; so have other dimensions, and little noise has not."""
    revision = model(api).revision
    api.shift = 1e-6
    assert model(api).revision == revision
    assert model(api, dimensions=4).revision != revision
    api.shift = 1.0
    assert model(api).revision != revision


def test_what_changes_no_vector_is_no_part_of_the_identity(api):
    """Price, limits and requests; the address is."""
    loaded = model(api, price=1, max_cost=5, concurrency=1, dimensions=4)
    assert loaded.identity()["arguments"] == loaded.given == {"base_url": api.url, "dimensions": 4}


def test_roles_have_their_prompts_and_fields(api):
    """By the model's name as elsewhere, and what an API wants for each."""
    loaded = load("openai:intfloat/e5-base", arguments={"base_url": api.url, "query_body": {"input_type": "query"}})
    loaded.encoder.encode_queries(["one"])
    loaded.encoder.encode_passages(["two"])
    (asked, answer) = api.bodies[1:]
    assert (asked["input"], asked["input_type"]) == (["query: one"], "query")
    assert (answer["input"], "input_type" in answer) == (["passage: two"], False)
    assert loaded.arguments["query_prompt"] == "query: "


def test_long_texts_are_cut_where_it_is_said(api):
    """The prompt is part of what is cut."""
    model(api, max_characters=5, query_prompt="q: ").encoder.encode_queries(["abcdef"])
    assert api.texts() == ["q: ab"]


def test_what_a_run_costs_is_said_before_and_kept_after(api, caplog):
    """Tokens are estimated as the server counted the probe: it counts one a character."""
    encoder = model(api, price=2.0).encoder
    encoder.expect(n_queries=4, n_passages=6, n_characters=5000)
    assert "10 texts, about 5,000 tokens (estimated: 5,000 characters with 1.00 tokens each, as in the probe), " in (
        caplog.text
    )
    assert "3 requests, about 0.01 at 2 a million" in caplog.text
    encoder.encode_queries(TEXTS)
    usage = encoder.usage()
    assert usage["n_requests"] == 4
    assert usage["n_tokens"] == sum(len(text) for body in api.bodies for text in body["input"])
    assert usage["cost"] == pytest.approx(usage["n_tokens"] * 2e-6)


def test_nothing_is_said_where_nothing_is_to_be_encoded(api, caplog):
    """All is stored."""
    model(api).encoder.expect(n_queries=0, n_passages=0, n_characters=0)
    assert caplog.text == ""


def test_a_run_that_would_cost_too_much_is_not_begun(api):
    """And one whose tokens turn out to be more than estimated is stopped."""
    encoder = model(api, price=1000, max_cost=0.3, concurrency=1).encoder
    with pytest.raises(EncoderError, match=r"more than --max-cost 0\.3: nothing was encoded"):
        encoder.expect(n_queries=4, n_passages=6, n_characters=5000)
    encoder.expect(n_queries=0, n_passages=10, n_characters=30)
    with pytest.raises(EncoderError, match=r"counted \d+ tokens, which cost 0\.3\d+, and --max-cost is 0\.3"):
        encoder.encode_passages(TEXTS * 10)
    assert len(api.bodies) < 34


def test_a_name_that_is_empty_and_a_device_are_refused(api):
    """The server decides where the model runs."""
    with pytest.raises(EncoderError, match="openai: names no model"):
        load("openai:", arguments={"base_url": api.url})
    with pytest.raises(EncoderError, match="runs at its server, so that --device cuda says nothing"):
        load("openai:mine", device="cuda", arguments={"base_url": api.url})


def test_in_a_fusion_too_what_changes_no_vector_is_no_part_of_the_identity(api):
    """The price and the limits of a model within are left out, and its address is kept."""
    loaded = load("fusion:hash+openai:mine", arguments={"B.base_url": api.url, "B.price": 1, "B.max_cost": 5})
    assert loaded.given == {"B.base_url": api.url}
    assert not {"B.price", "B.max_cost"} & loaded.arguments.keys()
