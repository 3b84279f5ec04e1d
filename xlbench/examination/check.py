"""check: examines the data of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlbench.catalogue import Task
from xlbench.collection import Collection
from xlbench.errors import DataError
from xlbench.examination import Examination, unreadable
from xlbench.job import Job
from xlbench.models import load
from xlbench.models.kinds import KINDS as MODELS
from xlbench.models.protocols import Model
from xlbench.settings import Kind
from xlbench.support.machine import cache_folder
from xlbench.support.progress import Progress, display

DEFAULT_MODEL = "use-multilingual"


def check(
    task: str | Path | Task | Collection,
    *,
    languages: Sequence[str] = (),
    settings: Sequence[Kind] = (),
    model: object = None,
    arguments: Mapping[str, Any] | None = None,
    device: str | None = None,
    cache: str | Path | None = "default",
    data_dir: str | Path | None = None,
    quiet: bool = False,
) -> Examination:
    """What is odd about a task's data, and whether its judgements are better than random ones.

    Args:
        task: As ``evaluate`` takes it.
        languages: Only these; all if none is named.
        settings: Only these kinds are tested against chance; the task's if none is named.
        model: A model that knows the languages. It is asked where comparing letters cannot tell a setting from chance.
            Without one, ``use-multilingual`` is asked if it is installed.
        arguments: Arguments of the model.
        device: Where the model runs.
        cache: Folder of stored vectors and downloads.
        data_dir: Folder with the data sets, looked into before anything is downloaded.
        quiet: Show no progress.

    Raises:
        UnknownNameError: For a task, model, language or setting that does not exist.
        EncoderError: For a model that cannot be loaded or gives unusable vectors.

    Example:
        >>> import xlbench
        >>> queries = {"de:1": "Wo?", "en:1": "Where?"}
        >>> passages = {"de:a": "Hier.", "en:a": "Here."}
        >>> own = xlbench.Collection.from_dicts(queries, passages, {"de:1": ["de:a"], "en:1": ["en:a"]})
        >>> xlbench.check(own, cache=None, quiet=True).is_wrong
        False

    """
    job = Job.of(task, languages=languages, kinds=settings)
    asked = asked_model(model, device=device, arguments=arguments)
    return check_job(job, asked, data_dir=data_dir, cache_dir=cache_folder(cache), quiet=quiet)


def asked_model(
    model: object = None, *, device: str | None = None, arguments: Mapping[str, Any] | None = None
) -> Model | None:
    """The model that is asked where letters cannot tell: the one that is named, or the usual one if it is installed."""
    if model is not None:
        return load(model, device=device, arguments=arguments)
    installed = any(kind.adapter == DEFAULT_MODEL and kind.installed for kind in MODELS)
    return load(DEFAULT_MODEL) if installed else None


def check_job(
    job: Job, model: Model | None, *, data_dir: str | Path | None, cache_dir: Path | None, quiet: bool
) -> Examination:
    """The examination of a job's data; of data that cannot be read, what stands in the way."""

    def show(what: str) -> Progress:
        return display(f"{job.task.name}: {what}", quiet=quiet)

    try:
        collection = job.read(data_dir=data_dir, cache_dir=cache_dir)

        # Only here, because it imports torch, which takes longer than finding that the data is missing.
        from xlbench.examination.examine import examine

        return examine(collection, kinds=job.kinds, model=model, cache_dir=cache_dir, show=show)
    except DataError as error:
        return unreadable(error)
