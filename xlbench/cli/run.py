"""``xlbench run``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arguments,
    writable,
)
from xlbench.errors import ResultError, UnknownNameError
from xlbench.progress import display
from xlbench.settings import KINDS, Kind, settings

if TYPE_CHECKING:
    from xlbench.encoders import Model
    from xlbench.results import Result
    from xlbench.tasks import Task
    from xlbench.transforms import Debiasing

_DEFAULT_TASKS = ("xquad-r", "mlqa-r")


@click.command(cls=ManyValues)
@click.option(
    "--model",
    "model_name",
    required=True,
    help="A Hub id or folder, bm25, use-multilingual, hash, or package.module:Class; see `xlbench models`.",
)
@click.option(
    "--task",
    "task_names",
    multiple=True,
    default=_DEFAULT_TASKS,
    show_default=True,
    help="Name of a task, or its YAML file.",
)
@click.option("--language", "wanted", multiple=True, help="Evaluate these languages only.  [default: all]")
@click.option(
    "--setting",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Evaluate these settings only.  [default: the task's]",
)
@data_dir_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for results.",
)
@cache_dir_option
@device_option
@click.option(
    "--dtype", type=click.Choice(["float32", "bfloat16", "float16"]), help="Precision of the model.  [default: float32]"
)
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    help="Longest input in tokens; the front is kept.  [default: the model's]",
)
@click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="Argument of the model; see `xlbench models`."
)
@click.option(
    "--transform",
    "transform_name",
    metavar="center|lir:K",
    help="Debias the vectors before they are scored: subtract each language's mean, or project out its K first "
    "principal components.",
)
@click.option(
    "--fit-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parallel text (JSON lines) to fit --transform on.  [default: the task's own texts, marked as transductive]",
)
@click.option("--force", is_flag=True, help="Run again although the result is there, and replace it.")
@click.option("--quiet", is_flag=True, help="Print the headline and the file only.")
@click.pass_context
def run(
    context: click.Context,
    *,
    model_name: str,
    task_names: tuple[str, ...],
    wanted: tuple[str, ...],
    kinds: tuple[Kind, ...],
    data_dir: Path | None,
    output: Path,
    cache_dir: Path | None,
    device: str | None,
    dtype: str | None,
    max_length: int | None,
    model_args: tuple[str, ...],
    transform_name: str | None,
    fit_on: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Evaluate a model: encode once, then score every setting.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet. A run that was
    interrupted goes on where it was. Options that may be repeated take several values: --language de en.
    """
    from xlbench import encoders
    from xlbench.reports.tables import headline, tables
    from xlbench.reports.terminal import show
    from xlbench.results import path_of, save
    from xlbench.transforms import Debiasing, parse

    options = {"dtype": dtype, "max_length": max_length}
    arguments = {name: value for name, value in options.items() if value is not None} | model_arguments(model_args)
    if fit_on is not None and transform_name is None:
        raise click.UsageError("--fit-on needs --transform.")
    jobs = [_Job.of(name, wanted, kinds) for name in dict.fromkeys(task_names)]
    names = [job.task.name for job in jobs]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(
                f"Two of the tasks are named {name}, and would have one result: rename one in its file."
            )
    model = encoders.load(model_name, device=device, arguments=arguments)
    debiasing = Debiasing(parse(transform_name), fit_on) if transform_name is not None else None
    identity = debiasing.identity(model.identity()) if debiasing else model.identity()
    # What is wrong with any task's result file is said before the first text is encoded.
    paths = [path_of(output, identity["name"], job.task.name) for job in jobs]
    known = [None if force else _known_result(job, identity, path) for job, path in zip(jobs, paths, strict=True)]
    for job, path, result in zip(jobs, paths, known, strict=True):
        if result is None:
            writable(path.parent)
            subject = _Subject(model, debiasing, default_cache_dir(cache_dir))
            result = _evaluated(job, subject, data_dir=data_dir, quiet=quiet)
            result = replace(result, environment={**result.environment, "command": _command(context, job)})
            save(result, path)
            message = f"{_left_out(job, result)}Saved to {path}"
        else:
            message = f"The result was there: {path} (--force runs it again)"
        if not quiet:
            show(tables(result))
        click.echo(f"{headline(result)}\n{message}")


