"""Rerankers: models that score pairs of a query and a passage, one at a time, and reorder what another model found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, cast, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError, UnknownNameError, UsageError
from xlbench.models import folders, token_rules, torch_model
from xlbench.models.token_batches import token_batches

Among = Literal["pool", "language"]


@runtime_checkable
class Reranker(Protocol):
    """Scores pairs of a query and a passage. It may have ``provenance()``, as an ``Encoder`` may."""

    name: str
    revision: str

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str], /) -> VectorArray:
        """The score of each query with the passage beside it, ``float32[n]``, finite; higher is better.

        The score of a pair must not depend on the pairs beside it.
        """
        ...


@dataclass(frozen=True)
class Reranking:
    """A reranker, and what it is given."""

    reranker: Reranker
    depth: int = 100
    """How many of the best passages of the first stage."""
    among: Among = "pool"
    """Of each pool, as one index with a reranker has it, or of each language in it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None
    """What identifies the code; None if nothing does: then no score is stored."""

    def key(self) -> dict[str, Any] | None:
        """What tells its scores of two texts from those of others; None if they are not to be stored."""
        if self.fingerprint is None:
            return None
        provenance: dict[str, Any] = getattr(self.reranker, "provenance", dict)()
        of = {"name": self.reranker.name, "revision": self.reranker.revision, "arguments": dict(self.arguments)}
        return {**of, "provenance": provenance, "fingerprint": self.fingerprint}

    def __post_init__(self) -> None:
        """Refuses what cannot be done."""
        if self.depth < 1:
            raise UsageError(f"--depth is {self.depth}; expected 1 passage or more.")
        if self.among not in get_args(Among):
            raise UnknownNameError("way to choose candidates", self.among, get_args(Among))

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the first stage."""
        of = {"name": self.reranker.name, "revision": self.reranker.revision, "arguments": dict(self.arguments)}
        name = f"{model['name']}+{self.reranker.name}@{self.depth}{'-of-each' if self.among == 'language' else ''}"
        return {**model, "name": name, "reranker": {**of, "depth": self.depth, "among": self.among}}


class CrossEncoderReranker(torch_model.TorchEncoder):
    """A CrossEncoder of sentence-transformers, in a folder or on the Hub; its scores are its logits.

    They rank as what its activation makes of them, without the ties of numbers that it rounds to 1.
    """

    vectors_revision = 1  # To be raised when the same model gives other scores than before.

    def __init__(
        self,
        model: str,
        *,
        device: str | None = None,
        dtype: str = "float32",
        max_length: int | None = None,
        batch_tokens: int | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """``model`` is a folder or a Hub id; ``max_length`` is in tokens of query and passage together."""
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            query_prompt="",
            passage_prompt="",
            revision=revision,
            trust_remote_code=trust_remote_code,
        )

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str], /) -> VectorArray:
        """The score of each query with the passage beside it, ``float32[n]``; pairs of like length in a batch."""
        import torch

        pairs = list(zip(queries, passages, strict=True))
        lengths = [len(ids) for ids in self._tokens(pairs)]
        all_scores = np.empty(len(pairs), np.float32)

        def predicted(batch: npt.NDArray[np.intp]) -> VectorArray:
            scores = self._model.predict(
                [pairs[i] for i in batch],
                batch_size=len(batch),
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
            return self._one_each(np.asarray(scores, np.float32), len(batch))

        for batch, scores in self._budget.within(token_batches(lengths, self._budget.tokens), lengths, predicted):
            all_scores[batch] = scores
        return all_scores

    def provenance(self) -> dict[str, Any]:
        """Versions, device and precision."""
        return {**super().provenance(), "sentence_transformers": torch_model.version("sentence-transformers")}

    def _tokens(self, pairs: list[tuple[str, str]]) -> Any:
        return self._model.tokenizer(pairs, truncation=True, max_length=self._model.max_seq_length)["input_ids"]

    def _one_each(self, scores: VectorArray, n: int) -> VectorArray:
        if scores.size != n:
            raise EncoderError(
                f"{self._source} gives scores of shape {scores.shape} for {n} pairs, as a classifier does; expected "
                "one number a pair."
            )
        return scores.reshape(n)

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import CrossEncoder

        with torch_model.loading(self._source):
            model: Any = CrossEncoder(self._source, **self._options)
            for body in token_rules.transformers_in(model):
                torch_model.check_vocabulary(body.tokenizer)
        token_rules.set_limits(model, self._source, max_length=self._max_length)
        return model


def check_reranker(model: str, *, revision: str | None) -> None:
    """Returns if a folder or a Hub id has a reranker in it.

    Raises:
        EncoderError: if it has another model.

    """
    kind = folders.kind_of(model, revision=revision)
    if kind != "CrossEncoder" and not folders.is_causal(model, revision=revision):
        raise EncoderError(
            f"{model} encodes texts one by one, and does not score pairs: it cannot rerank. Expected a CrossEncoder of "
            "sentence-transformers, a model for sequence classification, or a causal language model."
        )


def as_reranker(candidate: object, what: str) -> Reranker:
    """The candidate, if it has the methods of a reranker.

    Raises:
        EncoderError: if it has not.

    """
    for member in ("name", "revision", "score_pairs"):
        if not hasattr(candidate, member):
            raise EncoderError(f"{what} has no {member!r}; expected a reranker, with name, revision and score_pairs.")
    return cast("Reranker", candidate)
