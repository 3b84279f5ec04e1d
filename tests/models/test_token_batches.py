"""Batches of texts of like length under a token budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xlbench.models.token_batches import token_batches

LENGTHS = st.lists(st.integers(0, 40), max_size=60)
BUDGETS = st.integers(1, 100)


@given(LENGTHS, BUDGETS)
def test_batches_hold_every_text_once_under_the_budget(lengths, budget):
    """Each text is in one batch; a batch of more than one text has at most the budget's tokens, padding included."""
    batches = token_batches(lengths, budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


@given(LENGTHS, BUDGETS)
def test_batches_fall_in_length(lengths, budget):
    """The longest texts come first, so that a budget too large fails at once; equal lengths keep their order."""
    order = [int(i) for batch in token_batches(lengths, budget) for i in batch]
    assert order == sorted(order, key=lambda i: (-lengths[i], i))


@given(LENGTHS, BUDGETS)
def test_a_batch_is_as_large_as_the_budget_allows(lengths, budget):
    """No batch but the last could take another text of the length of its longest."""
    for batch in token_batches(lengths, budget)[:-1]:
        assert (len(batch) + 1) * max(1, lengths[batch[0]]) > budget


def test_a_text_longer_than_the_budget_is_a_batch_of_its_own():
    """A budget that no text fits in gives batches of one."""
    assert [batch.tolist() for batch in token_batches([5, 9, 5], 4)] == [[1], [0], [2]]
