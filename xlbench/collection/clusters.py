"""Clusters: which queries are not independent of each other, the unit of resampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlbench.errors import DataError

QUESTION = "question"


@dataclass(frozen=True)
class Clusters:
    """Which queries belong together: those on one article, say, or the translations of one question."""

    unit: str
    """What a cluster is, in the singular: ``question``, ``article``, ``page``."""
    of_query: tuple[str, ...]
    """``[Nq]``, the name of each query's cluster."""

    @classmethod
    def of(cls, queries: Sequence[str], *, unit: str = QUESTION, named: Mapping[str, str] | None = None) -> Clusters:
        """The clusters of queries by id; without names, each question with its translations is one.

        Clusters that have translations of one question are one, since their queries are not independent: that is so
        where each language has another name for an article. It is called as the first of them.

        Raises:
            DataError: if a query has no cluster.

        """
        if named is None:
            return cls(unit, tuple(map(question_of, queries)))
        first = _Joined()
        for query in queries:
            if query not in named:
                raise DataError(f"The query {query!r} has no {unit}, but others have; expected one for each query.")
            first.join(("question", question_of(query)), ("cluster", named[query]))
        return cls(unit, tuple(first.name(("question", question_of(query))) for query in queries))

    def __len__(self) -> int:
        """How many clusters there are."""
        return len(set(self.of_query))


def counted(n: int, unit: str) -> str:
    """So many of a unit in words, ``48 articles``."""
    return f"{n:,} {unit}{'s' * (n != 1)}"


def question_of(query: str) -> str:
    """The question that a query asks in its language: its id without the language, ``q1`` for ``de:q1``.

    Translations of one question are not independent of each other: no unit of resampling is smaller.
    """
    return query.partition(":")[2] or query


class _Joined:
    """Sets of questions and clusters that are joined pair by pair (union-find)."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}
        self._names: dict[tuple[str, str], str] = {}

    def join(self, question: tuple[str, str], cluster: tuple[str, str]) -> None:
        self._names.setdefault(self._top(cluster), cluster[1])
        top, other = self._top(cluster), self._top(question)
        if top != other:
            names = (self._names.get(node) for node in (top, other))
            self._above[other] = top
            self._names[top] = min(name for name in names if name is not None)

    def name(self, question: tuple[str, str]) -> str:
        return self._names[self._top(question)]

    def _top(self, node: tuple[str, str]) -> tuple[str, str]:
        path = []
        while node in self._above:
            path.append(node)
            node = self._above[node]
        for passed in path:
            self._above[passed] = node
        return node
