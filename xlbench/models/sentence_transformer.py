"""Encoders of sentence-transformers, from a folder or the Hub."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models import folders, token_rules, torch_model
from xlbench.models.prompts import Prompts
from xlbench.models.token_batches import encode_in_batches


class SentenceTransformerEncoder(torch_model.TorchEncoder):
    """A model with modules.json, used through sentence-transformers' own ``encode_query`` and ``encode_document``.

    Only the batches are ours: texts of like length together, under a token budget.
    """

    _similarities: tuple[str, ...] = ("cosine", "dot")
    vectors_revision = 2  # To be raised when the same model gives other vectors than before.

    def __init__(
        self,
        model: str,
        *,
        device: str | None = None,
        dtype: str = "float32",
        max_length: int | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        instruction: str | Literal[False] | None = None,
        normalize: bool | None = None,
        add_eos_token: bool | None = None,
        batch_tokens: int | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """``model`` is a folder or a Hub id.

        Prompts and normalisation are by default the model's own; vectors of a model made for cosine are normalised.
        ``instruction`` is what stands in a prompt that has one; false leaves it out.
        ``max_length`` is in tokens, ``batch_tokens`` the tokens in a batch, padding included. ``add_eos_token`` ends
        each text with the tokenizer's end token; by default its configuration decides.
        """
        for flag, value in (("normalize", normalize), ("add_eos_token", add_eos_token)):
            if value is not None:
                torch_model.check_flag(flag, value)
        self._prompts = Prompts.of(
            folders.names_of(model, revision=revision),
            own=folders.prompts_of(model, revision=revision),
            query=query_prompt,
            passage=passage_prompt,
            instruction=instruction,
        )
        # Shared with the same model of other instructions: what is loaded, and what is said of it.
        self._held: list[Any] = []
        self._noted: list[str] = []
        if passage_prompt is None and not self._prompts.passage:
            self._noted += folders.notes_on_prompts(model, revision=revision)
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            query_prompt=self._prompts.before_queries,
            passage_prompt=self._prompts.passage,
            revision=revision,
            trust_remote_code=trust_remote_code,
        )
        self._normalize = normalize
        self._add_eos_token = add_eos_token

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed or filled in, a sentence each."""
        return (*self._prompts.notes, *self._noted)

    @property
    def filled(self) -> dict[str, Any]:
        """The arguments that were filled in, by the model's name or the task's instruction."""
        return self._prompts.arguments()

    def instructed(self, instruction: str) -> Self:
        """The same model with an instruction for queries, if it takes one and the user said nothing of it."""
        other = copy.copy(self)
        other._prompts = self._prompts.instructed(instruction)
        other._query_prompt = other._prompts.before_queries
        return other

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``."""
        return self._encode(texts, self._query_prompt, self._model.encode_query)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        return self._encode(texts, self._passage_prompt, self._model.encode_document)

    def provenance(self) -> dict[str, Any]:
        """Versions, device, precision and prompts."""
        ends = {} if self._add_eos_token is None else {"add_eos_token": self._add_eos_token}
        return {
            **super().provenance(),
            "sentence_transformers": torch_model.version("sentence-transformers"),
            **ends,
        }

    def _encode(self, texts: Sequence[str], prompt: str, encode: Any) -> VectorArray:
        normalize = self._model.similarity_fn_name == "cosine" if self._normalize is None else self._normalize

        def batch(some: list[str]) -> VectorArray:
            vectors = encode(
                some,
                prompt=prompt,
                batch_size=len(some),
                convert_to_tensor=True,
                show_progress_bar=False,
            )
            vectors = vectors.float()
            if normalize:  # In single precision, also where the model computes in half.
                vectors = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
            array: VectorArray = vectors.cpu().numpy().astype(np.float32, copy=False)
            return array

        lengths = self._lengths([prompt + text for text in texts])
        with torch_model.computing(self._budget):
            return encode_in_batches(texts, lengths, budget=self._budget, encode=batch, alike=not self._is_padded)

    def _lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text; characters where the model has no tokenizer of the usual kind."""
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):
            return [len(text) for text in texts]
        return torch_model.token_lengths(tokenizer, texts, self._model.max_seq_length)

    @property
    def _model(self) -> Any:
        """The model, loaded when it is first asked for."""
        if not self._held:
            self._held.append(self._ready())
        return self._held[0]

    def _ready(self) -> Any:
        """The model, loaded and made to follow the rules of tokens."""
        with torch_model.loading(self._source):
            model = self._loaded()
            for body in token_rules.transformers_in(model):
                torch_model.check_vocabulary(body.tokenizer)
        if model.similarity_fn_name not in self._similarities:
            raise EncoderError(
                f"{self._source} is made for {model.similarity_fn_name} distance, which is not computed here: "
                f"expected {' or '.join(self._similarities)}."
            )
        token_rules.apply(
            model,
            self._source,
            revision=self._hub_revision,
            max_length=self._max_length,
            add_eos_token=self._add_eos_token,
        )
        if note := token_rules.taken_by_last_token_pooling(model):
            self._noted.append(note)
        return model

    def _loaded(self) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(self._source, **self._options)

    @cached_property
    def _is_padded(self) -> bool:
        """Whether texts of other lengths may be in one batch."""
        return token_rules.is_padded(self._model, self._source, dtype=self._dtype)
