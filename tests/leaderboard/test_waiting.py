"""What waits for a check with its model, and in which order."""

from __future__ import annotations

from dataclasses import replace

from tests.leaderboard.made_sites import several
from xlbench.leaderboard.board import BoardRow
from xlbench.leaderboard.checks import Checked
from xlbench.leaderboard.waiting import table, waiting


def checked(**levels: str) -> list[Checked[BoardRow]]:
    """The submissions as a check gives them; those without a level were not sound."""
    made = []
    for each in several():
        level = levels.get(each.folder.parent.name)
        problems = () if level else ("It is not sound.",)
        made.append(Checked(each.folder, level or "reported", problems, extracted=BoardRow.of(each) if level else None))
    return made


def test_what_would_rank_first_comes_first():
    """On whatever task; of what was run again, and of what is not sound, nothing waits."""
    queue = waiting(checked(alpha="verified", beta="deep-verified", gamma="verified"))
    assert [(each.folder.as_posix(), each.rank) for each in queue] == [
        ("alpha/made", 1), ("alpha/uneven", 1), ("gamma/made", 3)
    ]  # fmt: skip
    assert waiting(checked(alpha="sample-verified", beta="deep-verified")) == []


def test_what_is_not_ranked_comes_last():
    """A partial submission takes no place from anyone."""
    all_of_them = checked(alpha="verified", gamma="verified")
    best = replace(all_of_them[0], extracted=replace(all_of_them[0].extracted, missing_languages=("th",)))
    queue = waiting([best, *all_of_them[1:]])
    assert [(each.folder.as_posix(), each.rank) for each in queue][-1] == ("alpha/made", None)


def test_the_table_has_the_order():
    """Ranks are in parentheses, since they are those of models that are only verified."""
    queue = table(waiting(checked(alpha="verified", gamma="verified")))
    assert [cell.text for cell in queue.rows[0]] == ["(1)", "alpha", "made, version 1", "alpha/made"]
