"""What commands share that set variants of one model side by side: their options, what they read, how they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from xlbench.cli.options import (
    cache_dir_option,
    chosen_form,
    data_dir_option,
    default_cache_dir,
    device_option,
    format_option,
    model_arg_option,
    model_arguments,
    model_option,
    output_option,
    quiet_option,
    reach_hub,
    write_or_print,
)
from xlbench.support.progress import Progress, display

if TYPE_CHECKING:
    from xlbench.collection import Collection
    from xlbench.job import Job
    from xlbench.models.protocols import Model
    from xlbench.reports.cells import Table
    from xlbench.reports.variants import Variants

_FORMS = ("table", "markdown", "latex", "html", "csv", "json")
_WITH_INTERVALS = ("latex", "markdown", "html")


class VariantOptions(TypedDict):
    """The values of the options, by the names of the parameters."""

    model_name: str
    model_args: tuple[str, ...]
    task_name: str
    wanted: tuple[str, ...]
    data_dir: Path | None
    cache_dir: Path | None
    device: str | None
    form: str | None
    output: Path | None
    quiet: bool


_BEFORE: list[Callable[..., Any]] = [
    model_option,
    model_arg_option,
    click.option(
        "--task", "task_name", required=True, help="Name of a task, its YAML file, or a folder with your own data."
    ),
    click.option("--language", "wanted", multiple=True, help="These languages only.  [default: all]"),
]
_AFTER: list[Callable[..., Any]] = [
    data_dir_option,
    cache_dir_option,
    device_option,
    format_option(_FORMS, "latex, markdown and html have intervals"),
    output_option,
    quiet_option,
]


def variant_options(*own: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The command with the shared options, and these of its own among them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([*_BEFORE, *own, *_AFTER]):
            command = option(command)
        return command

    return decorate


@dataclass(frozen=True)
class Subject:
    """What is evaluated in several ways."""

    model: Model
    job: Job
    collection: Collection
    form: str
    cache_dir: Path
    progress: Progress

    @classmethod
    def of(cls, options: VariantOptions) -> Subject:
        """What the options name; the texts are read."""
        from xlbench.job import Job
        from xlbench.models import load

        form = chosen_form(options["form"], options["output"], _FORMS)
        job = Job.of(options["task_name"], languages=options["wanted"])
        reach_hub(options["model_name"])
        arguments = model_arguments(options["model_args"])
        model = load(options["model_name"], device=options["device"], arguments=arguments)
        model = model.instructed(job.task.instruction)
        progress = display(job.task.name, quiet=options["quiet"])
        folder = default_cache_dir(options["cache_dir"])
        collection = job.read(data_dir=options["data_dir"], cache_dir=folder, progress=progress)
        return cls(model, job, collection, form, folder, progress)

    def answer(
        self,
        variants: Variants,
        tables: Callable[..., list[Table]],
        output: Path | None,
        *,
        said: Callable[[], list[str]] = list,
    ) -> None:
        """Shows or writes the tables, with intervals or without, in the form that is wanted; then what is ``said``."""
        from xlbench.reports.terminal import show
        from xlbench.reports.variants import as_text

        if self.form == "table" and output is None:
            show(tables())
            if sentences := said():
                click.echo("\n".join(sentences))
            return
        shown = tables(intervals=self.form in _WITH_INTERVALS)
        if self.form == "html":
            from xlbench.reports.html import render_tables

            title = f"{self.model.name} on {self.job.task.name}"
            write_or_print(render_tables(title, shown, said()), output)
            return
        text = as_text(variants, shown, self.form, model=self.model.name, task=self.job.task.name)
        write_or_print(text, output)
