"""``xlbench models``."""

from __future__ import annotations

import textwrap

import click

from xlbench.cli.options import plain_format_option

_WIDTH = 100


@click.command()
@plain_format_option
def models(*, form: str) -> None:
    """List the kinds of model that --model takes, and how to install those that are missing."""
    from xlbench import models
    from xlbench.models.kinds import KINDS
    from xlbench.reports.formats import as_json

    if form == "json":
        records = [
            {
                "model": kind.takes,
                "about": kind.about,
                "example": kind.example,
                "installed": kind.installed,
                "install": kind.install or None,
            }
            for kind in KINDS
        ]
        records += [
            {"model": name, "about": f"entry point {point.value}", "example": name, "installed": True, "install": None}
            for name, point in models.plugins().items()
        ]
        click.echo(as_json(records), nl=False)
        return
    for kind in KINDS:
        click.echo(_entry(kind.takes, kind.about, kind.example, "" if kind.installed else kind.install))
    for name, point in models.plugins().items():
        click.echo(_entry(name, f"entry point {point.value}", name, ""))


def _entry(takes: str, about: str, example: str, missing: str) -> str:
    """What is written after --model, and below it what that is, an example, and how to install what is missing."""
    from xlbench.reports.terminal import width

    below = [about, "" if example == takes else f"such as {example}", missing and f"not installed: {missing}"]
    lines = [
        line
        for text in below
        for line in textwrap.wrap(text, min(width(), _WIDTH), initial_indent="    ", subsequent_indent="    ")
    ]
    return "\n".join([takes, *lines])
