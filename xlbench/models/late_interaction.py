"""Late interaction of sentence-transformers, such as ColBERT: a vector for each token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import TokenVectors, VectorArray
from xlbench.models import folders, token_rules, torch_model
from xlbench.models.protocols import Role
from xlbench.models.sentence_transformer import SentenceTransformerEncoder
from xlbench.models.token_batches import token_batches

_NOT_TRAINED = (
    "The model is made for one vector a text: those of its tokens are compared without a projection, for which nobody "
    "has trained it."
)


class LateInteractionEncoder(SentenceTransformerEncoder):
    """A MultiVectorEncoder of sentence-transformers, or the token vectors of a dense model, without a projection."""

    representation = "late"
    _similarities = ("maxsim", "meanmaxsim")
    _cut: tuple[int, int, int | None] = (0, 0, None)
    """How many passages were too long, the tokens of the longest, and how many the model takes."""
    vectors_revision = 1  # To be raised when the same model gives other vectors than before.

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed or filled in, and how many passages were cut, a sentence each."""
        n, longest, limit = self._cut
        taken = f"more tokens than the {limit or 0:,} that the model takes"
        cut = f"{n:,} passage{'s have' if n > 1 else ' has'} {taken}, up to {longest:,}: their ends are cut."
        return (*super().notes, *([cut] if n else []))

    @property
    def mean_of_tokens(self) -> bool:
        """Whether a score is the mean over the query's tokens, not their sum."""
        return bool(self._model.similarity_fn_name == "meanmaxsim")

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Any:
        """The token vectors of these texts."""
        encode = getattr(self._model, f"encode_{task}")
        lengths = self._lengths([prompt + text for text in texts])
        if task == "document":
            self._count_cut([prompt + text for text in texts], lengths)
        batches = token_batches(lengths, self._budget.tokens, alike=not self._is_padded)
        of_texts: list[Any] = [None] * len(texts)

        def encoded(batch: npt.NDArray[np.intp]) -> Any:
            return encode(
                [texts[i] for i in batch],
                prompt=prompt,
                batch_size=len(batch),
                convert_to_numpy=True,
                show_progress_bar=False,
                normalize_embeddings=bool(self._normalize),
            )

        for batch, of_batch in self._budget.within(batches, lengths, encoded):
            for i, vectors in zip(batch.tolist(), of_batch, strict=True):
                of_texts[i] = vectors.astype(np.float32, copy=False)
        starts = np.append(0, np.cumsum([len(vectors) for vectors in of_texts])).astype(np.int64)
        return TokenVectors(np.concatenate(of_texts) if of_texts else np.zeros((0, 1), np.float32), starts)

    def _count_cut(self, texts: Sequence[str], lengths: Sequence[int]) -> None:
        """Counts those that are longer than the model takes; each is tokenised whole."""
        limit = getattr(self._model[0], "document_length", None) or self._model.max_seq_length
        full = [text for text, length in zip(texts, lengths, strict=True) if limit and length >= limit]
        whole = [n for n in torch_model.token_lengths(self._model.tokenizer, full, None) if n > limit] if full else []
        n, longest, _ = self._cut
        self._cut = n + len(whole), max([longest, *whole]), limit

    def stages(self, role: Role) -> None:
        """Texts are encoded in one go."""

    def _loaded(self) -> Any:
        from sentence_transformers import MultiVectorEncoder

        if folders.kind_of(self._source, revision=self._hub_revision) == "MultiVectorEncoder":
            return MultiVectorEncoder(self._source, **self._options)
        self._noted.append(_NOT_TRAINED)
        query, passage = self._query_prompt, self._passage_prompt
        prompts = {"query": query, "document": passage}
        return MultiVectorEncoder(modules=self._unprojected(), device=self._device, prompts=prompts)

    def _unprojected(self) -> list[Any]:
        """The network of a dense model, with its token vectors scaled to length 1.

        sentence-transformers would put a projection on it that nobody has trained.
        """
        from sentence_transformers.base.modules import Normalize, Transformer
        from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

        network = Transformer(
            self._source,
            model_kwargs={
                "revision": self._hub_revision,
                "trust_remote_code": self._trust_remote_code,
                **self._network_options,
            },
        )
        return [network, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]

    @cached_property
    def _is_padded(self) -> bool:
        """Whether texts of other lengths may be in one batch."""
        return token_rules.is_padded(self._model, self._source, dtype=self._dtype, encode=self._probed)

    def _probed(self, texts: list[str]) -> Sequence[VectorArray]:
        of_texts = self._model.encode_query(texts, prompt="", convert_to_numpy=True, show_progress_bar=False)
        return [vectors.astype(np.float32).ravel() for vectors in of_texts]
