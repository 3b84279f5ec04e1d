"""Values by question, and the weights with which settings make a mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import FloatArray, IntArray
from xlbench.collection.clusters import question_of
from xlbench.measures.values import QueryValues
from xlbench.settings import Kind, Setting


@dataclass(frozen=True)
class Values:
    """The values of settings and measures by question."""

    questions: tuple[str, ...]
    """``[Q]``, sorted."""
    columns: tuple[tuple[Setting, str], ...]
    """``[C]``, setting and measure."""
    value: FloatArray
    """``[Q, C]``, NaN where the setting does not have the question or the measure is not defined for it."""
    cluster: IntArray
    """``[Q]``, which of the ``G`` clusters each question belongs to; all of 0 to G - 1 occur."""

    @classmethod
    def of(cls, per_query: Sequence[QueryValues]) -> Values:
        """The values of queries by question, with the questions' clusters."""
        questions = Questions.of(per_query)
        return cls(questions.names, columns_of(per_query), questions.values(per_query), questions.cluster)


@dataclass(frozen=True)
class Questions:
    """The questions that queries are translations of, and their clusters."""

    names: tuple[str, ...]
    """``[Q]``, sorted."""
    cluster: IntArray
    """``[Q]``, which of the ``G`` clusters each belongs to; all of 0 to G - 1 occur."""
    rows: Mapping[int, Sequence[int]]
    """Which questions the queries of a setting are, by the identity of their ids: settings of a language share them."""

    @classmethod
    def of(cls, per_query: Sequence[QueryValues]) -> Questions:
        """Those of all settings."""
        asked = {id(scores.query): scores for scores in per_query}
        question = {query: question_of(query) for scores in asked.values() for query in scores.query}
        names = sorted(set(question.values()))
        row_of_question = {name: i for i, name in enumerate(names)}
        rows = {key: [row_of_question[question[query]] for query in scores.query] for key, scores in asked.items()}
        named = {q: c for of in asked.values() for q, c in zip(of.query, of.cluster, strict=bool(of.cluster))}
        cluster_of = {question[query]: cluster for query, cluster in named.items()}
        clusters = [cluster_of.get(name, name) for name in names]
        cluster = np.unique(clusters, return_inverse=True)[1] if names else np.zeros(0, np.int64)
        return cls(tuple(names), cluster, rows)

    @property
    def n_clusters(self) -> int:
        """``G``."""
        return int(self.cluster.max(initial=-1)) + 1

    def values(self, per_query: Sequence[QueryValues]) -> FloatArray:
        """The values of some of the settings, a column each of their measures, ``[Q, C]`` with NaN for none."""
        value = np.full((len(self.names), len(columns_of(per_query))), np.nan)
        at = 0
        for scores in per_query:
            for values in scores.values.values():
                value[self.rows[id(scores.query)], at] = values
                at += 1
        return value


def columns_of(per_query: Sequence[QueryValues]) -> tuple[tuple[Setting, str], ...]:
    """Setting and measure of each column, ``[C]``."""
    return tuple((scores.setting, measure) for scores in per_query for measure in scores.values)


def by_cluster(rows: FloatArray, cluster: IntArray) -> FloatArray:
    """The sum of the rows of each cluster, ``[Q, K]`` to ``float64[G, K]``."""
    from scipy.sparse import csr_array

    places = cluster, np.arange(len(cluster))
    members = csr_array((np.ones(len(cluster)), places), shape=(int(cluster.max(initial=-1)) + 1, len(rows)))
    sums: FloatArray = members @ rows
    return sums


def column_means(value: FloatArray) -> FloatArray:
    """The mean of each column over the questions that have a value, ``float64[C]``."""
    present = np.isfinite(value)
    means: FloatArray = np.where(present, value, 0.0).sum(axis=0) / present.sum(axis=0)
    return means


def macro_weights(columns: Sequence[tuple[Setting, str]], chosen: Iterable[int]) -> FloatArray:
    """The weight of each column in the macro mean of the chosen ones, ``float64[C]``; see ``results.summarise``."""
    of_language: dict[str, list[int]] = {}
    for i in chosen:
        of_language.setdefault(columns[i][0].query, []).append(i)
    weights = np.zeros(len(columns))
    for rows in of_language.values():
        weights[rows] = 1 / len(of_language) / len(rows)
    return weights


def summary_weights(columns: Sequence[tuple[Setting, str]]) -> Mapping[tuple[Kind, str], FloatArray]:
    """The weight of each column in the summary of a kind and measure, ``float64[C]``."""
    chosen: dict[tuple[Kind, str], list[int]] = {}
    for i, (setting, measure) in enumerate(columns):
        chosen.setdefault((setting.kind, measure), []).append(i)
    return {key: macro_weights(columns, rows) for key, rows in chosen.items()}
