"""The table of the sizes of a model's vectors: bytes a passage against what they find."""

from __future__ import annotations

from xlbench.measures import DISTANCE
from xlbench.reports.cells import Cell, Table
from xlbench.reports.variants import Column, Variants
from xlbench.settings import KINDS
from xlbench.vector_sizes import VectorSizes


def variants(sizes: VectorSizes) -> Variants:
    """The sizes as rows."""
    columns = {"bytes a passage": [Cell(f"{size.n_bytes:,}", size.n_bytes) for size in sizes.sizes]}
    return Variants("vectors", {size.name: size.result for size in sizes.sizes}, sizes.comparison, columns)


def size_tables(sizes: VectorSizes, task: str, *, intervals: bool = False) -> list[Table]:
    """One table."""
    rows = variants(sizes)
    headline = sizes.sizes[0].result.headline
    wanted: list[Column] = [(kind, headline) for kind in KINDS]
    wanted.append(("multi", DISTANCE))
    return [rows.table(f"{sizes.model} on {task}: the size of vectors", wanted, rows.tested, intervals=intervals)]
