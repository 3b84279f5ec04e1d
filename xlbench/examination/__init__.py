"""Examination: whether a collection is what it seems to be, before any number is computed from it."""

from __future__ import annotations

from dataclasses import dataclass

from xlbench.errors import DataError
from xlbench.examination.findings import WEIGHTS, Count, Finding
from xlbench.examination.sizes import LanguageSizes, Lengths
from xlbench.examination.verdicts import Verdict

__all__ = ["WEIGHTS", "Count", "Examination", "Finding", "Lengths", "Sizes", "Verdict", "unreadable"]


@dataclass(frozen=True)
class Examination:
    """What was found out about a collection."""

    sizes: tuple[LanguageSizes, ...]
    """By language."""
    verdicts: tuple[Verdict, ...]
    """Of the chance-level test, by setting."""
    findings: tuple[Finding, ...]
    """Sorted by weight."""

    @property
    def is_wrong(self) -> bool:
        """Whether something was found that makes numbers wrong."""
        return any(finding.weight == "wrong" for finding in self.findings)


def unreadable(error: DataError) -> Examination:
    """The examination of a collection that cannot be read: what stands in the way, and nothing else."""
    meaning = "Nothing else was examined: mend this first, and check again."
    return Examination((), (), (Finding("wrong", "the data cannot be read", str(error), meaning),))
