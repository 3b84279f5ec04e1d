"""The tables of a Comparison, the lines that explain them, and the sentences that sum it up."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace

from xlbench import measures
from xlbench.comparison import MEAN, Comparison, Difference, Order, Tradeoff, Verdict
from xlbench.reports.cells import EMPTY, Cell, Table, number_cell, one_line, row, with_best
from xlbench.reports.formats import Record
from xlbench.reports.words import COUNTS_ONCE, KIND_TITLES, LITTLE, NO_FAVOURITE, QUESTION, captioned, flatters_little
from xlbench.results.shown import number
from xlbench.settings import KINDS
from xlbench.statistics import FEW_CLUSTERS

_EXPLORATORY = "°"
ALIKE: Verdict = "cannot be told apart"
VERDICTS = ("'better' and 'worse'", "'higher' and 'lower'")
"""The verdicts on measures with a direction, and on those without."""


def comparison_tables(comparison: Comparison) -> list[Table]:
    """The orders of models, their standings, and each model's differences and trade-offs against the baseline."""
    tables = [_order(comparison, order) for order in comparison.orders]
    if comparison.standings:
        tables.append(_standings(comparison))
    for model in comparison.others:
        tables += _differences(comparison, model)
        if table := tradeoffs(comparison, model):
            tables.append(table)
    return tables


def sentences(comparison: Comparison) -> list[str]:
    """One sentence for each model and measure: how it compares with the baseline, in the mean of each kind."""
    said = []
    for model in comparison.others:
        for measure in comparison.measures:
            chosen = [d for d in comparison.differences if (d.model, d.quantity.measure) == (model, measure)]
            means = [d for d in chosen if d.quantity.name == MEAN or ">" in d.quantity.name]
            parts = [f"{_place(d)} {d.verdict} ({signed(d.difference, measure)})" for d in means]
            said.append(
                one_line(
                    f"{_against(comparison, model)} on {comparison.task}{_asked_in(comparison)}, {measure}: "
                    f"{', '.join(parts)}."
                )
            )
    return said


def explanation(comparison: Comparison) -> list[str]:
    """Sentences that say what the interval, p, d_z and the number of questions are, and what bias does not show."""
    level = f"{100 * (1 - comparison.alpha):g} %"
    unit = f"{comparison.clusters}, each with all of its {QUESTION}s"
    verdicts = [VERDICTS[measures.better(m) == "neither"] for m in comparison.measures]
    said = [
        f"Brackets: {level} interval of the difference, by a bootstrap of {comparison.resamples:,} draws of {unit}.",
        f"p: paired randomisation test (at most {comparison.draws:,} draws) that swaps all values of one "
        f"{comparison.unit} between the two models, corrected by Holm's method for all {comparison.n_tests} tests; "
        f"{' and '.join(dict.fromkeys(verdicts))} have p up to {comparison.alpha:g}.",
        "Intervals are not corrected for the number of differences: one without 0 may stand beside 'cannot be told "
        "apart'.",
        f"d_z: mean difference of a {QUESTION} divided by its standard deviation. A mean over languages has a smaller "
        "deviation than one language, so that the rows of languages and of means cannot be compared.",
        COUNTS_ONCE,
    ]
    if comparison.n_clusters < FEW_CLUSTERS:
        said.append(f"With fewer than {FEW_CLUSTERS} {comparison.unit}s, intervals are too narrow.")
    said.append(f"Primary: the means of {comparison.lead}. All other rows, marked {_EXPLORATORY}, are exploratory.")
    said.append(
        "'cannot be told apart' does not say that the models are equal."
        if comparison.equivalent is None
        else f"equivalent: the difference is smaller than {comparison.equivalent:g}, by two one-sided tests (alpha is "
        "shared out among all); 'cannot be told apart' does not say that the models are equal."
    )
    for measure, perfect in comparison.perfect.items():
        said.append(
            f"{measure}: values nearer to {number(perfect, measure)} are better; p and the verdict are of the distance "
            "to it, the interval is of the difference."
        )
    if any(flatters_little(measure) for measure in comparison.measures):
        said.append(LITTLE)
    if {*measures.OWN_LANGUAGE} & {*comparison.measures}:
        said.append(NO_FAVOURITE)
    if comparison.left_out:
        said.append(f"Not compared, as not all of the results have it: {', '.join(comparison.left_out)}.")
    return said


def difference_records(comparison: Comparison) -> list[Record]:
    """One record for each difference, in full precision.

    ``setting`` is ``mono``, ``cross`` or ``multi`` for the mean of a kind, a language for the mean of its settings of
    the kind, or the name of a setting; ``low`` and ``high`` are the ends of the interval; ``p_is_bound`` is whether
    ``p_adjusted`` is an upper bound; ``d_z`` is None where it is not a number.
    """
    of_all = {"task": comparison.task, "task_version": comparison.task_version, "baseline": comparison.baseline}
    return [
        {"model": d.model}
        | of_all
        | {"kind": d.quantity.kind, "setting": _place(d), "measure": d.quantity.measure}
        | {"baseline_value": d.baseline, "value": d.value, "difference": d.difference}
        | {"low": d.interval[0], "high": d.interval[1], "d_z": None if math.isnan(d.d_z) else d.d_z}
        | {
            "p": d.p,
            "p_adjusted": d.p_adjusted,
            "p_is_bound": d.p_is_bound,
            "verdict": d.verdict,
            "n_questions": d.n_questions,
            "unit": comparison.unit,
            "n_clusters": comparison.n_clusters,
            "is_primary": d.is_primary,
        }
        | {"missing_languages": list(comparison.missing_languages), "languages": list(comparison.languages)}
        for d in comparison.differences
    ]


