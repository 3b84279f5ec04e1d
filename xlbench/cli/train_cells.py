"""The cells of ``xlbench train sweep.yaml``: each is trained, then evaluated, and one table a task compares them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from xlbench.cli.options import argument_pairs, command_of, default_cache_dir, reach_hub
from xlbench.cli.run import evaluated
from xlbench.cli.run import run as run_command
from xlbench.cli.run_cells import Choice, RunPlaces, cells_of
from xlbench.cli.run_options import RunOptions
from xlbench.cli.run_output import RunOutput
from xlbench.cli.training_options import TrainingOptions
from xlbench.cli.training_runs import NO_PART, SharedPairs, overlap_notes, run_of, started, summary
from xlbench.errors import UnknownNameError, UsageError, XlbenchError

if TYPE_CHECKING:
    from xlbench.job import Job
    from xlbench.results import Result
    from xlbench.sweep import TrainedCell, TrainingSweep
    from xlbench.training.run import TrainingRun

_BY_KEY = {"init", "model_arg", "seed"}
"""What the keys ``models`` and ``seeds`` say."""
_OF_PLACES = {"output", "data_dir", "cache_dir", "resume", "quiet", "device", "help"}
_NOT_OF_EVALUATION = {*_OF_PLACES, "model", "task", "name", "force", "full", "format", "dry_run", "workers", "ray"}


@dataclass(frozen=True)
class _Planned:
    """A cell whose options are known to be sound."""

    cell: TrainedCell
    options: TrainingOptions
    run: TrainingRun

    @property
    def files(self) -> tuple[Path, ...]:
        """What it is trained on."""
        return tuple(file.path for file in self.run.data.files)


def train_sweep(context: click.Context, path: Path, options: TrainingOptions) -> None:
    """Trains and evaluates the cells of a sweep that are not done, and prints the comparison of all.

    Raises:
        UsageError: naming file and line of what is wrong, before anything is trained.
        TrainingError: the same for data that do not fit, or a folder that has another run.

    """
    from xlbench.catalogue import suites
    from xlbench.job import jobs_of
    from xlbench.sweep import read_training
    from xlbench.training import run_folder

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise click.UsageError("A sweep is trained by one process: leave torchrun out, or train each cell alone.")
    known = {name: option.multiple for name, option in _options(context.command).items()}
    known = {name: several for name, several in known.items() if name not in _OF_PLACES | _BY_KEY}
    sweep = read_training(path, known, [*_options(run_command).keys() - _NOT_OF_EVALUATION])
    evaluation = _evaluation(sweep, options, "hash").params
    with _placed(f"{path}, tasks"):
        tasks, _ = suites.expanded(sweep.tasks)
        jobs = jobs_of(tasks, languages=evaluation["wanted"], kinds=evaluation["kinds"], limit=evaluation["limit"])
    for measure in sweep.measures:
        for job in jobs:
            if measure not in job.task.measures:
                raise UnknownNameError("measure", measure, job.task.measures, hint=f"{job.task.name} has these.")
    planned = list(_planned(context, sweep))
    notes = _overlaps(planned)
    results: list[Result] = []
    for of in planned:
        quiet, folder = of.options["quiet"], of.run.output
        if run_folder.is_trained(folder):
            click.echo(f"Model already exists: {folder}")
        else:
            try:
                trained = started(of.run, of.options, notes[of.files], resume=True, quiet=quiet)
            except KeyboardInterrupt:
                raise click.Abort from None
            click.echo(summary(of.run, trained) if trained else "")
        context_of = _evaluation(sweep, options, str(folder))
        results += _evaluate(context_of, dict(zip(tasks, jobs, strict=True)), of)
    _show(sweep, results)


def _options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by the names that a sweep has for them: as typed, with underscores."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    return {option.opts[0].removeprefix("--").replace("-", "_"): option for option in options}


def _words(options: Mapping[str, click.Option], given: Mapping[str, Any]) -> list[str]:
    """The words that give these options on the command line."""
    words = []
    for name, value in given.items():
        option = options[name]
        if option.is_flag:
            if not isinstance(value, bool):
                raise UsageError(f"{name} is {value!r}; expected true or false.")
            words += [option.opts[0]] if value else []
            continue
        values = argument_pairs(value) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
        words += [f"{option.opts[0]}={one}" for one in values]
    return words


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Has errors begin with where in a file their cause is."""
    try:
        yield
    except click.ClickException as error:
        raise UsageError(f"{where}: {error.format_message()}") from error
    except XlbenchError as error:
        error.args = (f"{where}: {error}",)
        raise


