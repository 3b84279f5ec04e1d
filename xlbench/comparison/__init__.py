"""Comparison: whether models differ on a task, in which languages, by how much, and how sure that is."""

from xlbench.comparison.comparing import compare
from xlbench.comparison.records import Cell, Comparison, Difference, Ranked, Ranking, Standing, Tradeoff, Verdict

__all__ = ["Cell", "Comparison", "Difference", "Ranked", "Ranking", "Standing", "Tradeoff", "Verdict", "compare"]
