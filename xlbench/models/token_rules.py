"""What holds for the tokens of every network: the longest input, the end token, and that batches change no vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models import folders, torch_model

_NO_LIMIT = 1_000_000  # A tokenizer without a limit names a number like 1e30, which its own library cannot take.
_TOLERANCE, _HALF_TOLERANCE = 1e-3, 5e-2
_SHORT, _LONG = "a", "a much longer text, so that the short one is padded beside it " * 2


def transformers_in(model: Any) -> list[Any]:
    """The transformer modules of a SentenceTransformer, those in a router too."""
    from sentence_transformers.sentence_transformer.modules import Transformer

    return [module for module in model.modules() if isinstance(module, Transformer)]


def apply(
    model: Any, source: str, *, revision: str | None, max_length: int | None = None, add_eos_token: bool | None = None
) -> None:
    """Sets the longest input, the padding and the end token of each transformer in a model, for use and for training.

    Without ``add_eos_token`` the tokenizer's configuration in ``source`` decides.

    Raises:
        EncoderError: if the network has no positions for ``max_length`` tokens, or an end token is missing or unwanted.

    """
    if add_eos_token is None and folders.adds_end_token(source, revision=revision):
        add_eos_token = True
    set_limits(model, source, max_length=max_length)
    for body in transformers_in(model):
        set_end_token(body.tokenizer, source, wanted=add_eos_token)


def set_limits(model: Any, source: str, *, max_length: int | None = None) -> None:
    """Sets the longest input and the padding of each transformer in a model.

    Raises:
        EncoderError: if the network has no positions for ``max_length`` tokens, or a text cannot be padded.

    """
    for body in transformers_in(model):
        most = torch_model.n_positions(body.auto_model)
        check_length("max_length", max_length, most, source)
        set_longest_input(body, max_length, most)
        set_padding(body.tokenizer, source)


def check_length(name: str, length: int | None, most: int | None, source: str) -> None:
    """Returns if the network has positions for so many tokens.

    Raises:
        EncoderError: if it has not.

    """
    if length is not None and most is not None and length > most:
        raise EncoderError(f"{name} is {length:,}, but {source} takes {most:,} tokens at most.")


def set_longest_input(body: Any, wanted: int | None, n_positions: int | None) -> None:
    """Cuts texts at what is wanted, or else at the folder's own limit, and never past the network's positions."""
    own = wanted or body.max_seq_length
    known = [limit for limit in (own, n_positions) if limit and limit < _NO_LIMIT]
    body.max_seq_length = int(min(known, default=_NO_LIMIT))


def set_padding(tokenizer: Any, source: str) -> None:
    """Gives a tokenizer without a padding token one: what is padded is masked, so that any token does.

    Raises:
        EncoderError: if it has no end token either.

    """
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise EncoderError(
                f"The tokenizer of {source} has neither a padding nor an end token, so texts cannot be batched."
            )
        tokenizer.pad_token = tokenizer.eos_token


def set_end_token(tokenizer: Any, source: str, *, wanted: bool | None) -> None:
    """Ends each text with the end token, if that is wanted; None leaves the tokenizer as it is.

    transformers 5 ignores ``add_eos_token`` in the configuration of tokenizers whose tokenizer.json does not add it.

    Raises:
        EncoderError: if there is no end token, or the tokenizer adds one that is not wanted.

    """
    ends = _added(tokenizer).after[-1:] == [tokenizer.eos_token]
    if wanted is False and ends:
        raise EncoderError(
            f"add_eos_token is false, but the tokenizer of {source} always adds {tokenizer.eos_token!r}."
        )
    if not wanted or ends:
        return
    if tokenizer.eos_token is None:
        raise EncoderError(f"add_eos_token is true, but the tokenizer of {source} has no end token.")
    from tokenizers.processors import TemplateProcessing

    added = _added(tokenizer)
    after = [*added.after, tokenizer.eos_token]
    # A template after another one adds nothing, so that one takes the place of what was there.
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=" ".join([*added.before, "$A", *after]),
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in {*added.before, *after}],
    )


class _Added(NamedTuple):
    """The tokens that a tokenizer adds to a text."""

    before: list[str]
    after: list[str]


def _added(tokenizer: Any) -> _Added:
    encoded = tokenizer(_SHORT, return_special_tokens_mask=True)
    tokens, is_added = tokenizer.convert_ids_to_tokens(encoded["input_ids"]), encoded["special_tokens_mask"]
    own = [i for i, added in enumerate(is_added) if not added]
    if not own:
        return _Added(tokens, [])
    return _Added(tokens[: own[0]], tokens[own[-1] + 1 :])


def taken_by_last_token_pooling(model: Any) -> str | None:
    """A sentence on the token that last-token pooling takes; None for another pooling."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    if not any("lasttoken" in str(module.pooling_mode) for module in model.modules() if isinstance(module, Pooling)):
        return None
    if after := _added(model.tokenizer).after:
        return f"The vector of a text is that of the token that ends it, {after[-1]!r}."
    return (
        "The vector of a text is that of its last word piece, since the tokenizer adds no end token; "
        "--model-arg add_eos_token=true adds one."
    )


def is_padded(
    model: Any, source: str, *, dtype: str, encode: Callable[[list[str]], Sequence[VectorArray]] | None = None
) -> bool:
    """Whether texts of other lengths may be in one batch of a model; see ``batches_are_padded``.

    ``encode`` gives what the model has for each text of a batch; by default the vectors of queries.
    """
    bodies = transformers_in(model)
    if not bodies:
        return True

    def vectors_of(texts: list[str]) -> Sequence[VectorArray]:
        tensor = model.encode_query(texts, prompt="", convert_to_tensor=True, show_progress_bar=False)
        return list(tensor.float().cpu().numpy())

    return batches_are_padded([body.tokenizer for body in bodies], encode or vectors_of, source=source, dtype=dtype)


def batches_are_padded(
    tokenizers: list[Any], encode: Callable[[list[str]], Sequence[VectorArray]], source: str, dtype: str
) -> bool:
    """Whether texts of other lengths may be in one batch: whether a text has the vector there that it has alone.

    Networks that count positions from the start of a row see padding on the left as a part of the text; padding goes to
    the right unless the pooling needs it on the left. Where neither side leaves vectors alone, texts of one length only
    are in a batch, without padding.

    Raises:
        EncoderError: if even then a vector depends on its batch.

    """
    alone = encode([_SHORT])[0]
    tolerance = _TOLERANCE if dtype == "float32" else _HALF_TOLERANCE

    def agrees(batch: list[str]) -> bool:
        length = float(np.linalg.norm(alone)) or 1.0
        vector = encode(batch)[0]
        return vector.shape == alone.shape and bool(np.linalg.norm(vector - alone) / length <= tolerance)

    own = [tokenizer.padding_side for tokenizer in tokenizers]
    for sides in (["right"] * len(own), own):
        for tokenizer, side in zip(tokenizers, sides, strict=True):
            tokenizer.padding_side = side
        if agrees([_SHORT, _LONG]):
            return True
    if agrees([_SHORT, _SHORT]):
        return False
    raise EncoderError(
        f"{source} gives a text another vector in a batch than alone, with padding on either side and without: its "
        "vectors cannot be compared."
    )
