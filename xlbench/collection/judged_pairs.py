"""Pairs: which passages are relevant to which queries, and how much."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xlbench.collection.texts import Judgement, Texts
from xlbench.errors import DataError

_LARGEST = np.iinfo(np.int16).max


@dataclass(frozen=True)
class Pairs:
    """The judged relevant pairs, sorted by (query, passage), without duplicates."""

    query: npt.NDArray[np.int32]
    """``[Nr]``, row of the query."""
    passage: npt.NDArray[np.int64]
    """``[Nr]``, row of the passage."""
    gain: npt.NDArray[np.int16]
    """``[Nr]``, at least 1."""

    @classmethod
    def of(cls, queries: Texts, passages: Texts, judgements: Iterable[Judgement]) -> Pairs:
        """The pairs of these texts that are judged relevant.

        Raises:
            DataError: for an id that no text has, a gain that is too large, or two gains of one pair.

        """
        judged = _Judged.of(judgements)
        gain = judged.gain
        relevant = gain > 0
        query, passage = (
            _rows_of(codes, texts)[of_pair[relevant]]
            for codes, texts, of_pair in (
                (judged.queries, queries, judged.query),
                (judged.passages, passages, judged.passage),
            )
        )
        if absent := np.flatnonzero((query < 0) | (passage < 0))[:1].tolist():
            raise _absent(judged, int(np.flatnonzero(relevant)[absent[0]]), unknown_query=bool(query[absent[0]] < 0))
        order = np.lexsort((passage, query))
        return cls(
            query=query[order].astype(np.int32),
            passage=passage[order],
            gain=gain[relevant][order].astype(np.int16),
        )

    def __len__(self) -> int:
        return len(self.query)


def _rows_of(codes: Mapping[str, int], texts: Texts) -> npt.NDArray[np.int64]:
    """The row of the text that each code names, -1 for none."""
    rows = np.full(len(codes), -1, np.int64)
    for row, id_ in enumerate(texts.ids):
        if (code := codes.get(id_)) is not None:
            rows[code] = row
    return rows


def _absent(judged: _Judged, pair: int, *, unknown_query: bool) -> DataError:
    query, passage = judged.names(pair)
    if unknown_query:
        return DataError(f"A judgement names the query {query!r}, which the collection does not have.")
    return DataError(
        f"A judgement of query {query!r} names the passage {passage!r}, which the collection does not have."
    )


@dataclass(frozen=True)
class _Judged:
    """What is judged by id, each pair once, in the order in which it is first named; of many millions of pairs too."""

    queries: Mapping[str, int]
    """The code of each id."""
    passages: Mapping[str, int]
    query: npt.NDArray[np.int32]
    passage: npt.NDArray[np.int32]
    gain: npt.NDArray[np.int32]

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> _Judged:
        """What these say.

        Raises:
            DataError: for a gain that is too large, or two gains of one pair.

        """
        queries: dict[str, int] = {}
        passages: dict[str, int] = {}
        columns = array("i"), array("i"), array("i")
        for judgement in judgements:
            if judgement.gain > _LARGEST:
                raise DataError(
                    f"The gain of query {judgement.query!r} and passage {judgement.passage!r} is {judgement.gain}; "
                    f"expected at most {_LARGEST:,}."
                )
            values = (
                queries.setdefault(judgement.query, len(queries)),
                passages.setdefault(judgement.passage, len(passages)),
                max(judgement.gain, -_LARGEST),
            )
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        whole = cls(queries, passages, *(np.array(column, np.int32) for column in columns))
        # Of equal pairs the first stays first.
        order = np.lexsort((whole.passage, whole.query))
        query, passage, gain = (of[order] for of in (whole.query, whole.passage, whole.gain))
        again = np.append(False, (query[1:] == query[:-1]) & (passage[1:] == passage[:-1]))
        if not again.any():
            return whole
        if (other := np.flatnonzero(again & (gain != np.append(0, gain[:-1])))).size:
            known, second = (int(order[at]) for at in (other[0] - 1, other[0]))
            raise DataError(
                "Query {!r} and passage {!r} are judged twice, ".format(*whole.names(second))
                + f"with the gains {whole.gain[known]} and {whole.gain[second]}; expected one gain."
            )
        first = np.sort(order[~again])
        return replace(whole, query=whole.query[first], passage=whole.passage[first], gain=whole.gain[first])

    def names(self, pair: int) -> tuple[str, str]:
        """The ids of a pair."""
        query, passage = int(self.query[pair]), int(self.passage[pair])
        return list(self.queries)[query], list(self.passages)[passage]
