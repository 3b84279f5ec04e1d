"""Evaluation of collections made on the spot, on tasks whose files are not read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xlbench.catalogue import Task
from xlbench.collection import Collection
from xlbench.evaluation import evaluate_collection
from xlbench.job import Job
from xlbench.models.protocols import Model
from xlbench.results import Result
from xlbench.settings import Kind


def evaluate(
    task: Task,
    collection: Collection,
    model: Model,
    *,
    kinds: Iterable[Kind],
    cache_dir: Path | None,
    keep: int = 0,
    force: bool = False,
) -> Result:
    """The result of a model on a collection that is taken for the task's."""
    job = Job(task, collection.languages, tuple(kinds))
    return evaluate_collection(job, collection, model, cache_dir=cache_dir, keep=keep, force=force)
