"""Poolings: their names, and how they name a result."""

from __future__ import annotations

import pytest

from xlbench.errors import UnknownNameError
from xlbench.models.pooling import Pooling, parse


@pytest.mark.parametrize(
    "name", ["round-robin", "round-robin:fixed", "own-first", "balanced:1", "balanced:10", "z-score", "min-max"]
)
def test_a_pooling_prints_as_it_is_named(name):
    """What --pool takes is what a result says."""
    assert str(parse(name)) == name


def test_one_index_is_no_pooling():
    """``one`` is the index that holds all passages."""
    assert parse("one") is None


@pytest.mark.parametrize("name", ["", "balanced", "balanced:0", "balanced:x", "roundrobin", "own-first:2", "z-score "])
def test_another_name_is_refused_with_those_that_exist(name):
    """The error lists the names."""
    with pytest.raises(UnknownNameError, match="balanced:K"):
        parse(name)


def test_a_pooled_model_has_another_name_and_says_why():
    """The record of the model differs from that in one index by name and pooling alone."""
    model = {"name": "m", "revision": "1", "adapter": "a", "arguments": {}}
    assert Pooling("balanced", 10).identity(model) == {**model, "name": "m+balanced:10", "pooling": "balanced:10"}
