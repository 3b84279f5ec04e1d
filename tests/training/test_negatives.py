"""Hard negatives: what is taken, and what may answer and is left out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.training.made_pairs import write_pairs
from xlbench.models.protocols import Model
from xlbench.training.negatives import Mining, mine, write_mined
from xlbench.training.pairs import read_pairs


class Counting:
    """A text's vector says how often it has each of four words; all of them mean a thing."""

    name, revision = "counting", "1"

    def encode_queries(self, texts):
        """The vectors, ``float32[texts, 4]``."""
        return np.array([[text.count(word) for word in ("blue", "sky", "sea", "!")] for text in texts], np.float32)

    encode_passages = encode_queries


MODEL = Model(Counting(), adapter="class", arguments={})


def line(id_, query=None, *passages, **more):
    """A line in English and, if there is a second passage, German."""
    texts = dict(zip(("en", "de"), passages, strict=False))
    return {"id": id_, "queries": {"en": query} if query else {}, "passages": texts, **more}


def mined(tmp_path, lines, **mining):
    """The negatives of the row ``it``."""
    path = write_pairs(tmp_path / "pairs.jsonl", lines)
    return dict(mine(path, MODEL, Mining(**mining), cache_dir=tmp_path / "cache").negatives["it"])


IT = line("it", "blue sky", "blue sky sky", "blue sky (de)")
HARD, HARDER, EASY = (line(name, None, text) for name, text in (("a", "sky"), ("b", "blue blue sky"), ("c", "sea")))


def test_the_hardest_come_first(tmp_path):
    """Passages come by descending score, as many as are asked for."""
    assert mined(tmp_path, [EASY, IT, HARD, HARDER], n=5) == {"en": ["blue blue sky", "sky", "sea"]}
    assert mined(tmp_path, [EASY, IT, HARD, HARDER], n=2) == {"en": ["blue blue sky", "sky"]}


@pytest.mark.parametrize(
    "other",
    [
        line("x", "another question", "BLUE sky, sky!"),
        line("x", "Blue sky?", "blue blue blue sky"),
        line("x", "another question", "blue blue blue sky", passage_id="it"),
        line("x", "another question", "blue blue blue sky", "blue sky (de)"),
        line("x", None, "blue sky sky"),
    ],
    ids=["equal passage", "equal question", "passage id", "equal translation", "copy"],
)
def test_what_may_answer_is_left_out(tmp_path, other):
    """Passages linked by an equal text, an equal question or a passage_id are no negatives."""
    if "passage_id" in other:
        other = other | {"passages": {"fr": "blue blue blue sky"}}
    assert mined(tmp_path, [IT, HARD, other], n=5) == {"en": ["sky"]}


def test_what_is_linked_by_way_of_another_row_is_left_out(tmp_path):
    """If a second row has the first's question and a third's passage, the third's passage may answer the first."""
    second = line("x", "blue sky", "blue sky blue")
    third = line("y", "another question", "blue sky blue", "sky sky sky", passage_id="far")
    assert mined(tmp_path, [IT, second, third, HARD], n=5, among="pool") == {"en": ["sky"]}


@pytest.mark.parametrize(
    ("margin", "kept"), [(None, ["blue blue sky", "sky"]), (0.0, ["blue blue sky", "sky"]), (0.1, ["sky"])]
)
def test_a_margin_leaves_out_what_scores_like_the_own_passage(tmp_path, margin, kept):
    """The own passage has 3; the others 3 and 1: with a margin of a tenth, only those up to 2.7 are kept."""
    assert mined(tmp_path, [IT, HARD, HARDER], n=5, margin=margin) == {"en": kept}


def test_a_margin_takes_nothing_where_the_own_passage_is_far_below(tmp_path):
    """If so many rank higher that the own passage is not among the best, none of them is surely wrong."""
    above = [line(f"x{i}", None, f"blue sky {'! ' * i} sky sky") for i in range(80)]
    assert mined(tmp_path, [line("it", "blue sky", "sea"), *above], n=1, margin=0.1) == {}
    assert len(mined(tmp_path, [line("it", "blue sky", "sea"), *above], n=1)["en"]) == 1


def test_the_pool_has_passages_of_all_languages(tmp_path):
    """Among the pool, negatives are grouped by their language; among a language, they are in the query's."""
    german = {"id": "g", "queries": {}, "passages": {"de": "sky sky sky"}}
    assert mined(tmp_path, [IT, HARD, german], n=5, among="pool") == {"de": ["sky sky sky"], "en": ["sky"]}
    assert mined(tmp_path, [IT, HARD, german], n=5) == {"en": ["sky"]}


def test_queries_with_too_few_are_counted(tmp_path):
    """It is said how many queries have fewer negatives than were asked for."""
    path = write_pairs(tmp_path / "pairs.jsonl", [IT, HARD, line("q", "sea", "sea sea")])
    found = mine(path, MODEL, Mining(n=2), cache_dir=tmp_path / "cache")
    assert (found.n_queries, found.n_short) == (2, 0)
    assert mine(path, MODEL, Mining(n=3), cache_dir=tmp_path / "cache").n_short == 2


def test_the_file_has_all_its_lines_and_new_negatives(tmp_path):
    """Lines keep their order and all else that they have; negatives of an earlier mining are replaced."""
    lines = [HARD, IT | {"negatives": {"en": ["old"]}, "source": "here"}]
    path = write_pairs(tmp_path / "pairs.jsonl", lines)
    output = tmp_path / "mined.jsonl"
    write_mined(path, mine(path, MODEL, Mining(), cache_dir=tmp_path / "cache"), output)
    written = [json.loads(one) for one in output.read_text(encoding="utf-8").splitlines()]
    assert written == [HARD, IT | {"source": "here", "negatives": {"en": ["sky"]}}]
    assert read_pairs(output).rows[0].negatives == {"en": ("sky",)}


def test_texts_without_letters_are_neither_mined_nor_asked(tmp_path):
    """Two rows with the passage of one dash are no negatives of each other, and a question of signs has none."""
    lines = [
        line("it", "blue !!!", "!"),
        line("x", "blue sky", "!"),
        line("y", "!!!", "blue sky!"),
        line("z", "?", "42"),
    ]
    path = write_pairs(tmp_path / "pairs.jsonl", lines)
    negatives = mine(path, MODEL, Mining(n=3), cache_dir=tmp_path / "cache").negatives
    assert dict(negatives["it"]) == {"en": ["blue sky!"]}
    assert not negatives["y"]
    assert not negatives["z"]
