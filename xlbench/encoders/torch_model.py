"""What the encoders that run on torch have in common: device, precision, revision, and errors of loading."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from xlbench.encoders import folders
from xlbench.encoders.batching import DEFAULT_BATCH_TOKENS
from xlbench.errors import EncoderError, UnknownNameError

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
        revision: str | None,
        trust_remote_code: bool,
    ) -> None:
        """Resolves the revision; nothing of the weights is loaded."""
        if dtype not in DTYPES:
            raise UnknownNameError("dtype", str(dtype), DTYPES)
        for name, value in (("max_length", max_length), ("batch_tokens", batch_tokens)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise EncoderError(f"{name} is {value!r}; expected a number of tokens, at least 1.")
        self.name = folders.name_of(model)
        self.revision = folders.revision_of(model, revision=revision)
        self._source = model
        self._hub_revision = None if Path(model).exists() else self.revision
        self._wanted_device = device
        self._dtype = dtype
        self._max_length = max_length
        self._batch_tokens = batch_tokens
        self._trust_remote_code = trust_remote_code

    def provenance(self) -> dict[str, Any]:
        """Versions of the libraries, device and precision."""
        return {
            "torch": version("torch"),
            "transformers": version("transformers"),
            "device": self._device.partition(":")[0],
            "dtype": self._dtype,
        }

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
    def _budget(self) -> int:
        return self._batch_tokens or DEFAULT_BATCH_TOKENS.get(
            self._device.partition(":")[0], DEFAULT_BATCH_TOKENS["cuda"]
        )


def version(distribution: str) -> str:
    """The installed version of a distribution; nothing is imported."""
    return importlib.metadata.version(distribution)


def token_lengths(tokenizer: Any, texts: Sequence[str], limit: int | None) -> list[int]:
    """Tokens of each text after truncation to ``limit``."""
    truncation = {"truncation": True, "max_length": limit} if limit else {}
    return [len(ids) for ids in tokenizer(list(texts), return_attention_mask=False, **truncation)["input_ids"]]


@contextlib.contextmanager
def loading(model: str) -> Iterator[None]:
    """Loads quietly, and turns what the libraries raise for a broken model into one sentence."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError) as error:
        # The libraries raise nearly anything for a broken folder; the class and first line are what a user can act on.
        reason = (str(error).strip().splitlines() or [""])[0]
        raise EncoderError(
            f"The model {model} cannot be loaded ({type(error).__name__}: {reason}). "
            "Expected weights, tokenizer and configuration as save_pretrained writes them."
        ) from error


@contextlib.contextmanager
def computing(budget: int) -> Iterator[None]:
    """Turns a device that runs out of memory into a sentence with what to do."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EncoderError(
            f"The device ran out of memory on a batch of {budget:,} tokens: try "
            f"--model-arg batch_tokens={max(1, budget // 4)}, a smaller --max-length, or --dtype bfloat16. "
            "What was encoded is kept."
        ) from error
