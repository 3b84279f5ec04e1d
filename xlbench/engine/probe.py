"""Probe: whether stored vectors are still what the model gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xlbench.engine.checked_vectors import encoded
from xlbench.engine.representations import Form, Rows
from xlbench.errors import EncoderError

_PROBED_SHARDS = (1, 2, 4, 8)
"""Of the stored ones of a role: with two texts each, 8 texts of different lengths and mostly languages."""


class Probe:
    """Encodes some stored texts again: a model may give other vectors under the name that they were stored under."""

    def __init__(self, encode: Callable[[list[str]], object], tolerance: float, form: Form) -> None:
        self.n_probed = 0
        self._form = form
        self._encode = encode
        self._tolerance = tolerance
        self._n_shards = 0

    def check(self, texts: list[str], stored: Rows, ids: Sequence[str]) -> None:
        """Compares the longest and the shortest text of the first, second, fourth and eighth stored shard.

        Raises:
            EncoderError: if a vector differs by more than the tolerance, as a share of its length.

        """
        self._n_shards += 1
        if self._n_shards not in _PROBED_SHARDS:
            return
        chosen = sorted({0, len(texts) - 1})
        now = self._form.checked(encoded(self._encode, [texts[i] for i in chosen]), [ids[i] for i in chosen])
        for row, i in enumerate(chosen):
            difference = self._form.difference(now, stored, row, i)
            if not difference <= self._tolerance:
                raise EncoderError(
                    f"The stored vector of {ids[i]!r} is not what the model gives now: it differs by {difference:.1e} "
                    f"of its length, expected at most {self._tolerance:.0e}. The model's weights or code were changed "
                    "under the same name and revision: add --force to encode everything again, or raise the revision."
                )
        self.n_probed += len(chosen)
