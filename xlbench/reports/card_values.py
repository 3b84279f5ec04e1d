"""The values of results in a model's card: as tables for a reader, and as metadata for the model hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xlbench import catalogue
from xlbench.errors import ResultError
from xlbench.models import folders
from xlbench.reports.formats import markdown
from xlbench.reports.tables import language_bias, summary
from xlbench.reports.words import captioned_of
from xlbench.results import Result
from xlbench.support.files import write_whole

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

CARD = "README.md"
_BEGIN, _END = "<!-- xlbench scores -->", "<!-- end of xlbench scores -->"
_TASK = "text-retrieval"
"""The hub's name for what is measured."""


def add_values(folder: Path, results: Mapping[Path, Result]) -> Path:
    """Writes the values of results into the card of the model in ``folder``, in place of those that it had.

    Raises:
        ResultError: if there is no card, or a result is of other weights or of debiased vectors.

    """
    from huggingface_hub import ModelCard

    path = folder / CARD
    try:
        card = ModelCard(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ResultError(
            f"{path} does not exist: expected the folder of a model with its card, as `xlbench train` writes it."
        ) from error
    except ValueError as error:
        raise ResultError(f"{path} is no model card: {error}.") from error
    _refuse_others(folder, results)
    tables = "\n".join(_tables(result) for result in results.values())
    section = f"{_BEGIN}\n\n## Scores\n\n{tables}\n{_END}\n"
    without = re.sub(rf"\n?{re.escape(_BEGIN)}.*?{re.escape(_END)}\n?", "", card.text, flags=re.DOTALL)
    data = cast("ModelCardData", card.data)
    data.model_name = data.model_name or folder.resolve().name
    data.eval_results = [value for result in results.values() for value in _metadata(result)]
    card.text = f"{without.rstrip()}\n\n{section}"
    write_whole(path, str(card).encode())
    return path


def _refuse_others(folder: Path, results: Mapping[Path, Result]) -> None:
    revision = folders.revision_of(str(folder), revision=None)
    for path, result in results.items():
        if result.model["revision"] != revision:
            raise ResultError(
                f"{path} is a result of {result.model['name']} {result.model['revision']}, and {folder} has "
                f"{revision}: run `xlbench run --model {folder} --task {result.task}` and give its result."
            )
        if "transform" in result.model:
            raise ResultError(
                f"{path} is a result of {result.model['name']}, whose vectors were debiased while scored, which "
                f"{folder} by itself does not do: give a result without --transform, or write a model that debiases "
                "itself with `xlbench debias`."
            )


def _tables(result: Result) -> str:
    """The tables of a result, below the arguments that its model had."""
    arguments = ", ".join(f"{key}={value}" for key, value in result.model["arguments"].items())
    tables = markdown([table for table in (summary(result), language_bias(result)) if table])
    return f"With `{arguments}`:\n\n{tables}" if arguments else tables


def _metadata(result: Result) -> Iterator[EvalResult]:
    """The means of each kind of setting, as the model hub reads them."""
    from huggingface_hub import EvalResult

    commit = catalogue.load(result.task).commit if result.task in catalogue.names() else None
    for kind, by_measure in result.summary.items():
        for measure, value in by_measure.items():
            yield EvalResult(
                task_type=_TASK,
                dataset_type=result.task,
                dataset_name=captioned_of(f"{result.task} version {result.task_version}", result),
                dataset_config=kind,
                dataset_revision=commit,
                metric_type=measure,
                metric_name=f"{measure}, {kind}",
                metric_value=value,
            )
