"""Pair files: what is read from them, and how they are written."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from tests.training.made_pairs import ROWS, write_pairs
from xlbench.errors import DataError
from xlbench.training.pairs import read_pairs, write_rows


@pytest.fixture
def found(tmp_path):
    """The rows of the small file."""
    return read_pairs(write_pairs(tmp_path / "pairs.jsonl"))


def test_rows_are_the_lines_with_a_query_in_their_order(found):
    """A line without a query is a passage that nobody asks for, and no row."""
    assert [row.id for row in found.rows] == ["sky", "sea", "heaven"]
    assert found.languages == ("de", "en", "fr")
    assert found.rows[1].queries == {"en": "What colour is the sea?"}
    assert found.rows[1].passages == {"en": "The sea is green.", "de": "Grün."}


def test_rows_with_one_passage_id_have_all_its_passages(found):
    """A row's passages are those that any line has for its passage_id, by default the id of a line."""
    assert found.rows[0].passage == found.rows[2].passage == "sky"
    assert found.rows[2].passages == found.rows[0].passages


def test_equal_texts_are_one_object(found):
    """A text that several rows have takes memory once."""
    assert found.rows[0].passages["fr"] is found.rows[2].passages["fr"]


def test_a_packed_file_is_read_alike_and_known_by_its_own_checksum(tmp_path, found):
    """Rows of a gzip file are the same; the sha256 is that of the file as it lies there."""
    packed = tmp_path / "pairs.jsonl.gz"
    packed.write_bytes(gzip.compress(found.path.read_bytes()))
    again = read_pairs(packed)
    assert again.rows == found.rows
    assert again.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest() != found.sha256


def test_negatives_are_texts_by_their_language(tmp_path):
    """Hard negatives keep their order."""
    rows = [ROWS[0] | {"negatives": {"en": ["The sea is green.", "Noise."], "de": []}}]
    row = read_pairs(write_pairs(tmp_path / "pairs.jsonl", rows)).rows[0]
    assert row.negatives == {"en": ("The sea is green.", "Noise."), "de": ()}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "sky"}, "line 2 has no 'queries'"),
        ({"id": "sky", "queries": {"en": "?"}, "passages": {"en": "!"}}, "line 2 has the id 'sky', as a line above"),
        ({"id": "x", "queries": {"en": " "}, "passages": {"en": "!"}}, "line 2 has no text in queries, 'en'"),
        ({"id": "x", "queries": {"en": "?"}, "passages": {"en": ""}}, "line 2 has no text in passages, 'en'"),
        ({"id": "x", "queries": {"en": "?"}, "passages": {}}, "line 2 has a query but no passage"),
        ({"id": "x", "queries": {"en": 1}, "passages": {"en": "!"}}, "line 2, queries in 'en' is 1; expected a string"),
        (
            {"id": "x", "passage_id": "sky", "queries": {}, "passages": {"en": "other"}},
            "line 2 has another text than a line above for the passage 'sky'",
        ),
        (
            {"id": "x", "queries": {"en": "?"}, "passages": {"en": "!"}, "negatives": ["a"]},
            "line 2, 'negatives' is ['a']; expected an object",
        ),
        (
            {"id": "x", "queries": {"en": "?"}, "passages": {"en": "!"}, "negatives": {"en": "a"}},
            "line 2, negatives in 'en' is 'a'; expected a list",
        ),
        (
            {"id": "x", "queries": {"en": "?"}, "passages": {"en": "!"}, "negatives": {"en": [""]}},
            "line 2 has no text in negatives, 'en'",
        ),
    ],
)
def test_a_line_of_another_shape_is_refused_with_file_and_line(tmp_path, row, message):
    """The message says where it is and what was expected."""
    path = write_pairs(tmp_path / "pairs.jsonl", [ROWS[0], row])
    with pytest.raises(DataError) as error:
        read_pairs(path)
    assert f"{path}, {message}" in str(error.value)


def test_a_line_that_is_no_json_is_refused_with_its_number(tmp_path):
    """A broken line is named."""
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n{'id': ", encoding="utf-8")
    with pytest.raises(DataError, match=r"pairs\.jsonl, line 2 is not valid JSON"):
        read_pairs(path)


def test_a_file_with_nothing_to_train_on_is_refused(tmp_path):
    """A file of passages alone has no rows."""
    with pytest.raises(DataError, match="no line with a query and a passage"):
        read_pairs(write_pairs(tmp_path / "pairs.jsonl", [ROWS[2]]))


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_what_is_written_is_read_again_and_has_the_same_bytes_each_time(tmp_path, name):
    """Neither the name nor the hour is in a packed file."""
    first, second = tmp_path / "a" / name, tmp_path / "b" / f"other-{name}"
    for path in (first, second):
        path.parent.mkdir()
        assert write_rows(iter(ROWS), path) == 4
    assert first.read_bytes() == second.read_bytes()
    assert [row.id for row in read_pairs(first).rows] == ["sky", "sea", "heaven"]


def test_a_file_that_cannot_be_finished_does_not_appear(tmp_path):
    """If a row fails, what was there before stays."""
    path = write_pairs(tmp_path / "out.jsonl")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_rows(({"id": 1 // i} for i in (1, 0)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
