"""The tokens that a batch may have: halved where the device's memory is too small for them, so that work goes on."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from xlbench.errors import EncoderError

_LOG = logging.getLogger("xlbench")
_SAID = ("out of memory", "can't allocate memory")
"""What torch's RuntimeError says on MPS, and on a CPU; on CUDA it is of a class of its own, and says the first."""
_R = TypeVar("_R")
Rows = npt.NDArray[np.intp]


class TokenBudget:
    """How many tokens a batch may have, padding included."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self._said = False

    def within(
        self, batches: Sequence[Rows], lengths: Sequence[int], compute: Callable[[Rows], _R]
    ) -> Iterator[tuple[Rows, _R]]:
        """What is computed for each batch, in order; its first text is its longest.

        Where the device runs out of memory the budget is halved, for later batches too, and the batch is split.

        Raises:
            EncoderError: if the memory is too small for a single text.

        """
        pending = deque(batches)
        while pending:
            batch = pending.popleft()
            n_tokens = len(batch) * max(1, lengths[batch[0]])
            if len(batch) == 1 or n_tokens <= self.tokens:
                try:
                    computed = compute(batch)
                except RuntimeError as error:
                    if not any(said in str(error) for said in _SAID):
                        raise
                    if len(batch) == 1:
                        raise EncoderError(
                            f"The device ran out of memory on one text of {n_tokens:,} tokens: try a smaller "
                            "--max-length, --dtype bfloat16, or --device cpu. What was encoded is kept."
                        ) from error
                else:
                    yield batch, computed
                    continue
                self._halve(n_tokens)  # Only here, where the error holds no tensor any more.
            pending.extendleft(reversed(np.array_split(batch, 2)))

    def _halve(self, n_tokens: int) -> None:
        import torch

        self.tokens = max(1, min(self.tokens, n_tokens) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        elif torch.backends.mps.is_available():
            torch.mps.empty_cache()
        if not self._said:
            _LOG.warning(
                "The device ran out of memory on a batch of %s tokens: batches have at most %s from here on, or fewer "
                "where that is too many. Give --model-arg batch_tokens=%d to begin with these.",
                f"{n_tokens:,}",
                f"{self.tokens:,}",
                self.tokens,
            )
        self._said = True
