"""average: the mean of the weights of models, such as a trained one and the one that it was trained from."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from xlbench import __version__
from xlbench.errors import EncoderError
from xlbench.models import folders
from xlbench.training import card, model_folder
from xlbench.training.run import Init


def average(names: Sequence[str], weights: Sequence[float], output: Path) -> list[float]:
    """Writes the weighted mean of models as a sentence-transformers folder, and gives the weights, which add up to 1.

    With the model that the training began with, it keeps what that could do better (WiSE-FT, arXiv 2109.01903); of
    models trained alike, it is a soup (arXiv 2203.05482). Tokenizer, pooling and prompts are the first model's.

    Raises:
        EncoderError: if a model cannot be loaded, or has other weights than the first by name or shape.

    """
    total = sum(weights)
    shares = [weight / total for weight in weights]
    first = model_folder.load(Init(names[0], {}))
    revisions = [first.revision]
    mean = {name: _scaled(tensor, shares[0]) for name, tensor in first.model.state_dict().items()}
    for model, share in zip(names[1:], shares[1:], strict=True):
        loaded = model_folder.load(Init(model, {}))
        state = loaded.model.state_dict()
        _check_alike(mean, state, names[0], model)
        for name, tensor in state.items():
            if tensor.is_floating_point():
                mean[name] += _scaled(tensor, share)
        revisions.append(loaded.revision)
    first.model.load_state_dict({name: tensor.float() for name, tensor in mean.items()})
    output.mkdir(parents=True, exist_ok=True)
    contents = _card(output, names, revisions, shares)
    model_folder.publish(first.model, output, lambda folder: _write(folder / card.NAME, contents))
    return shares


def _scaled(tensor: torch.Tensor, share: float) -> torch.Tensor:
    """The tensor's part of the mean, in double precision; what is no number to compute with stays as it is."""
    return tensor.double() * share if tensor.is_floating_point() else tensor


def _check_alike(first: dict[str, Any], other: dict[str, Any], name: str, model: str) -> None:
    if missing := sorted(set(first) ^ set(other)):
        where = name if missing[0] in first else model
        raise EncoderError(
            f"{name} and {model} cannot be averaged: only {where} has the weights {missing[0]!r}. Expected models of "
            "one architecture, such as a model and what was trained from it."
        )
    for key, tensor in first.items():
        if tensor.shape != other[key].shape:
            raise EncoderError(
                f"{name} and {model} cannot be averaged: the weights {key!r} have the shapes {tuple(tensor.shape)} and "
                f"{tuple(other[key].shape)}. Expected models of one architecture and vocabulary."
            )


def _card(output: Path, names: Sequence[str], revisions: Sequence[str], shares: Sequence[float]) -> str:
    """The folder's README."""
    named = [folders.name_of(name) for name in names]
    given = [f"{share:g}" for share in shares]
    command = shlex.join(["xlbench", "average", *named, "--weight", *given, "--output", output.name])
    rows = "\n".join(
        f"| {name} | `{revision}` | {share} |" for name, revision, share in zip(named, revisions, given, strict=True)
    )
    return f"""---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, xlbench, multilingual]
---

# {output.resolve().name}

The weights are the mean of those of

| model | revision | weight |
|---|---|---|
{rows}

Tokenizer, pooling and prompts are those of {named[0]}.

## Command

```sh
{command}
```

Made with xlbench {__version__}.
"""


def _write(path: Path, contents: str) -> None:
    path.write_text(contents, encoding="utf-8")
