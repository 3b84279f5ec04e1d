"""A part of a collection for a first look: whole clusters of questions, and as large a part of the passages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from xlbench.collection.clusters import Clusters, question_of
from xlbench.collection.collection import Collection
from xlbench.collection.judged_pairs import Pairs
from xlbench.collection.sample import Sample
from xlbench.collection.texts import Texts


def drawn(collection: Collection, limit: int) -> Collection:
    """At most ``limit`` questions of a collection, in whole clusters, and the same share of the passages.

    Queries of a cluster are not independent, so that it is drawn whole or not at all; of clusters that are all larger
    than the limit the smallest is drawn. The passages of a language are those that are relevant to a drawn question,
    and as many others as make the pool as much smaller as there are fewer questions. Which ones follows from the
    clusters' names and the number of passages: the same limit gives the same collection, whatever the machine.
    """
    queries, clusters = collection.queries, collection.clusters
    questions: dict[str, set[str]] = {}
    for id_, cluster in zip(queries.ids, clusters.of_query, strict=True):
        questions.setdefault(cluster, set()).add(question_of(id_))
    sizes = {cluster: len(of_it) for cluster, of_it in questions.items()}
    chosen = _clusters(sizes, limit)
    kept = np.array([cluster in chosen for cluster in clusters.of_query], bool)
    n_questions, of_questions = sum(sizes[cluster] for cluster in chosen), sum(sizes.values())
    judged = kept[collection.pairs.query]
    rows = _passages(collection, collection.pairs.passage[judged], (n_questions, of_questions))
    place = np.full(len(collection.passages), -1, np.int64)
    place[rows] = np.arange(len(rows))
    return replace(
        collection,
        queries=_rows(queries, np.flatnonzero(kept)),
        passages=_rows(collection.passages, rows),
        pairs=Pairs(
            query=(np.cumsum(kept) - 1)[collection.pairs.query[judged]].astype(np.int32),
            passage=place[collection.pairs.passage[judged]],
            gain=collection.pairs.gain[judged],
        ),
        clusters=Clusters(clusters.unit, tuple(name for name in clusters.of_query if name in chosen)),
        sample=Sample(limit, n_questions, of_questions, len(rows), len(collection.passages)),
    )


def _clusters(sizes: Mapping[str, int], limit: int) -> set[str]:
    """Clusters that have so many questions together, in an order that only their names decide."""
    ordered = sorted(sizes, key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
    chosen: set[str] = set()
    n_questions = 0
    for cluster in ordered:
        if n_questions + sizes[cluster] <= limit:
            chosen.add(cluster)
            n_questions += sizes[cluster]
    return chosen or {min(ordered, key=lambda name: sizes[name])} if ordered else set()


def _passages(collection: Collection, relevant: npt.NDArray[np.int64], share: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Rows of the passages that are kept, ascending: the relevant ones, and others up to this share of a language.

    The share is a fraction, rounded up: a language that has passages keeps one at least.
    """
    passages = collection.passages
    kept = np.zeros(len(passages), bool)
    kept[relevant] = True
    rng = np.random.default_rng(0)
    for language in range(len(collection.languages)):
        rows = np.arange(len(passages))[passages.rows(language)]
        others = rows[~kept[rows]]
        missing = -(-len(rows) * share[0] // max(1, share[1])) - (len(rows) - len(others))
        if missing > 0:
            kept[rng.choice(others, size=missing, replace=False)] = True
    return np.flatnonzero(kept)


def _rows(texts: Texts, rows: npt.NDArray[np.int64]) -> Texts:
    """These rows, ascending, in memory."""
    return Texts(
        ids=tuple(texts.ids[row] for row in rows.tolist()),
        text=tuple(texts.text[row] for row in rows.tolist()),
        language=texts.language[rows],
    )
