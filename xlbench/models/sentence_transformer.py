"""Encoders of sentence-transformers, from a folder or the Hub."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models import folders, token_rules, torch_model
from xlbench.models.meter import Clock, Meter
from xlbench.models.prompts import Prompts
from xlbench.models.protocols import Role, Stages
from xlbench.models.token_batches import token_batches


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
        attention: str | None = None,
    ) -> None:
        """``model`` is a folder or a Hub id.

        Prompts and normalisation are by default the model's own; vectors of a model made for cosine are normalised.
        ``instruction`` is what stands in a prompt that has one; false leaves it out.
        ``max_length`` is in tokens, ``batch_tokens`` the tokens in a batch, padding included. ``add_eos_token`` ends
        each text with the tokenizer's end token; by default its configuration decides. ``attention`` is the
        implementation, ``sdpa``, ``eager`` or ``flash_attention_2``; by default transformers chooses.
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
            attention=attention,
        )
        self.meter = Meter()
        self._tokenising = RLock()  # A tokenizer cannot be used by two threads at once.
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
        return self._encode(texts, self._query_prompt, "query")

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        return self._encode(texts, self._passage_prompt, "document")

    def provenance(self) -> dict[str, Any]:
        """Versions, device, precision and prompts."""
        ends = {} if self._add_eos_token is None else {"add_eos_token": self._add_eos_token}
        return {
            **super().provenance(),
            "sentence_transformers": torch_model.version("sentence-transformers"),
            **ends,
        }

    def stages(self, role: Role) -> Stages | None:
        """The stages of encoding queries or passages."""
        if role == "queries":
            return _DenseStages(self, self._query_prompt, "query")
        return _DenseStages(self, self._passage_prompt, "document")

    @property
    def attention(self) -> str | None:
        """The implementation of attention that the network has; None where it is not loaded, or does not say."""
        if not self._held:
            return None
        bodies = token_rules.transformers_in(self._model)
        return next((getattr(body.config, "_attn_implementation", None) for body in bodies), None)

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> VectorArray:
        stages = _DenseStages(self, prompt, task)
        return stages.compute(stages.prepare(list(texts)))()

    def prepared(self, texts: list[str], prompt: str, task: str) -> _Prepared:
        """The batches of these texts, tokenised."""
        with self._tokenising:
            lengths = self._lengths([prompt + text for text in texts])
            batches = token_batches(lengths, self._budget.tokens, alike=not self._is_padded)
            features = {rows.tobytes(): self._features([texts[i] for i in rows], prompt, task) for rows in batches}
        return _Prepared(texts, lengths, batches, features)

    def computed(self, prepared: _Prepared, prompt: str, task: str) -> Callable[[], VectorArray]:
        """Computes the vectors, on CUDA while the caller goes on; what it gives waits for them."""
        self.meter.start()
        clock = Clock(self._device)

        def of_batch(rows: npt.NDArray[np.intp]) -> Any:
            features = prepared.features.pop(rows.tobytes(), None)
            if features is None:  # A part of a batch for which the memory was too small.
                with self._tokenising:
                    features = self._features([prepared.texts[i] for i in rows], prompt, task)
            with clock.running():
                return self._forward(features, task)

        parts = list(self._budget.within(prepared.batches, prepared.lengths, of_batch))

        def vectors() -> VectorArray:
            busy_s = clock.seconds()
            self.meter.add(sum(prepared.lengths), busy_s)
            width = parts[0][1].shape[1] if parts else 0
            joined = np.empty((len(prepared.texts), width), np.float32)
            for rows, part in parts:
                joined[rows] = part.numpy()
            return joined

        return vectors

    def _features(self, texts: list[str], prompt: str, task: str) -> dict[str, Any]:
        """What the network takes, in memory that CUDA can fetch while it computes."""
        features = self._model.preprocess(texts, prompt=prompt, task=task)
        if not self._device.startswith("cuda"):
            return dict(features)
        return {name: value.pin_memory() if hasattr(value, "pin_memory") else value for name, value in features.items()}

    def _forward(self, features: dict[str, Any], task: str) -> Any:
        """The vectors of a batch, ``float32[n, D]`` on the CPU; on CUDA they are there later."""
        import torch

        normalize = self._model.similarity_fn_name == "cosine" if self._normalize is None else self._normalize
        with torch.inference_mode():
            moved = {
                name: value.to(self._device, non_blocking=True) if torch.is_tensor(value) else value
                for name, value in features.items()
            }
            vectors = self._model(moved, task=task)["sentence_embedding"][:, : self._model.truncate_dim].float()
            if normalize:  # In single precision, also where the model computes in half.
                vectors = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-12)
            return vectors.to("cpu", non_blocking=self._device.startswith("cuda"))

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
        model.eval()
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


@dataclass(frozen=True)
class _Prepared:
    """Texts as the network takes them."""

    texts: list[str]
    lengths: list[int]
    batches: list[npt.NDArray[np.intp]]
    features: dict[bytes, dict[str, Any]]
    """Of each batch, by its rows."""


@dataclass(frozen=True)
class _DenseStages:
    """The stages of an encoder for texts with one prompt."""

    encoder: SentenceTransformerEncoder
    prompt: str
    task: str

    def prepare(self, texts: list[str], /) -> _Prepared:
        """The texts in batches of tokens."""
        return self.encoder.prepared(texts, self.prompt, self.task)

    def compute(self, prepared: _Prepared, /) -> Callable[[], VectorArray]:
        """Starts to compute their vectors."""
        return self.encoder.computed(prepared, self.prompt, self.task)
