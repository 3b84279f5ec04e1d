"""Changes to a model: what evaluate takes beside the model, and what it refuses."""

from __future__ import annotations

import json

import pytest

import xlbench
from xlbench.changes import Changes, changed
from xlbench.errors import UsageError
from xlbench.models import load


def test_an_unknown_keyword_is_an_error():
    """A name that is misspelt is never passed over; the error has those that there are."""
    with pytest.raises(TypeError, match=r"unexpected keyword 'poool'; expected representation, .*pool, rerank"):
        xlbench.evaluate("hash", "demo", poool="round-robin", cache=None, quiet=True)


def test_a_depth_without_a_reranker_is_refused():
    """In Python as on the command line."""
    for options in (Changes(depth=10), Changes(among="language")):
        with pytest.raises(UsageError, match="name a reranker too"):
            changed(load("hash"), options)


def test_parallel_text_may_be_named_as_text(tmp_path):
    """As other paths may."""
    file = tmp_path / "pairs.jsonl"
    lines = (
        {"id": str(i), **{side: {a: f"{a} {side} {i}" for a in ("de", "en")} for side in ("queries", "passages")}}
        for i in range(9)
    )
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    options = {"languages": ["de", "en"], "transform": "center", "cache": None, "quiet": True}
    first, second = (xlbench.evaluate("hash", "demo", fit_on=path, **options) for path in (file, str(file)))
    assert first.values == second.values


def test_nothing_is_changed_without_options():
    """The model is the same."""
    model = load("hash")
    assert changed(model, Changes()) == model
