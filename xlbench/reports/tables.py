"""The tables of one result, and the line that sums it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xlbench import measures
from xlbench.measures import CHIEF, DISTANCE, LOSSES, ONE_TARGET, PRECISION, PREFERENCE
from xlbench.reports.cells import MEAN, MEAN_OF_OTHERS, Cell, Table, number_cell, one_line, row
from xlbench.reports.losses import losses
from xlbench.reports.matrices import (
    Matrix,
    both_ways,
    cross_lingual,
    is_of_pairs,
    means_of_others,
    one_target_note,
    passage_languages,
    preference_note,
)
from xlbench.reports.words import (
    ALIGNMENT,
    KIND_TITLES,
    LITTLE,
    OWN_SHARE,
    captioned_of,
    direction,
    flatters_little,
    partial_of,
)
from xlbench.results import Result
from xlbench.results.shown import drawn, number
from xlbench.settings import KINDS, Kind, Setting


def all_tables(result: Result) -> list[Table]:
    """All tables that a result has numbers for."""
    return sections(result, list(SECTIONS))


def sections(result: Result, keys: Sequence[str]) -> list[Table]:
    """The tables of these keys of ``SECTIONS``, as far as the result has numbers for them."""
    return [table for key in keys if (table := SECTIONS[key](result))]


def headline(result: Result) -> str:
    """One line: the headline measure in each kind of setting, and the rank distance."""
    measure = result.headline
    parts = [f"{KIND_TITLES[kind]} {number(result.summary[kind][measure], measure)}" for kind in kinds_of(result)]
    distance = result.summary.get("multi", {}).get(DISTANCE)
    if distance is not None:
        parts.append(f"{DISTANCE} {number(distance, DISTANCE)}")
    line = f"{result.model['name']} on {result.task}: {measure} {', '.join(parts)}"
    if result.is_partial:
        line += f"; {partial_of(result)}"
    return one_line(line)


def kinds_of(result: Result) -> list[Kind]:
    """The kinds of setting that a result has, in their order."""
    return [kind for kind in KINDS if kind in result.summary]


def measures_of(result: Result, kind: Kind) -> list[str]:
    """The measures of retrieval that a result has in a kind of setting, the headline first."""
    of_retrieval = [measure for measure in result.summary.get(kind, {}) if not measures.of_bias(measure)]
    return sorted(of_retrieval, key=lambda measure: measure != result.headline)


def bias_measures_of(result: Result) -> list[str]:
    """The measures of language bias that a result has."""
    return [measure for measure in result.summary.get("multi", {}) if measures.of_bias(measure)]


def cell_of(result: Result, name: Setting | Kind, measure: str, *, with_interval: bool = True) -> Cell:
    """The cell of a measure in a setting or, by the name of a kind, in its summary; empty where there is no value."""
    values = result.values.get(name, {}) if isinstance(name, Setting) else result.summary.get(name, {})
    value = values.get(measure)
    interval = result.intervals.get(name, {}).get(measure) if with_interval else None
    return number_cell(value, measure, interval=interval)


def summary(result: Result) -> Table | None:
    """Measures of retrieval down and kinds of setting across, with intervals; None without scores."""
    kinds = kinds_of(result)
    measures = list(dict.fromkeys(measure for kind in kinds for measure in measures_of(result, kind)))
    return _table(
        result,
        "summary: means over languages",
        ("measure", *(KIND_TITLES[kind] for kind in kinds)),
        [row(measure, *(cell_of(result, kind, measure) for kind in kinds)) for measure in measures],
        note=f"In brackets: 95 % intervals, {drawn(result)}."
        if any(kind in result.intervals for kind in kinds)
        else "",
    )


def mono(result: Result, *, whole: bool = False) -> Table | None:
    """Measures of retrieval by language, each language's passages alone in the pool; None without such a setting."""
    measures = measures_of(result, "mono")
    about = f"{KIND_TITLES['mono']}: queries of a language, passages of the same language"
    return _by_language(result, "mono", measures, about=about, whole=whole)


def multi(result: Result, *, whole: bool = False) -> Table | None:
    """The chief or all measures of the pool of all languages, by language; None without such a setting."""
    known = list(result.summary.get("multi", {}))
    chief = [measure for measure in CHIEF if measure in known] or known
    measures = measures_of(result, "multi") if whole else chief
    about = f"{KIND_TITLES['multi']}: queries of a language, passages of all languages in one pool"
    return _by_language(result, "multi", measures, about=about, whole=whole)


