"""Plain transformers models with a pooling of one's choice, which sentence-transformers applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from xlbench.errors import UnknownNameError
from xlbench.models import token_rules, torch_model
from xlbench.models.sentence_transformer import SentenceTransformerEncoder

POOLINGS = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
"""sentence-transformers' names of the poolings."""
GUESSED = "The model names no pooling, and no argument does: the mean of the tokens is taken."
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
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        instruction: str | Literal[False] | None = None,
        normalize: bool = True,
        add_eos_token: bool | None = None,
        batch_tokens: int | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
        attention: str | None = None,
    ) -> None:
        """``model`` is a folder or a Hub id; ``pooling`` takes the mean of the tokens, the first, or the last.

        ``max_length`` is in tokens, by default the tokenizer's; ``batch_tokens`` is the tokens in a batch, padding
        included.
        """
        torch_model.check_flag("normalize", normalize)
        self._pooling = checked_pooling("mean" if pooling is _NOT_NAMED else pooling)
        super().__init__(
            model,
            device=device,
            dtype=dtype,
            max_length=max_length,
            batch_tokens=batch_tokens,
            query_prompt=query_prompt,
            passage_prompt=passage_prompt,
            instruction=instruction,
            normalize=normalize,
            add_eos_token=add_eos_token,
            revision=revision,
            trust_remote_code=trust_remote_code,
            attention=attention,
        )
        if pooling is _NOT_NAMED:
            self._noted.append(GUESSED)

    def provenance(self) -> dict[str, Any]:
        """Versions, device, precision, prompts and pooling."""
        return {**super().provenance(), "pooling": self._pooling}

    def _loaded(self) -> Any:
        return pooled_model(
            self._source,
            pooling=self._pooling,
            network=self._network_options,
            revision=self._hub_revision,
            device=self._device,
            trust_remote_code=self._trust_remote_code,
        )


def checked_pooling(pooling: object) -> str:
    """The pooling, if it is one.

    Raises:
        UnknownNameError: if it is none.

    """
    if not isinstance(pooling, str) or pooling not in POOLINGS:
        raise UnknownNameError("pooling", str(pooling), POOLINGS)
    return pooling


def pooled_model(
    source: str,
    *,
    pooling: str,
    network: Mapping[str, Any],
    revision: str | None,
    device: str,
    trust_remote_code: bool = False,
) -> Any:
    """A SentenceTransformer of a plain folder or Hub id and a pooling; the one way that such a model gets one.

    Raises:
        EncoderError: if the tokenizer can pad with nothing.

    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    where = {"trust_remote_code": trust_remote_code} | ({} if revision is None else {"revision": revision})
    body = Transformer(source, model_kwargs={**network, **where}, config_kwargs=where, processor_kwargs=where)
    torch_model.check_vocabulary(body.tokenizer)
    token_rules.set_padding(body.tokenizer, source)
    if pooling == "cls":
        body.tokenizer.padding_side = "right"  # The library takes the first place, be it padding or not.
    modes = Pooling(body.get_embedding_dimension(), pooling_mode=POOLINGS[pooling])
    return SentenceTransformer(modules=[body, modes], device=device, similarity_fn_name="cosine")
