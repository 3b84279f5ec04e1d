"""Which rows share a text."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.errors import TrainingError
from xlbench.training import links
from xlbench.training.links import Linkable, check_groups, groups, link_key


def rows(*texts: tuple[str, ...]) -> list[Linkable]:
    """Rows with these texts, each with a passage of its own."""
    return [Linkable(i, some) for i, some in enumerate(texts)]


def together(group: np.ndarray) -> list[set[int]]:
    """The rows of each group that has more than one."""
    sets = [set(np.flatnonzero(group == number).tolist()) for number in np.unique(group)]
    return [members for members in sets if len(members) > 1]


def test_rows_with_the_same_letters_and_digits_are_linked_and_so_are_those_linked_to_them():
    """Case, signs and Unicode form do not count; a chain of shared texts is one group."""
    assert together(groups(rows(("A b!", "x"), ("a  B",), ("y",), ("z", "X"), ("w",)))) == [{0, 1, 3}]


@given(
    st.lists(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=3), max_size=40), st.sampled_from([1, 3, 10_000])
)
def test_groups_are_the_connected_rows_in_the_order_of_their_first(texts, at_once):
    """As a search over rows that share a text finds them, whether keys are in memory or in files."""
    expected = [-1] * len(texts)
    for first in range(len(texts)):
        if expected[first] < 0:
            number, waiting = max(expected) + 1, [first]
            while waiting:
                row = waiting.pop()
                expected[row] = number
                waiting += [i for i, of in enumerate(expected) if of < 0 and {*texts[i]} & {*texts[row]}]
    with patch.object(links, "AT_ONCE", at_once):
        assert groups(rows(*map(tuple, texts))).tolist() == expected


def test_one_passage_id_links():
    """Rows of one passage belong together whatever they say."""
    assert together(groups([Linkable("p", ("a",)), Linkable("q", ("b",)), Linkable("p", ("c",))])) == [{0, 2}]


@pytest.mark.parametrize("text", ["???????", "—", "...", "42", "١٢٣", "", " ", "1990-2000"])
def test_texts_without_letters_link_nothing(text):
    """What has signs and digits alone stands for nothing in particular."""
    assert link_key(text) == ""
    assert together(groups(rows((text, "a"), (text, "b"), (text, "c")))) == []


@pytest.mark.parametrize("text", ["x", "§ 4a", "日本", "กก", "42 km"])
def test_texts_with_a_letter_link(text):
    """One letter of any script is enough."""
    assert together(groups(rows((text, "b"), (text, "c")))) == [{0, 1}]


def test_a_text_in_too_many_rows_is_named():
    """A placeholder with letters in more than a tenth of the rows is an error with the text and its number of rows."""
    some = rows(*[("Not available", f"text {i}") for i in range(30)], *[(f"other {i}",) for i in range(70)])
    with pytest.raises(TrainingError, match=r"a\.jsonl: 30 of 100 rows are linked .* 'not available' in 30 of them"):
        check_groups(groups(some), some.__getitem__, "a.jsonl")


@pytest.mark.parametrize(("n_linked", "n"), [(20, 20), (30, 300)])
def test_groups_that_are_small_are_as_they_should_be(n_linked, n):
    """Twenty rows, or a tenth of a file, may share a text."""
    some = rows(*[("same", f"text {i}") for i in range(n_linked)], *[(f"other {i}",) for i in range(n - n_linked)])
    check_groups(groups(some), some.__getitem__, "a.jsonl")
