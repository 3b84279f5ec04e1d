"""``xlbench run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    data_dir_option,
    default_cache_dir,
    device_option,
    model_arguments,
    writable,
)
from xlbench.settings import KINDS, Kind

if TYPE_CHECKING:
    from xlbench.encoders import Model
    from xlbench.results import Result
    from xlbench.tasks import Task

_DEFAULT_TASKS = ("xquad-r", "mlqa-r")


@click.command(cls=ManyValues)
@click.option(
    "--model",
    "model_name",
    required=True,
    help="A Hub id or folder, use-multilingual, hash, or package.module:Class; see `xlbench models`.",
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
@click.option("--force", is_flag=True, help="Run again although the result is there, and replace it.")
@click.option("--quiet", is_flag=True, help="Print the headline only.")
def run(
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
    force: bool,
    quiet: bool,
) -> None:
    """Evaluate a model: encode once, then score every setting.

    Results go to OUTPUT/<model>/<task>.json, with one row a query in <task>.queries.parquet. A run that was
    interrupted goes on where it was. Options that may be repeated take several values: --language de en.
    """
    from xlbench import encoders, tasks

    chosen = [(task, tasks.choose_languages(task, wanted)) for task in map(tasks.load, dict.fromkeys(task_names))]
    options = {"dtype": dtype, "max_length": max_length}
    arguments = {name: value for name, value in options.items() if value is not None} | model_arguments(model_args)
    model = encoders.load(model_name, device=device, arguments=arguments)
    evaluation = _Evaluation(
        model,
        data_dir=data_dir,
        output=output,
        cache_dir=default_cache_dir(cache_dir),
        kinds=kinds,
        force=force,
        quiet=quiet,
    )
    # All that can be wrong with any task's result file is said before the first text is encoded.
    known = [evaluation.known_result(task, languages) for task, languages in chosen]
    for (task, languages), result in zip(chosen, known, strict=True):
        evaluation.run(task, languages, result)


class _Evaluation:
    """One model on several tasks."""

    def __init__(
        self,
        model: Model,
        *,
        data_dir: Path | None,
        output: Path,
        cache_dir: Path,
        kinds: tuple[Kind, ...],
        force: bool,
        quiet: bool,
    ) -> None:
        self._model = model
        self._data_dir = data_dir
        self._output = output
        self._cache_dir = cache_dir
        self._kinds = kinds
        self._force = force
        self._quiet = quiet

    def known_result(self, task: Task, languages: tuple[str, ...]) -> Result | None:
        """The result of just this run, if it is there; another one in its place is an error."""
        from xlbench import results
        from xlbench.errors import ResultError
        from xlbench.settings import settings

        path = self._path(task)
        writable(path.parent)
        if self._force or not path.exists():
            return None
        names = [setting.name for setting in settings(self._kinds_of(task), languages)]
        found = results.load(path)
        identity = _as_stored(self._model.identity())
        if not found.is_of(task_version=task.version, model=identity, settings=names):
            differences = [
                f"{name} is {theirs}, not {ours}"
                for name, theirs, ours in (
                    ("task version", found.task_version, task.version),
                    *((name, found.model[name], identity[name]) for name in identity),
                    ("number of settings", len(found.queries), len(names)),
                )
                if theirs != ours
            ]
            reason = "; ".join(differences) or "its settings are others"
            raise ResultError(
                f"{path} is the result of another run: {reason}. Add --force to replace it, or choose another --output."
            )
        return found

    def run(self, task: Task, languages: tuple[str, ...], known: Result | None) -> None:
        """Evaluates one task unless its result is known, saves and shows the result."""
        from xlbench import results, tasks
        from xlbench.reports.tables import headline, tables
        from xlbench.reports.terminal import show

        path = self._path(task)
        if known is not None:
            click.echo(f"{headline(known)}\n{path} is there already; --force runs it again.")
            return
        collection = tasks.read_collection(
            task, languages=languages, data_dir=self._data_dir, cache_dir=self._cache_dir
        )

        from xlbench.evaluate import evaluate
        from xlbench.progress import display

        result = evaluate(
            task,
            collection,
            self._model,
            kinds=self._kinds_of(task),
            cache_dir=self._cache_dir,
            progress=display(f"{task.name}: encoding", quiet=self._quiet),
        )
        results.save(result, path)
        if not self._quiet:
            show(tables(result))
        click.echo(headline(result))
        if not self._quiet:
            click.echo(f"Saved to {path}\n")

    def _path(self, task: Task) -> Path:
        from xlbench import results

        return results.path_of(self._output, self._model.encoder.name, task.name)

    def _kinds_of(self, task: Task) -> tuple[Kind, ...]:
        from xlbench.errors import UnknownNameError

        for kind in self._kinds:
            if kind not in task.settings:
                raise UnknownNameError("setting", kind, task.settings, hint=f"Task {task.name} has no such setting.")
        return tuple(kind for kind in task.settings if not self._kinds or kind in self._kinds)


def _as_stored(identity: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from a JSON file: tuples become lists, and so on."""
    import json

    stored: dict[str, Any] = json.loads(json.dumps(identity, default=str))
    return stored
