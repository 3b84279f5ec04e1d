"""Whether two models' ranks are so alike that one may be a copy of the other, changed a little."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from xlbench.arrays import IntArray
from xlbench.measures.ranks import Ranking

_PAIRS = 1000
_FEWEST = 200
_CORRELATED = 0.95
"""Ranks of different models of the leaderboard correlate by .65 at most."""
_EQUAL = 0.5
"""Of the counts that are not both 0 different models have .04 in common at most."""


@dataclass(frozen=True)
class Sketch:
    """The counts of some pairs, the same of all models of a task: enough to see a likeness, and small."""

    digest: str
    """sha256 of all counts and best passages, however a file has them."""
    keys: IntArray
    """``[n]``, which pairs these are, ascending."""
    languages: tuple[str, ...]
    counts: IntArray
    """``[n, L]``."""

    @classmethod
    def of(cls, ranking: Ranking) -> Sketch:
        """The sketch of a ranking: of the pairs whose ids have the smallest checksums."""
        judged = ranking.judged
        rows = judged.query.tolist()
        names = (f"{judged.query_ids[row]}\t{id_}" for row, id_ in zip(rows, judged.passage_ids, strict=True))
        keys = np.fromiter((zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names), np.int64, len(rows))
        order = np.argsort(keys, kind="stable")
        whole = hashlib.sha256()
        for part in (keys[order], ranking.above[order], ranking.top[_by_id(judged.query_ids)]):
            whole.update(np.ascontiguousarray(part, np.int64).data)
        kept = order[:_PAIRS]
        return cls(whole.hexdigest(), keys[kept], judged.languages, ranking.above[kept].astype(np.int32))

    def likeness(self, other: Sketch) -> str | None:
        """How the counts are alike, in words; None if they are not, or if there are too few to say."""
        if self.digest == other.digest:
            return "has the very same ranks as"
        _, mine, theirs = np.intersect1d(self.keys, other.keys, return_indices=True)
        common = [name for name in self.languages if name in other.languages]
        if len(mine) < _FEWEST or not common:
            return None
        first, second = (
            each.counts[rows][:, [each.languages.index(name) for name in common]]
            for each, rows in ((self, mine), (other, theirs))
        )
        some = (first > 0) | (second > 0)
        equal = float((first == second)[some].mean()) if some.any() else 0.0
        totals = first.sum(axis=1), second.sum(axis=1)
        varies = all(total.min() < total.max() for total in totals)
        correlation = float(spearmanr(*totals).statistic) if varies else 0.0
        if equal > _EQUAL or correlation > _CORRELATED:
            return f"has ranks (correlation {correlation:.2f}, {equal:.0%} of the counts equal) very like those of"
        return None


def _by_id(ids: Sequence[str]) -> list[int]:
    return sorted(range(len(ids)), key=lambda row: ids[row])
