"""The cells of ``xlbench run``: each model, with what is done to it, on each task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from xlbench.cli.options import argument_pairs, command_of, model_arguments, reach_hub
from xlbench.cli.run_options import RunOptions
from xlbench.errors import UsageError, XlbenchError

if TYPE_CHECKING:
    from xlbench.job import Job
    from xlbench.models.protocols import Model
    from xlbench.results import Result
    from xlbench.trec.write import Kept

_NOT_OF_THE_RESULT = (
    "sweep", "data_dir", "cache_dir", "output", "keep_run", "qrels", "force", "full", "form", "quiet", "dry_run",
    "workers", "ray",
)  # fmt: skip
_CHANGES = (
    "representations", "transform_name", "side", "fit_on", "dimensions", "quantize", "pool", "reranker",
    "rerank_base_url", "depth", "among", "perturb",
)  # fmt: skip
_OF_SWEEPS = ("model_names", "name", "model_args", "task_names", *_CHANGES)
_PARAMETER = {"transform": "transform_name", "rerank": "reranker"}
"""What a change of a sweep is called among the options, where that is another name."""


@dataclass(frozen=True)
class RunPlaces:
    """Where data, vectors and results are, and what encodes beside this process."""

    data: Path | None
    cache: Path
    output: Path
    workers: int | None = None
    ray: str | None = None


@dataclass(frozen=True)
class Choice:
    """A model with its arguments and changes: the options that differ from those given, and where it is named."""

    options: Mapping[str, Any]
    where: str = ""


def choices_of(context: click.Context, path: Path | None, options: RunOptions) -> tuple[Sequence[str], list[Choice]]:
    """The tasks, and the models with what is done to each: those of the options, or of a sweep."""
    names = options["model_names"]
    if path is None:
        if not names:
            raise click.UsageError("Missing option '--model', or a file of a sweep.")
        if len(names) > 1 and options["name"]:
            raise click.UsageError(f"--name names one model; {len(names)} are given: {', '.join(names)}.")
        mixtures = [{"representations": (of,)} for of in dict.fromkeys(options["representations"])]
        return list(dict.fromkeys(options["task_names"])), [
            Choice({"model_names": (name,), **of}) for name in dict.fromkeys(names) for of in mixtures or [{}]
        ]
    for option in context.command.params:
        if option.name in _OF_SWEEPS and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option.opts[0]} is what {path} says: leave it out, or change the file.")
    from xlbench.sweep import read

    sweep = read(path)
    of_models = []
    for of in sweep.models:
        changes: dict[str, Any] = {_PARAMETER.get(name, name): value for name, value in of.changes.items()}
        changes |= {"representations": (changes.pop("representation"),)} if "representation" in changes else {}
        changes |= {"fit_on": Path(changes["fit_on"])} if "fit_on" in changes else {}
        model = {"model_names": (of.model,), "name": of.name, "model_args": argument_pairs(of.arguments)}
        of_models.append(Choice({**model, **changes}, of.where))
    return sweep.tasks, of_models


@dataclass
class RunCell:
    """A model on a task."""

    model: Model
    job: Job
    path: Path
    """Its result."""
    command: str
    """What evaluates it alone."""
    stored: Result | None


def cells_of(
    context: click.Context,
    choices: Sequence[Choice],
    jobs: Mapping[str, Job],
    options: RunOptions,
    places: RunPlaces,
) -> Iterator[RunCell]:
    """Each model on each task; what is wrong with any, or its result file, is said before the first text is encoded."""
    from xlbench.results import path_of

    named = [
        (*choice.options["model_names"], choice.options.get("reranker") or options["reranker"]) for choice in choices
    ]
    reach_hub(*(name for names in named for name in names if name))
    taken: dict[Path, str] = {}
    plain: dict[tuple[Any, ...], Model] = {}
    for choice in choices:
        chosen = cast("RunOptions", {**options, **choice.options})
        try:
            key = chosen["model_names"], chosen["name"], chosen["model_args"]
            if key not in plain:
                plain[key] = _plain_model(chosen)
            model = _changed_model(plain[key], chosen)
            for task, job in jobs.items():
                instructed = model.instructed(job.task.instruction)
                identity = instructed.identity()
                path = path_of(places.output, identity["name"], job.task.name, arguments=model.given, limit=job.limit)
                if path in taken:
                    raise UsageError(f"{path} would be the result of two models: give one of them another name.")
                taken[path] = choice.where
                replaced = {name: value for name, value in choice.options.items() if value} | {"task_names": task}
                command = command_of(context, _NOT_OF_THE_RESULT, replaced)
                stored = None if options["force"] else job.stored_result(path, identity, kept_of(options))
                yield RunCell(instructed, job, path, command, stored)
        except XlbenchError as error:
            error.args = (f"{choice.where}: {error}",) if choice.where else error.args
            raise


def kept_of(options: RunOptions) -> Kept | None:
    """What is written as TREC runs."""
    from xlbench.trec.write import Kept

    best, qrels = options["keep_run"] or 0, options["qrels"]
    return Kept(best, qrels) if best or qrels else None


def _plain_model(options: RunOptions) -> Model:
    """The model with its arguments."""
    from xlbench.models import load
    from xlbench.models.load import APIS

    if options["instruction"] is not None and options["no_instruction"]:
        raise click.UsageError("--instruction and --no-instruction exclude each other: leave one out.")
    (model,) = options["model_names"]
    own: dict[str, Any] = {key: options[key] for key in ("dtype", "max_length", "kind", "attention")}
    own["instruction"] = False if options["no_instruction"] else options["instruction"]
    api: dict[str, Any] = {key: options[key] for key in ("base_url", "price", "max_cost")}
    if not model.startswith(tuple(APIS)) and (of_api := next((key for key in api if api[key] is not None), None)):
        raise click.UsageError(
            f"--{of_api.replace('_', '-')} is for a model behind an API: name it as {'MODEL or '.join(APIS)}MODEL, "
            "with the name that its server knows."
        )
    own |= api
    return load(
        model,
        name=options["name"],
        device=options["device"],
        arguments={key: value for key, value in own.items() if value is not None}
        | model_arguments(options["model_args"]),
        stored_as=options["stored_as"],
    )


def _changed_model(model: Model, options: RunOptions) -> Model:
    """The model, with all that is done to its vectors and its lists."""
    from xlbench.changes import Changes, changed

    changes = Changes(
        representation=next(iter(options["representations"]), None),
        transform=options["transform_name"],
        side=options["side"],
        fit_on=options["fit_on"],
        dimensions=options["dimensions"],
        quantize=options["quantize"],
        pool=options["pool"],
        rerank=options["reranker"],
        rerank_base_url=options["rerank_base_url"],
        depth=options["depth"],
        among=options["among"],
        perturb=options["perturb"],
    )
    return changed(model, changes, device=options["device"])
