"""``xlbench debias``."""

from __future__ import annotations

from pathlib import Path

import click

from xlbench.cli.options import (
    ManyValues,
    cache_dir_option,
    default_cache_dir,
    device_option,
    model_arg_option,
    model_arguments,
    model_option,
    pair_file,
    quiet_option,
    reach_hub,
)
from xlbench.errors import EncoderError
from xlbench.support.progress import display


@click.command(cls=ManyValues)
@model_option
@model_arg_option
@click.option("--fit-on", required=True, type=pair_file, help="Parallel text (JSON lines) to fit on.")
@click.option("--method", required=True, metavar="center|lir:K", help="As `xlbench run --transform` takes it.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder to write; it must not exist.")
@cache_dir_option
@device_option
@quiet_option
def debias(
    *,
    model_name: str,
    model_args: tuple[str, ...],
    fit_on: Path,
    method: str,
    output: Path,
    cache_dir: Path | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Write a model that debiases its vectors itself: it finds out in what language a text is.

    `xlbench run --model OUTPUT` then evaluates it as any other model, and it can be used where nobody says in what
    language a text is.
    """
    from xlbench.models import language_identifier
    from xlbench.models.transform import parse

    if not language_identifier.installed():
        needed = " and ".join(language_identifier.MODULES)
        raise EncoderError(f"To find out languages, {needed} are needed: {language_identifier.INSTALL}")
    transform = parse(method)
    if output.exists():
        raise click.UsageError(f"--output {output} already exists: choose another folder, or remove it.")

    reach_hub(model_name)
    from xlbench.training.debias import PlainModel
    from xlbench.training.debias import debias as write

    settings = write(
        PlainModel(model_name, model_arguments(model_args), device),
        transform,
        fit_on=fit_on,
        output=output,
        cache_dir=default_cache_dir(cache_dir),
        progress=display(fit_on.name, quiet=quiet),
    )
    click.echo(f"Fitted {settings.transform} on {', '.join(settings.languages)}.\nSaved to {output}")
