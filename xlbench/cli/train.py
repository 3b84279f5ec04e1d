"""``xlbench train``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Unpack

import click

from xlbench.cli.options import ManyValues, command_of, default_cache_dir, open_values, reach_hub
from xlbench.cli.training_options import TrainingOptions, training_options
from xlbench.cli.training_runs import NO_PART, SharedPairs, overlap_notes, run_of, started, summary


@click.command(cls=ManyValues)
@click.argument(
    "sweep",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=open_values,
)
@training_options
@click.pass_context
def train(context: click.Context, /, *, sweep: Path | None, **options: Unpack[TrainingOptions]) -> None:
    """Train an encoder on parallel pairs, in monolingual and cross-lingual batches.

    OUTPUT becomes a sentence-transformers folder with a model card. The pairs are compared with the evaluation tasks
    that are at hand (--data-dir), and an overlap stops the run. Training that was interrupted goes on with --resume,
    and gives the same weights. Several processes: torchrun --nproc-per-node N -m xlbench train ...

    SWEEP is a YAML file in place of options: lists of models, of variants of how they are trained, of seeds and of
    tasks. Every combination is trained into a folder below OUTPUT and evaluated, and one table a task compares them.
    """
    from xlbench.support.extras import require
    from xlbench.training import run_folder

    require("train", "Training")
    if sweep is not None:
        from xlbench.cli.train_cells import train_sweep

        train_sweep(context, sweep, options)
        return
    for name in ("init", "pairs"):
        if not options[name]:
            raise click.UsageError(f"Missing option '--{name}', or a file of a sweep.")
    is_first = os.environ.get("RANK", "0") == "0"
    quiet = options["quiet"] or not is_first
    reach_hub(options["init"])
    run = run_of(options, command_of(context, NO_PART), SharedPairs(default_cache_dir(options["cache_dir"])))
    if options["resume"] and run_folder.is_trained(run.output):
        run_folder.check_folder(run.output, run_folder.identity_of(run), resume=True)
        click.echo(f"Model already exists: {run.output}")
        return
    notes = overlap_notes(run, options, quiet=quiet) if is_first else []
    try:
        trained = started(run, options, notes, resume=options["resume"], quiet=quiet)
    except KeyboardInterrupt as interrupted:
        click.echo(
            f"xlbench: {interrupted or 'Interrupted. Add --resume to go on from the last checkpoint.'}", err=True
        )
        raise click.exceptions.Exit(130) from None
    if trained is not None:
        click.echo(summary(run, trained))
