"""``xlbench score``."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xlbench.cli.options import ManyValues, output_option, refuse_overwriting, write_or_print

if TYPE_CHECKING:
    from xlbench.reports.cells import Cell, Table
    from xlbench.reports.formats import Record
    from xlbench.trec.score import RunScores

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=ManyValues)
@click.argument("run", type=_EXISTING)
@click.argument("qrels", type=_EXISTING)
@click.option(
    "-m",
    "--measure",
    "names",
    multiple=True,
    help="Measures as ir_measures spells them, such as nDCG@10, AP(rel=2), Bpref, and measures of language bias, such "
    "as RankDistance.  [default: nDCG@10 AP R@100 RR@10, and those of bias with --language-map]",
)
@click.option("--per-query", is_flag=True, help="Show the value of each query as well.")
@click.option(
    "--language-map",
    type=_EXISTING,
    help="File of two columns, id and language, of all passages of the pool: computes the measures of language bias.",
)
@click.option(
    "--query-language-map",
    type=_EXISTING,
    help="File of two columns, id and language, of all judged queries.  [default: 'de' is the language of 'de:42']",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
@output_option
@click.option("--quiet", is_flag=True, help="Do not say what was passed over or left out.")
def score(
    *,
    run: Path,
    qrels: Path,
    names: tuple[str, ...],
    per_query: bool,
    language_map: Path | None,
    query_language_map: Path | None,
    form: str,
    output: Path | None,
    quiet: bool,
) -> None:
    """Score any TREC run against QRELS by trec_eval's rules.

    RUN has lines 'qid Q0 docid rank score tag', QRELS has lines 'qid iter docid gain'; plain or gzip. The order is by
    descending score, then by descending docid; the rank that RUN says plays no part. The means are over all queries of
    QRELS, as with trec_eval -c: a query that RUN does not have, or that has no relevant passage, counts 0.
    """
    if query_language_map and not language_map:
        raise click.UsageError("--query-language-map needs --language-map.")
    refuse_overwriting(output, [run, qrels, language_map, query_language_map])

    from xlbench.measures import bias
    from xlbench.trec.read import read_judgements, read_languages, read_run
    from xlbench.trec.score import Languages, choose
    from xlbench.trec.score import score as score_run

    of_bias = [name for name in names if bias.find(name)]
    if of_bias and language_map is None:
        raise click.UsageError(f"{of_bias[0]} is a measure of language bias and needs --language-map.")
    wanted = choose(names, with_bias=language_map is not None)
    judgements = read_judgements(qrels)
    languages = None
    if language_map:
        queries = read_languages(query_language_map) if query_language_map else None
        languages = Languages(read_languages(language_map), queries)
    found = score_run(read_run(run), judgements, wanted, languages=languages)
    if not quiet:
        click.echo("".join(f"xlbench: {note}\n" for note in found.notes), err=True, nl=False)
    write_or_print(_text(found, form, run, per_query=per_query), output)


def _text(found: RunScores, form: str, run: Path, *, per_query: bool) -> str:
    from xlbench.reports.formats import as_csv, as_json
    from xlbench.reports.terminal import show

    if form != "table":
        records = _records(found, per_query=per_query)
        return as_csv(records) if form == "csv" else as_json(records)
    shown = io.StringIO()
    show(_tables(found, run, per_query=per_query), file=shown)
    return shown.getvalue()


def _records(found: RunScores, *, per_query: bool) -> list[Record]:
    """One record a number: ``total`` over all queries, ``language``, ``mean`` of the languages, its ends, ``query``."""
    asked = found.asked or (None,) * len(found.queries)
    rows: list[tuple[str, str | None, str | None, str, float]]
    rows = [("total", None, None, name, value) for name, value in found.totals.items()]
    rows += [
        ("language", a, None, name, value) for a, means in found.languages.items() for name, value in means.items()
    ]
    rows += [("mean", None, None, name, value) for name, value in found.summary.items()]
    rows += [(end, None, None, name, value) for name, ends in found.references.items() for end, value in ends.items()]
    if per_query:
        rows += [
            ("query", language, query, name, float(column[i]))
            for i, (language, query) in enumerate(zip(asked, found.queries, strict=True))
            for name, column in found.values.items()
        ]
    return [
        {
            "of": of,
            "language": language,
            "query": query,
            "measure": name,
            "value": value if math.isfinite(value) else None,
        }
        for of, language, query, name, value in rows
    ]


def _tables(found: RunScores, run: Path, *, per_query: bool) -> list[Table]:
    from xlbench.reports.cells import Table, row

    tables = []
    if found.totals:
        rows = tuple(row(name, _cell(value, name)) for name, value in found.totals.items())
        tables.append(Table(f"{run.name}, {len(found.queries):,} queries", ("measure", "value"), rows))
    if found.languages:
        names = tuple(found.summary)
        lines = {**found.languages, "mean": found.summary}
        for end in ("perfect", "random"):
            lines[end] = {name: ends[end] for name, ends in found.references.items()}
        counted = {language: f"{found.asked.count(language):,}" for language in found.languages}
        rows = tuple(
            row(line, *(_cell(values.get(name, math.nan), name) for name in names), counted.get(line, ""))
            for line, values in lines.items()
        )
        title = f"{run.name}, by language of the queries, all passages in one pool"
        tables.append(Table(title, ("language", *names, "queries"), rows))
    if per_query:
        rows = tuple(
            row(query, *(_cell(float(column[i]), name) for name, column in found.values.items()))
            for i, query in enumerate(found.queries)
        )
        tables.append(Table(f"{run.name}, by query", ("query", *found.values), rows))
    return tables


def _cell(value: float, name: str) -> Cell:
    """A cell as trec_eval shows values, and as reports show those of bias."""
    from xlbench.measures import bias
    from xlbench.reports.cells import EMPTY, number_cell

    return number_cell(value, name, decimals=None if bias.find(name) else 4) if math.isfinite(value) else EMPTY
