"""``xlbench run``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    writable,
)
from xlbench.settings import KINDS, Kind
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.models.protocols import StoredAs

_DEFAULT_TASKS = ("xquad-r", "mlqa-r")
_NOT_OF_THE_RESULT = ("data_dir", "cache_dir", "output", "keep_run", "qrels", "force", "quiet")


@click.command(cls=ManyValues)
@click.option(
    "--model",
    "model_names",
    required=True,
    multiple=True,
    help="A Hub id or folder, bm25, use-multilingual, hash, fusion:A+B, or package.module:Class; see `xlbench models`.",
)
@click.option("--name", help="What the result calls the model.  [default: its Hub id, or its folder's name]")
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
@model_arg_option
@click.option(
    "--store",
    "stored_as",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="How vectors are kept and then read for scoring; float16 rounds them, and takes half the space.",
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
@click.option(
    "--keep-run",
    type=click.IntRange(min=1),
    metavar="K",
    help="Write the K best passages of each query and setting as TREC runs, to <task>.runs.",
)
@click.option(
    "--qrels", is_flag=True, help="Write the judgements of each setting, and the languages of passages, to <task>.runs."
)
@click.option("--force", is_flag=True, help="Encode all texts again and replace the result, whatever is stored.")
@click.option("--quiet", is_flag=True, help="Print the headline and the file only.")
@click.pass_context
def run(
    context: click.Context,
    *,
    model_names: tuple[str, ...],
    name: str | None,
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
    stored_as: StoredAs,
    transform_name: str | None,
    fit_on: Path | None,
    keep_run: int | None,
    qrels: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Evaluate a model: encode once, then score every setting.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet and the evidence, one row a
    judged pair, in <task>.ranks.parquet. A run that was interrupted goes on where it was. Options that may be repeated
    take several values: --language de en.
    """
    from xlbench.job import jobs_of, parallel_text
    from xlbench.models import load
    from xlbench.models.transform import Debiasing, parse
    from xlbench.reports.tables import headline, tables
    from xlbench.reports.terminal import show
    from xlbench.results import path_of
    from xlbench.trec.write import Kept, runs_folder

    if len(model_names) > 1:
        raise click.UsageError(f"Give one --model at a time; {len(model_names)} are given: {', '.join(model_names)}.")
    options = {"dtype": dtype, "max_length": max_length}
    arguments = {key: value for key, value in options.items() if value is not None} | model_arguments(model_args)
    if fit_on is not None and transform_name is None:
        raise click.UsageError("--fit-on needs --transform.")
    jobs = jobs_of(task_names, languages=wanted, kinds=kinds)
    debiasing = None
    if transform_name is not None:
        debiasing = Debiasing(parse(transform_name), parallel_text(fit_on) if fit_on else None)
    model = load(
        model_names[0], name=name, device=device, arguments=arguments, stored_as=stored_as, debiasing=debiasing
    )
    identity = model.identity()
    kept = Kept(keep_run or 0, qrels) if keep_run or qrels else None
    # What is wrong with any task's result file is said before the first text is encoded.
    paths = [path_of(output, identity["name"], job.task.name, arguments=model.given) for job in jobs]
    stored = [None if force else job.stored_result(path, identity, kept) for job, path in zip(jobs, paths, strict=True)]
    for task, job, path, result in zip(dict.fromkeys(task_names), jobs, paths, stored, strict=True):
        if result is None:
            writable(path.parent)
            folder = default_cache_dir(cache_dir)
            progress = display(job.task.name, quiet=quiet)
            collection = job.read(data_dir=data_dir, cache_dir=folder, progress=progress)

            # Only here, because it imports torch, which takes longer than finding that the data is missing.
            from xlbench.evaluation import evaluate_and_save

            result = evaluate_and_save(
                job,
                collection,
                model,
                path,
                cache_dir=folder,
                kept=kept,
                force=force,
                command=_command(context, task),
                progress=progress,
            )
            left_out = job.left_out(result)
            message = f"{left_out}{chr(10) if left_out else ''}Saved to {path}"
            message += f", runs to {runs_folder(path)}" if kept else ""
        else:
            message = f"Result already exists: {path} (--force runs it again)"
        if not quiet:
            show(tables(result))
        click.echo(f"{headline(result)}\n{message}")


def _command(context: click.Context, task: str) -> str:
    """The command that gives this result again; where its files are is no part of it."""
    words = ["xlbench", "run"]
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name == "task_names":
            words += ["--task", task]
        elif given and name not in _NOT_OF_THE_RESULT:
            value = context.params[name]
            words += [option.opts[0], *(map(str, value) if isinstance(value, tuple) else [str(value)])]
    return shlex.join(words)
