"""What a pair file holds."""

from __future__ import annotations

from tests.training.made_pairs import ROWS, write_pairs
from xlbench.training.pair_counts import LanguageSummary, Side, counts_of
from xlbench.training.pairs import read_pairs


def test_rows_languages_and_lengths_are_counted(tmp_path):
    """Rows by language, different texts, median and longest; passages by identity."""
    rows = [*ROWS, ROWS[1] | {"id": "again", "negatives": {"en": ["a", "b"]}}]
    found = counts_of(read_pairs(write_pairs(tmp_path / "pairs.jsonl", rows)))
    assert (found.n_rows, found.n_passages, found.n_monolingual) == (4, 3, 0)
    assert found.languages[1] == LanguageSummary("en", Side(3, 2, 23, 23), Side(4, 2, 16, 17), n_negatives=2)
    assert found.languages[2].queries == Side(1, 1, 31, 31)


def test_pairs_of_languages_are_rows_with_a_query_in_one_and_a_passage_in_the_other(tmp_path):
    """The row that asks in French has passages in all three languages, by its passage_id."""
    found = counts_of(read_pairs(write_pairs(tmp_path / "pairs.jsonl")))
    assert found.pairs == ((1, 1, 1), (2, 2, 1), (1, 1, 1))


def test_rows_in_one_language_are_counted_and_a_language_may_have_no_query(tmp_path):
    """A row whose query and passage are in one language can be in no cross-lingual batch."""
    rows = [
        {"id": "a", "queries": {"en": "?"}, "passages": {"en": "!"}},
        {"id": "b", "queries": {"en": "??"}, "passages": {"de": "!!"}},
    ]
    found = counts_of(read_pairs(write_pairs(tmp_path / "pairs.jsonl", rows)))
    assert found.n_monolingual == 1
    assert found.languages[0].queries == Side(0, 0, 0, 0)
