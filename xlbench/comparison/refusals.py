"""Whether results can be compared, and how models of one name are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xlbench import measures
from xlbench.comparison.study import Study
from xlbench.errors import ResultError, UnknownNameError
from xlbench.measures.values import summarise
from xlbench.results import Result
from xlbench.settings import KINDS, Kind, Setting
from xlbench.statistics import asked, by_cluster


def check_per_query(results: Sequence[Result], names: Sequence[str]) -> None:
    """Returns if every result with scores has those of single queries, which tests need.

    Raises:
        ResultError: naming the files.

    """
    if lacking := [name for name, result in zip(names, results, strict=True) if result.values and not result.per_query]:
        raise ResultError(
            f"{', '.join(lacking)} has no scores of single queries; expected them in a parquet file beside the JSON."
        )


def check_comparable(results: Sequence[Result], names: Sequence[str]) -> None:
    """Returns if the results are of one task in one version and the same languages.

    Raises:
        ResultError: naming the files and what differs.

    """
    first = results[0]
    for result, name in zip(results[1:], names[1:], strict=True):
        if (result.task, result.task_version) != (first.task, first.task_version):
            raise ResultError(
                f"{names[0]} is of {first.task} version {first.task_version}, {name} of {result.task} version "
                f"{result.task_version}: only results of one version of one task can be compared."
            )
        if set(result.missing_languages) != set(first.missing_languages):
            raise ResultError(
                f"{names[0]} {_languages(first)}, {name} {_languages(result)}: their pools and means differ. Expected "
                "the same languages in both; run one of them again with the languages of the other."
            )
        if result.sample != first.sample:
            raise ResultError(
                f"{names[0]} is of {first.sample or 'all questions'}, {name} of {result.sample or 'all questions'}: "
                "expected the same --limit in both, or none."
            )
        if differing := [part for part in first.data if result.data.get(part) != first.data[part]]:
            raise ResultError(
                f"{names[0]} and {name} have other {' and other '.join(differing)}: the data of one of them was "
                "changed. Run both again with --force."
            )


def _languages(result: Result) -> str:
    if not result.missing_languages:
        return "has all languages of the task"
    return f"is partial, without {', '.join(result.missing_languages)}"


def _is_measure(name: str) -> bool:
    try:
        measures.get(name)
    except UnknownNameError:
        return False
    return True


def check_measures(results: Sequence[Result], names: Sequence[str], wanted: Sequence[str]) -> None:
    """Returns if every result has all the measures.

    Raises:
        UnknownNameError: if there is no such measure.
        ResultError: if not all of the results have it.

    """
    available = [list(dict.fromkeys(m for values in result.values.values() for m in values)) for result in results]
    for measure in wanted:
        lacking = [name for name, offered in zip(names, available, strict=True) if measure not in offered]
        if len(lacking) == len(names):
            known = list(dict.fromkeys(m for offered in available for m in offered))
            if measures.of_bias(measure) or _is_measure(measure):
                raise ResultError(
                    f"None of the results has {measure}; they have {', '.join(known)}. "
                    "A task's file names its measures."
                )
            raise UnknownNameError("measure", measure, known)
        if lacking:
            raise ResultError(
                f"{', '.join(lacking)} has no {measure}, but other results have. Run it again with --force, or "
                "compare by another --measure."
            )


def check_clusters(study: Study, unit: str) -> None:
    """Returns if every quantity has questions of two clusters at least.

    Raises:
        ResultError: naming the first that has not; nothing is known then of how clusters differ.

    """
    present = asked(study.values[0], study.weights)
    n_clusters = (by_cluster(present.astype(float), study.cluster) > 0).sum(axis=0)
    for quantity, n in zip(study.quantities, n_clusters.tolist(), strict=True):
        if n < 2:
            raise ResultError(
                f"All queries of {quantity.kind} {quantity.name} belong to one {unit}, so that nothing can be said of "
                "how sure a difference is; expected two or more. Choose other settings or languages."
            )


def check_queries(results: Sequence[Result], names: Sequence[str], settings: Sequence[Setting]) -> None:
    """Returns if all results have the same queries in these settings.

    Raises:
        ResultError: naming the files, the setting and how many queries only one of them has.

    """
    asked = [{scores.setting: scores.query for scores in result.per_query} for result in results]
    for others, name in zip(asked[1:], names[1:], strict=True):
        for setting in settings:
            ours, theirs = asked[0].get(setting, ()), others.get(setting, ())
            if ours != theirs and (different := set(ours) ^ set(theirs)):
                raise ResultError(
                    f"{names[0]} and {name} have other queries in '{setting}': {len(ours):,} and {len(theirs):,}, "
                    f"of which {len(different):,} are in one of them only, such as {min(different)!r}. Expected the "
                    "same queries: the data of one of them was changed. Run both again with --force."
                )


def asked_in(results: Sequence[Result], languages: Sequence[str]) -> list[Result]:
    """The results with the settings of these languages' queries only; what is not scored by setting stays.

    Raises:
        UnknownNameError: for a language that the first result has no queries in.

    """
    known = list(dict.fromkeys(setting.query for setting in results[0].values))
    for language in languages:
        if language not in known:
            raise UnknownNameError("language of queries", language, known)
    narrowed = []
    for result in results:
        values = {setting: of_it for setting, of_it in result.values.items() if setting.query in languages}
        per_query = tuple(of_it for of_it in result.per_query if of_it.setting in values)
        narrowed.append(replace(result, values=values, per_query=per_query, summary=summarise(values), intervals={}))
    return narrowed


def common_kinds(results: Sequence[Result]) -> tuple[list[Kind], list[Kind]]:
    """The kinds of setting that all results have, and those that only some have."""
    of_result = [{setting.kind for setting in result.values} for result in results]
    common, some = set.intersection(*of_result), set.union(*of_result)
    return [kind for kind in KINDS if kind in common], [kind for kind in KINDS if kind in some - common]


def labels(results: Sequence[Result], names: Sequence[str]) -> list[str]:
    """The name of each result's model, with what tells it from others of that name: arguments, revision or file."""
    identities = [
        (_arguments(result), f"revision {result.model['revision']}", f"adapter {result.model['adapter']}")
        for result in results
    ]
    models = [str(result.model["name"]) for result in results]
    labelled = []
    for i, model in enumerate(models):
        alike = [j for j, other in enumerate(models) if other == model]
        differing = [part for at, part in enumerate(identities[i]) if any(identities[j][at] != part for j in alike)]
        if sum(identities[j] == identities[i] for j in alike) > 1:
            differing.append(names[i])
        labelled.append(f"{model} ({', '.join(differing)})" if differing else model)
    return labelled


def _arguments(result: Result) -> str:
    return ", ".join(f"{key}={value}" for key, value in result.model["arguments"].items()) or "no arguments"
