"""The tables of a Comparison, the lines that explain them, and the sentences that sum it up."""

from __future__ import annotations

import json
import math
import string
from collections.abc import Iterator
from dataclasses import asdict

from xlbench.comparison import Comparison, Difference, Ranking, Tradeoff
from xlbench.reports.cells import EMPTY, Cell, Table, number, number_cell, row, with_best
from xlbench.reports.formats import Record
from xlbench.reports.tables import KIND_TITLES
from xlbench.settings import KINDS

_WORDS = {"better": "better", "worse": "worse", "cannot be told apart": "alike"}


def comparison_tables(comparison: Comparison) -> list[Table]:
    """The orders of models, their standings, and each model's differences and trade-offs against the baseline."""
    found = [_ranking(comparison, ranking) for ranking in comparison.rankings]
    if comparison.standings:
        found.append(_standings(comparison))
    for model in comparison.others:
        found += _differences(comparison, model)
        rows = [tradeoff for tradeoff in comparison.tradeoffs if tradeoff.model == model]
        if rows:
            found.append(_tradeoffs(comparison, rows))
    return found


def sentences(comparison: Comparison) -> list[str]:
    """One sentence for each model and measure: how it compares with the baseline, in the mean of each kind."""
    found = []
    for model in comparison.others:
        for measure in comparison.measures:
            chosen = [d for d in comparison.differences if (d.model, d.cell.measure) == (model, measure)]
            means = [d for d in chosen if d.cell.name == "mean" or ">" in d.cell.name]
            parts = [f"{_place(d)} {d.verdict} ({_signed(d.difference, measure)})" for d in means]
            found.append(f"{_against(comparison, model)} on {comparison.task}, {measure}: {', '.join(parts)}.")
    return found


def explanation(comparison: Comparison) -> list[str]:
    """Sentences that say what the interval, the effect, p and the number of questions are."""
    level = f"{100 * (1 - comparison.alpha):g} %"
    found = [
        f"Brackets: {level} interval of the difference, by a bootstrap of {comparison.resamples:,} draws of questions.",
        f"p: paired randomisation test (at most {comparison.draws:,} draws) that swaps all values of a question "
        f"between the two models, corrected by Holm's method for the {comparison.n_tests} differences tested; "
        f"'better' and 'worse' have p up to {comparison.alpha:g}.",
        "Effect: mean difference of a question divided by its standard deviation (.2 is small, .8 large).",
        "A question counts once, in however many languages it is asked: its translations are not independent.",
    ]
    for measure, perfect in comparison.perfect.items():
        found.append(
            f"{measure}: values nearer to {number(perfect, measure)} are better, and the test is of that distance."
        )
    if comparison.left_out:
        found.append(f"Not compared, as not all of the results have it: {', '.join(comparison.left_out)}.")
    return found


def difference_records(comparison: Comparison) -> list[Record]:
    """One record for each difference, in full precision.

    ``setting`` is ``mono``, ``cross`` or ``multi`` for the mean of a kind, a language for the mean of its settings of
    the kind, or the name of a setting; ``low`` and ``high`` are the ends of the interval; ``effect`` is None where it
    is not a number.
    """
    of_all = {"task": comparison.task, "task_version": comparison.task_version, "baseline": comparison.baseline}
    return [
        {"model": d.model}
        | of_all
        | {"kind": d.cell.kind, "setting": _place(d), "measure": d.cell.measure}
        | {"baseline_value": d.baseline, "value": d.value, "difference": d.difference}
        | {"low": d.interval[0], "high": d.interval[1], "effect": None if math.isnan(d.effect) else d.effect}
        | {"p": d.p, "p_adjusted": d.p_adjusted, "verdict": d.verdict, "n_questions": d.n_questions}
        | {"missing_languages": list(comparison.missing_languages)}
        for d in comparison.differences
    ]


