"""The tables of one result, and the line that sums it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlbench import bias
from xlbench.reports.cells import EMPTY, Cell, Table, number, number_cell, row
from xlbench.results import Result
from xlbench.settings import KINDS, Kind, kind_of

__all__ = ["Cell", "Table", "all_tables", "headline", "number", "number_cell", "row", "tables"]

KIND_TITLES: Mapping[Kind, str] = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}
_IN_MULTI = ("AP", "AP@20", "R@10", "RankDistance")
ALIGNMENT = ("parallel_cosine", "random_cosine", "bitext_accuracy", "language_variance")
_ATTRIBUTION = ("IrrelevantLoss", "ParallelLoss")
_BETTER = {"lower": "lower", "higher": "higher", "nearer": "near perfect"}


def tables(result: Result) -> list[Table]:
    """What ``xlbench run`` shows: the summary, a table for each kind of setting, bias and attribution."""
    found = (summary(result), mono(result), cross(result), multi(result), language_bias(result), attribution(result))
    return [table for table in found if table]


def all_tables(result: Result) -> list[Table]:
    """Those of ``tables``, bias by language, the preference and the one-target matrix, and the vectors' alignment."""
    more = (bias_by_language(result), preference(result), one_target(result), *alignment(result))
    return tables(result) + [table for table in more if table]


def headline(result: Result) -> str:
    """One line: the headline measure in each kind of setting, and the rank distance."""
    parts = [f"{KIND_TITLES[kind]} {result.summary[kind][result.headline]:.3f}" for kind in kinds_of(result)]
    distance = result.summary.get("multi", {}).get("RankDistance")
    if distance is not None:
        parts.append(f"RankDistance {distance:,.0f}")
    line = f"{result.model['name']} on {result.task}: {result.headline} {', '.join(parts)}"
    if result.missing_languages:
        line += f"; partial, without {', '.join(result.missing_languages)}"
    return line


def kinds_of(result: Result) -> list[Kind]:
    """The kinds of setting that a result has, in their order."""
    return [kind for kind in KINDS if kind in result.summary]


def measures_of(result: Result, kind: Kind) -> list[str]:
    """The measures of retrieval that a result has in a kind of setting, the headline first."""
    found = [measure for measure in result.summary.get(kind, {}) if not bias.find(measure)]
    return sorted(found, key=lambda measure: measure != result.headline)


def bias_measures_of(result: Result) -> list[str]:
    """The measures of language bias that a result has."""
    return [measure for measure in result.summary.get("multi", {}) if bias.find(measure)]


def cell_of(result: Result, name: str, measure: str, *, with_interval: bool = True) -> Cell:
    """The cell of a measure in a setting or, by the name of a kind, in its summary; empty where there is no value."""
    value = {**result.scores, **result.summary}.get(name, {}).get(measure)
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
        note="In brackets: 95 % intervals." if any(kind in result.intervals for kind in kinds) else "",
    )


def mono(result: Result) -> Table | None:
    """Measures of retrieval by language, each language's passages alone in the pool; None without such a setting."""
    measures = [measure for measure in result.summary.get("mono", {}) if not bias.find(measure)]
    about = f"{KIND_TITLES['mono']}: queries of a language, passages of the same language"
    return _by_language(result, "mono", measures, about=about)


def multi(result: Result) -> Table | None:
    """The chief measures of the pool of all languages, by language; None without such a setting."""
    known = list(result.summary.get("multi", {}))
    measures = [measure for measure in _IN_MULTI if measure in known] or known
    about = f"{KIND_TITLES['multi']}: queries of a language, passages of all languages in one pool"
    return _by_language(result, "multi", measures, about=about)


def bias_by_language(result: Result) -> Table | None:
    """All measures of bias by language; None where there are none."""
    return _by_language(result, "multi", bias_measures_of(result), about="language bias, by language of the queries")


def cross(result: Result) -> Table | None:
    """The headline measure, languages of queries down and of passages across; None without such a setting."""
    if "cross" not in result.summary:
        return None
    measure = result.headline
    asked = languages_of(result)
    grid = {
        a: {b: result.scores[f"{a}>{b}"][measure] for b in asked if a != b and f"{a}>{b}" in result.scores}
        for a in asked
    }
    body = _matrix(grid, measure, means=True)
    mean = row("mean", *[EMPTY] * (len(body.header) - 2), number_cell(result.summary["cross"][measure], measure))
    about = f"{KIND_TITLES['cross']}: {measure}, queries down, passages across"
    return _table(result, about, body.header, [*body.rows, mean])


def language_bias(result: Result) -> Table | None:
    """Measures of bias down; value with interval, direction, and what a perfect and a random ranking have across."""
    rows = []
    for measure in bias_measures_of(result):
        if found := bias.find(measure):
            ends = result.references.get(measure, {})
            placed = (number_cell(ends.get(end), measure) for end in ("perfect", "random"))
            rows.append(row(measure, cell_of(result, "multi", measure), _BETTER[found.better], *placed))
    header = ("measure", "value", "better", "perfect", "random")
    return _table(result, "language bias in the pool of all languages", header, rows)


