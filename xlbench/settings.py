"""Settings: which queries are asked and which languages are in the pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["mono", "cross", "multi"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Setting:
    """Queries of one language against a pool of passages of one or all languages; prints as its name.

    The name is ``de>de`` (mono), ``de>en`` (cross) or ``de>*`` (multi).

    Example:
        >>> import xlbench
        >>> str(xlbench.Setting("de", None)), xlbench.Setting.of("de>en").kind
        ('de>*', 'cross')

    """

    query: str
    """Language of the queries."""
    passages: str | None
    """Language of the passages; None for those of all languages in one pool."""

    @property
    def kind(self) -> Kind:
        """The kind of setting."""
        if self.passages is None:
            return "multi"
        return "mono" if self.passages == self.query else "cross"

    def __str__(self) -> str:
        return f"{self.query}>{'*' if self.passages is None else self.passages}"

    @classmethod
    def of(cls, name: str) -> Setting:
        """The setting that has this name."""
        query, _, passages = name.partition(">")
        return cls(query, None if passages == "*" else passages)


def settings(kinds: Iterable[Kind], asked: Sequence[str], *, pooled: Sequence[str] | None = None) -> list[Setting]:
    """All settings of these kinds: one a language (mono, multi) or one an ordered pair of languages (cross).

    Queries are in the languages ``asked``, passages in those ``pooled``, which are the same unless they are named.
    """
    wanted = set(kinds)
    pool = asked if pooled is None else pooled
    chosen: list[Setting] = []
    if "mono" in wanted:
        chosen += [Setting(language, language) for language in asked if language in pool]
    if "cross" in wanted:
        chosen += [Setting(a, b) for a in asked for b in pool if a != b]
    if "multi" in wanted and pool:
        chosen += [Setting(language, None) for language in asked]
    return chosen
