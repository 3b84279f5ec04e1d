"""A file of pairs as tables: what it holds, and what it has in common with tasks."""

from __future__ import annotations

from collections.abc import Sequence

from xlbench.reports.cells import EMPTY, Cell, Table, row
from xlbench.training.overlap import Overlap
from xlbench.training.pair_counts import PairCounts, Side
from xlbench.training.pairs import PairFile


def pair_tables(pairs: PairFile, counts: PairCounts) -> list[Table]:
    """The texts of a file of pairs by language, and its rows by pair of languages."""
    name = pairs.path.name
    lengths = ("different", "median", "longest")
    header = ("language", "queries", *lengths, "passages", *lengths, "negatives")
    rows = [
        row(each.language, *_cells(each.queries), *_cells(each.passages), each.n_negatives) for each in counts.languages
    ]
    note = (
        f"{counts.n_rows:,} rows with {counts.n_passages:,} passages; {counts.n_monolingual:,} are in one language "
        f"only. Lengths in characters. sha256 {pairs.sha256}"
    )
    matrix = [row(a, *cells) for a, cells in zip(pairs.languages, counts.pairs, strict=True)]
    title = f"{name}: rows by language of the query (down) and of the passage"
    return [Table(f"{name}: texts", header, tuple(rows), note), Table(title, ("", *pairs.languages), tuple(matrix))]


def overlap_tables(name: str, overlaps: Sequence[Overlap]) -> list[Table]:
    """What a file of pairs has in common with tasks, and examples of it."""
    header = ("task", "languages", "rows", "word by word", "queries", "passages", "of both")
    rows = [
        row(
            each.task,
            " ".join(each.languages),
            each.n_rows,
            each.n_equal,
            each.n_queries,
            each.n_passages,
            each.n_evaluated,
        )
        for each in overlaps
    ]
    note = (
        "Rows that have a text of the task, word by word or at least half of its n-grams, and how many of the task's "
        "queries and relevant passages they know. Irrelevant passages are not compared."
    )
    tables = [Table(f"{name}: overlap with the tasks at hand", header, tuple(rows), note)]
    examples = [
        row(each.task, match.row, match.evaluated, f"{match.share:.0%}") for each in overlaps for match in each.examples
    ]
    if examples:
        columns = ("task", "row", "text of the task", "of it")
        tables.append(Table(f"{name}: overlap, for example", columns, tuple(examples)))
    return tables


def _cells(side: Side) -> tuple[Cell | int, ...]:
    return (side.n, side.n_different, side.median, side.longest) if side.n else (0, 0, EMPTY, EMPTY)
