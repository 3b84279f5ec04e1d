"""Tests of the tables of several models: side by side, and alignment against retrieval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.reports.made_results import made_result
from xlbench.reports import several_models
from xlbench.reports.several_models import comparison, grouped

WORST, MIDDLE, BEST = (made_result(name, level=level) for name, level in (("c", 0.2), ("b", 0.5), ("a", 0.8)))


def test_a_comparison_has_a_table_a_task_and_version():
    """Results of different versions never share a table; a model without a kind of setting has an empty cell."""
    mono, newer = made_result("other", kinds=["mono"]), replace(made_result(kinds=["mono"]), task_version=3)
    both, alone = comparison([MIDDLE, newer, mono])
    assert both.title == "tiny, version 2"
    assert both.header[:5] == ("model", "mono AP", "cross AP", "multi AP", "multi RankDistance")
    assert both.header[5:] == ("multi LPR", "multi OneTargetBias", "favourite")
    assert [cell.text for cell in both.rows[1]][2:] == [""] * 6
    assert both.rows[0][1].interval == tuple(MIDDLE.intervals["mono"]["AP"])
    assert (alone.title, alone.header) == ("tiny, version 3", ("model", "mono AP"))


def test_the_best_of_each_column_is_marked_by_its_direction():
    """Higher AP, lower rank distance, and the bias nearest to none are the best."""
    table = comparison([WORST, BEST])[0]
    marked = {name: [cells[i].best for cells in table.rows] for i, name in enumerate(table.header)}
    assert marked["mono AP"] == marked["multi AP"] == [False, True]
    # made_result's levels are those of every measure: the worst retrieval has the least distance and bias.
    assert marked["multi RankDistance"] == marked["multi OneTargetBias"] == [True, False]
    assert "OneTargetBias nearer to .000" in table.note


def test_of_the_share_of_ones_own_language_none_is_the_best():
    """The note says that the reader decides."""
    table = comparison([WORST, BEST])[0]
    column = table.header.index("multi LPR")
    assert not any(cells[column].best for cells in table.rows)
    assert "LPR is neither good nor bad" in table.note
    assert "LPR nearer" not in table.note


def test_a_partial_result_is_marked_and_never_the_best():
    """It has another pool, so that its numbers do not compare."""
    partial = made_result("part", level=0.9, languages=["de", "en"])
    table = comparison([WORST, partial, MIDDLE])[0]
    assert [cells[0].text for cells in table.rows] == ["c", "part (partial: without th)", "b"]
    assert [cells[1].best for cells in table.rows] == [False, False, True]
    assert not any(cell.best for cells in comparison([WORST, partial])[0].rows for cell in cells)


def test_models_of_one_name_are_told_apart():
    """Arguments stand beside the name where names are equal."""
    larger = replace(MIDDLE, model={**MIDDLE.model, "arguments": {"dimensions": 16}})
    assert grouped([MIDDLE, larger])[0].labels == ("b (no arguments)", "b (dimensions=16)")


def test_three_models_have_the_rank_correlation_of_alignment_with_retrieval():
    """Spearman's rho is 1 in the order of retrieval, -1 in its reverse, and empty where a measure is constant."""
    _, table = comparison([MIDDLE, BEST, WORST])
    assert table.title == "tiny, version 2: alignment of the vectors and retrieval"
    assert table.header[1:] == ("parallel_cosine", "random_cosine", "bitext_accuracy", "language_variance", "multi AP")
    name, *rho = table.rows[-1]
    assert name.text == "Spearman's rho"
    assert [cell.value for cell in rho] == [pytest.approx(1.0), None, pytest.approx(-1.0), None, None]
    assert "n = 3 models" in table.note
    assert "no more than a tendency" in table.note


def test_many_models_need_no_caution():
    """From ten models on the note states their number alone."""
    models = [made_result(str(i), level=i / 10) for i in range(10)]
    assert comparison(models)[1].note.endswith("n = 10 models.")


def test_two_models_or_partial_ones_have_no_rank_correlation():
    """Fewer than three whole results with vectors say nothing about a correlation."""
    partial, without = made_result("p", languages=["de", "en"]), replace(made_result("w"), alignment={})
    assert len(comparison([BEST, WORST])) == 1
    assert len(comparison([BEST, WORST, partial, without])) == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_rank_correlation_is_scipys(seed):
    """With ties in both, Spearman's rho is that of ``scipy.stats.spearmanr``."""
    values, retrieval = np.random.default_rng(seed).integers(0, 6, size=(2, 9)).astype(float).tolist()
    assert several_models._spearman(values, retrieval) == pytest.approx(
        spearmanr(values, retrieval).statistic, abs=1e-12
    )
