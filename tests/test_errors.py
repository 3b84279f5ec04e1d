"""The exceptions a user may see."""

from __future__ import annotations

import pytest

from xlbench import errors
from xlbench.errors import UnknownNameError, XlbenchError, differences


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("XlbenchError", 1),
        ("UnknownNameError", 2),
        ("UsageError", 2),
        ("TaskError", 1),
        ("DataError", 1),
        ("EncoderError", 1),
        ("ResultError", 1),
        ("MissingLibraryError", 1),
    ],
)
def test_every_error_is_an_xlbench_error_with_its_exit_code(name, exit_code):
    """A misspelled name ends the command with 2, like a usage error; everything else with 1."""
    kind = getattr(errors, name)
    assert issubclass(kind, XlbenchError)
    assert kind.exit_code == exit_code


def test_the_tree_in_the_docstring_names_every_error():
    """The module's docstring draws every exception that the module has."""
    kinds = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(kinds) == 10
    assert all(name in (errors.__doc__ or "") for name in kinds)


@pytest.mark.parametrize(
    ("name", "known", "hint", "said"),
    [
        ("xquad", ["mlqa-r", "xquad-r"], "", "Unknown task 'xquad'. Did you mean 'xquad-r'?"),
        ("zzz", ["mlqa-r", "xquad-r"], "", "Unknown task 'zzz'. Known: mlqa-r, xquad-r."),
        ("zzz", [], "", "Unknown task 'zzz'."),
        ("ndcg@10", ["AP", "R@10", "nDCG@10"], "", "Unknown task 'ndcg@10'. Did you mean 'nDCG@10'?"),
        ("xquad", ["xquad-r"], "It is so.", "Unknown task 'xquad'. Did you mean 'xquad-r'? It is so."),
        ("zzz", (name for name in ["a", "b"]), "", "Unknown task 'zzz'. Known: a, b."),
        ("zzz", "a" * 50, "", f"Unknown task 'zzz'. Known: {', '.join('a' * 24)} and 26 more."),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_known_one(name, known, hint, said):
    """The message has the nearest known name, or all of them, if they are not very many, and then the hint."""
    assert str(UnknownNameError("task", name, known, hint=hint)) == said


def test_differences_are_named_at_any_depth():
    """A nested record is not printed whole beside another; what is absent on one side is None there."""
    recorded = {"model": {"name": "a", "arguments": {"size": 8}}, "limit": None}
    asked = {"model": {"name": "a", "arguments": {"size": 16}, "transform": {"method": "center"}}, "limit": 5}
    assert [*differences(recorded, asked)] == [
        "its model arguments size is 8, not 16",
        "its model transform method is None, not center",
        "its limit is None, not 5",
    ]
