"""Ranking and Ranks: how many passages beat each relevant one, and the ranks that follow in any pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.collection import Collection
from xlbench.settings import Setting


@dataclass(frozen=True)
class Ranks:
    """The ranks of the relevant passages of ``m`` queries in one setting; ``n`` ranks in all.

    A query without a relevant passage in the pool is not in the setting.
    """

    query: npt.NDArray[np.int32]
    """``[m]``, row of the query in the collection, ascending."""
    starts: npt.NDArray[np.int64]
    """``[m + 1]``: query ``i`` owns rows ``starts[i]:starts[i + 1]``, never empty."""
    rank: npt.NDArray[np.int64]
    """``[n]``, 1-based, ascending within a query."""
    gain: npt.NDArray[np.int16]
    """``[n]``, at least 1."""
    language: npt.NDArray[np.int16]
    """``[n]``, language of the relevant passage."""

    def __len__(self) -> int:
        return len(self.query)


@dataclass(frozen=True)
class Ranking:
    """For each judged pair and language, how many passages of the language beat the pair's passage for its query.

    The table determines the rank of every relevant passage in any pool of languages. It is additive over shards of
    passages.
    """

    collection: Collection
    above: npt.NDArray[np.int32]
    """``[Nr, L]``."""

    def ranks(self, setting: Setting) -> Ranks:
        """The ranks in one setting."""
        languages = self.collection.languages
        pairs = self.collection.pairs
        pool = [languages.index(language) for language in setting.pool]
        asked = self.collection.queries.rows(languages.index(setting.query))
        first, last = np.searchsorted(pairs.query, [asked.start, asked.stop])
        passage_language = self.collection.passages.language[pairs.passage[first:last]]
        rows = first + np.flatnonzero(np.isin(passage_language, pool))
        rank = 1 + np.take(self.above, rows, axis=0)[:, pool].sum(axis=1, dtype=np.int64)

        order = np.lexsort((rank, pairs.query[rows]))
        rows, rank = rows[order], rank[order]
        query, starts = np.unique(pairs.query[rows], return_index=True)
        return Ranks(
            query=query,
            starts=np.append(starts, len(rows)).astype(np.int64),
            rank=rank,
            gain=pairs.gain[rows],
            language=self.collection.passages.language[pairs.passage[rows]],
        )