def comparison_json(comparison: Comparison) -> str:
    """The comparison as a JSON object: its fields, with the records of its differences, and the explanation."""
    record = {key: value for key, value in asdict(comparison).items() if key != "tradeoffs"}
    record |= {"differences": difference_records(comparison), "explanation": explanation(comparison)}
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _place(d: Difference) -> str:
    return d.quantity.kind if d.quantity.name == MEAN else d.quantity.name


def _against(comparison: Comparison, model: str) -> str:
    return f"{model} against {comparison.baseline}"


def _title(comparison: Comparison, text: str) -> str:
    return captioned(
        f"{comparison.task}{_asked_in(comparison)}, {text}", comparison.missing_languages, comparison.sample
    )


def _asked_in(comparison: Comparison) -> str:
    return f", queries in {', '.join(comparison.languages)}" if comparison.languages else ""


def _order(comparison: Comparison, order: Order) -> Table:
    measure = order.quantity.measure
    values = with_best([number_cell(ranked.value, measure) for ranked in order.ranked], measure)
    return Table(
        title=_title(comparison, f"{KIND_TITLES[order.quantity.kind]} {measure}: models in order"),
        header=("model", measure, "groups"),
        rows=tuple(
            row(ranked.model, value, ranked.letters) for ranked, value in zip(order.ranked, values, strict=True)
        ),
        note="Two models share a letter if and only if they are not told apart (all pairs tested, in the same family).",
    )


def _standings(comparison: Comparison) -> Table:
    columns = list(comparison.standings[0].values)
    cells = []
    for column in columns:
        measure = column.partition(" ")[2]
        values = [number_cell(standing.values[column], measure) for standing in comparison.standings]
        cells.append(with_best(values, measure, perfect=comparison.perfect.get(measure)))
    return Table(
        title=_title(comparison, "all at once"),
        header=("model", *columns, "dominated by"),
        rows=tuple(
            row(standing.model, *values, ", ".join(standing.dominated_by))
            for standing, *values in zip(comparison.standings, *cells, strict=True)
        ),
        note="A model is dominated by those that are in none of these figures worse and in some better, sure or not.",
    )


def _differences(comparison: Comparison, model: str) -> Iterator[Table]:
    for measure in comparison.measures:
        of_measure = [d for d in comparison.differences if (d.model, d.quantity.measure) == (model, measure)]
        single = [d for d in of_measure if ">" in d.quantity.name]
        parts = {
            KIND_TITLES[kind]: [d for d in of_measure if d.quantity.kind == kind and d not in single] for kind in KINDS
        }
        for title, rows in (parts | {"single settings,": single}).items():
            if rows:
                yield Table(
                    title=_title(comparison, f"{title} {measure}: {_against(comparison, model)}"),
                    header=("", "baseline", "model", "difference", "d_z", "p", "verdict", f"{QUESTION}s"),
                    rows=tuple(_difference_row(d) for d in rows),
                    note="" if all(d.is_primary for d in rows) else f"{_EXPLORATORY} exploratory",
                )


def _difference_row(d: Difference) -> tuple[Cell, ...]:
    measure = d.quantity.measure
    return row(
        Cell(d.quantity.name, mark="" if d.is_primary else _EXPLORATORY),
        number_cell(d.baseline, measure),
        number_cell(d.value, measure),
        _difference(d),
        EMPTY if math.isnan(d.d_z) else Cell(number(d.d_z, "", decimals=2), d.d_z),
        Cell(_p(d), d.p_adjusted),
        d.verdict,
        d.n_questions,
    )


def _difference(d: Difference) -> Cell:
    shown, low, high = (signed(value, d.quantity.measure) for value in (d.difference, *d.interval))
    return Cell(f"{shown} [{low}, {high}]", d.difference, d.interval)


def _p(d: Difference) -> str:
    """The adjusted p-value; one that is a bound is rounded up."""
    if d.p_adjusted < 0.001:
        return "<.001"
    return f"≤{number(math.ceil(1000 * d.p_adjusted) / 1000, '')}" if d.p_is_bound else number(d.p_adjusted, "")


def tradeoffs(comparison: Comparison, model: str) -> Table | None:
    """What a model gains or loses in one language and in the pool, each with its interval; None without such."""
    rows = [tradeoff for tradeoff in comparison.tradeoffs if tradeoff.model == model]
    if not rows:
        return None
    first = rows[0]
    columns = [f"{d.quantity.kind} {d.quantity.measure}" for d in (first.mono, first.multi, first.distance) if d]
    return Table(
        title=_title(comparison, f"gains and losses: {_against(comparison, model)}"),
        header=("", *columns, "verdict"),
        rows=tuple(row(t.name, *(_marked(d) for d in (t.mono, t.multi, t.distance) if d), _trade(t)) for t in rows),
        note="Differences to the baseline with their intervals; * where the model is better or worse after the "
        "correction. Alone: passages of the query's language only; in the pool: passages of all languages."
        + (f" Of {measures.DISTANCE} less is better." if first.distance else ""),
    )


def _marked(d: Difference) -> Cell:
    mark = "" if d.verdict == ALIKE else "*"
    return replace(_difference(d), mark=mark, verdict=d.verdict)


def _trade(tradeoff: Tradeoff) -> str:
    alone, pooled = ("not told apart" if d.verdict == ALIKE else d.verdict for d in (tradeoff.mono, tradeoff.multi))
    return f"{alone} in both" if alone == pooled else f"{alone} alone, {pooled} in the pool"


def signed(value: float, measure: str) -> str:
    """A difference with its sign."""
    shown = number(value, measure)
    return f"+{shown}" if value > 0 and any(digit in shown for digit in "123456789") else shown
