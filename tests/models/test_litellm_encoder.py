"""Models by litellm: requests in the providers' own forms, prices of its table, and no key in an error."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.made_api_server import KEY, serving, vector_of
from tests.models.made_models import unit
from xlbench.errors import EncoderError
from xlbench.models import load

pytest.importorskip("litellm", reason="litellm is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Those of litellm's own code.

TEXTS = ["one", "two three"]


@pytest.fixture
def api(monkeypatch):
    """The server, which asks for a key that the environment has."""
    monkeypatch.setattr("xlbench.models.litellm_encoder._FIRST_WAIT_S", 0.01)
    with serving(monkeypatch) as api:
        monkeypatch.setenv("XLBENCH_API_KEY", KEY)
        api.key = KEY
        yield api


def model(api, name="voyage/voyage-3.5", **arguments):
    """The model, asked of the server."""
    return load(f"litellm:{name}", arguments={"base_url": api.url, "retries": 2, **arguments})


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("voyage/voyage-3.5", ({"input_type": "query"}, {"input_type": "document"})),
        ("cohere/embed-v4.0", ({"input_type": "search_query"}, {"input_type": "search_document"})),
        ("gemini/gemini-embedding-001", ({"taskType": "RETRIEVAL_QUERY"}, {"taskType": "RETRIEVAL_DOCUMENT"})),
    ],
)
def test_each_provider_is_told_queries_from_passages(api, name, roles):
    """In its own form; the vectors are those of the texts, in order, and what was filled in is said."""
    loaded = model(api, name)
    for encode, fields in zip((loaded.encoder.encode_queries, loaded.encoder.encode_passages), roles, strict=True):
        vectors = encode(TEXTS)
        np.testing.assert_allclose(vectors, unit(np.array([vector_of(text, 6) for text in TEXTS])), atol=1e-6)
        body = api.bodies[-1]["requests"][0] if "requests" in api.bodies[-1] else api.bodies[-1]
        assert fields.items() <= body.items()
    assert "as the provider asks for" in loaded.notes[-1]
    assert loaded.arguments["query_body"] != loaded.arguments["passage_body"]


def test_fields_of_ones_own_take_their_place(api):
    """Then nothing is filled in."""
    loaded = model(api, query_body={"input_type": "document"})
    loaded.encoder.encode_queries(TEXTS)
    assert api.bodies[-1]["input_type"] == "document"
    assert loaded.notes == ()


def test_the_price_is_that_of_its_table_with_its_version(api, caplog):
    """Said before the run and in the result; --price takes its place."""
    encoder = model(api).encoder
    encoder.expect(n_queries=1, n_passages=1, n_characters=1000)
    assert "at 0.06 a million (the price in litellm " in caplog.text
    assert encoder.usage()["prices_of"].startswith("litellm ")
    own = model(api, price=5).encoder
    own.expect(n_queries=1, n_passages=1, n_characters=1000)
    assert "at 5 a million" in caplog.text
    assert "prices_of" not in own.usage()


def test_what_costs_too_much_is_not_begun(api):
    """By its own price."""
    with pytest.raises(EncoderError, match=r"more than --max-cost 0.0001: nothing was encoded"):
        model(api, max_cost=1e-4).encoder.expect(n_queries=1, n_passages=1, n_characters=10_000_000)
    with pytest.raises(EncoderError, match="has no price of voyage/nobody-knows, which --max-cost needs: give --price"):
        model(api, "voyage/nobody-knows", max_cost=1).encoder.encode_queries(TEXTS)


@pytest.mark.parametrize("faults", [["429"], ["500", "503"], ["half"]])
def test_what_passes_is_asked_for_again(api, faults):
    """And then it is as if nothing had been."""
    encoder = model(api).encoder
    encoder.encode_queries(TEXTS)
    n_asked = len(api.bodies)
    api.faults += faults
    assert encoder.encode_queries(TEXTS).shape == (2, 6)
    assert len(api.bodies) == n_asked + len(faults) + 1


@pytest.mark.parametrize("faults", [["400"], ["401"], ["429"] * 3, ["500"] * 3])
def test_what_does_not_pass_is_one_sentence_without_the_key(api, faults):
    """The server repeats the key; of an error that says so nothing is chained to it."""
    encoder = model(api).encoder
    encoder.encode_queries(TEXTS)
    api.faults += faults
    with pytest.raises(EncoderError, match=r"^The API of voyage/voyage-3.5 .* failed \d times? ") as failed:
        encoder.encode_queries(TEXTS)
    assert KEY not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


def test_a_missing_key_is_said(monkeypatch, api):
    """With the variable that the provider has."""
    with pytest.raises(EncoderError, match="asks for a key: set VOYAGE_API_KEY in the environment"):
        load("litellm:voyage/voyage-3.5").encoder.encode_queries(TEXTS)


@pytest.mark.parametrize("name", ["litellm:voyage", "litellm:voyage/", "litellm:/m"])
def test_a_name_without_provider_or_model_is_refused(name):
    """Before anything is asked."""
    with pytest.raises(EncoderError, match="expected litellm:PROVIDER/MODEL"):
        load(name)
