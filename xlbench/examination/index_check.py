"""index_check: what is wrong with one's own mixed index, without parallel text and without judgements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xlbench import measures
from xlbench.arrays import BoolArray, FloatArray
from xlbench.collection import Collection
from xlbench.engine.language_clusters import LanguageClusters, Neighbours
from xlbench.engine.model_scores import debiased, score_collection, vectors_of
from xlbench.engine.scores import VectorScores
from xlbench.errors import DataError, EncoderError, UsageError
from xlbench.evaluation import evaluate_collection
from xlbench.examination.own_index import UNKNOWN, OwnIndex
from xlbench.job import Job
from xlbench.models import load, transform
from xlbench.models.protocols import Model
from xlbench.models.transform import Debiasing
from xlbench.results import Result
from xlbench.settings import Setting
from xlbench.support.machine import cache_folder
from xlbench.support.progress import Progress, display, silent

NEIGHBOURS = 10
FIRST = 10
SAMPLE = 1000
"""Passages whose neighbours are looked for: enough for the second decimal, and seconds in an index of a million."""


@dataclass(frozen=True)
class PassagesOf:
    """The passages of a language among the others."""

    language: str
    n_passages: int
    own: float | None
    """Share of the nearest passages of its sampled passages that are in the language; None if none was sampled."""
    expected: float | None
    """What it would be if language did not matter."""
    n_sampled: int


@dataclass(frozen=True)
class QueriesOf:
    """What queries of a language find."""

    language: str
    n_queries: int
    own: float
    """Share of their first passages that are in their language."""
    expected: float
    """The language's share of the index."""


@dataclass(frozen=True)
class LanguageLean:
    """How far vectors lie by language."""

    variance: float
    """The share of their variance that the languages explain."""
    purity: float
    """The share of a passage's nearest passages that are in its language."""
    first: float | None
    """The share of a query's first passages that are in its language; None without queries."""


@dataclass(frozen=True)
class KnownPassage:
    """Queries whose known passage is in their own language, or in another."""

    own: bool
    n_queries: int
    alone: Mapping[str, float]
    """By measure: where the passage's language alone is the index."""
    mixed: Mapping[str, float]
    """The same in the whole index."""


@dataclass(frozen=True)
class IndexCheck:
    """What is wrong with an index of several languages."""

    model: str
    index: OwnIndex
    passages: tuple[PassagesOf, ...]
    queries: tuple[QueriesOf, ...]
    plain: LanguageLean
    centred: LanguageLean
    """Without each language's mean vector, fitted on the same texts."""
    expected: LanguageLean
    """If language did not matter, by the sizes of the languages alone."""
    known: tuple[KnownPassage, ...]
    """Empty unless queries name the passage that answers them."""
    result: Result | None
    """Of these queries, by the usual evaluation."""

    @property
    def strength(self) -> float:
        """How much of what is possible beyond chance the neighbours lie by language: 0 not at all, 1 wholly."""
        return (self.plain.purity - self.expected.purity) / (1 - self.expected.purity)


def index_check(
    index: str | Path,
    model: object = None,
    *,
    queries: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    vectors: str | Path | None = None,
    limit: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: str | None = None,
    cache: str | Path | None = "default",
    quiet: bool = False,
) -> IndexCheck:
    """How far an index of several languages keeps them apart, and what its queries do not find for it.

    Args:
        index: A parquet, CSV or JSONL file with a text a row, a folder of such files, or one in BEIR form.
        model: As ``evaluate`` takes it; it must give one dense vector a text. None where ``vectors`` are given.
        queries: A file with a query a row, with the ``passage_id`` that answers it where that is known.
        columns: Which column has the ``text``, the ``id`` and the ``language`` of a passage.
        vectors: The index's own: a ``.npy`` file with one for each row, or the name of a column with them, of the
            index and of the queries.
        limit: How many passages to draw; all if it is not given.
        arguments: Arguments of the model.
        device: Where the model runs.
        cache: Folder of stored vectors; None keeps none.
        quiet: Show no progress.

    Raises:
        DataError: For a file that cannot be read, or an index that is too small or in one language.
        EncoderError: For a model that cannot be loaded, or gives no dense vectors.
        UsageError: If there is neither a model nor vectors, or both.

    """
    if (model is None) == (vectors is None):
        raise UsageError("Expected a model that encodes the index, or vectors that it has of its own.")
    own = OwnIndex.read(
        Path(index),
        queries=Path(queries) if queries else None,
        columns=columns,
        limit=limit,
        vectors=None if vectors is None else str(vectors),
    )
    progress = silent if quiet else display(Path(index).name, quiet=False)
    loaded = load(own.vectors or model, device=device, arguments=arguments)
    return check_index(own, loaded, cache_dir=cache_folder(cache), progress=progress)


