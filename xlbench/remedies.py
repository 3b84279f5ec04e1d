"""remedies: what can be done about a mixed index without training, each measured on one's own data and model.

All of it is computed from the vectors that are there: the lists of each language from one count, the others from scores
that are counted once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from xlbench import measures
from xlbench.collection import Collection
from xlbench.comparison import Comparison
from xlbench.comparison.compare import compare_labelled
from xlbench.engine.merged_lists import pooled
from xlbench.engine.model_scores import debiased, score_collection, vectors_of
from xlbench.engine.normalised_scores import NormalisedScores
from xlbench.engine.ranking import Places, ranking_of
from xlbench.engine.scores import Scores, VectorScores
from xlbench.engine.search import best_of_all
from xlbench.errors import DataError, UsageError
from xlbench.evaluation import result_of
from xlbench.job import Job
from xlbench.measures.ranks import Ranking
from xlbench.models import load, pooling, transform
from xlbench.models.fused import Fusion
from xlbench.models.kinds import KINDS as KINDS_OF_MODELS
from xlbench.models.pooling import Pooling
from xlbench.models.protocols import Model, Scorer
from xlbench.models.transform import Debiasing, FitOn
from xlbench.results import Result
from xlbench.settings import Kind
from xlbench.support.progress import Progress, silent

NONE = "one index"
_KINDS: tuple[Kind, ...] = ("mono", "multi")
_DEPTH = 20
_SOURCE = "en"
_LISTS = ("round-robin", "balanced:10", "own-first")
_NORMALISED = ("z-score", "min-max")


@dataclass(frozen=True)
class Remedy:
    """One way to search passages of several languages, with what it asks of an index."""

    name: str
    at_index: str
    """What has to be done when passages are indexed."""
    at_query: str
    """What has to be done with each query."""
    result: Result


@dataclass(frozen=True)
class Remedies:
    """The remedies of a model on a task, the one index that is to be mended first."""

    model: str
    remedies: tuple[Remedy, ...]
    comparison: Comparison
    """Of the means of each remedy with those of one index."""
    measures: tuple[str, ...]
    left_out: tuple[str, ...]
    """Why some remedies are not among them, a sentence each."""


def remedies(
    model: Model,
    job: Job,
    collection: Collection,
    *,
    fit_on: FitOn | None = None,
    cache_dir: Path | None = None,
    progress: Progress = silent,
) -> Remedies:
    """What each remedy does to a model's ranking of a job's collection, against one index that holds all passages.

    Transforms are fitted on parallel text, or on the evaluated texts themselves.

    Raises:
        UsageError: if there is but one language, or the model already has a remedy.
        EncoderError: if the model cannot be loaded or gives unusable vectors.
        DataError: if a transform cannot be fitted on the parallel text.

    """
    if model.debiasing or model.pooling or isinstance(model.encoder, Fusion):
        raise UsageError(f"{model.name} is a remedy already: name the plain model, and it is among what is tried.")
    if "multi" not in job.kinds:
        raise UsageError(f"{job.task.name} has no multilingual setting, and so no index of several languages to mend.")
    if len(collection.pooled) < 2:
        raise UsageError(
            f"The passages are in {', '.join(collection.pooled)} alone; expected two languages or more in one index."
        )
    kinds = tuple(kind for kind in _KINDS if kind in job.kinds)
    job = replace(job, task=replace(job.task, measures=measures.OF_REMEDIES), kinds=kinds)
    work = _Work(job, collection, model, fit_on, cache_dir, progress)
    tried = tuple(work.remedies())
    names = [remedy.name for remedy in tried]
    common = [m for m in measures.OF_REMEDIES if all(m in remedy.result.summary["multi"] for remedy in tried)]
    comparison = compare_labelled(
        [remedy.result for remedy in tried], names, names=names, measures=common, means_only=True
    )
    return Remedies(model.name, tried, comparison, tuple(common), tuple(work.left_out()))


@dataclass(frozen=True)
class _Work:
    """What all remedies are made from."""

    job: Job
    collection: Collection
    model: Model
    fit_on: FitOn | None
    cache_dir: Path | None
    progress: Progress
    not_fitted: list[str] = field(default_factory=list)
    """Why some transforms could not be fitted, a sentence each."""

    def remedies(self) -> Iterator[Remedy]:
        """One remedy after the other, one index first."""
        n = len(self.collection.pooled)
        scores = self._scores(self.model, self.collection)
        plain = self._ranking(scores, by_language=True)
        yield self._remedy(NONE, self.model, plain, "nothing", "one search")
        yield from self._debiased(scores, n)
        for name in _LISTS:
            searches = "two" if name == "own-first" else n
            at_query = f"the query's language, {searches} searches"
            yield self._merged(name, self.model, plain, "an index for each language", at_query)
        for name in _NORMALISED:
            way = _pooling(name)
            ranking = self._ranking(NormalisedScores.of(self.collection, scores, way))
            at_query = f"{n} searches, the scores of all passages"
            yield self._remedy(name, replace(self.model, pooling=way), ranking, "an index for each language", at_query)
        if _bm25.installed and self.model.adapter != _bm25.adapter:
            fused = _fused(self.model)
            ranking = self._ranking(self._scores(fused, self.collection))
            yield self._remedy("fusion with bm25", fused, ranking, "a second index", "two searches")

    def left_out(self) -> Iterator[str]:
        """Why some remedies cannot be tried."""
        yield from self.not_fitted
        if isinstance(self.model.encoder, Scorer):
            yield f"{self.model.name} gives no vectors, so that no transform can change them."
        elif self._shift is None:
            yield f"shift moves passages to the vectors of {_SOURCE!r}, in which there are no texts."
        if not _bm25.installed:
            yield f"Fusion with bm25 needs more packages: {_bm25.install}."

    @property
    def _shift(self) -> Debiasing | None:
        known = self.fit_on is not None or _SOURCE in self.collection.pooled
        return Debiasing(transform.parse(f"shift:{_SOURCE}"), self.fit_on) if known else None

    def _debiased(self, scores: Scores, n: int) -> Iterator[Remedy]:
        vectors = vectors_of(scores)
        if vectors is None:
            return
        fitted = vectors, self.collection
        if self.fit_on is not None:
            texts = self.fit_on.read(tuple(dict.fromkeys([*self.collection.languages, _SOURCE])))
            of_texts = vectors_of(self._scores(self.model, texts))
            fitted = (of_texts or vectors), texts
        both = "each passage's language, vectors changed once", "the query's language, one search"
        for name in ("center", "lir:1"):
            debiasing = Debiasing(transform.parse(name), self.fit_on)
            model = replace(self.model, debiasing=debiasing)
            changed = self._changed(vectors, debiasing, fitted)
            if changed is None:
                continue
            ranking = self._ranking(changed, by_language=True)
            yield self._remedy(name, model, ranking, *both)
            if name == "center":
                at_index = "each passage's language, vectors changed once, an index for each"
                at_query = f"the query's language, {n} searches"
                yield self._merged("round-robin", model, ranking, at_index, at_query, title="center, round-robin")
        if self._shift and (changed := self._changed(vectors, self._shift, fitted)) is not None:
            ranking = self._ranking(changed)
            yield self._remedy("shift", replace(self.model, debiasing=self._shift), ranking, both[0], "one search")

    def _changed(
        self, vectors: VectorScores, debiasing: Debiasing, fitted: tuple[VectorScores, Collection]
    ) -> VectorScores | None:
        """The vectors debiased; None if a language has too few texts to fit it, as one of one's own index may.

        Raises:
            DataError: if it cannot be fitted on parallel text.

        """
        try:
            return debiased(vectors, self.collection, debiasing, fitted)
        except DataError as error:
            if self.fit_on is not None:
                raise
            self.not_fitted.append(f"{debiasing.transform}: {error}")
            return None

    def _merged(
        self, name: str, model: Model, ranking: Ranking, at_index: str, at_query: str, *, title: str = ""
    ) -> Remedy:
        """The lists of each language of a ranking made one."""
        way = _pooling(name)
        merged = pooled(ranking, way, depth=_DEPTH)
        if merged.best:
            top, lists = best_of_all(self.collection, merged.judged, merged.best, _DEPTH)
            merged = replace(merged, top=top, lists=lists)
        return self._remedy(title or name, replace(model, pooling=way), merged, at_index, at_query)

    def _remedy(self, name: str, model: Model, ranking: Ranking, at_index: str, at_query: str) -> Remedy:
        result = result_of(self.job, self.collection, model, ranking)
        return Remedy(name, at_index, at_query, replace(result, ranking=None))

    def _scores(self, model: Model, collection: Collection) -> Scores:
        return score_collection(collection, model, cache_dir=self.cache_dir, progress=self.progress)

    def _ranking(self, scores: Scores, *, by_language: bool = False) -> Ranking:
        places = Places(_DEPTH if by_language else 0, _DEPTH, in_languages=True, pooled=by_language)
        places.check_memory(self.collection)
        return ranking_of(self.collection, scores, places=places, whole=True, progress=self.progress)


_bm25 = next(kind for kind in KINDS_OF_MODELS if kind.adapter == "bm25")


def _pooling(name: str) -> Pooling:
    way = pooling.parse(name)
    if way is None:
        raise ValueError(f"{name} is one index")
    return way


def _fused(model: Model) -> Model:
    """The model fused with bm25, as ``fusion:MODEL+bm25`` is."""
    return Model(Fusion((model, load("bm25"))), "fusion", {"method": "rrf", "k": 60, "weight": 0.5}, fingerprint=None)
