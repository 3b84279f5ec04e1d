"""One's own index as a collection: its passages and queries by language, declared or identified."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlbench.catalogue.own_tables import Row, Rows, read_index, read_queries
from xlbench.collection import Collection, Judgement, Text
from xlbench.errors import DataError, nearest, shown
from xlbench.examination.own_vectors import ARRAY, OwnVectors
from xlbench.models.language_identifier import Identifier
from xlbench.support.extras import require

UNKNOWN = "und"
"""BCP 47's tag of a language that is not determined."""
_RARE = 0.01
_CHARACTERS = 1000
_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class OwnIndex:
    """The passages of an index, queries of it, and the passage that a query is known to be answered by."""

    collection: Collection
    n_identified: int
    """How many passages' language no column said."""
    n_empty: int
    """How many passages were left out since they have no text."""
    n_passages: int
    """How many there are with text, of which the collection may be a sample."""
    n_unknown_queries: int
    """How many queries were left out since their language was not declared and could not be identified."""
    vectors: OwnVectors | None = None
    """Those that the index has of its own, in place of a model."""

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        queries: Path | None,
        columns: Mapping[str, str] | None = None,
        limit: int | None = None,
        vectors: str | None = None,
    ) -> OwnIndex:
        """The index in a file or folder, and the queries in a file.

        At most ``limit`` passages are drawn, beside those that queries name. ``vectors`` is a file with a vector for
        each row of the index, or the name of a column with them.

        Raises:
            DataError: if a file cannot be read, a query names a passage that there is not, or all passages are in one
                language.
            MissingLibraryError: if languages are to be identified, and the library is not installed.

        """
        column = vectors if vectors and not vectors.endswith(ARRAY) else None
        index = read_index(path, columns, vectors=column)
        asked = read_queries(queries, vectors=column) if queries else Rows((), 0)
        own = OwnVectors.of(vectors, index, asked, path) if vectors else None
        _refuse_unknown_passages(asked.rows, index.rows, path)
        passages = _drawn(index.rows, {row.passage for row in asked.rows}, limit)
        languages = _Languages(passages, asked.rows)
        texts = [Text(row.id, languages.of(row), row.text, row.where) for row in passages]
        known = Counter(text.language for text in texts)
        if not {*known} - {UNKNOWN}:
            raise DataError(
                f"The language of none of the {len(texts):,} passages of {path} could be told; expected text in two "
                "languages or more. A column 'language' says it for sure."
            )
        if len({*known} - {UNKNOWN}) < 2:
            raise DataError(
                f"The {len(texts):,} passages of {path} are all in {', '.join({*known} - {UNKNOWN})!r}; "
                "expected two languages or more: in an index of one, no language can be preferred."
            )
        asking = [
            (Text(f"{language}:{row.id}", language, row.text, row.where), row)
            for row in asked.rows
            if (language := languages.of(row)) != UNKNOWN
        ]
        judged = [Judgement(text.id, row.passage, 1) for text, row in asking if row.passage is not None]
        names = sorted({*known, *(text.language for text, _ in asking)}, key=lambda name: (name == UNKNOWN, name))
        return cls(
            Collection.build(names, [text for text, _ in asking], texts, judged),
            n_identified=sum(row.language is None for row in passages),
            n_empty=index.n_empty,
            n_passages=len(index.rows),
            n_unknown_queries=len(asked.rows) - len(asking),
            vectors=own,
        )


class _Languages:
    """What language a text is in: as its row says, else as it is identified among those of the index."""

    def __init__(self, passages: Sequence[Row], queries: Sequence[Row]) -> None:
        for row in (*passages, *queries):
            if row.language is not None and not _LANGUAGE.fullmatch(row.language):
                raise DataError(
                    f"{row.where} has the language {shown(row.language)}; expected a code such as 'de', of letters, "
                    "digits, '-' and '_'."
                )
        self._among: dict[str, str] = {}
        if all(row.language for row in (*passages, *queries)):
            return
        require("check", "Identifying languages")
        self._identifier = Identifier()
        undeclared = [row.text[:_CHARACTERS] for row in passages if row.language is None]
        often = Counter(map(self._identifier.language, undeclared))
        # A few short passages are taken for any language there is.
        names = [name for name, n in often.items() if name is not None and n > _RARE * len(undeclared)]
        names += sorted({row.language for row in passages if row.language is not None})
        self._among = {code: name for name in names if (code := self._identifier.macrolanguage(name)) is not None}

    def of(self, row: Row) -> str:
        """The language of a row; ``und`` if it is surely in none of those of the index."""
        if row.language is not None:
            return row.language
        names = list(self._among.values())
        known = {code: place for place, code in enumerate(self._among)}
        place = self._identifier.language_among(row.text[:_CHARACTERS], known) if known else None
        return UNKNOWN if place is None else names[place]


def _refuse_unknown_passages(asked: Sequence[Row], index: Sequence[Row], path: Path) -> None:
    known = {row.id for row in index}
    for row in asked:
        if row.passage is not None and row.passage not in known:
            some = ", ".join(map(repr, sorted(known)[:3]))
            near = nearest(row.passage, sorted(known)[:1000])
            raise DataError(
                f"{row.where} names the passage {row.passage!r}, which {path} does not have with text; expected an id "
                f"such as {some}.{f' Did you mean {near!r}?' if near else ''}"
            )


def _drawn(rows: Sequence[Row], named: set[str | None], limit: int | None) -> Sequence[Row]:
    """At most so many of the rows in their order, those that are named with them."""
    if limit is None or len(rows) <= limit:
        return rows
    others = np.array([place for place, row in enumerate(rows) if row.id not in named])
    n_others = max(0, limit - (len(rows) - len(others)))
    kept = set(np.random.default_rng(0).choice(others, min(n_others, len(others)), replace=False).tolist())
    return [row for place, row in enumerate(rows) if place in kept or row.id in named]
