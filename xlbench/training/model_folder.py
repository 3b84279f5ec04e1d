"""The model that is trained: loaded with its own pooling and prompts, and written as a folder that is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from xlbench.errors import EncoderError
from xlbench.models import folders, token_rules, torch_model
from xlbench.models.plain_transformer import checked_pooling, pooled_model
from xlbench.training.run import Init
from xlbench.training.tokens import Role, Tokeniser


@dataclass(frozen=True)
class Loaded:
    """A model in float32, and how its texts are made into tokens."""

    model: Any
    tokeniser: Tokeniser
    revision: str
    """What identifies the weights it had."""

    @property
    def dimensions(self) -> int:
        """Of its vectors."""
        return int(self.model.get_embedding_dimension())

    @property
    def attention(self) -> str | None:
        """The implementation of attention that its network has; None if it does not say."""
        return getattr(getattr(network(self.model), "config", None), "_attn_implementation", None)

    def n_parameters(self, *, trained: bool = False) -> int:
        """How many the model has, or of these are trained."""
        return sum(weight.numel() for weight in self.model.parameters() if weight.requires_grad or not trained)

    def check_dimensions(self, wanted: Sequence[int]) -> None:
        """Refuses sizes that its vectors cannot be cut at.

        Raises:
            EncoderError: naming the first of them.

        """
        for size in wanted:
            if size > self.dimensions:
                raise EncoderError(f"--matryoshka has {size:,}, and the model gives {self.dimensions:,} dimensions.")


def load(init: Init) -> Loaded:
    """The model that ``init`` names, on the CPU.

    Raises:
        EncoderError: if it cannot be loaded, has no tokenizer, or an argument does not fit it.
        UnknownNameError: if an argument or a pooling does not exist.

    """
    init.check()
    hub_revision = init.arguments.get("revision")
    revision = folders.revision_of(init.model, revision=hub_revision)
    adapter = folders.adapter_of(init.model, revision=hub_revision)
    with torch_model.loading(init.model):
        at = None if Path(init.model).exists() else revision
        options = {"dtype": torch.float32, **torch_model.attention_option(init.arguments.get("attention"))}
        if adapter == "transformers":
            pooling = checked_pooling(init.arguments.get("pooling", "mean"))
            model = pooled_model(init.model, pooling=pooling, network=options, revision=at, device="cpu")
        else:
            if "pooling" in init.arguments:
                raise EncoderError(f"{init.model} has a pooling of its own: leave the argument pooling out.")
            model = SentenceTransformer(init.model, device="cpu", revision=at, model_kwargs=options)
        if not callable(getattr(model, "tokenizer", None)):
            raise EncoderError(f"{init.model} has no tokenizer of the usual kind, and only such models can be trained.")
        torch_model.check_vocabulary(model.tokenizer)
    token_rules.apply(model, init.model, revision=at)
    if not token_rules.is_padded(model, init.model, dtype="float32"):
        raise EncoderError(
            f"{init.model} gives a text another vector beside longer ones, whatever side is padded, so that batches of "
            "texts cannot be trained on: expected a network that masks what is padded."
        )
    query, passage = folders.prompts_of(init.model, revision=hub_revision)
    query, passage = (
        str(init.arguments.get(name, known)) for name, known in (("query_prompt", query), ("passage_prompt", passage))
    )
    model.prompts = {**(model.prompts or {}), "query": query, "document": passage}
    pooler = getattr(network(model), "pooler", None)
    if isinstance(pooler, torch.nn.Module) and any(isinstance(module, Pooling) for module in model):
        # Nothing is made of what it gives, and several processes would wait for its gradient.
        pooler.requires_grad_(False)  # noqa: FBT003 (torch's)
    if init.freeze_embeddings:
        network(model).get_input_embeddings().weight.requires_grad_(False)  # noqa: FBT003 (torch's)
    for name, length in (("max_query_length", init.max_query_length), ("max_passage_length", init.max_passage_length)):
        token_rules.check_length(name, length, torch_model.n_positions(network(model)), init.model)
    roles = Role(query, "query", init.max_query_length), Role(passage, "document", init.max_passage_length)
    return Loaded(model, Tokeniser(model, *roles), revision)


def network(model: Any) -> Any:
    """The transformer of a model, or the model itself if it has none."""
    return getattr(model[0], "auto_model", model)


def publish(model: Any, output: Path, extra: Callable[[Path], None]) -> None:
    """Writes the model into a folder that holds other things too, so that no half of a model can be loaded.

    ``extra`` adds files to it before it can be seen.
    """
    partial = output / ".model"
    shutil.rmtree(partial, ignore_errors=True)
    model.save(str(partial), create_model_card=False)
    extra(partial)
    # A folder is a model by its modules.json, which therefore comes last.
    for path in sorted(partial.iterdir(), key=lambda path: path.name == "modules.json"):
        target = output / path.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)  # noqa: PTH105 (of files and folders alike)
    partial.rmdir()