def attribution(result: Result) -> Table | None:
    """What the pool of all languages costs in AP, and what of it for which reason, by language; None without it."""
    if not set(_ATTRIBUTION) <= set(bias_measures_of(result)):
        return None
    kinds = [kind for kind in ("mono", "multi") if "AP" in result.summary.get(kind, {})]
    settings = [name for name in result.scores if kind_of(name) == "multi"]
    rows = []
    for name in [*settings, "multi"]:
        language = name.partition(">")[0]
        ap = [cell_of(result, _named(kind, name), "AP", with_interval=False) for kind in kinds]
        causes = [cell_of(result, name, measure, with_interval=False) for measure in _ATTRIBUTION]
        loss = sum(cell.value for cell in causes if cell.value is not None)
        rows.append(row("mean" if name == "multi" else language, *ap, number_cell(loss, "ParallelLoss"), *causes))
    return _table(
        result,
        "attribution: what the pool of all languages costs, and why",
        ("language", *(f"AP {kind}" for kind in kinds), "loss", "irrelevant", "parallel"),
        rows,
        note="loss = irrelevant + parallel: due to irrelevant passages of other languages that rank too high, and to "
        "parallel passages in other languages that rank lower than the one in the query's.",
    )


def preference(result: Result) -> Table | None:
    """The share of queries of a language, down, whose first-ranked relevant passage is in a language, across."""
    about = "preference: share of queries (down) whose first-ranked relevant passage is in a language (across)"
    body = _matrix(result.matrices.get("first_language", {}), "LPR")
    return _table(result, about, body.header, [*body.rows, *_column_means(body, "LPR")])


def one_target(result: Result) -> Table | None:
    """The one-target matrix with its bias."""
    about = "one target: AP of queries (down) if only the relevant passages of one language (across) are in the pool"
    body = _matrix(result.matrices.get("one_target", {}), "AP")
    bias_cell = cell_of(result, "multi", "OneTargetBias")
    note = f"Bias, own language less others: {bias_cell.text}; 0 is none." if bias_cell.text else ""
    return _table(result, about, body.header, [*body.rows, *_column_means(body, "AP")], note=note)


def alignment(result: Result) -> list[Table]:
    """How near the vectors of parallel passages are, and the bitext accuracy between languages; else none."""
    found = result.alignment
    rows = [row(name, number_cell(found[name], name)) for name in ALIGNMENT if found.get(name) is not None]
    body = _matrix(found.get("bitext", {}), "bitext")
    about = "alignment: share of passages (down) whose nearest passage of a language (across) is parallel"
    made = (
        _table(result, "alignment of the vectors of passages", ("measure", "value"), rows),
        _table(result, about, body.header, body.rows),
    )
    return [table for table in made if table]


def languages_of(result: Result) -> list[str]:
    """The languages of the queries, in the task's order."""
    return list(dict.fromkeys(name.partition(">")[0] for name in result.queries))


def partial_note(result: Result) -> str:
    """`` (partial: without ...)`` for a result that lacks languages of its task, else nothing."""
    return f" (partial: without {', '.join(result.missing_languages)})" if result.missing_languages else ""


def _named(kind: str, name: str) -> str:
    """The setting of a kind that belongs to a multilingual one; the kind itself for a summary."""
    if name == "multi":
        return kind
    language = name.partition(">")[0]
    return f"{language}>{language}" if kind == "mono" else name


def _table(
    result: Result, about: str, header: Sequence[str], rows: Sequence[tuple[Cell, ...]], *, note: str = ""
) -> Table | None:
    if not rows:
        return None
    return Table(f"{result.task}, {about}{partial_note(result)}", tuple(header), tuple(rows), note)


def _by_language(result: Result, kind: Kind, measures: Sequence[str], *, about: str) -> Table | None:
    names = [name for name in result.scores if kind_of(name) == kind]
    if not names or not measures:
        return None
    rows = []
    for name in [*names, kind]:
        cells = (cell_of(result, name, measure, with_interval=False) for measure in measures)
        n_queries = result.queries[name] if name != kind else sum(result.queries[name] for name in names)
        rows.append(row("mean" if name == kind else name.partition(">")[0], *cells, n_queries))
    return _table(result, about, ("language", *measures, "queries"), rows)


def _matrix(values: Mapping[str, Mapping[str, float]], measure: str, *, means: bool = False) -> Table:
    """A table without a title: rows and columns of a mapping of mappings, with the mean of each row if wished."""
    across = {name for of_row in values.values() for name in of_row}
    # In the order of the rows, which is the task's.
    columns = [*(name for name in values if name in across), *sorted(across - set(values))]
    rows = []
    for name, of_row in values.items():
        if of_row:
            cells = [number_cell(of_row.get(column), measure) for column in columns]
            mean = [number_cell(sum(of_row.values()) / len(of_row), measure)] if means else []
            rows.append(row(name, *cells, *mean))
    return Table("", ("", *columns, *(["mean"] if means else [])), tuple(rows))


def _column_means(body: Table, measure: str) -> list[tuple[Cell, ...]]:
    found = []
    for column in range(1, len(body.header)):
        values = [row[column].value for row in body.rows]
        known = [value for value in values if value is not None]
        found.append(number_cell(sum(known) / len(known) if known else None, measure))
    return [row("mean", *found)] if body.rows else []
