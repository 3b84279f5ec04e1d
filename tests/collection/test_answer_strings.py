"""Answers as strings in passages, as DPR finds them."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.collection.answer_strings import containing, n_tokens, tokens

ANSWERS = {"q1": ["Zürich", "the U.S."], "q2": ["2"], "q3": ["…"], "q4": [" ", ""], "q5": ["Big Bang", "Bang Theory"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In ZU\u0308RICH it rains", ["q1"]),  # Composed or not, in any case.
        ("Zürichsee", []),  # Whole tokens only.
        ("all of the U.S. army", ["q1"]),
        ("the U. S. army", ["q1"]),  # Signs are tokens, white space is not.
        ("the US army", []),
        ("In 1912, 2 of them; 22", ["q2"]),
        ("In 1912 and 22", []),
        ("and so on…", ["q3"]),
        ("The Big Bang Theory", ["q5"]),  # Two answers that overlap are one pair.
        ("東京 2", ["q2"]),
    ],
)
def test_a_passage_has_an_answer_if_it_has_its_tokens(text, expected):
    """One after the other, in lower case and canonical decomposition; an answer without a token is nowhere."""
    assert list(containing([("p", text)], ANSWERS)) == [(query, "p") for query in expected]


def plain(text: str) -> str:
    """A text in lower case and canonical decomposition."""
    return unicodedata.normalize("NFD", text).lower()


def naive(text: str, answer: str) -> bool:
    of_text, of_answer = tokens(text), tokens(answer)
    starts = range(len(of_text) - len(of_answer) + 1)
    return bool(of_answer) and any(of_text[at : at + len(of_answer)] == of_answer for at in starts)


_WORDS = st.text(st.sampled_from("ab1. -éÉ\u0301"), max_size=12)


@given(st.lists(_WORDS, min_size=1, max_size=4), st.lists(_WORDS, min_size=1, max_size=4))
def test_one_pass_finds_what_comparing_tokens_finds(texts, strings):
    """Whatever overlaps, contains each other or is empty."""
    answers = {f"q{i}": [string] for i, string in enumerate(strings)}
    expected = {
        (query, f"p{i}") for i, text in enumerate(texts) for query, (answer,) in answers.items() if naive(text, answer)
    }
    pairs = list(containing(((f"p{i}", text) for i, text in enumerate(texts)), answers))
    assert set(pairs) == expected
    assert len(pairs) == len(expected)


def test_tokens_are_letters_marks_and_digits_or_one_sign():
    """As the expression of DPR's tokenizer has them."""
    assert tokens("O'Neill (b. 1960)\u200b x\u0301") == ["o", "'", "neill", "(", "b", ".", "1960", ")", "x\u0301"]
    rows = np.array([[1, 0, -1], [0, 0, 1]], np.int32)
    assert n_tokens(["one two", "one"], rows).tolist() == [[1, 2, 0], [2, 2, 1]]


@pytest.mark.real_data
def test_the_answers_of_afriqa_are_in_its_own_passages(real_data):
    """Nine of ten gold passages contain the pivot answer; six times as many passages contain one as were chosen."""
    path = real_data / "afriqa/gold_passages/bem/gold_span_passages.afriqa.bem.en.test.json"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["context"] and any(map(str.strip, row["answer_pivot"]["text"]))]
    passages = [(str(i), row["context"]) for i, row in enumerate(rows)]
    answers = {str(i): row["answer_pivot"]["text"] for i, row in enumerate(rows)}
    pairs = set(containing(passages, answers))
    own = {(str(i), str(i)) for i in range(len(rows))}
    as_written = {
        (str(i), str(i))
        for i, row in enumerate(rows)
        if any(plain(text) in plain(row["context"]) for text in row["answer_pivot"]["text"])
    }
    assert pairs & own <= as_written
    # Golden: what this test counted; the other answers begin or end within a word, or were edited.
    assert (len(rows), len(own & pairs), len(as_written), len(pairs)) == (308, 277, 296, 1_988)
