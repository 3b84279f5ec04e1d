"""What the encoders that run on torch have in common: device, precision, revision, and errors of loading."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xlbench.errors import EncoderError, MissingLibraryError, UnknownNameError, XlbenchError
from xlbench.models import folders
from xlbench.models.checkpoint_weights import whole
from xlbench.models.token_batches import DEFAULT_BATCH_TOKENS
from xlbench.models.token_budget import TokenBudget

DTYPES = ("float32", "bfloat16", "float16")


class TorchEncoder:
    """Name, revision, device and precision of a model in a folder or on the Hub."""

    def __init__(
        self,
        model: str,
        *,
        device: str | None,
        dtype: str,
        max_length: int | None,
        batch_tokens: int | None,
        query_prompt: str,
        passage_prompt: str,
        revision: str | None,
        trust_remote_code: bool,
        attention: str | None = None,
    ) -> None:
        """Resolves the revision; nothing of the weights is loaded."""
        if dtype not in DTYPES:
            raise UnknownNameError("dtype", str(dtype), DTYPES)
        for name, value in (("max_length", max_length), ("batch_tokens", batch_tokens)):
            if value is not None and (type(value) is not int or value < 1):
                raise EncoderError(f"{name} is {value!r}; expected a number of tokens, at least 1.")
        check_flag("trust_remote_code", trust_remote_code)
        self.name = folders.name_of(model)
        self.revision = folders.revision_of(model, revision=revision)
        self._source = model
        self._hub_revision = None if Path(model).exists() else self.revision
        self._wanted_device = device
        self._dtype = dtype
        self._max_length = max_length
        self._batch_tokens = batch_tokens
        self._query_prompt = query_prompt
        self._passage_prompt = passage_prompt
        self._trust_remote_code = trust_remote_code
        self._attention = attention

    def provenance(self) -> dict[str, Any]:
        """Versions of the libraries, device, precision and prompts."""
        return {
            "torch": version("torch"),
            "transformers": version("transformers"),
            "device": self._device.partition(":")[0],
            "dtype": self._dtype,
            "query_prompt": self._query_prompt,
            "passage_prompt": self._passage_prompt,
        }

    @property
    def device(self) -> str:
        """Where it computes, as torch names it."""
        return self._device

    @cached_property
    def _device(self) -> str:
        import torch

        if self._wanted_device is None:
            return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        try:
            torch.zeros(1, device=self._wanted_device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise EncoderError(
                f"The device {self._wanted_device!r} cannot be used here: {str(error).splitlines()[0]}"
            ) from error
        return self._wanted_device

    @property
    def _torch_dtype(self) -> Any:
        import torch

        return getattr(torch, self._dtype)

    @property
    def _network_options(self) -> dict[str, Any]:
        return {"dtype": self._torch_dtype, **attention_option(self._attention)}

    @property
    def _options(self) -> dict[str, Any]:
        """Those with which each class of sentence-transformers loads a model."""
        return {
            "device": self._device,
            "revision": self._hub_revision,
            "trust_remote_code": self._trust_remote_code,
            "model_kwargs": self._network_options,
        }

    @cached_property
    def _budget(self) -> TokenBudget:
        kind = self._device.partition(":")[0]
        return TokenBudget(self._batch_tokens or DEFAULT_BATCH_TOKENS.get(kind, DEFAULT_BATCH_TOKENS["cuda"]))


def attention_option(attention: str | None) -> dict[str, str]:
    """What transformers is told of the implementation of attention; nothing if it is to choose.

    Raises:
        MissingLibraryError: if it needs a library that is not installed.

    """
    if attention is None:
        return {}
    if attention == "flash_attention_2" and find_spec("flash_attn") is None:
        raise MissingLibraryError(
            "The attention flash_attention_2 needs flash-attn, which is not installed: pip install flash-attn "
            "--no-build-isolation on a machine with CUDA, or choose sdpa."
        )
    return {"attn_implementation": attention}


def check_flag(name: str, value: object) -> None:
    """Refuses what is neither true nor false: any text would count as true.

    Raises:
        EncoderError: if it is something else.

    """
    if not isinstance(value, bool):
        raise EncoderError(f"{name} is {value!r}; expected true or false.")


def n_positions(network: Any) -> int | None:
    """How many tokens a network has positions for, or None if it does not say."""
    positions: Any = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
    if getattr(positions, "num_embeddings", None) is None:
        stated = getattr(getattr(network, "config", None), "max_position_embeddings", None)
        return stated if isinstance(stated, int) else None
    # RoBERTa and its kin count positions from after the padding's.
    unused = 0 if positions.padding_idx is None else positions.padding_idx + 1
    return int(positions.num_embeddings) - unused


def version(distribution: str) -> str:
    """The installed version of a distribution; nothing is imported."""
    return importlib.metadata.version(distribution)


def token_lengths(tokenizer: Any, texts: Sequence[str], limit: int | None) -> list[int]:
    """Tokens of each text after truncation to ``limit``."""
    truncation = {"truncation": True, "max_length": limit} if limit else {}
    return [len(ids) for ids in tokenizer(list(texts), return_attention_mask=False, **truncation)["input_ids"]]


def check_vocabulary(tokenizer: Any) -> None:
    """Refuses a tokenizer that knows no words.

    transformers makes one where the tokenizer's files are missing, and every text then gives the same vector.

    Raises:
        ValueError: to be explained by ``loading``.

    """
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise ValueError("its tokenizer knows no words: are the tokenizer's files missing?")


@contextlib.contextmanager
def loading(model: str) -> Iterator[None]:
    """Loads quietly, refuses weights that do not fit, and turns what the libraries raise into one sentence."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with whole(model):
            yield
    except XlbenchError:
        raise
    except Exception as error:
        # The libraries raise nearly anything for a broken folder; the class and first line are what a user can act on.
        reason = (str(error).strip().splitlines() or [""])[0]
        raise EncoderError(
            f"The model {model} cannot be loaded ({type(error).__name__}: {reason}). "
            "Expected weights, tokenizer and configuration as save_pretrained writes them."
        ) from error
