"""The figures of a group of models with the verdicts on them, which a paper's tables and a page share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xlbench.comparison import Tested, compare_alike
from xlbench.measures import DISTANCE
from xlbench.measures.values import by_language
from xlbench.reports.cells import MEAN, Cell, Table, number_cell, row
from xlbench.reports.several_models import Column, Group, best_of
from xlbench.reports.tables import languages_of
from xlbench.settings import Kind

Key = tuple[Kind, str, str]
"""Kind of setting, measure, and language of the queries or ``mean``."""


@dataclass(frozen=True)
class JudgedGroup:
    """A group of results, tested against the first of them where they have their per-query scores."""

    group: Group
    tested: Tested

    @classmethod
    def of(cls, group: Group) -> JudgedGroup:
        """The group with the verdicts on its headline and on the rank distance."""
        return cls(group, compare_alike(group.results, group.labels, measures=(group.results[0].headline, DISTANCE)))

    def cells(self, key: Key) -> list[Cell]:
        """The cell of each model for a language or the mean: the best marked, those tested with their verdict."""
        kind, measure, name = key
        values = (
            result.summary.get(kind, {}).get(measure)
            if name == MEAN
            else by_language(result.values, kind, measure).get(name)
            for result in self.group.results
        )
        return self.with_verdicts(best_of(self.group, [number_cell(value, measure) for value in values], measure), key)

    def with_verdicts(self, cells: Sequence[Cell], key: Key) -> list[Cell]:
        """The models' cells with the verdicts on them and the groups that they belong to."""
        keys = [(label, *key) for label in self.group.labels]
        return [
            replace(cell, verdict=self.tested.verdict(of_model), letters=self.tested.letters.get(of_model, ""))
            for cell, of_model in zip(cells, keys, strict=True)
        ]

    def by_language(self, columns: Sequence[Column]) -> Table | None:
        """Languages down; models across, for each of the columns that any of them has; None if there is none."""
        group = self.group
        measured = [(kind, m) for kind, m in columns if any(m in r.summary.get(kind, {}) for r in group.results)]
        languages = dict.fromkeys(language for result in group.results for language in languages_of(result))
        rows = [
            row(name, *(cell for kind, measure in measured for cell in self.cells((kind, measure, name))))
            for name in [*languages, MEAN]
        ]
        names = " and ".join(dict.fromkeys(m for _, m in measured))
        header = ("", *(label for _ in measured for label in group.labels))
        kept = tuple(cells for cells in rows if any(cell.text for cell in cells[1:]))
        return Table(f"{names} by language of the queries", header, kept) if measured else None