@dataclass(frozen=True)
class _Job:
    """A task, and what of it is evaluated."""

    given: str
    """The task's name, or its file, as the user gave it."""
    task: Task
    languages: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, given: str, wanted: Sequence[str], kinds: Sequence[Kind]) -> _Job:
        from xlbench.tasks import choose_languages, load

        task = load(given)
        for kind in kinds:
            if kind not in task.settings:
                raise UnknownNameError("setting", kind, task.settings, hint=f"Task {task.name} has no such setting.")
        job = cls(
            given,
            task,
            choose_languages(task, wanted),
            tuple(kind for kind in task.settings if not kinds or kind in kinds),
        )
        if not settings(job.kinds, job.languages):
            raise click.UsageError(
                f"{task.name} has no {'/'.join(job.kinds)} setting in {', '.join(job.languages)} alone."
            )
        return job


def _left_out(job: _Job, result: Result) -> str:
    """A line on the task's measures that the collection gives no value to, if there are any."""
    found = {measure for values in result.scores.values() for measure in values}
    absent = [measure for measure in job.task.measures if measure not in found]
    if "multi" not in job.kinds or not absent:
        return ""
    return f"Left out: {', '.join(absent)}, which some language's queries have no value of.\n"


def _command(context: click.Context, job: _Job) -> str:
    """The command that gives this result again; where its files are is no part of it."""
    words = ["xlbench", "run"]
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name == "task_names":
            words += ["--task", job.given]
        elif given and name not in ("data_dir", "cache_dir", "output", "force", "quiet"):
            value = context.params[name]
            words += [option.opts[0], *(map(str, value) if isinstance(value, tuple) else [str(value)])]
    return shlex.join(words)


def _known_result(job: _Job, identity: Mapping[str, Any], path: Path) -> Result | None:
    """The result of just this run, if it is there; another one in its place is an error."""
    from xlbench.results import load, parquet_path

    if not path.exists():
        return None
    found = load(path)
    names = [setting.name for setting in settings(job.kinds, job.languages)]
    measures = sorted({measure for values in found.scores.values() for measure in values} - set(job.task.measures))
    same_task = found.headline == job.task.headline and not measures
    if same_task and found.is_of(task_version=job.task.version, model=identity, settings=names):
        return found if parquet_path(path).exists() else None
    compared = [("task version", found.task_version, job.task.version), ("headline", found.headline, job.task.headline)]
    compared += [(key, found.model.get(key), identity[key]) for key in identity]
    compared += [("number of settings", len(found.queries), len(names))]
    differences = [f"its {what} is {theirs}, not {ours}" for what, theirs, ours in compared if theirs != ours]
    raise ResultError(
        f"{path} is the result of another run: {'; '.join(differences) or 'its settings are others'}. "
        "Add --force to replace it, or choose another --output."
    )


@dataclass(frozen=True)
class _Subject:
    """What is evaluated, and where its vectors are kept."""

    model: Model
    debiasing: Debiasing | None
    cache_dir: Path


def _evaluated(job: _Job, subject: _Subject, *, data_dir: Path | None, quiet: bool) -> Result:
    from xlbench.tasks import read_collection

    collection = read_collection(job.task, languages=job.languages, data_dir=data_dir, cache_dir=subject.cache_dir)

    # Only here, because it imports torch, which takes longer than finding that the data is missing.
    from xlbench.evaluate import evaluate

    progress = display(f"{job.task.name}: encoding", quiet=quiet)
    return evaluate(
        job.task,
        collection,
        subject.model,
        kinds=job.kinds,
        cache_dir=subject.cache_dir,
        debiasing=subject.debiasing,
        progress=progress,
    )
