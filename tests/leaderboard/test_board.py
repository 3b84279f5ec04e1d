"""The board: rows of models on tasks, their labels, order and ranks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.leaderboard.made_sites import several, submission
from xlbench.leaderboard.board import BoardRow, boards, columns_of, in_order, labelled, shown, table


@pytest.fixture(scope="module")
def rows() -> list[BoardRow]:
    """The rows of four models, two of them on two tasks."""
    return [BoardRow.of(submission) for submission in several()]


def keys(board):
    """The models of a board in its order."""
    return [standing.row.key for standing in board.standings]


def test_a_board_for_each_version_of_a_task(rows):
    """Results of two tasks, or of two versions of one, do not meet; the board with the most models comes first."""
    newer = [replace(row, task_version=2) for row in rows if row.task == "made"][:1]
    found = boards([*rows, *newer])
    assert [(board.title, len(board.standings)) for board in found] == [
        ("made, version 1", 4), ("uneven, version 1", 2), ("made, version 2", 1)
    ]  # fmt: skip


def test_models_are_in_order_and_reported_ones_last(rows):
    """The best in the pool of all languages comes first, and a row that nobody checked after all others."""
    best = next(row for row in rows if row.key == "beta" and row.task == "made")
    found = boards([replace(row, level="reported") if row is best else replace(row, level="verified") for row in rows])
    assert keys(found[0]) == ["alpha", "gamma", "omega", "beta"]


def test_rank_distance_is_better_where_it_is_lower(rows):
    """Sorted by RankDistance, the board begins with the least."""
    board = boards([replace(row, level="verified") for row in rows])[0]
    column = ("multi", "RankDistance")
    values = [standing.row.means[column].value for standing in in_order(board.standings, column)]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"level": "reported"}, "reported, not checked"),
        ({"missing_languages": ("th",)}, "partial: without th"),
        ({"headline": "nDCG@10"}, "its headline is nDCG@10, not AP"),
    ],
)
def test_what_is_not_comparable_has_no_rank(rows, changes, reason):
    """A reported row, a partial one and one with another headline have no rank, and change nobody else's."""
    sound = [replace(row, level="verified") for row in rows if row.task == "made"]
    before = {standing.row.key: standing.ranks for standing in boards(sound)[0].standings}
    board = boards([replace(row, **changes) if row.key == "gamma" else row for row in sound])[0]
    of = {standing.row.key: standing for standing in board.standings}
    assert (of["gamma"].ranks, of["gamma"].unranked) == ({}, reason)
    assert of["alpha"].ranks == before["alpha"]
    assert of["omega"].ranks["multi"] == before["omega"]["multi"] - 1


def test_a_model_that_is_only_verified_takes_no_place(rows):
    """Its ranks may have been invented: those of models that were run again do not depend on it; its own says so."""
    levels = {"beta": "verified", "alpha": "deep-verified", "gamma": "sample-verified", "omega": "verified"}
    (board, *_) = boards([replace(row, level=levels[row.key]) for row in rows])
    ranks = {standing.row.key: standing.ranks["multi"] for standing in board.standings}
    assert keys(board) == ["beta", "alpha", "gamma", "omega"]
    assert ranks == {"beta": 1, "alpha": 1, "gamma": 2, "omega": 4}
    found = table(board, ("multi", "AP"))
    assert [row[0].text for row in found.rows] == ["(1)", "1", "2", "(4)"]
    assert "In parentheses: of a model that is only verified" in found.note


def test_other_questions_are_not_ranked_against(rows):
    """A row that was asked other questions than most is shown without a rank."""
    uneven = next(row for row in rows if row.task == "uneven")
    made = [replace(row, level="verified") for row in rows if row.task == "made"]
    board = boards([*made, replace(uneven, key="odd", task="made", level="verified")])[0]
    odd = next(standing for standing in board.standings if standing.row.key == "odd")
    assert odd.ranks == {}
    assert odd.unranked == "asked other queries than most models of this task"


def test_labels_say_what_differs(rows):
    """Models of one name are told apart by their arguments or revision, and by their key where these are the same."""
    first = rows[0]
    model = {"name": "m", "revision": "1", "adapter": "x", "arguments": {}}
    of = {
        "a": model,
        "b": model | {"arguments": {"pooling": "cls"}},
        "c": model | {"revision": "2"},
        "d": model | {"revision": "2"},
        "e": model | {"name": "n"},
    }
    found = labelled([replace(first, key=key, model=each) for key, each in of.items()])
    assert found == {
        "a": "m (no arguments, revision 1)", "b": "m (pooling=cls, revision 1)", "c": "m (c)", "d": "m (d)", "e": "n"
    }  # fmt: skip


def test_texts_cannot_steer():
    """A line break, a control character and a character that turns the direction of text become spaces."""
    assert shown("a\nb\x1b[31m\u202ec\u2066") == "a b [31m c "
    assert shown("x" * 1000) == "x" * 299 + "…"


def test_the_table_of_the_terminal(rows):
    """The table has a rank, a label, each mean with its interval, and the level."""
    board = boards([replace(row, level="verified") for row in rows])[0]
    found = table(board, ("multi", "AP"))
    assert found.header == (
        "rank", "model", "monolingual AP", "cross-lingual AP", "multilingual AP", "RankDistance", "LPR", "level"
    )  # fmt: skip
    assert [row[0].text for row in found.rows] == ["(1)", "(2)", "(3)", "(4)"]
    assert [row[1].text for row in found.rows] == ["beta", "alpha", "gamma", "omega"]
    best = board.standings[0].row.means["multi", "AP"]
    assert (found.rows[0][4].value, found.rows[0][4].interval) == (best.value, (best.low, best.high))
    assert columns_of("AP")[2] == ("multi", "AP")


def test_a_stated_target_sorts_by_the_distance_from_it(rows):
    """Without one the highest come first, of a measure of which neither high nor low is better."""
    board = boards([replace(row, level="verified") for row in rows])[0]
    values = [row[6].value for row in table(board, ("multi", "LPR")).rows]
    assert values == sorted(values, reverse=True)
    target = sorted(values)[1]
    nearest = [row[6].value for row in table(board, ("multi", "LPR"), target=target).rows]
    assert nearest == sorted(values, key=lambda value: abs(value - target))
    assert nearest != values


def test_a_row_has_means_by_language(rows):
    """The means by language are of its queries, and the mean over languages is the mean of them."""
    row = next(row for row in rows if row.task == "made")
    assert set(row.languages) == {"ar", "de", "en", "th"}
    of_mono = [values["mono", "AP"] for values in row.languages.values()]
    assert row.means["mono", "AP"].value == pytest.approx(sum(of_mono) / 4)
    assert row.texts_per_second == pytest.approx((4 * 40 + 4 * 65) / 2.5)
    assert replace(row, model={**row.model, "transform": {}}).texts_per_second is None


@pytest.mark.parametrize(
    ("timing", "shown"), [({"encoded_share": 1.0}, True), ({"encoded_share": 0.4}, False), ({}, False)]
)
def test_a_speed_is_shown_only_of_what_was_encoded(timing, shown):
    """Where vectors were kept from an earlier run, the time says nothing of the model's speed."""
    made = submission("alpha", 0.5)
    row = BoardRow.of(replace(made, result=replace(made.result, timing={"encode_s": 2.0, **timing})))
    assert (row.texts_per_second is not None) == shown
