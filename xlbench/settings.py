"""Settings: which queries are asked and which languages are in the pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["mono", "cross", "multi"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Setting:
    """Queries of one language against a pool of passages of one or all languages."""

    kind: Kind
    query: str
    """Language of the queries."""
    pool: tuple[str, ...]
    """Languages of the passages."""

    @property
    def name(self) -> str:
        """``de>de`` (mono), ``de>en`` (cross) or ``de>*`` (multi)."""
        return f"{self.query}>*" if self.kind == "multi" else f"{self.query}>{self.pool[0]}"


def kind_of(name: str) -> Kind:
    """The kind of the setting that has this name."""
    query, _, pool = name.partition(">")
    if pool == "*":
        return "multi"
    return "mono" if pool == query else "cross"


def settings(kinds: Iterable[Kind], asked: Sequence[str], *, pooled: Sequence[str] | None = None) -> list[Setting]:
    """All settings of these kinds: one a language (mono, multi) or one an ordered pair of languages (cross).

    Queries are in the languages ``asked``, passages in those ``pooled``, which are the same unless they are named.
    """
    wanted = set(kinds)
    pool = asked if pooled is None else pooled
    found: list[Setting] = []
    if "mono" in wanted:
        found += [Setting("mono", language, (language,)) for language in asked if language in pool]
    if "cross" in wanted:
        found += [Setting("cross", a, (b,)) for a in asked for b in pool if a != b]
    if "multi" in wanted and pool:
        found += [Setting("multi", language, tuple(pool)) for language in asked]
    return found
