"""A model that is pushed to the Hub: its repository is made before the training, and filled when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlbench.errors import TrainingError


def create(trainer: Mapping[str, Any]) -> None:
    """Makes the repository that ``push_to_hub`` asks for, if there is none: what fails is to fail before the training.

    Raises:
        TrainingError: if it cannot be made.

    """
    from huggingface_hub import HfApi

    if trainer.get("push_to_hub"):
        name = trainer["hub_model_id"]
        try:
            HfApi().create_repo(name, private=trainer.get("hub_private_repo"), exist_ok=True)
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"The repository {name} cannot be made on the Hub ({_reason(error)}): log in with `hf auth login`, or "
                "train without push_to_hub."
            ) from error


def push(folder: Path, trainer: Mapping[str, Any]) -> None:
    """Puts the finished model, its card and its record into the repository.

    Raises:
        TrainingError: if that fails; the folder stays.

    """
    from huggingface_hub import HfApi

    if trainer.get("push_to_hub"):
        name, revision = trainer["hub_model_id"], trainer.get("hub_revision")
        try:
            if revision is not None:
                HfApi().create_branch(name, branch=revision, exist_ok=True)
            HfApi().upload_folder(
                repo_id=name,
                folder_path=folder,
                revision=revision,
                commit_message="Trained with xlbench",
                ignore_patterns=[".*", "checkpoint-*"],
            )
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"The model is saved to {folder}, but could not be pushed ({_reason(error)}): "
                f"`hf upload {name} {folder}` tries again."
            ) from error


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