def bias_by_language(result: Result, *, whole: bool = False) -> Table | None:
    """All measures of bias by language; None where there are none."""
    about = "language bias, by language of the queries"
    return _by_language(result, "multi", bias_measures_of(result), about=about, whole=whole)


def cross(result: Result, *, diagonal: bool = False) -> Table | None:
    """The headline measure, languages of queries down and of passages across; None without such a setting.

    The monolingual diagonal is shown if it is asked for. Where most pairs of languages are no setting, settings
    are down and measures across.
    """
    if "cross" not in result.summary:
        return None
    measure = result.headline
    if is_of_pairs(result):
        about = f"{KIND_TITLES['cross']}: language of the queries > that of the passages"
        return _by_language(result, "cross", measures_of(result, "cross"), about=about, whole=False)
    about = f"{KIND_TITLES['cross']}: {measure}, queries down, passages across"
    matrix = cross_lingual(result, diagonal=diagonal)
    return _matrix(result, about, matrix, measure, mean=result.summary["cross"][measure])


def direction_of(result: Result) -> Table | None:
    """What is lost from one language to another, and whether the way back loses as much; None without such pairs."""
    pairs = both_ways(result)
    rows = [row(of.pair, *(number_cell(at, result.headline) for at in of.figures)) for of in pairs[:10]]
    return _table(
        result,
        f"direction: {result.headline} from one language to another and back",
        ("pair", "there", "back", "there less back", "penalty there", "penalty back"),
        rows,
        note="A penalty is what the language of the queries has alone, less what it has with passages in the other. "
        f"The largest differences first, of {len(pairs):,} pairs.",
    )


def language_bias(result: Result) -> Table | None:
    """Measures of bias down; value with interval, direction, and what a perfect and a random ranking have across."""
    rows = []
    for measure in bias_measures_of(result):
        ends = result.references.get(measure, {})
        perfect, random = ends.get("perfect"), ends.get("random")
        placed = (number_cell(end, measure) for end in (perfect, random))
        rows.append(row(measure, cell_of(result, "multi", measure), direction(measure, perfect), *placed))
    header = ("measure", "value", "better", "perfect", "random")
    known = bias_measures_of(result)
    said = [LITTLE if any(map(flatters_little, known)) else "", OWN_SHARE if PREFERENCE in known else ""]
    note = " ".join(filter(None, said))
    return _table(result, "language bias in the pool of all languages", header, rows, note=note)


def attribution(result: Result, *, whole: bool = False) -> Table | None:
    """What the pool of all languages costs in AP, and what of it for which reason, by language; None without it."""
    rows = []
    for name, loss in losses(result).items():
        values = (number_cell(value, PRECISION) for value in (loss.mono, loss.multi, loss.total))
        parts = (
            number_cell(value, part, interval=result.intervals.get(name, {}).get(part) if whole else None)
            for part, value in zip(LOSSES, (loss.irrelevant, loss.parallel), strict=True)
        )
        rows.append(row(_language(name), *values, *parts))
    return _table(
        result,
        "attribution: what the pool of all languages costs, and why",
        ("language", f"{PRECISION} mono", f"{PRECISION} multi", "loss", "irrelevant", "parallel"),
        rows,
        note="loss = irrelevant + parallel: due to irrelevant passages of other languages that rank too high, and to "
        "parallel passages in other languages that rank lower than the one in the query's. All over the queries with "
        "an answer in their own language. A model that finds little has little to lose.",
    )


def preference(result: Result) -> Table | None:
    """The share of queries of a language, down, whose first-ranked relevant passage is in a language, across."""
    about = "preference: share of queries (down) whose first-ranked relevant passage is in a language (across)"
    return _matrix(result, about, result.matrices.get("first_language", {}), PREFERENCE, note=preference_note(result))


def consistency(result: Result) -> Table | None:
    """How alike the lists are that a question's translations get, by pairs of languages; None if not measured."""
    measure = measures.of_lists(result.summary.get("multi", {}))
    if measure is None:
        return None
    about = f"consistency: {measure.name} of the lists of translations, languages down and across"
    matrix = result.matrices.get("consistency", {})
    return _matrix(result, about, matrix, measure.name, mean=result.summary["multi"][measure.name])


