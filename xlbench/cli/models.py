"""``xlbench models``."""

from __future__ import annotations

import click


@click.command()
def models() -> None:
    """List the kinds of model that --model takes, and how to install those that are missing."""
    from xlbench import models
    from xlbench.models.kinds import KINDS
    from xlbench.reports.cells import Table, row
    from xlbench.reports.terminal import show

    rows = [row(kind.takes, kind.about, "yes" if kind.installed else f"no: {kind.install}") for kind in KINDS]
    rows += [row(name, f"entry point {point.value}", "yes") for name, point in models.plugins().items()]
    show([Table("Models", ("--model", "what it is", "installed"), tuple(rows))])
