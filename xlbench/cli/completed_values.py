"""What a shell may complete: names of tasks, models and languages. Each gives files where no name fits."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def task_values(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the tasks that come with xlbench."""
    del context, parameter
    from xlbench import catalogue
    from xlbench.catalogue import suites

    return _fitting([*catalogue.names(), *suites.names()], incomplete)


def model_values(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the models that come with xlbench, or with packages that offer some; folders may be models too."""
    del context, parameter
    from xlbench.models import plugins
    from xlbench.models.kinds import BUILT_IN

    return _fitting([*BUILT_IN, *plugins()], incomplete)


def language_values(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The languages of the tasks that are named before; those of all tasks that come with xlbench if none is."""
    del parameter
    from xlbench import catalogue
    from xlbench.errors import XlbenchError

    given = context.params.get("task_names") or context.params.get("tasks") or ()
    languages: dict[str, None] = {}
    for name in given or catalogue.names():
        try:
            languages |= dict.fromkeys(catalogue.load(name).languages)
        except (XlbenchError, OSError):
            continue  # What is wrong with it is said when the command runs.
    return [CompletionItem(name) for name in sorted(languages) if name.startswith(incomplete)]


def _fitting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    items = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return items or [CompletionItem(incomplete, type="file")]