def comparison_json(comparison: Comparison) -> str:
    """The comparison as a JSON object: its fields, with the records of its differences, and the explanation."""
    record = {key: value for key, value in asdict(comparison).items() if key != "tradeoffs"}
    record |= {"differences": difference_records(comparison), "explanation": explanation(comparison)}
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _place(d: Difference) -> str:
    return d.cell.kind if d.cell.name == "mean" else d.cell.name


def _against(comparison: Comparison, model: str) -> str:
    return f"{model} against {comparison.baseline}"


def _title(comparison: Comparison, text: str) -> str:
    missing = ", ".join(comparison.missing_languages)
    return f"{comparison.task}, {text}" + (f" (partial: without {missing})" if missing else "")


def _ranking(comparison: Comparison, ranking: Ranking) -> Table:
    measure = ranking.cell.measure
    values = with_best([number_cell(ranked.value, measure) for ranked in ranking.ranked], measure)
    return Table(
        title=_title(comparison, f"{KIND_TITLES[ranking.cell.kind]} {measure}: models in order"),
        header=("model", measure, "groups"),
        rows=tuple(
            row(ranked.model, value, " ".join(map(_letter, ranked.groups)))
            for ranked, value in zip(ranking.ranked, values, strict=True)
        ),
        note="Models that share a letter cannot be told apart (all pairs tested, corrected by Holm's method).",
    )


def _letter(group: int) -> str:
    return string.ascii_lowercase[group] if group < len(string.ascii_lowercase) else str(group + 1)


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
        of_measure = [d for d in comparison.differences if (d.model, d.cell.measure) == (model, measure)]
        single = [d for d in of_measure if ">" in d.cell.name]
        parts = {
            KIND_TITLES[kind]: [d for d in of_measure if d.cell.kind == kind and d not in single] for kind in KINDS
        }
        for title, rows in (parts | {"single settings,": single}).items():
            if rows:
                yield Table(
                    title=_title(comparison, f"{title} {measure}: {_against(comparison, model)}"),
                    header=("", "baseline", "model", "difference", "effect", "p", "verdict", "questions"),
                    rows=tuple(_difference_row(d) for d in rows),
                )


def _difference_row(d: Difference) -> tuple[Cell, ...]:
    measure = d.cell.measure
    low, high = (_signed(end, measure) for end in d.interval)
    return row(
        d.cell.name,
        number_cell(d.baseline, measure),
        number_cell(d.value, measure),
        Cell(f"{_signed(d.difference, measure)} [{low}, {high}]", d.difference, d.interval),
        EMPTY if math.isnan(d.effect) else Cell(number(d.effect, "", decimals=2), d.effect),
        Cell("<.001" if d.p_adjusted < 0.001 else number(d.p_adjusted, ""), d.p_adjusted),
        d.verdict,
        d.n_questions,
    )


def _tradeoffs(comparison: Comparison, rows: list[Tradeoff]) -> Table:
    first = rows[0]
    columns = [f"{d.cell.kind} {d.cell.measure}" for d in (first.mono, first.multi, first.distance) if d]
    return Table(
        title=_title(comparison, f"gains and losses: {_against(comparison, first.model)}"),
        header=("", *columns, "verdict"),
        rows=tuple(row(t.name, *(_marked(d) for d in (t.mono, t.multi, t.distance) if d), _trade(t)) for t in rows),
        note="Differences to the baseline; * where the model is better or worse after the correction. Alone: passages "
        "of the query's language only; in the pool: passages of all languages."
        + (" Of RankDistance less is better." if first.distance else ""),
    )


def _marked(d: Difference) -> Cell:
    mark = "" if d.verdict == "cannot be told apart" else "*"
    return Cell(_signed(d.difference, d.cell.measure), d.difference, mark=mark)


def _trade(tradeoff: Tradeoff) -> str:
    alone, pooled = _WORDS[tradeoff.mono.verdict], _WORDS[tradeoff.multi.verdict]
    return f"{alone} in both" if alone == pooled else f"{alone} alone, {pooled} in the pool"


def _signed(value: float, measure: str) -> str:
    shown = number(value, measure)
    return f"+{shown}" if value > 0 and any(digit in shown for digit in "123456789") else shown
