"""Tables of several models: side by side, and which alignment of vectors goes with good retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench import measures
from xlbench.comparison.refusals import labels
from xlbench.errors import UnknownNameError, UsageError
from xlbench.measures import DISTANCE
from xlbench.reports.cells import EMPTY, RHO, Cell, Table, number_cell, row, with_best
from xlbench.reports.matrices import favourite
from xlbench.reports.tables import cell_of
from xlbench.reports.words import ALIGNMENT, LITTLE, OWN_SHARE, captioned_of, direction, flatters_little, partial_of
from xlbench.results import Result
from xlbench.results.shown import number
from xlbench.settings import KINDS, Kind

_LEAST_MODELS = 3
_FEW_MODELS = 10
Column = tuple[Kind, str]
"""Kind of setting and measure."""


@dataclass(frozen=True)
class Group:
    """The results of one version of one task, which may share a table."""

    results: tuple[Result, ...]
    labels: tuple[str, ...]
    """The models' names, and what tells those of one name apart; partial ones say so."""

    @property
    def title(self) -> str:
        """Task and version."""
        return f"{self.results[0].task}, version {self.results[0].task_version}"


def grouped(results: Sequence[Result]) -> list[Group]:
    """Results by task and version, in the order in which they come."""
    of_task: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        of_task.setdefault((result.task, result.task_version), []).append(result)
    return [
        Group(
            tuple(group),
            tuple(
                captioned_of(label, result)
                for label, result in zip(
                    labels(group, [f"result {i + 1}" for i in range(len(group))]), group, strict=True
                )
            ),
        )
        for group in of_task.values()
    ]


def with_baseline(results: Sequence[Result], name: str) -> list[Result]:
    """The results with the one of this model or label before the others of its task: the one they are compared with.

    Raises:
        UnknownNameError: if no result is of that name.
        UsageError: if several results of a task are.

    """
    groups = grouped(results)
    ordered: list[Result] = []
    for group in groups:
        labelled = list(zip(group.labels, group.results, strict=True))
        meant = [each for each in labelled if each[0] == name] or [e for e in labelled if e[1].model["name"] == name]
        if len(meant) > 1:
            known = ", ".join(label for label, _ in meant)
            of = f"{len(meant)} results of {group.title} are of {name}"
            raise UsageError(f"{of}: name one of {known} as the baseline.")
        first = [result for _, result in meant]
        ordered += [*first, *(result for result in group.results if result not in first)]
    labels = dict.fromkeys(label for group in groups for label in group.labels)
    names = {str(result.model["name"]) for result in results}
    if name not in names and name not in labels:
        raise UnknownNameError("model of these results", name, list(labels))
    return ordered


def comparison(results: Sequence[Result]) -> list[Table]:
    """For each task and version: one row a model, and, for three models or more, how alignment goes with retrieval."""
    tables = []
    for group in grouped(results):
        tables += [side_by_side(group), correlation(group)]
    return [table for table in tables if table]


def columns_of(group: Group) -> list[Column]:
    """The means in which the models of a group are set side by side, as far as any of them has them."""
    headline = group.results[0].headline
    wanted: list[Column] = [(kind, headline) for kind in KINDS]
    wanted += [("multi", measure) for measure in (DISTANCE, *measures.OWN_LANGUAGE)]
    return [(kind, m) for kind, m in wanted if any(m in r.summary.get(kind, {}) for r in group.results)]


def favourites(group: Group) -> list[str]:
    """The favourite of each model with the share of its first places, ``en .293``; empty if none has any."""
    preferred = [favourite(result) for result in group.results]
    shown = [f"{of.language} {number(of.value, measures.PREFERENCE)}" if of else "" for of in preferred]
    return shown if any(shown) else []


def perfect_of(group: Group, measure: str) -> float | None:
    """The perfect value of a measure of bias, None if no result says it."""
    return next((ends.get("perfect") for r in group.results if (ends := r.references.get(measure))), None)


