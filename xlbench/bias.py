"""Measures of language bias from Ranks; they are defined in the multilingual setting only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xlbench.ranks import Ranks


def rank_distance(ranks: Ranks) -> npt.NDArray[np.float64]:
    """The distance between the first and the last of a query's parallel passages, ``float64[m]``, in ranks.

    max r - min r over the relevant passages of a query, in the full ranking of the pool (arXiv 2408.10536). Lower is
    better. With n parallel passages in a pool of N a perfect ranking gives n - 1 and a random one
    (n - 1)(N + 1) / (n + 1) on average.
    """
    return (ranks.rank[ranks.starts[1:] - 1] - ranks.rank[ranks.starts[:-1]]).astype(np.float64)


BIAS_MEASURES: dict[str, Callable[[Ranks], npt.NDArray[np.float64]]] = {"RankDistance": rank_distance}
"""By the name that task files and results use."""
