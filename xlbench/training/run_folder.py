"""The record of a run in its folder: what it was started with, and whether another run may go on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlbench.errors import TrainingError, differences
from xlbench.models import folders
from xlbench.support.files import write_whole
from xlbench.training.run import TrainingRun

NAME = "training.json"
"""The file in a model's folder that says how it was trained."""


def identity_of(run: TrainingRun) -> dict[str, Any]:
    """All that the weights of a run follow from, as JSON has it.

    Raises:
        UnknownNameError: if there is no such model.

    """
    run.init.check()
    revision = folders.revision_of(run.init.model, revision=run.init.arguments.get("revision"))
    identity: dict[str, Any] = json.loads(json.dumps(run.identity(revision)))
    return identity


def is_trained(output: Path) -> bool:
    """Whether the folder has a trained model."""
    return (output / "modules.json").is_file()


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, in the order of their steps. All are whole."""
    known = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    return sorted(known, key=lambda path: int(path.name.removeprefix("checkpoint-")))


def last_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the latest step, or None if there is none."""
    return next(reversed(checkpoints(folder)), None)


def check_folder(output: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
    """Refuses a folder that has another run, finished or not, or any run if none is to go on.

    Raises:
        TrainingError: with each difference.

    """
    path = output / NAME
    if not resume:
        if path.exists() or checkpoints(output) or is_trained(output):
            raise TrainingError(
                f"{output} has a model or a run: add --resume to go on with it, or choose another --output."
            )
        return
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))["run"]
    except FileNotFoundError:
        if is_trained(output):
            raise TrainingError(f"{output} has a model that was not trained here: choose another --output.") from None
        return
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is not the record of a run: choose another --output.") from error
    if others := list(differences(recorded, identity)):
        raise TrainingError(
            f"{output} has another run: {'; '.join(others)}. Give the options that it was begun with, "
            "or choose another --output."
        )


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Writes a record into the folder, whole or not at all."""
    write_whole(folder / NAME, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