def best_of(group: Group, cells: Sequence[Cell], measure: str) -> tuple[Cell, ...]:
    """The cells of the group's models with the best ones marked; one of a partial result never is."""
    whole = [not result.is_partial for result in group.results]
    compared = with_best(
        [cell if counts else EMPTY for cell, counts in zip(cells, whole, strict=True)],
        measure,
        perfect=perfect_of(group, measure),
    )
    return tuple(marked if counts else cell for marked, cell, counts in zip(compared, cells, whole, strict=True))


def side_by_side(group: Group, *, whole: bool = False) -> Table:
    """One row a model; ``whole`` is with the intervals of the measures of bias too."""
    columns, preferred = columns_of(group), favourites(group)
    cells = [
        best_of(group, [cell_of(r, kind, m, with_interval=whole or not measures.of_bias(m)) for r in group.results], m)
        for kind, m in columns
    ]
    better = [
        f"{m} {direction(m, perfect_of(group, m))}"
        for _, m in columns
        if measures.of_bias(m) and measures.better(m) != "neither"
    ]
    notes = [f"Better is: {', '.join(better)}."] if better else []
    if any(flatters_little(m) for _, m in columns):
        notes.append(LITTLE)
    if any(m == measures.PREFERENCE for _, m in columns):
        notes.append(OWN_SHARE)
    if preferred:
        notes.append("Favourite: the language of most first answers to queries of other languages, and their share.")
    return Table(
        title=group.title,
        header=("model", *(f"{kind} {m}" for kind, m in columns), *(["favourite"] if preferred else [])),
        rows=tuple(
            row(label, *values)
            for label, *values in zip(group.labels, *cells, *([preferred] if preferred else []), strict=True)
        ),
        note=" ".join(notes),
    )


def correlation(group: Group) -> Table | None:
    """How each measure of alignment ranks the models against the multilingual headline; None for less than three.

    The last row has the correlations, the others the models.
    """
    headline = group.results[0].headline
    chosen = [
        (label, result)
        for label, result in zip(group.labels, group.results, strict=True)
        if result.alignment and not result.is_partial and headline in result.summary.get("multi", {})
    ]
    if len(chosen) < _LEAST_MODELS:
        return None
    rows = [
        row(
            label,
            *(number_cell(result.alignment.get(name), name) for name in ALIGNMENT),
            cell_of(result, "multi", headline, with_interval=False),
        )
        for label, result in chosen
    ]
    retrieval = [result.summary["multi"][headline] for _, result in chosen]
    measured = ([result.alignment.get(name) for _, result in chosen] for name in ALIGNMENT)
    rho = (number_cell(_spearman(values, retrieval), "rho") for values in measured)
    n = len(chosen)
    note = f"Spearman's rank correlation of each measure of alignment with multi {headline} over n = {n} models."
    if n < _FEW_MODELS:
        note += " So few models show no more than a tendency."
    return Table(
        title=f"{group.title}: alignment of the vectors and retrieval",
        header=("model", *ALIGNMENT, f"multi {headline}"),
        rows=(*rows, row(RHO, *rho, EMPTY)),
        note=note,
    )


def aligned(group: Group) -> Table | None:
    """The measures of alignment, one row a model, with how they go with retrieval if that can be said; else None."""
    rows = [
        row(label, *(number_cell(result.alignment.get(name), name) for name in ALIGNMENT))
        for label, result in zip(group.labels, group.results, strict=True)
        if result.alignment
    ]
    about = "Alignment of the vectors of passages"
    missing = dict.fromkeys(partial_of(result) for result in group.results)
    title = "; ".join(filter(None, [about, *missing]))
    return correlation(group) or (Table(title, ("model", *ALIGNMENT), tuple(rows)) if rows else None)


def _spearman(values: Sequence[float | None], retrieval: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where it is not defined, as one of both is the same for all models."""
    known = [value for value in values if value is not None]
    if len(known) < len(retrieval) or len(set(known)) == 1 or len(set(retrieval)) == 1:
        return None
    # Not scipy.stats, which takes half a second to import.
    return float(np.corrcoef(_average_ranks(known), _average_ranks(retrieval))[0, 1])


def _average_ranks(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """1 for the least, with the mean of their ranks for equal values, ``float64[n]``."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: npt.NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks
