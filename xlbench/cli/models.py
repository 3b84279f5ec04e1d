"""``xlbench models``."""

from __future__ import annotations

import click

from xlbench.cli.options import plain_format_option


@click.command()
@plain_format_option
def models(*, form: str) -> None:
    """List the kinds of model that --model takes, and how to install those that are missing."""
    from xlbench import models
    from xlbench.models.kinds import KINDS
    from xlbench.reports.cells import Table, row
    from xlbench.reports.formats import as_json
    from xlbench.reports.terminal import show

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
    rows = [
        row(kind.takes, kind.about, kind.example, "yes" if kind.installed else f"no: {kind.install}") for kind in KINDS
    ]
    rows += [row(name, f"entry point {point.value}", name, "yes") for name, point in models.plugins().items()]
    show([Table("Models", ("--model", "what it is", "example", "installed"), tuple(rows))])
