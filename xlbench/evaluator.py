"""Evaluator: measures a model while it is trained, as sentence-transformers' trainers ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentence_transformers.base.evaluation import BaseEvaluator

from xlbench import measures
from xlbench.catalogue import Task
from xlbench.collection import Collection
from xlbench.evaluation import evaluate_collection
from xlbench.job import Job
from xlbench.models import load
from xlbench.results import Result
from xlbench.settings import Kind
from xlbench.support.machine import cache_folder


class Evaluator(BaseEvaluator):
    """Evaluates the model that it is called with on a task; nothing of the model is stored.

    Give it to a trainer as ``evaluator=``. The keys of what it returns are ``TASK_KIND_MEASURE``, such as
    ``demo_multi_AP``; ``primary_metric`` is the one by which the best checkpoint is chosen.

    Example:
        >>> import xlbench
        >>> evaluator = xlbench.Evaluator("demo", languages=["de", "en"])
        >>> evaluator.primary_metric
        'demo_multi_AP'

    """

    def __init__(
        self,
        task: str | Path | Task | Collection,
        *,
        languages: Sequence[str] = (),
        settings: Sequence[Kind] = (),
        name: str | None = None,
        primary: tuple[Kind, str] | None = None,
        cache: str | Path | None = "default",
        data_dir: str | Path | None = None,
    ) -> None:
        """Reads the task's texts; ``cache`` and ``data_dir`` are where they are looked for, and downloaded to.

        Args:
            task: As ``evaluate`` takes it.
            languages: Only these; all if none is named.
            settings: Only these kinds; the task's if none is named.
            name: What keys begin with; the task's name if it is not given.
            primary: The kind of setting and the measure of ``primary_metric``; the widest kind and the task's headline
                if they are not given.
            cache: Folder of downloads.
            data_dir: Folder with the data sets.

        Raises:
            UnknownNameError: For a task, a language or a setting that does not exist.
            DataError: For data that is missing, or not what the task says.

        """
        super().__init__()  # type: ignore[no-untyped-call]
        self.job = Job.of(task, languages=languages, kinds=settings)
        self.collection = self.job.read(data_dir=data_dir, cache_dir=cache_folder(cache))
        self.name = name or self.job.task.name
        kind, measure = primary or (self.job.kinds[-1], self.job.task.headline)
        self.primary_metric = f"{self.name}_{kind}_{measure}"
        self.greater_is_better = measures.get(measure).better != "lower"
        self.result: Result | None = None
        """Of the last call."""

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """The mean of each measure by kind of setting; the result is saved under ``output_path`` if there is one.

        The file's name has the epoch and the step where they are known.
        """
        network = getattr(model, "train", None)
        training = bool(getattr(model, "training", False))
        if training:
            model.eval()
        try:
            self.result = evaluate_collection(
                self.job, self.collection, load(model, hash_weights=False), cache_dir=None
            )
        finally:
            if training and network:
                network()
        if output_path is not None:
            at = [f"epoch-{epoch:g}"] * (epoch != -1) + [f"step-{steps}"] * (steps != -1)
            self.result.save(Path(output_path) / f"{'-'.join([self.name, *at])}.json")
        values = {
            f"{self.name}_{kind}_{measure}": value
            for kind, by_measure in self.result.summary.items()
            for measure, value in by_measure.items()
        }
        if hasattr(model, "model_card_data"):
            self.store_metrics_in_model_card_data(model, values, int(epoch), steps)
        return values
