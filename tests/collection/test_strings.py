"""Strings on disk: they read as they were written, a few batches at a time."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlbench.collection import Collection, Judgement, Text, Texts, strings
from xlbench.collection.strings import StoredStrings, store
from xlbench.errors import DataError


def stored(folder, *files):
    """The ids and the texts of some files, each a list of records."""
    paths = [folder / f"{number}.arrow" for number in range(len(files))]
    for path, records in zip(paths, files, strict=True):
        store(records, path)
    return StoredStrings(paths, "id"), StoredStrings(paths, "text")


@pytest.fixture
def small_batches(monkeypatch):
    """Three rows in a batch, of which two are kept."""
    monkeypatch.setattr(strings, "BATCH_ROWS", 3)
    monkeypatch.setattr(strings, "_BATCHES_KEPT", 2)


FILES = (["a", "b", "c", "d"], [], ["e", "f", "g"], ["h", "i", "j", "k", "l", "m", "n"])


@settings(max_examples=20)
@given(rows=st.lists(st.integers(-14, 13), max_size=9), start=st.integers(0, 15), stop=st.integers(0, 15))
def test_stored_strings_are_a_sequence(tmp_path_factory, small_batches, rows, start, stop):
    """Over the borders of batches and files, rows, slices and iteration are those of a list."""
    ids, text = stored(tmp_path_factory.mktemp("texts"), *([(id_, id_ * 2) for id_ in file] for file in FILES))
    expected = [id_ for file in FILES for id_ in file]
    assert (len(ids), list(ids), list(text)) == (14, expected, [id_ * 2 for id_ in expected])
    assert [ids[row] for row in rows] == [expected[row] for row in rows]
    assert ids[start:stop] == expected[start:stop]
    with pytest.raises(IndexError):
        ids[14]


def test_nothing_is_stored_of_nothing(tmp_path):
    """Files without rows are an empty sequence, with an empty order."""
    ids, _ = stored(tmp_path, [], [])
    assert (list(ids), ids[:], ids.tie_order.tolist()) == ([], [], [])


@pytest.mark.parametrize("ids", [["10", "9", "100"], ["a", "B", "é", "z", "中"], ["\uffff", "\U00010000"], ["x"]])
def test_the_order_of_stored_ids_is_that_of_ids_in_memory(tmp_path, small_batches, ids):
    """Stored ids break ties as ids in memory do: by code point, also past the 16-bit ones."""
    found, text = stored(tmp_path, [(id_, "text") for id_ in ids])
    language = np.zeros(len(ids), np.int16)
    assert found.tie_order.tolist() == Texts(ids, ids, language).tie_order.tolist()
    assert Texts(found, text, language).tie_order.tolist() == found.tie_order.tolist()


def test_an_id_that_occurs_twice_is_refused_by_name(tmp_path, small_batches):
    """Also where the two stand in different files."""
    ids, _ = stored(tmp_path, [("a", "x"), ("b", "x")], [("c", "x"), ("b", "x")])
    with pytest.raises(DataError, match="'b' occurs twice"):
        _ = ids.tie_order


@pytest.mark.parametrize("record", [("bad", ""), ("bad", " \n"), ("bad", "\ud800"), ("bad\udfff", "text")])
def test_what_is_no_text_is_refused_by_id_and_nothing_is_left(tmp_path, record):
    """An empty text, or half of a surrogate pair, is a DataError that names it; no file stays behind."""
    with pytest.raises(DataError, match="bad"):
        store([("good", "text"), record], tmp_path / "strings.arrow")
    assert list(tmp_path.iterdir()) == []


def test_a_stored_collection_is_that_in_memory(tmp_path, small_batches):
    """Equal texts, the judged pairs and the checksum are the same wherever the passages are."""
    passages = [Text(f"{language}:{i}", language, f"text {i % 5}") for language in "ab" for i in range(7)]
    queries = [Text("a:q", "a", "query")]
    judged = [Judgement("a:q", "b:3", 1), Judgement("a:q", "a:6", 2)]
    in_memory = Collection.build("ab", queries, passages, judged)
    ids, text = stored(tmp_path, [(p.id, p.text) for p in passages])
    on_disk = Collection.build("ab", queries, Texts(ids, text, in_memory.passages.language), judged)
    assert on_disk.pairs.passage.tolist() == in_memory.pairs.passage.tolist() == [6, 10]
    found, expected = on_disk.passages.distinct, in_memory.passages.distinct
    assert found.checksum == expected.checksum
    assert found.row.tolist() == expected.row.tolist() == [0, 1, 2, 3, 4, 0, 1] * 2
    assert found.first.tolist() == expected.first.tolist() == [0, 1, 2, 3, 4]
    assert found.n_characters.tolist() == [6] * 5


def test_reading_all_keeps_little_in_memory(tmp_path):
    """Going through 25 MB of texts takes no more than a few batches of them."""
    _, text = stored(tmp_path, [(str(i), f"{i} ".ljust(500, "x")) for i in range(50_000)])
    tracemalloc.start()
    assert sum(map(len, text)) == 25_000_000
    assert text[49_999].startswith("49999 ")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000 * (5 * strings.BATCH_ROWS / 50_000) * 1.3
