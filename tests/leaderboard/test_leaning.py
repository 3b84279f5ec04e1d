"""Claimed means must be those of the model, but for what chance does to single queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.made_rounding import COLUMNS, LANGUAGES, Simulated, collection
from xlbench.engine.search import rank
from xlbench.leaderboard.leaning import leans
from xlbench.settings import KINDS, settings


@pytest.fixture(scope="module")
def ranking():
    """The ranking of a simulated model."""
    return rank(collection(), Simulated().scores(0.0, 0), depth=20)


def moved(ranking, rows: np.ndarray, by: int):
    """The ranking with some pairs moved by so many places within each language, where there is room."""
    above = ranking.above.copy()
    above[rows] = np.clip(above[rows] + by, 0, 299)
    return replace(ranking, above=above.astype(np.int32))


def too_large(claimed, computed) -> set[str]:
    """The measures that lean."""
    found = leans(claimed, computed, settings(KINDS, LANGUAGES), COLUMNS)
    return {f"{lean.kind} {lean.measure}" for lean in found if lean.is_too_large}


def test_the_same_ranks_do_not_lean(ranking):
    """No difference is no lean, and each column is compared."""
    assert too_large(ranking, ranking) == set()
    assert len(list(leans(ranking, ranking, settings(KINDS, LANGUAGES), COLUMNS))) == len(COLUMNS)


@pytest.mark.parametrize("by", [-3, 3])
def test_ranks_that_all_move_one_way_lean(ranking, by):
    """Better ones lean, and so do worse ones: they are of another model."""
    assert {"mono AP", "cross AP", "multi AP"} <= too_large(moved(ranking, np.arange(len(ranking.above)), by), ranking)


def test_a_few_queries_that_differ_are_chance(ranking):
    """Near ties of some queries may all have gone one way; the bounds of counts look at each."""
    assert too_large(moved(ranking, np.flatnonzero(ranking.judged.query == 5), -2), ranking) == set()


def test_a_lean_says_both_means(ranking):
    """The sentence has the kind, the measure, both values, and what rounding explains."""
    claimed = moved(ranking, np.arange(len(ranking.above)), -3)
    lean = next(leans(claimed, ranking, settings(KINDS, LANGUAGES), COLUMNS))
    assert f"the mean mono AP is said to be {lean.claimed:.4f}; the model gives {lean.computed:.4f}." in str(lean)
