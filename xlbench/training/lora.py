"""LoRA: small matrices beside the linear layers of a network are trained, and the network stays as it is.

The output of a layer W x becomes W x + (alpha / r) B A x, where A has r rows and B as many columns (Hu et al. 2021,
arXiv 2106.09685); of Hugging Face's ``peft``. The finished model has the sum W + (alpha / r) B A in place of W.
"""

from __future__ import annotations

from typing import Any

import torch

from xlbench.errors import TrainingError
from xlbench.training.model_folder import network
from xlbench.training.run import Lora


def add(model: Any, lora: Lora, *, seed: int) -> None:
    """Freezes the model, and adds the matrices; with a seed, since A begins at random.

    Raises:
        TrainingError: if the network has no such layers.

    """
    from peft import LoraConfig, inject_adapter_in_model

    model.requires_grad_(False)  # noqa: FBT003 (torch's)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.scale,  # type: ignore[arg-type]  # A float too, in spite of its annotation.
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or "all-linear",
        # Nothing is made of what it gives.
        exclude_modules=r"(.*\.)?pooler\..*",
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            inject_adapter_in_model(config, network(model))
        except ValueError as error:
            linear = {
                name.rpartition(".")[2]
                for name, module in network(model).named_modules()
                if isinstance(module, torch.nn.Linear)
            }
            raise TrainingError(
                f"--lora targets={','.join(lora.targets)}: the network has no such layers. Its linear ones are "
                f"{', '.join(sorted(linear)) or 'none'}."
            ) from error


def is_added(model: Any) -> bool:
    """Whether a model has such matrices."""
    return any(".lora_A." in name for name, _ in model.named_parameters())


def merge(model: Any) -> None:
    """Adds the matrices to the weights, so that the model is of the kind that it was before."""
    for name, module in list(model.named_modules()):
        if hasattr(module, "lora_A") and hasattr(module, "get_base_layer"):
            module.merge()
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, module.get_base_layer())
    vars(network(model)).pop("peft_config", None)
