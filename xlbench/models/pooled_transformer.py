"""Plain transformers models with a pooling of one's choice, from a folder or the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models import torch_model
from xlbench.models.token_batches import encode_in_batches

_POOLINGS = ("mean", "cls", "last")
_NO_LIMIT = 1_000_000  # A tokenizer without a limit names a number like 1e30.


class PooledTransformerEncoder(torch_model.TorchEncoder):
    """A model without modules.json: the last hidden states of ``AutoModel``, pooled and normalised."""

    def __init__(
        self,
        model: str,
        *,
        pooling: str = "mean",
        device: str | None = None,
        dtype: str = "float32",
        max_length: int | None = None,
        query_prompt: str = "",
        passage_prompt: str = "",
        normalize: bool = True,
        batch_tokens: int | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """``model`` is a folder or a Hub id; ``pooling`` takes the mean of the tokens, the first, or the last.

        ``max_length`` is in tokens, by default the tokenizer's; ``batch_tokens`` is the tokens in a batch, padding
        included.
        """
        torch_model.check_flag("normalize", normalize)
        if pooling not in _POOLINGS:
            raise UnknownNameError("pooling", str(pooling), _POOLINGS)
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            revision=revision,
            trust_remote_code=trust_remote_code,
        )
        self._pooling = pooling
        self._normalize = normalize

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``."""
        return self._encode([self._query_prompt + text for text in texts])

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        return self._encode([self._passage_prompt + text for text in texts])

    def provenance(self) -> dict[str, Any]:
        """Versions, device, precision, prompts and pooling."""
        return {**super().provenance(), "pooling": self._pooling}

    def _encode(self, texts: list[str]) -> VectorArray:
        lengths = torch_model.token_lengths(self._tokenizer, texts, self._limit)
        with torch_model.computing(self._budget):
            return encode_in_batches(texts, lengths, budget=self._budget, encode=self._pooled)

    def _pooled(self, texts: list[str]) -> VectorArray:
        import torch

        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=self._limit, return_tensors="pt").to(
            self._device
        )
        with torch.inference_mode():
            hidden = self._network(**tokens).last_hidden_state.float()  # [texts, tokens, D]
            mask = tokens["attention_mask"]  # [texts, tokens]
            if self._pooling == "mean":
                pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            else:
                # Padding may be on either side, so the first and last token are found through the mask.
                position = torch.arange(mask.shape[1], device=mask.device)
                at = (mask * (position + 1)).argmax(1) if self._pooling == "last" else mask.argmax(1)
                pooled = hidden[torch.arange(len(texts), device=hidden.device), at]
            if self._normalize:
                pooled = torch.nn.functional.normalize(pooled, dim=1)
        array: VectorArray = pooled.cpu().numpy()
        return array

    @property
    def _limit(self) -> int | None:
        """The longest input in tokens, or None if there is no limit."""
        n_positions = torch_model.n_positions(self._network)
        self._check_max_length(n_positions)
        known = [limit for limit in (self._max_length or self._tokenizer.model_max_length, n_positions) if limit]
        return int(min(known)) if min(known, default=_NO_LIMIT) < _NO_LIMIT else None

    @cached_property
    def _tokenizer(self) -> Any:
        with torch_model.loading(self._source):
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(
                self._source, revision=self._hub_revision, trust_remote_code=self._trust_remote_code
            )
            torch_model.check_vocabulary(tokenizer)
        if tokenizer.pad_token is None:
            if tokenizer.eos_token is None:
                raise EncoderError(
                    f"The tokenizer of {self._source} has neither a padding nor an end token, "
                    "so texts cannot be batched."
                )
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    @cached_property
    def _network(self) -> Any:
        with torch_model.loading(self._source):
            from transformers import AutoModel

            network = AutoModel.from_pretrained(
                self._source,
                revision=self._hub_revision,
                trust_remote_code=self._trust_remote_code,
                dtype=self._torch_dtype,
            )
        return network.to(self._device).eval()