def one_target(result: Result) -> Table | None:
    """The one-target matrix with its bias."""
    about = "one target: AP of queries (down) if only the relevant passages of one language (across) are in the pool"
    bias_cell = cell_of(result, "multi", ONE_TARGET)
    own = f"Own language less others: {bias_cell.text}; 0 is no preference for it." if bias_cell.text else ""
    note = " ".join(filter(None, [own, one_target_note(result)]))
    return _matrix(result, about, result.matrices.get("one_target", {}), PRECISION, note=note)


def alignment(result: Result) -> Table | None:
    """How near the vectors of parallel passages are; None where that is not measured."""
    values = result.alignment
    rows = [row(name, number_cell(values[name], name)) for name in ALIGNMENT if values.get(name) is not None]
    return _table(result, "alignment of the vectors of passages", ("measure", "value"), rows)


def bitext(result: Result) -> Table | None:
    """The bitext accuracy from a language, down, to another, across; None without it."""
    about = "alignment: share of passages (down) whose nearest passage of a language (across) is parallel"
    matrix = result.alignment.get("bitext", {})
    return _matrix(result, about, matrix, "bitext", mean=result.alignment.get("bitext_accuracy"))


def languages_of(result: Result) -> list[str]:
    """The languages of the queries, in the task's order."""
    return list(dict.fromkeys(name.query for name in result.queries))


def _table(
    result: Result, about: str, header: Sequence[str], rows: Sequence[tuple[Cell, ...]], *, note: str = ""
) -> Table | None:
    if not rows:
        return None
    title = captioned_of(f"{result.task}, {about}", result)
    return Table(title, tuple(header), tuple(rows), note)


def _language(name: Setting | Kind) -> str:
    """The language that a setting asks in, or its pair of languages; ``mean`` for a kind of setting."""
    return MEAN if not isinstance(name, Setting) else str(name) if name.kind == "cross" else name.query


def _by_language(result: Result, kind: Kind, measures: Sequence[str], *, about: str, whole: bool) -> Table | None:
    """A row a language and the mean; ``whole`` is with the intervals, for which there is room on a page."""
    names = [name for name in result.values if name.kind == kind]
    if not names or not measures:
        return None
    n_queries = {name: result.queries[name] for name in names}
    rows = [
        row(_language(name), *(cell_of(result, name, measure, with_interval=whole) for measure in measures), n)
        for name, n in [*n_queries.items(), (kind, sum(n_queries.values()))]
    ]
    return _table(result, about, ("setting" if kind == "cross" else "language", *measures, "queries"), rows)


def _matrix(
    result: Result, about: str, matrix: Matrix, measure: str, *, mean: float | None = None, note: str = ""
) -> Table | None:
    header, rows = matrix_rows(matrix, measure, mean=mean)
    return _table(result, about, header, rows, note=note)


def matrix_rows(
    matrix: Matrix, measure: str, *, mean: float | None = None
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Languages of the queries down and of the passages across, with their means; ``mean`` is the one in the corner."""
    columns, means = passage_languages(matrix), means_of_others(matrix)
    rows = [
        row(name, *(number_cell(values.get(column), measure) for column in columns), _mean(means.rows, name, measure))
        for name, values in matrix.items()
        if values
    ]
    below = (_mean(means.columns, column, measure) for column in columns)
    last = [row(MEAN_OF_OTHERS, *below, number_cell(mean, measure))] if rows else []
    return ("", *columns, MEAN_OF_OTHERS), [*rows, *last]


def _mean(means: Mapping[str, float], name: str, measure: str) -> Cell:
    return number_cell(means.get(name), measure)


SECTIONS: Mapping[str, Callable[[Result], Table | None]] = {
    "summary": summary,
    "mono": mono,
    "cross": cross,
    "direction": direction_of,
    "multi": multi,
    "bias": language_bias,
    "attribution": attribution,
    "bias-by-language": bias_by_language,
    "preference": preference,
    "one-target": one_target,
    "consistency": consistency,
    "alignment": alignment,
    "bitext": bitext,
}
"""The tables of a result by their keys, in the order in which they are shown."""
