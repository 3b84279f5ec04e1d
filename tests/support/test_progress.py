"""The display of progress."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest

from xlbench.support import progress

CALLS = [(3, True), (5, False), (2, False)]


def drive(show):
    """Shows the progress of ten texts."""
    with show("encoding", n_texts=10, n_characters=100) as advance:
        for texts, stored in CALLS:
            advance(texts=texts, characters=texts * 10, stored=stored)


def test_without_a_terminal_it_prints_plain_lines(capsys):
    """Standard error that is no terminal gets one line at the start and one at the end, without control characters."""
    drive(progress.display("small", quiet=False))
    captured = capsys.readouterr()
    first, last = captured.err.splitlines()
    assert first == "small: encoding: 10 texts"
    assert last.startswith("small: encoding: 10 of 10 texts, ")
    assert last.endswith(" texts/s")
    assert captured.err.isascii()
    assert "\x1b" not in captured.err
    assert captured.out == ""


def test_a_long_run_prints_a_line_every_few_seconds(capsys, monkeypatch):
    """Between the first and the last line there is one line each time that the interval has passed."""
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    drive(partial(progress.display("small", quiet=False), noun="pairs"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "small: encoding: 10 pairs",
        "small: encoding: 3 of 10 pairs",
        "small: encoding: 8 of 10 pairs",
        "small: encoding: 10 of 10 pairs",
    ]


def test_quiet_prints_nothing(capsys):
    """When quiet, there is nothing on either stream."""
    drive(progress.display("small", quiet=True))
    drive(progress.silent)
    assert capsys.readouterr() == ("", "")


def test_the_speed_does_not_count_what_was_stored():
    """Vectors that were there from an earlier run are done but do not count as encoded."""
    speed = progress._Speed()
    for texts, stored in CALLS:
        speed.add(texts, stored=stored)
    assert (speed.done, speed.encoded) == (10, 7)
    assert speed.of("texts").endswith(" texts/s")


def test_a_slow_speed_has_two_digits(monkeypatch):
    """What takes seconds each is not said to be done at none a second."""
    speed = progress._Speed()
    monkeypatch.setattr(progress.time, "monotonic", lambda: speed.start + 8)
    speed.add(3, stored=False)
    assert speed.of("steps") == ", 0.38 steps/s"


def test_what_was_all_stored_has_no_speed():
    """A run that finds all its vectors says so, and not that it encodes nothing a second."""
    speed = progress._Speed()
    speed.add(10, stored=True)
    assert speed.of("texts") == ", from an earlier run"


@pytest.mark.parametrize("quiet", [False, True])
def test_on_a_terminal_it_draws_a_bar(quiet):
    """A terminal gets a bar that is drawn with control characters, and nothing when quiet."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    code = (
        "from xlbench.support import progress\n"
        f"with progress.display('small', quiet={quiet})('encoding', n_texts=10, n_characters=100) as advance:\n"
        "    advance(texts=10, characters=100, stored=False)\n"
    )
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True, env=environment)
    os.set_blocking(ours, False)
    try:
        drawn = os.read(ours, 100_000).decode()
    except BlockingIOError:
        drawn = ""
    os.close(ours)
    os.close(theirs)
    assert ("\x1b[" in drawn, "small: encoding" in drawn) == (not quiet, not quiet)


def test_a_line_ends_with_what_else_is_known(capsys):
    """What ``more`` gives stands after the speed."""
    with progress.display("small", quiet=False)("encoding", n_texts=2, n_characters=9, more=lambda: ", so") as advance:
        advance(texts=2, characters=9, stored=False)
    assert capsys.readouterr().err.splitlines()[-1].endswith("texts/s, so")
