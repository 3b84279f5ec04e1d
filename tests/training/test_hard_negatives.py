"""Tests of how hard negatives are chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.test_data import pair_file, parallel
from xlbench.errors import DataError, TrainingError
from xlbench.training.data import Data
from xlbench.training.hard_negatives import HardNegatives
from xlbench.training.plan import Plan
from xlbench.training.recipes import load
from xlbench.training.steps import Steps


def mined(folder, *, scores: bool = False, n: int = 6):
    """Rows with three negatives in each of three languages; of German ones the second scores above the passage."""
    rows = parallel(n, ("de", "en", "fr"))
    for i, row in enumerate(rows):
        row["negatives"] = {code: [f"{code} n{i} {k}" for k in "abc"] for code in ("de", "en", "fr")}
        if scores:
            row["scores"] = {"passages": {"de": 5, "en": 4.0}, "negatives": {"de": [1, 6.5, 2], "en": [1, 2, 3]}}
    return pair_file(folder / "mined.jsonl", rows)


def negatives_of(data: Data, hard: HardNegatives, *, recipe: str = "x-y", step: int = 0):
    """Query language, passage language and the negatives of each row of the first batch."""
    batches = Plan(data.presence, load(recipe), 4, 1).epoch(0)
    batch = data.batch(batches, 0, hard=hard, step=step)
    return [
        (name[-6:-1].split(">")[0][-2:], name[-3:-1], batch.passages[4 + hard.n * i : 4 + hard.n * (i + 1)])
        for i, name in enumerate(batch.names)
    ]


@pytest.mark.parametrize("among", ["passage", "query", "any"])
def test_negatives_are_of_the_languages_that_are_asked_for(tmp_path, among):
    """In cross-lingual batches they are in the passage's language, the query's, or any in use, but in no other."""
    data = Data.of([mined(tmp_path)], weights=[1.0], languages=["de", "en"])
    for query, passage, texts in negatives_of(data, HardNegatives(4 if among == "any" else 3, among)):
        codes = {text[:2] for text in texts}
        assert codes == {"passage": {passage}, "query": {query}, "any": {"de", "en"}}[among]


def test_they_are_drawn_anew_for_each_step_and_alike_for_a_resumed_one(tmp_path):
    """Two of three are drawn by seed and step, each alike; the same step gives the same, in the file's order."""
    data = Data.of([mined(tmp_path)], weights=[1.0])
    hard = HardNegatives(2, seed=7)
    drawn = [negatives_of(data, hard, step=step) for step in range(60)]
    assert negatives_of(data, hard, step=5) == drawn[5]
    assert negatives_of(data, replace(hard, seed=8), step=5) != drawn[5]
    letters = ["".join(text[-1] for text in texts) for rows in drawn for _, _, texts in rows]
    counts = {pair: letters.count(pair) / len(letters) for pair in ("ab", "ac", "bc")}
    assert sum(counts.values()) == 1
    assert all(abs(share - 1 / 3) < 0.1 for share in counts.values())


def test_steps_draw_by_the_number_of_the_step(tmp_path):
    """The second epoch of a row has other negatives than the first, whichever was asked for before."""
    data = Data.of([mined(tmp_path, n=4)], weights=[1.0], languages=["de"])
    plan = Plan(data.presence, load("x-x-mono"), 4, 8)
    batches = [Steps(data, plan, hard=HardNegatives(1))[step] for step in range(8)]
    assert {tuple(sorted(batch.passages[4:])) for batch in batches} != {tuple(sorted(batches[0].passages[4:]))}
    assert Steps(data, plan, hard=HardNegatives(1))[3].passages == batches[3].passages


def test_negatives_that_score_above_the_passage_are_left_out(tmp_path):
    """With a margin, those above the passage's score plus it are not drawn; what has no score is."""
    data = Data.of([mined(tmp_path, scores=True)], weights=[1.0])
    row = data.rows[0]

    def drawn(language: str, margin: float | None) -> list[str]:
        some = HardNegatives(3, margin=margin).draw(row, language, language, data.languages, np.random.default_rng(0))
        return [text[-1] for text, _ in some if text]

    assert drawn("de", None) == drawn("de", 1.5) == ["a", "b", "c"]
    assert drawn("de", 1.0) == ["a", "c"]
    assert drawn("de", -3.5) == ["a"]
    assert drawn("fr", 0.0) == ["a", "b", "c"]


def test_scores_stand_beside_their_texts(tmp_path):
    """A batch has the score of each answer and of each negative that was drawn; NaN where there is none."""
    data = Data.of([mined(tmp_path, scores=True)], weights=[1.0])
    batches = Plan(data.presence, load("x-x-mono"), 4, 1).epoch(0)
    batch = data.batch(batches, 0, hard=HardNegatives(2, "any"))
    known = {"p": {"de": 5, "en": 4}, "a": {"de": 1, "en": 1}, "b": {"de": 6.5, "en": 2}, "c": {"de": 2, "en": 3}}
    for i in range(4):
        texts = [batch.passages[i], *batch.passages[4 + 2 * i : 6 + 2 * i]]
        expected = [known["p" if k == 0 else text[-1]].get(text[:2], np.nan) for k, text in enumerate(texts)]
        np.testing.assert_array_equal(batch.scores[i], expected)
    halves = [batch.part(number, 2).scores for number in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves), batch.scores)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"negatives": {"de": [1.0]}}, r"line 1, scores of negatives in 'de': 1 for 2 negatives"),
        ({"negatives": {"de": [1.0, True]}}, r"scores of negatives in 'de' is True; expected a finite number"),
        ({"passages": {"de": float("nan")}}, r"scores of passages in 'de' is nan"),
        ({"passages": 3}, r"scores"),
        ({"passage": {"de": 1}}, r"expected 'passages' and 'negatives'"),
    ],
)
def test_scores_of_another_shape_are_refused_with_file_and_line(tmp_path, scores, said):
    """One number for each negative, finite, and no other keys."""
    row = parallel(1)[0] | {"negatives": {"de": ["x", "y"]}, "scores": scores}
    with pytest.raises(DataError, match=said):
        pair_file(tmp_path / "a.jsonl", [row])


def test_what_the_rows_lack_is_refused(tmp_path):
    """Negatives that no row has, scores that none has, and distillation without negatives, each with what to do."""
    plain, mined_rows = pair_file(tmp_path / "a.jsonl", parallel(2)).rows, mined(tmp_path).rows
    for hard, rows, distils, said in (
        (HardNegatives(1), plain, False, "xlbench mine"),
        (HardNegatives(0), mined_rows, True, "add --negatives N"),
        (HardNegatives(1), mined_rows, True, "margin-mse and kl need scores"),
        (HardNegatives(1, margin=0.1), mined_rows, False, "--negative-margin needs scores"),
    ):
        with pytest.raises(TrainingError, match=said):
            hard.check(rows, distils=distils)
    HardNegatives(1, margin=0.1).check(mined(tmp_path, scores=True).rows, distils=True)
