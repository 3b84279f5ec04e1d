"""Sparse encoders of sentence-transformers, such as SPLADE: few weighted terms of a vocabulary a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import VectorArray
from xlbench.models import token_rules
from xlbench.models.protocols import Role
from xlbench.models.sentence_transformer import SentenceTransformerEncoder
from xlbench.models.token_batches import token_batches


class SparseEncoderModel(SentenceTransformerEncoder):
    """A SparseEncoder of sentence-transformers, or a masked language model that is one (SPLADE, max pooling)."""

    representation = "sparse"
    vectors_revision = 1  # To be raised when the same model gives other vectors than before.

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Any:
        """The vectors of these texts, ``csr[len(texts), V]``."""
        from scipy.sparse import csr_array, vstack

        encode = getattr(self._model, f"encode_{task}")
        lengths = self._lengths([prompt + text for text in texts])
        normalize = self._model.similarity_fn_name == "cosine" if self._normalize is None else self._normalize
        batches = token_batches(lengths, self._budget.tokens, alike=not self._is_padded)

        def encoded(batch: npt.NDArray[np.intp]) -> Any:
            tensor = encode(
                [texts[i] for i in batch],
                prompt=prompt,
                batch_size=len(batch),
                convert_to_sparse_tensor=False,
                show_progress_bar=False,
            )
            rows = csr_array(tensor.float().cpu().numpy())
            if normalize:
                length = np.sqrt(rows.multiply(rows).sum(axis=1))
                rows = csr_array(rows.multiply(1 / np.maximum(length, 1e-12)[:, None]), dtype=np.float32)
            return rows

        parts = list(self._budget.within(batches, lengths, encoded))
        if not parts:
            return csr_array((0, 1), dtype=np.float32)
        order = np.argsort(np.concatenate([batch for batch, _ in parts]))
        return csr_array(vstack([rows for _, rows in parts], format="csr"))[order]

    def stages(self, role: Role) -> None:
        """Texts are encoded in one go."""

    def _loaded(self) -> Any:
        from sentence_transformers import SparseEncoder

        return SparseEncoder(self._source, **self._options)

    @cached_property
    def _is_padded(self) -> bool:
        """Whether texts of other lengths may be in one batch."""
        return token_rules.is_padded(self._model, self._source, dtype=self._dtype, encode=self._probed)

    def _probed(self, texts: list[str]) -> Sequence[VectorArray]:
        tensor = self._model.encode_query(texts, prompt="", convert_to_sparse_tensor=False, show_progress_bar=False)
        return list(tensor.float().cpu().numpy())
