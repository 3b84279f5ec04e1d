"""``xlbench card``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="MODEL", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def card(*, folder: Path, results: tuple[Path, ...]) -> None:
    """Write the scores of RESULTS, with their intervals, into the card of the MODEL that they are of.

    MODEL is a folder that `xlbench train` or `xlbench debias` wrote. Scores that the card had are replaced, and
    results of other weights are refused.
    """
    from xlbench.reports.card_values import add_values
    from xlbench.results import load

    click.echo(f"Written to {add_values(folder, {path: load(path) for path in results})}")
