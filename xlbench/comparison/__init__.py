"""Comparison: whether models differ on a task, in which languages, by how much, and how sure that is."""

from xlbench.comparison.compare import compare
from xlbench.comparison.outcome import (
    MEAN,
    Comparison,
    Difference,
    Order,
    Quantity,
    Ranked,
    Standing,
    Tradeoff,
    Verdict,
)
from xlbench.comparison.tested import Tested, compare_alike

__all__ = [
    "MEAN",
    "Comparison",
    "Difference",
    "Order",
    "Quantity",
    "Ranked",
    "Standing",
    "Tested",
    "Tradeoff",
    "Verdict",
    "compare",
    "compare_alike",
]