def _planned(context: click.Context, sweep: TrainingSweep) -> Iterator[_Planned]:
    """Each cell; what is wrong with any is said before the first is trained."""
    from xlbench.training import run_folder
    from xlbench.training.train import checked_plan

    options, pairs = _options(context.command), SharedPairs(default_cache_dir(context.params["cache_dir"]))
    given = {
        name: option
        for name, option in options.items()
        if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    }
    said = {name for cell in sweep.cells for name in cell.options}
    if twice := [name for name in given if name in said]:
        raise click.UsageError(
            f"{given[twice[0]].opts[0]} is what {sweep.path} says: leave it out, or change the file."
        )
    shared = {name: context.params[option.name or ""] for name, option in given.items()}
    shared = {name: [*value] if isinstance(value, tuple) else value for name, value in shared.items()}
    for cell in sweep.cells:
        with _placed(cell.where):
            words = _words(options, {**shared, **cell.options, "output": Path(shared["output"]) / cell.name})
            of_cell = context.command.make_context(context.info_name, words, parent=context.parent)
            chosen = cast("TrainingOptions", {name: value for name, value in of_cell.params.items() if name != "sweep"})
            if not chosen["pairs"]:
                raise UsageError("no pairs are named: add pairs to the options of the sweep, or --pairs.")
            reach_hub(chosen["init"])
            run = run_of(chosen, command_of(of_cell, NO_PART), pairs)
            run_folder.check_folder(run.output, run_folder.identity_of(run), resume=True)
            checked_plan(run)
        yield _Planned(cell, chosen, run)


def _overlaps(planned: Sequence[_Planned]) -> dict[tuple[Path, ...], list[str]]:
    """What the pairs of each cell have in common with tasks at hand, compared once for the same files."""
    notes: dict[tuple[Path, ...], list[str]] = {}
    for of in planned:
        if of.files not in notes:
            notes[of.files] = overlap_notes(of.run, of.options, quiet=of.options["quiet"])
    return notes


def _evaluation(sweep: TrainingSweep, options: TrainingOptions, model: str) -> click.Context:
    """``xlbench run`` with the options that evaluate a model."""
    places: dict[str, Any] = {"output": options["output"] / "results", "quiet": options["quiet"]}
    places |= {name: options[name] for name in ("data_dir", "cache_dir", "device") if options[name] is not None}
    with _placed(f"{sweep.path}, evaluation"):
        words = _words(_options(run_command), {**sweep.evaluation, "model": model, **places})
        return run_command.make_context(run_command.name, [*words, "--task", *sweep.tasks])


def _evaluate(context: click.Context, jobs: Mapping[str, Job], of: _Planned) -> list[Result]:
    """The results of a trained model; those that exist are not made again."""
    options = cast("RunOptions", context.params)
    places = RunPlaces(options["data_dir"], default_cache_dir(options["cache_dir"]), options["output"])
    choice = Choice({"model_names": (str(of.run.output),)}, of.cell.where)
    cells = list(cells_of(context, [choice], jobs, options, places))
    return evaluated(cells, places, kept=None, force=False, shown=RunOutput("table", full=False, quiet=True))


def _show(sweep: TrainingSweep, results: Sequence[Result]) -> None:
    """Prints the means over seeds by task, and the differences from the first arm."""
    from xlbench.comparison.arms import compare_by_seed
    from xlbench.reports.seed_tables import explanation, seed_tables
    from xlbench.reports.terminal import show, wrapped

    for task in dict.fromkeys(result.task for result in results):
        of_task = [result for result in results if result.task == task]
        names = [str(result.model["name"]) for result in of_task]
        by_seed = compare_by_seed(of_task, names=names, measures=sweep.measures)
        click.echo()
        show([replace(table, note="") for table in seed_tables(by_seed)])
        click.echo("\n".join(map(wrapped, explanation(by_seed))))
