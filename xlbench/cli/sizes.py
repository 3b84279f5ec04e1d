"""``xlbench sizes``."""

from __future__ import annotations

from functools import partial
from typing import Unpack

import click

from xlbench.cli.options import ManyValues
from xlbench.cli.variants import Subject, VariantOptions, variant_options
from xlbench.models.compression import QUANTIZE


class SizeOptions(VariantOptions):
    """With the options of this command."""

    dimensions: tuple[int, ...]
    quantize: tuple[str, ...]


@click.command(cls=ManyValues)
@variant_options(
    click.option(
        "--dimensions",
        multiple=True,
        type=click.IntRange(min=1),
        help="So many of the first dimensions, as 256 128 64.",
    ),
    click.option(
        "--quantize",
        multiple=True,
        type=click.Choice(QUANTIZE),
        help="Bits of each dimension: 8 or 1, of queries and passages or of passages alone.",
    ),
)
def sizes(**options: Unpack[SizeOptions]) -> None:
    """Say what smaller vectors cost: fewer dimensions and fewer bits against the whole vectors, in all settings.

    Texts are encoded once. Each number of dimensions, each precision, and all pairs of both are a row.
    """
    subject = Subject.of(options)

    from xlbench.reports.size_tables import size_tables, variants
    from xlbench.vector_sizes import sizes as of

    compared = of(
        subject.model,
        subject.job,
        subject.collection,
        dimensions=options["dimensions"],
        quantize=options["quantize"],
        cache_dir=subject.cache_dir,
        progress=subject.progress,
    )
    tables = partial(size_tables, compared, subject.job.task.name)
    subject.answer(variants(compared), tables, options["output"])
