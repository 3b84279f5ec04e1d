"""Batches of texts of like length under a token budget, so that little is padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DEFAULT_BATCH_TOKENS = {"cpu": 2048, "cuda": 65536, "mps": 16384}
"""Tokens in one batch, padding included, by kind of device."""


def token_batches(lengths: Sequence[int], budget: int, *, alike: bool = False) -> list[npt.NDArray[np.intp]]:
    """Indices of texts in batches, longest first: batch size x longest text is at most ``budget`` tokens.

    A text that is longer than the budget is a batch of its own. With ``alike``, texts in a batch have one length.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    batches = []
    start = 0
    while start < len(order):
        longest = lengths[order[start]]
        size = max(1, budget // max(1, longest))
        if alike:
            size = next((i for i, row in enumerate(order[start : start + size]) if lengths[row] != longest), size)
        batches.append(order[start : start + size])
        start += size
    return batches
