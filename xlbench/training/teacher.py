"""A teacher: an encoder whose vectors of the English texts are what a model in training is to give in all languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlbench.errors import TrainingError
from xlbench.models.protocols import Encoder, Model
from xlbench.training.data import Batch


@dataclass(frozen=True)
class Teacher:
    """An encoder with one vector a text, of as many dimensions as the model has."""

    encoder: Encoder

    @classmethod
    def of(cls, model: Model, dimensions: int) -> Teacher:
        """The teacher that a model is.

        Raises:
            TrainingError: if it has not one vector a text, or not of so many dimensions.
            EncoderError: if it cannot be loaded.

        """
        encoder: Any = model.encoder
        vectors = encoder.encode_queries(["one"]) if hasattr(encoder, "encode_queries") else None
        if not isinstance(vectors, np.ndarray):
            raise TrainingError(f"The teacher {model.name} has no vector a text: expected a dense encoder.")
        if vectors.shape[1] != dimensions:
            raise TrainingError(
                f"The teacher {model.name} gives {vectors.shape[1]:,} dimensions and the model {dimensions:,}: "
                "expected as many. Choose another --teacher or --init."
            )
        return cls(encoder)

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """``query_targets`` and ``passage_targets`` of a batch, ``float32[queries, D]``; NaN where English lacks."""
        # In the precision that it is evaluated in, whatever the training's is.
        with torch.autocast("cuda" if torch.cuda.is_available() else "cpu", enabled=False):
            return {
                "query_targets": _vectors(self.encoder.encode_queries, [query for query, _ in batch.english]),
                "passage_targets": _vectors(self.encoder.encode_passages, [passage for _, passage in batch.english]),
            }


def _vectors(encode: Any, texts: Sequence[str]) -> Tensor:
    """The unit vectors of these texts, ``float32[texts, D]``, NaN for those that are empty."""
    known = [i for i, text in enumerate(texts) if text]
    if not known:
        return torch.full((len(texts), 1), torch.nan)
    vectors = torch.from_numpy(np.array(encode([texts[i] for i in known]), np.float32))
    targets = torch.full((len(texts), vectors.shape[1]), torch.nan)
    targets[known] = torch.nn.functional.normalize(vectors, dim=1)
    return targets
