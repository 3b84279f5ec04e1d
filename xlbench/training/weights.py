"""The weights of a checkpoint: those of the whole model, or with LoRA what is trained of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer

from xlbench.errors import TrainingError
from xlbench.training import lora

_ADAPTER = "adapter.safetensors"


def save(model: Any, folder: Path) -> None:
    """Writes the weights into a folder."""
    if not lora.is_added(model):
        model.save(str(folder), create_model_card=False)
        return
    from safetensors.torch import save_file

    save_file(_trained(model), folder / _ADAPTER)


def load(model: Any, checkpoint: Path) -> None:
    """Gives the model the weights of a checkpoint.

    Raises:
        TrainingError: if they cannot be read.

    """
    adapted = lora.is_added(model)
    if not (checkpoint / (_ADAPTER if adapted else "modules.json")).is_file():
        # A library would look for a name that is no folder on the Hub.
        raise TrainingError(f"There is no checkpoint {checkpoint}: it was removed while the model was trained.")
    try:
        if adapted:
            from safetensors.torch import load_file

            stored, own = load_file(checkpoint / _ADAPTER), _trained(model)
            with torch.no_grad():
                for name in {*stored, *own}:
                    own[name].copy_(stored[name])
        else:
            whole = SentenceTransformer(str(checkpoint.resolve()), device="cpu", model_kwargs={"dtype": torch.float32})
            model.load_state_dict(whole.state_dict())
    except Exception as error:
        raise TrainingError(
            f"The checkpoint {checkpoint} cannot be read ({type(error).__name__}: {str(error).splitlines()[0]}). "
            "Remove it to go on from the one before, or train again without --resume into another --output."
        ) from error


def _trained(model: Any) -> dict[str, torch.Tensor]:
    """What is trained, by name."""
    return {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}
