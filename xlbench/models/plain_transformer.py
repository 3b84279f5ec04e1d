"""Plain transformers models with a pooling of one's choice, which sentence-transformers applies."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models import torch_model
from xlbench.models.sentence_transformer import SentenceTransformerEncoder

POOLINGS = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
"""sentence-transformers' names of the poolings."""
GUESSED = "The model names no pooling, and no argument does: the mean of the tokens is taken."
_NO_LIMIT = 1_000_000  # A tokenizer without a limit names a number like 1e30.
_NOT_NAMED = object()


class PlainTransformerEncoder(SentenceTransformerEncoder):
    """A model without modules.json: the last hidden states, pooled and normalised."""

    def __init__(
        self,
        model: str,
        *,
        pooling: Any = _NOT_NAMED,
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
        self.notes = (GUESSED,) if pooling is _NOT_NAMED else ()
        self._pooling = checked_pooling("mean" if pooling is _NOT_NAMED else pooling)
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            normalize=normalize,
            revision=revision,
            trust_remote_code=trust_remote_code,
        )

    def provenance(self) -> dict[str, Any]:
        """Versions, device, precision, prompts and pooling."""
        return {**super().provenance(), "pooling": self._pooling}

    @cached_property
    def _model(self) -> Any:
        with torch_model.loading(self._source):
            model = pooled_model(
                self._source,
                pooling=self._pooling,
                dtype=self._torch_dtype,
                revision=self._hub_revision,
                device=self._device,
                trust_remote_code=self._trust_remote_code,
            )
        n_positions = torch_model.n_positions(model[0].auto_model)
        self._check_max_length(n_positions)
        known = [limit for limit in (self._max_length or model.tokenizer.model_max_length, n_positions) if limit]
        model.max_seq_length = int(min(known)) if min(known, default=_NO_LIMIT) < _NO_LIMIT else None
        return model


def checked_pooling(pooling: object) -> str:
    """The pooling, if it is one.

    Raises:
        UnknownNameError: if it is none.

    """
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise UnknownNameError("pooling", str(pooling), POOLINGS)
    return pooling


def pooled_model(
    source: str, *, pooling: str, dtype: Any, revision: str | None, device: str, trust_remote_code: bool = False
) -> Any:
    """A SentenceTransformer of a plain folder or Hub id and a pooling; the one way that such a model gets one.

    Raises:
        EncoderError: if the tokenizer can pad with nothing.

    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    where = {"trust_remote_code": trust_remote_code} | ({} if revision is None else {"revision": revision})
    body = Transformer(source, model_kwargs={"dtype": dtype, **where}, config_kwargs=where, processor_kwargs=where)
    tokenizer = body.tokenizer
    torch_model.check_vocabulary(tokenizer)
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise EncoderError(
                f"The tokenizer of {source} has neither a padding nor an end token, so texts cannot be batched."
            )
        tokenizer.pad_token = tokenizer.eos_token
    if pooling == "cls":
        tokenizer.padding_side = "right"  # The library takes the first place, be it padding or not.
    modes = Pooling(body.get_embedding_dimension(), pooling_mode=POOLINGS[pooling])
    return SentenceTransformer(modules=[body, modes], device=device, similarity_fn_name="cosine")