def check_index(index: OwnIndex, model: Model, *, cache_dir: Path | None, progress: Progress = silent) -> IndexCheck:
    """How far a model's vectors of an index lie by language; see ``index_check``.

    Raises:
        DataError: if there are too few passages to have so many neighbours.
        EncoderError: if the model gives no dense vectors.

    """
    collection = index.collection
    if (n := len(collection.passages.distinct)) <= NEIGHBOURS:
        raise DataError(
            f"The index has {n:,} different passages; expected {NEIGHBOURS + 1} at least, so that each has "
            f"{NEIGHBOURS} neighbours."
        )
    vectors = vectors_of(score_collection(collection, model, cache_dir=cache_dir, progress=progress))
    if vectors is None:
        raise EncoderError(
            f"{model.name} does not give one dense vector a text, so that there are no neighbours to look at: name a "
            "model that does."
        )
    plain = _Seen.of(collection, vectors)
    centre = Debiasing(transform.parse("center"), None, of="both" if len(collection.queries) else "passages")
    centred = _Seen.of(collection, debiased(vectors, collection, centre, (vectors, collection)))
    result = _evaluated(collection, model, cache_dir, progress) if len(collection.pairs) else None
    return IndexCheck(
        model.name,
        index,
        tuple(plain.passages()),
        tuple(plain.queries()),
        plain.lean,
        centred.lean,
        plain.expected,
        tuple(_known(result)) if result else (),
        result,
    )


@dataclass(frozen=True)
class _Seen:
    """What is counted of vectors, as they are or centred."""

    collection: Collection
    clusters: LanguageClusters
    known: BoolArray
    """``[L]``, which of the languages are known."""
    neighbours: Neighbours
    first: FloatArray
    """``[Q]``, the share of each query's first passages that are in its language."""

    @classmethod
    def of(cls, collection: Collection, scores: VectorScores) -> _Seen:
        known = np.array([language != UNKNOWN for language in collection.languages])
        clusters = LanguageClusters.of(collection.passages, scores.passages)
        first = clusters.first(scores.queries.vectors[:], FIRST)[scores.queries.row]
        return cls(
            collection,
            clusters,
            known,
            clusters.neighbours(known, k=NEIGHBOURS, sample=SAMPLE),
            (first == collection.queries.language[:, None]).mean(axis=1),
        )

    @property
    def lean(self) -> LanguageLean:
        first = float(self.first.mean()) if len(self.first) else None
        return LanguageLean(self.clusters.variance(self.known), float(self.neighbours.own.mean()), first)

    @property
    def expected(self) -> LanguageLean:
        """By the sizes of the languages alone."""
        n_texts = int(self.known[self.clusters.language].sum())
        n_languages = len(np.unique(self.clusters.language[self.known[self.clusters.language]]))
        first = float(self._shares[self.collection.queries.language].mean()) if len(self.first) else None
        return LanguageLean((n_languages - 1) / (n_texts - 1), float(self.neighbours.expected.mean()), first)

    @property
    def _shares(self) -> FloatArray:
        """``[L]``, of the different passages."""
        sizes = np.bincount(self.clusters.language, minlength=len(self.collection.languages))
        shares: FloatArray = sizes / sizes.sum()
        return shares

    def passages(self) -> Iterator[PassagesOf]:
        """By language, the largest first."""
        sizes = np.bincount(self.collection.passages.language, minlength=len(self.collection.languages))
        for code in np.argsort(-sizes, kind="stable").tolist():
            mine = self.neighbours.language == code
            own, expected = (
                float(of[mine].mean()) if mine.any() else None for of in (self.neighbours.own, self.neighbours.expected)
            )
            if sizes[code]:
                yield PassagesOf(self.collection.languages[code], int(sizes[code]), own, expected, int(mine.sum()))

    def queries(self) -> Iterator[QueriesOf]:
        """By language, in the order of the collection."""
        for code, language in enumerate(self.collection.languages):
            mine = self.collection.queries.language == code
            if mine.any():
                yield QueriesOf(language, int(mine.sum()), float(self.first[mine].mean()), float(self._shares[code]))


def _evaluated(collection: Collection, model: Model, cache_dir: Path | None, progress: Progress) -> Result:
    """The result of the queries whose passage is known, as of any other task."""
    job = Job.of(collection)
    task = replace(job.task, name="your queries", measures=measures.OF_KNOWN_PASSAGES, headline=measures.FIRST_RANKS)
    return evaluate_collection(replace(job, task=task), collection, model, cache_dir=cache_dir, progress=progress)


def _known(result: Result) -> Iterator[KnownPassage]:
    """Queries whose passage is in their language, and those whose passage is in another, alone and in the pool."""
    of_setting = {values.setting: values for values in result.per_query}
    for kind, own in (("mono", True), ("cross", False)):
        alone: dict[str, list[float]] = {measure: [] for measure in _OF_BOTH}
        mixed: dict[str, list[float]] = {measure: [] for measure in _OF_BOTH}
        for setting, values in of_setting.items():
            if setting.kind != kind:
                continue
            pool = of_setting[Setting(setting.query, None)]
            place = {query: i for i, query in enumerate(pool.query)}
            rows = [place[query] for query in values.query]
            for measure in _OF_BOTH:
                alone[measure] += values.values[measure].tolist()
                mixed[measure] += pool.values[measure][rows].tolist()
        if n := len(alone[_OF_BOTH[0]]):
            yield KnownPassage(own, n, *({m: sum(v) / n for m, v in of.items()} for of in (alone, mixed)))


_OF_BOTH = (measures.FIRST_RANK, measures.FIRST_RANKS)
