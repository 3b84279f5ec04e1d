"""Files of strangers are read without being trusted."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.errors import SubmissionError
from xlbench.leaderboard.hostile_json import parse_json, read_file, text_fault, unseen_text

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "html": "a <b>bold</b> claim",
    "closing": "</td>",
    "comment": "<!-- hidden",
    "null": "a\0b",
    "escape": "\x1b[31mred",
    "bell": "\x07",
    "carriage return": "a\rb",
    "c1": "\x9b31m",
    "right-to-left override": "\u202egpj.exe",
    "isolate": "\u2066x",
    "mark": "a\u200fb",
    "zero width": "a\u200bb",
    "byte order mark": "\ufeffa",
    "tag": "a\U000e0041",
    "line separator": "a\u2028b",
    "half a surrogate": "\ud800",
    "no character": "\uffff",
    "private": "\ue000",
    "ten thousand": "x" * 10_000,
    "empty": "",
    "blank": " \u3000",
    "number": 1,
    "nothing": None,
    "list": ["x"],
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused(value):
    """Markup, signs that cannot be seen or that steer what is around them, and what is too long: a sentence each."""
    assert text_fault(value, longest=2000)


@pytest.mark.parametrize(
    "value", ["Jörg Müller", "模型 (7B)", "fewer than < 3 of 5 & more", "مدل", "a" * 2000, "नमूना 🎉"]
)
def test_text_of_any_language_is_taken(value):
    """Letters, marks and signs of all languages are text."""
    assert text_fault(value, longest=2000) is None


def test_line_breaks_are_text_where_they_are_expected():
    """A command may have a prompt with a line break, a name may not."""
    assert text_fault("a\nb\tc", longest=10, lines=True) is None
    assert text_fault("a\nb", longest=10) == "has the sign U+000A, which cannot be seen; leave it out"


@given(st.text())
def test_text_that_is_taken_can_be_printed(value):
    """Whatever is taken is one line of printable characters, but for spaces that are wider than one."""
    if text_fault(value, longest=100) is None:
        assert value.encode()
        assert len(value.splitlines()) == 1


def test_signs_that_cannot_be_seen_are_found_anywhere_in_json():
    """In keys and values, however deep; line breaks and tabs are allowed, for prompts have them."""
    assert unseen_text({"a": [{"b": "prompt:\n\t"}], "c": 1.5, "d": None}) is None
    assert unseen_text({"a": [{"b": "x\u202ey"}]}) == "a has the sign U+202E (RIGHT-TO-LEFT OVERRIDE)"
    assert unseen_text({"a\0": 1}) == "a key has the sign U+0000"
    deep: object = "\0"
    for _ in range(100_000):
        deep = [deep]
    assert unseen_text(deep) == "a text has the sign U+0000"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a": 1, "a": 2}', "a key is given twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": ' + b"1" * 5000 + b"}", "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        (b'{"a": 1', "is not JSON"),
        (b"", "is not JSON"),
    ],
)
def test_json_that_readers_may_differ_about_is_refused(content, message):
    """Depth that no parser takes, a key twice, NaN, numbers of thousands of digits, and what is no JSON."""
    with pytest.raises(SubmissionError, match=message):
        parse_json(content, "x.json")


@given(st.binary(max_size=50))
def test_any_bytes_are_json_or_refused(content):
    """Nothing but a sentence comes of what is no JSON."""
    try:
        parse_json(content, "x.json")
    except SubmissionError as error:
        message = str(error)
        assert message.startswith("x.json")


def test_a_link_is_not_followed(tmp_path):
    """Not to a file, not to nothing, and not to a device."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for target in (secret, tmp_path / "nothing", "/dev/zero"):
        link = tmp_path / "link"
        link.symlink_to(target)
        with pytest.raises(SubmissionError, match="is a link; expected a file of its own"):
            read_file(link, limit=100)
        link.unlink()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    """A pipe is not waited for, and a folder is no file."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(SubmissionError, match=r"is no regular file|cannot be read"):
            read_file(tmp_path / name, limit=100)


def test_a_file_is_read_up_to_its_limit(tmp_path):
    """Just as many bytes are taken, one more is not, and a file of terabytes costs nothing."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_file(path, limit=100) == b"x" * 100
    with pytest.raises(SubmissionError, match="larger than 99 bytes"):
        read_file(path, limit=99)
    os.truncate(path, 1 << 40)
    with pytest.raises(SubmissionError, match="larger than 99 bytes"):
        read_file(path, limit=99)
