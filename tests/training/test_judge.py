"""Tests of a reranker that judges hard negatives."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.made_pairs import write_pairs
from tests.training.test_negatives import MODEL, line
from xlbench.errors import EncoderError
from xlbench.models.reranker import Reranking
from xlbench.training.judge import judged
from xlbench.training.negatives import Mining, mine, write_mined
from xlbench.training.pairs import read_pairs


class Lengths:
    """A pair's score says how long both texts are; each call is counted."""

    name, revision = "lengths", "1"

    def __init__(self, worst: float = 1.0):
        self.worst = worst
        self.asked: list[tuple[str, str]] = []

    def score_pairs(self, queries, passages):
        """100 times the length of the query, and that of the passage."""
        self.asked += zip(queries, passages, strict=True)
        return np.array(
            [100 * len(a) + len(b) * self.worst for a, b in zip(queries, passages, strict=True)], np.float32
        )


LINES = [
    {"id": "it", "queries": {"en": "sky", "fr": "bleu ciel"}, "passages": {"en": "blue sky", "de": "Himmel blau sky"}},
    line("x", None, "sky sky sea", "sky!"),
    line("y", "quite another", "sea"),
]


def test_texts_are_scored_with_the_question_in_their_language_or_in_english(tmp_path):
    """Scores stand beside passages and negatives in the file, and are read again; each pair is asked once."""
    path, output = write_pairs(tmp_path / "pairs.jsonl", LINES), tmp_path / "mined.jsonl"
    pairs, reranker = read_pairs(path), Lengths()
    mined = mine(path, MODEL, Mining(n=2, among="pool"), cache_dir=tmp_path / "cache")
    write_mined(path, mined, output, judged(pairs, mined, Reranking(reranker)))
    assert len(reranker.asked) == len(set(reranker.asked))
    row = read_pairs(output).rows[0]
    assert row.negatives["en"]
    assert row.passage_scores == {"en": 300 + len("blue sky"), "de": 300 + len("Himmel blau sky")}
    for language, texts in row.negatives.items():
        assert row.negative_scores[language] == tuple(300 + len(text) for text in texts)
    french = LINES[0] | {"passages": {"fr": "ciel sky"}}
    write_pairs(path, [french, *LINES[1:]])
    scores = judged(read_pairs(path), mined, Reranking(reranker))
    assert scores["it"]["passages"] == {"fr": 100 * len("bleu ciel") + len("ciel sky")}


def test_a_score_that_is_not_finite_is_refused(tmp_path):
    """The reranker and the pair are named."""
    path = write_pairs(tmp_path / "pairs.jsonl", LINES)
    mined = mine(path, MODEL, Mining(), cache_dir=tmp_path / "cache")
    with pytest.raises(EncoderError, match="lengths gave NaN or infinity for the text '"):
        judged(read_pairs(path), mined, Reranking(Lengths(worst=np.nan)))
