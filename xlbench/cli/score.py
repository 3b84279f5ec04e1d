"""``xlbench score``."""

from __future__ import annotations

import io
from pathlib import Path

import click

from xlbench import measures
from xlbench.cli.options import (
    ManyValues,
    chosen_form,
    format_option,
    output_option,
    refuse_overwriting,
    write_or_print,
)

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMS = ("table", "csv", "json")


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
@format_option(_FORMS)
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
    form: str | None,
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
    form = chosen_form(form, output, _FORMS)
    refuse_overwriting(output, [run, qrels, language_map, query_language_map])

    from xlbench.reports.formats import as_csv, as_json
    from xlbench.reports.run_values import run_records, run_tables
    from xlbench.reports.terminal import show
    from xlbench.trec.score import score as score_run

    if language_map is None and (of_bias := [name for name in names if measures.of_bias(name)]):
        raise click.UsageError(f"{of_bias[0]} is a measure of language bias and needs --language-map.")
    values = score_run(run, qrels, names, languages=language_map, query_languages=query_language_map)
    if not quiet:
        click.echo("".join(f"xlbench: {note}\n" for note in values.notes), err=True, nl=False)
    if form == "table":
        text = io.StringIO()
        show(run_tables(values, run.name, per_query=per_query), file=text)
        write_or_print(text.getvalue(), output)
    else:
        records = run_records(values, per_query=per_query)
        write_or_print(as_csv(records) if form == "csv" else as_json(records), output)
