"""Typed access to decoded JSON."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.catalogue.readers.fields import decode, decode_file, expect, field, lines
from xlbench.errors import DataError, shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": "\xff"}', "file.json is not UTF-8 at byte 7: is the file damaged or cut off?"),
        ("ü".encode()[:1], "file.json is not UTF-8 at byte 0"),
        (b'{"a":\n [1, 2', r"file.json is not valid JSON at line 2, column 7 \(Expecting ',' delimiter\)"),
        (b"", r"file.json is not valid JSON at line 1, column 1 \(Expecting value\): is the file cut off\?"),
        (b"[" * 100_000, "file.json is nested too deeply"),
        (b"1" * 10_000, "file.json holds a value that cannot be read"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(content, said):
    """Bytes that are not UTF-8 JSON are a DataError that says where they go wrong."""
    with pytest.raises(DataError, match=said):
        decode(content, "file.json")


def test_a_byte_order_mark_may_begin_a_file(tmp_path):
    """Editors of some systems write one: it is no part of the content, and no first character of an id."""
    assert decode(b"\xef\xbb\xbf{}", "file.json") == {}
    (tmp_path / "a.tsv").write_bytes(b"\xef\xbb\xbfq1\tone\nq2\ttwo\n")
    assert [line for _, line in lines(tmp_path / "a.tsv")] == [b"q1\tone\n", b"q2\ttwo\n"]


def test_gigabytes_of_nothing_are_refused(tmp_path, monkeypatch):
    """Blank lines are passed over, but not without end."""
    monkeypatch.setattr("xlbench.catalogue.readers.fields._MOST_BLANK", 5)
    path = tmp_path / "a.tsv"
    path.write_bytes(gzip.compress(b"x\n\n\n\n\n\ny\n"))
    assert [number for number, _ in lines(path)] == [1, 7]
    path.write_bytes(gzip.compress(b"x\n" + b"\n" * 1000))
    with pytest.raises(DataError, match=r"has 5 blank lines after line 1; expected one record a line"):
        list(lines(path))


def test_a_file_is_named_by_its_path(tmp_path):
    """The error about a file's content names the file."""
    path = tmp_path / "cut.json"
    path.write_bytes(b'{"data": [')
    with pytest.raises(DataError, match=r"cut\.json is not valid JSON at line 1, column 11"):
        decode_file(path)


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (1, str, "here is 1; expected a string"),
        (None, dict, "here is None; expected an object"),
        ({}, list, "here is {}; expected a list"),
        (1.0, int, "here is 1.0; expected an integer"),
        (float("nan"), int, "here is nan; expected an integer"),
        (True, int, "here is True; expected an integer"),
        ("a\ud800", str, r"here is 'a\\ud800', which holds half of a surrogate pair"),
    ],
)
def test_a_value_of_another_type_is_refused(value, kind, said):
    """A value that is not of the type is a DataError with the value and the type; true is no integer."""
    with pytest.raises(DataError, match=said):
        expect(value, kind, "here")


def test_a_long_value_is_shortened_in_the_error():
    """An error shows the start of a value, not a megabyte of it."""
    with pytest.raises(DataError) as caught:
        expect([["x" * 1000] * 1000] * 1000, str, "here")
    assert len(str(caught.value)) < 600


def test_a_field_is_given_as_it_is():
    """A field of the right type is the value itself, text outside the basic plane included."""
    assert field({"a": "\U0001f600"}, "a", str, "here") == "\U0001f600"
    assert field({"a": [True]}, "a", list, "here") == [True]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"b": 1, "c": 2}, "here has no 'a'; expected it beside 'b', 'c'"),
        ({}, "here has no 'a'; expected it beside nothing"),
        ([], r"here is \[\]; expected an object"),
        ({"a": 1}, "here, 'a' is 1; expected a string"),
    ],
)
def test_a_missing_or_mistyped_field_is_refused(record, said):
    """A field that is absent or of another type is a DataError that says what is there."""
    with pytest.raises(DataError, match=said):
        field(record, "a", str, "here")


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_any_value_can_be_shown(value):
    """Whatever stands in a file can be put into an error message, in brief."""
    assert len(shown(value)) < 600


def test_a_number_too_long_to_print_can_be_shown():
    """Python refuses to print an integer of more than 4,300 digits; the error message does not."""
    assert shown([1 << 20_000]) == "a number of thousands of digits"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines_are_numbered_and_blank_ones_left_out(tmp_path, pack):
    """Lines of a plain or a gzip file have the numbers that an editor shows; the last may lack its end."""
    path = tmp_path / "x"
    path.write_bytes(pack(b"one\n\n  \nfour\r\nfive"))
    assert list(lines(path)) == [(1, b"one\n"), (4, b"four\r\n"), (5, b"five")]


def test_a_line_may_be_long_but_not_endless(tmp_path):
    """16 MiB are the longest line; one byte more is a DataError with its number."""
    path = tmp_path / "x"
    path.write_bytes(b"\n" + b"x" * (1 << 24))
    assert [number for number, _ in lines(path)] == [2]
    path.write_bytes(b"\n" + b"x" * ((1 << 24) + 1))
    with pytest.raises(DataError, match="x, line 2, is longer than 16,777,216 bytes; expected one record a line"):
        list(lines(path))
