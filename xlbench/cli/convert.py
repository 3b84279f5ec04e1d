"""``xlbench convert``: published parallel data as files of pairs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from xlbench.cli.options import ManyValues, in_a_folder, refuse_overwriting

_output_option = click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=in_a_folder,
    help="File to write, JSON lines; packed if its name ends in .gz.",
)


@click.group()
def convert() -> None:
    """Make files of pairs to train on from published parallel data."""


@convert.command(cls=ManyValues)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", "languages", multiple=True, required=True, help="Languages of the pairs, as de or zh.")
@click.option("--rows", "n_rows", type=click.IntRange(min=1), help="Take the first rows only.  [default: all]")
@click.option(
    "--negatives", "n_negatives", type=click.IntRange(min=0), default=0, show_default=True, help="Negatives of a row."
)
@_output_option
def mmarco(*, folder: Path, languages: tuple[str, ...], n_rows: int | None, n_negatives: int, output: Path) -> None:
    """Convert mMARCO: FOLDER is a copy of the Hub's data set unicamp-dl/mmarco.

    It needs data/triples.train.ids.small.tsv and, of each language, data/google/queries/train/*_queries.train.tsv and
    data/google/collections/*_collection.tsv.
    """
    from xlbench.training.convert import from_mmarco

    _write(from_mmarco(folder, list(dict.fromkeys(languages)), n_rows=n_rows, n_negatives=n_negatives), output)


@convert.command()
@click.argument("files", nargs=-1, required=True, metavar="LANGUAGE=FILE...")
@click.option(
    "--passage",
    type=click.Choice(["paragraph", "sentence"]),
    default="paragraph",
    show_default=True,
    help="What answers a question: a sentence needs files with sentence_breaks, as LAReQA's.",
)
@_output_option
def squad(*, files: tuple[str, ...], passage: str, output: Path) -> None:
    """Convert translations of SQuAD: one JSON file a language, with the same ids of questions."""
    from xlbench.training.convert import from_squad

    by_language = _by_language(files)
    refuse_overwriting(output, by_language.values())
    _write(from_squad(by_language, sentences=passage == "sentence"), output)


@convert.command(name="lines", cls=ManyValues)
@click.argument("files", nargs=-1, required=True, metavar="LANGUAGE=FILE...")
@click.option("--rows", "n_rows", type=click.IntRange(min=1), help="Take the first lines only.  [default: all]")
@_output_option
def of_lines(*, files: tuple[str, ...], n_rows: int | None, output: Path) -> None:
    """Convert files that agree line by line, one a language, such as those of NTREX, Tatoeba and OPUS.

    The result is parallel text: for `xlbench run --transform ... --fit-on`, `remedies --fit-on` and `debias`.
    """
    from xlbench.training.convert import from_lines

    by_language = _by_language(files)
    refuse_overwriting(output, by_language.values())
    _write(from_lines(by_language, n_rows=n_rows), output)


def _write(rows: Iterable[dict[str, Any]], output: Path) -> None:
    """Writes the rows without texts that have no letters, and says how many there are."""
    from xlbench.training.convert import Dropped, with_letters
    from xlbench.training.pairs import write_rows

    dropped = Dropped()
    n_rows = write_rows(with_letters(rows, dropped), output)
    said = [f"{n_rows:,} rows.", dropped.describe(), f"Saved to {output}"]
    click.echo("\n".join(filter(None, said)))


def _by_language(files: tuple[str, ...]) -> dict[str, Path]:
    by_language: dict[str, Path] = {}
    for file in files:
        language, equals, path = file.partition("=")
        if not (language and equals and path):
            raise click.BadParameter(f"{file!r} is not LANGUAGE=FILE.", param_hint="FILE")
        if language in by_language:
            raise click.BadParameter(f"{language!r} is given twice.", param_hint="FILE")
        if not Path(path).is_file():
            raise click.BadParameter(f"{path} is no file.", param_hint="FILE")
        by_language[language] = Path(path)
    return by_language
