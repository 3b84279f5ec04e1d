"""What a manifest may say."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.leaderboard.test_hostile_json import HOSTILE
from xlbench.errors import SubmissionError
from xlbench.leaderboard.manifest import ASKED, FIELDS, Manifest, parse_answer, parse_manifest

GOOD = {
    "schema": 1,
    "model": "owner/model",
    "revision": "0" * 40,
    "link": "https://example.org/owner/model?a=1#b",
    "licence": "Apache-2.0",
    "parameters": 118_000_000,
    "dimensions": 384,
    "languages": ["de", "zh-Hant", "pt_BR"],
    "training_data": "mMARCO, and what its authors do not say",
    "trained_on_evaluation_data": "unknown",
    "submitter": "Jörg Müller",
    "xlbench_version": "0.1.0",
    "task": "xquad-r",
    "task_version": 2,
    "data_checksums": {"de": "a" * 64, "en": ""},
    "command": "xlbench run --model owner/model --model-arg 'query_prompt=query:\n'",
    "hardware": "Linux x86_64, 2 CPUs",
}
TEXTS = [name for name, value in GOOD.items() if isinstance(value, str)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def test_a_manifest_comes_back_as_it_was_written():
    """All keys are fields, in their order; what is read and written again is the same."""
    manifest = parse_manifest(GOOD, "manifest.json")
    assert list(FIELDS) == [field.name for field in fields(Manifest)] == list(GOOD)
    assert json.loads(json.dumps(manifest.record())) == GOOD
    assert parse_manifest({**GOOD, "parameters": None, "dimensions": None}, "").parameters is None


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused_in_every_key(name, value):
    """Whatever key has it, it is refused with a sentence that names the key."""
    with pytest.raises(SubmissionError, match=rf"^manifest\.json: '{name}' .*\.$"):
        parse_manifest({**GOOD, name: value}, "manifest.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 2),
        ("schema", True),
        ("link", "http://example.org"),
        ("link", "javascript:alert(1)"),
        ("link", "https://"),
        ("link", "https://user:password@example.org/"),
        ("link", "https://example.org/a b"),
        ("link", 'https://example.org/"onclick='),
        ("link", "https://ехample.org"),
        ("link", "https://[::1"),
        ("parameters", -1),
        ("parameters", 1.5),
        ("parameters", True),
        ("parameters", 10**16),
        ("parameters", "118M"),
        ("dimensions", 0),
        ("languages", "de"),
        ("languages", ["de", "de"]),
        ("languages", ["../de"]),
        ("languages", ["deutsch"]),
        ("languages", [["de"]]),
        ("languages", ["de"] * 501),
        ("trained_on_evaluation_data", True),
        ("trained_on_evaluation_data", "maybe"),
        ("trained_on_evaluation_data", ["no"]),
        ("task_version", -1),
        ("task_version", "2"),
        ("task_version", True),
        ("data_checksums", ["a" * 64]),
        ("data_checksums", {"de": "A" * 64}),
        ("data_checksums", {"de": 1}),
        ("data_checksums", {"<b>": "a" * 64}),
        ("data_checksums", {"x" * 101: "a" * 64}),
    ],
)
def test_what_a_key_cannot_be_is_refused(name, value):
    """Other types, numbers out of range, addresses that are none: a sentence that names the key."""
    with pytest.raises(SubmissionError, match=rf"^manifest\.json: '{name}' "):
        parse_manifest({**GOOD, name: value}, "manifest.json")


@pytest.mark.parametrize("name", FIELDS)
def test_every_key_is_needed(name):
    """A manifest without a key is refused, and so is one with another key more."""
    with pytest.raises(SubmissionError, match=rf"too many or missing: .*{name}"):
        parse_manifest({key: value for key, value in GOOD.items() if key != name}, "manifest.json")
    with pytest.raises(SubmissionError, match=r"too many or missing: .*more"):
        parse_manifest({**GOOD, "more": 1}, "manifest.json")


@given(st.data())
def test_any_json_is_a_manifest_or_refused(data):
    """Any value anywhere gives a manifest or a sentence of bounded length, and nothing else."""
    record = data.draw(JSON | st.just(GOOD))
    if isinstance(record, dict):
        record = {**record, data.draw(st.sampled_from(TEXTS) | st.text(max_size=10)): data.draw(JSON)}
        record = {**GOOD, **record} if data.draw(st.booleans()) else record
    try:
        manifest = parse_manifest(record, "manifest.json")
    except SubmissionError as error:
        message = str(error)
        assert message.startswith("manifest.json")
        assert len(message) < 1500
    else:
        assert manifest.record() == record


@pytest.mark.parametrize(
    ("name", "answer", "value"),
    [
        ("parameters", "118,000,000", 118_000_000),
        ("parameters", " 7_000 ", 7000),
        ("parameters", "", None),
        ("parameters", "null", None),
        ("parameters", "118M", "118M"),
        ("languages", "de, en zh-Hant", ["de", "en", "zh-Hant"]),
        ("languages", "", []),
        ("link", " https://example.org ", "https://example.org"),
        ("trained_on_evaluation_data", "no", "no"),
    ],
)
def test_what_is_typed_is_understood(name, answer, value):
    """Numbers with separators, codes with commas or spaces, nothing for none; what is wrong stays wrong."""
    assert parse_answer(name, answer) == value


def test_what_is_asked_for_does_not_follow_from_a_result():
    """The submitter is asked for seven keys, each with a question."""
    assert ASKED == (
        "link", "licence", "parameters", "languages", "training_data", "trained_on_evaluation_data", "submitter"
    )  # fmt: skip
