"""``xlbench remedies``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Unpack

import click

from xlbench.cli.options import ManyValues, refuse_overwriting
from xlbench.cli.variants import Subject, VariantOptions, variant_options


class RemedyOptions(VariantOptions):
    """With the option of this command."""

    fit_on: Path | None


@click.command(cls=ManyValues)
@variant_options(
    click.option(
        "--fit-on",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Parallel text (JSON lines) to fit the transforms on.  [default: the task's own texts]",
    )
)
def remedies(**options: Unpack[RemedyOptions]) -> None:
    """Say what mends one index of several languages: each remedy on your model and data, side by side.

    Nothing is trained and no text is encoded twice: vectors are debiased, lists of single languages are made one,
    scores are normalised, bm25 is added. A remedy is judged where an answer exists in every language, and where it
    exists in one.
    """
    from xlbench.changes import parallel_text

    fit_on, output = options["fit_on"], options["output"]
    refuse_overwriting(output, [fit_on])
    subject = Subject.of(options)

    from xlbench.remedies import remedies as of
    from xlbench.reports.remedy_tables import remedy_tables, sentences, variants

    compared = of(
        subject.model,
        subject.job,
        subject.collection,
        fit_on=parallel_text(fit_on) if fit_on else None,
        cache_dir=subject.cache_dir,
        progress=subject.progress,
    )
    tables = partial(remedy_tables, compared, subject.job.task.name)
    subject.answer(variants(compared), tables, output, said=partial(sentences, compared))
