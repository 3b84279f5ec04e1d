"""The first screen of a report: models by tasks, what each loses in the pool of all languages, and what is sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlbench.comparison import Difference
from xlbench.comparison.outcome import MEAN
from xlbench.measures.values import by_language
from xlbench.reports.cells import EMPTY, Cell, Table, row
from xlbench.reports.html import charts, explanations, heatmaps
from xlbench.reports.html.page_tables import page_table
from xlbench.reports.html.parts import Figure, PageTable, Section, Sentences
from xlbench.reports.judged_group import JudgedGroup
from xlbench.reports.several_models import Group, best_of
from xlbench.reports.tables import cell_of
from xlbench.reports.words import KIND_TITLES, partial_of
from xlbench.results.shown import number
from xlbench.settings import Kind

_KINDS: tuple[Kind, ...] = ("mono", "multi")
_WHERE = {"mono": "in one language", "cross": "across languages", "multi": "in the pool of all languages"}
_LONGEST = 34
_SURE = ("better", "worse", "higher", "lower")


def section(groups: Sequence[JudgedGroup]) -> Section:
    """The overview of all tasks of a report."""
    blocks: list[PageTable | Figure | Sentences] = []
    if sentences := [sentence for of in groups for sentence in _sentences(of)]:
        blocks.append(Sentences(tuple(sentences)))
    if table := _table([of.group for of in groups]):
        blocks.append(table)
    if figure := _dumbbells([of.group for of in groups]):
        blocks.append(figure)
    blocks += [table for of in groups if (table := _heatmap(of.group))]
    return Section("overview", "Overview", explanations.OVERVIEW, blocks)


def _heatmap(group: Group) -> PageTable | None:
    """Several models by query language, in the pool of all languages or, without one, in each alone."""
    headline = group.results[0].headline
    kinds: list[Kind] = [kind for kind in _KINDS if any(_has(group, i, kind) for i in range(len(group.results)))]
    if not kinds or len(group.results) < 2:
        return None
    kind = kinds[-1]
    models = [
        (label, by_language(result.values, kind, headline), result.summary.get(kind, {}).get(headline))
        for label, result in zip(group.labels, group.results, strict=True)
    ]
    languages = list(dict.fromkeys(name for _, values, _ in models for name in values))
    title = f"{group.title}: {KIND_TITLES[kind]} {headline} by query language"
    return heatmaps.of_models(title, headline, models, languages=languages)


def _sentences(of: JudgedGroup) -> Iterator[str]:
    """Which model finds most in the pool, and how each differs for sure from the first."""
    group, task = of.group, of.group.results[0].task
    if best := _best(group):
        yield f"{task}: {best}."
    comparison = of.tested.comparison
    if comparison is None:
        return
    headline = group.results[0].headline
    for model in comparison.others:
        means = [
            d
            for d in comparison.differences
            if (d.model, d.quantity.measure, d.quantity.name) == (model, headline, MEAN)
        ]
        if means:
            sure = [clause for verdict in _SURE if (clause := _clause(verdict, means, headline))]
            said = f"is {', and '.join(sure)}" if sure else "cannot be told apart in any mean"
            yield f"{task}: against {comparison.baseline}, {model} {said}."


def _best(group: Group) -> str:
    """The model with the highest headline in the pool, of whole results if there are any; empty if none has one."""
    headline = group.results[0].headline
    pooled = {i: r.summary["multi"][headline] for i, r in enumerate(group.results) if _has(group, i, "multi")}
    whole = {i: value for i, value in pooled.items() if not group.results[i].is_partial} or pooled
    if not whole:
        return ""
    best = max(whole, key=lambda i: whole[i])
    values = [f"{number(whole[best], headline)} {_WHERE['multi']}"]
    if _has(group, best, "mono"):
        values.insert(0, f"{number(group.results[best].summary['mono'][headline], headline)} {_WHERE['mono']}")
    most = f"{group.labels[best]} finds most of {len(whole)} models" if len(whole) > 1 else group.labels[best]
    return f"{most}: {headline} {', '.join(values)}"


def _clause(verdict: str, means: Sequence[Difference], headline: str) -> str:
    """In which means a model has this verdict, with the differences; empty if in none."""
    alike = [d for d in means if d.verdict == verdict]
    places = [f"{_WHERE[d.quantity.kind]} ({_change(d.difference, headline)})" for d in alike]
    if not places:
        return ""
    *others, last = places
    return f"{verdict} {', '.join(others)}{' and ' if others else ''}{last}"


def _change(difference: float, headline: str) -> str:
    """The difference with its sign, a true minus."""
    return f"{'+' if difference > 0 else ''}{number(difference, headline)}".replace("-", "−")


def _has(group: Group, i: int, kind: Kind) -> bool:
    return group.results[i].headline in group.results[i].summary.get(kind, {})


def _table(groups: Sequence[Group]) -> PageTable | None:
    """A row a model, and for each task a column in one language and one in the pool."""
    names = _names(groups)
    columns: dict[str, dict[str, Cell]] = {}
    notes: dict[str, str] = {}
    for group, name in zip(groups, names, strict=True):
        headline = group.results[0].headline
        for kind in _KINDS:
            if any(_has(group, i, kind) for i in range(len(group.results))):
                cells = best_of(group, [cell_of(r, kind, headline) for r in group.results], headline)
                columns[f"{name} {kind}"] = dict(zip(group.labels, cells, strict=True))
                notes[f"{name} {kind}"] = headline
    if not columns:
        return None
    labels = dict.fromkeys(label for group in groups for label in group.labels)
    rows = tuple(row(label, *(of_model.get(label, EMPTY) for of_model in columns.values())) for label in labels)
    said = dict.fromkeys(filter(None, (partial_of(result) for group in groups for result in group.results)))
    caption = "; ".join(["Means over languages: mono in one language, multi in the pool of all", *said])
    return page_table(Table(caption, ("model", *columns), rows), notes=notes, sortable=len(rows) > 1)


def _dumbbells(groups: Sequence[Group]) -> Figure | None:
    """What every model loses from one language to the pool of all, task by task."""
    rows: list[charts.Dumbbell | str] = []
    for group, name in zip(groups, _names(groups), strict=True):
        headline = group.results[0].headline
        both = [
            charts.Dumbbell(_short(label), result.summary["mono"][headline], result.summary["multi"][headline])
            for i, (label, result) in enumerate(zip(group.labels, group.results, strict=True))
            if all(_has(group, i, kind) for kind in _KINDS)
        ]
        rows += [f"{name}, {headline}", *both] if both else []
    if not rows:
        return None
    caption = "From one language (hollow) to the pool of all languages (filled); further right is better."
    return Figure(charts.dumbbells(rows, key="overview-dumbbells"), caption)


def _short(label: str) -> str:
    """A label that fits beside a picture; the table has it in full."""
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _names(groups: Sequence[Group]) -> list[str]:
    """The tasks of the groups, with their version where two are of one task."""
    tasks = [group.results[0].task for group in groups]
    return [group.title if tasks.count(task) > 1 else task for group, task in zip(groups, tasks, strict=True)]
