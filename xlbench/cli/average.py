"""``xlbench average``."""

from __future__ import annotations

from pathlib import Path

import click

from xlbench.cli.options import ManyValues, reach_hub, writable


@click.command(cls=ManyValues)
@click.argument("models", nargs=-1, required=True)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    type=click.FloatRange(min=0, min_open=True),
    help="How much each model counts, in their order.  [default: all alike]",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write; it must not exist.")
def average(*, models: tuple[str, ...], weights: tuple[float, ...], output: Path) -> None:
    """Average the weights of MODELS, folders or Hub ids: a trained model and the one that it was trained from.

    What training has made worse elsewhere is mostly mended so, and much of what it has gained stays.
    """
    if len(models) < 2:
        raise click.UsageError("Give two models or more.")
    if weights and len(weights) != len(models):
        raise click.UsageError(f"Give a --weight for each of the {len(models)} models; {len(weights)} are given.")
    if output.exists():
        raise click.UsageError(f"--output {output} already exists: choose another folder, or remove it.")
    writable(output.parent)
    reach_hub(*models)

    # Only here, because it imports torch, which takes longer than finding that the options cannot be meant.
    from xlbench.training.average import average as write

    shares = write(models, weights or [1.0] * len(models), output)
    click.echo("\n".join(f"{share:.3f} of {model}" for model, share in zip(models, shares, strict=True)))
    click.echo(f"Saved to {output}")
