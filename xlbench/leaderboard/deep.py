"""Checks with the model whether it gives the ranks of a submission, for a random sample of its queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlbench import catalogue
from xlbench.collection import Collection, Pairs, Texts
from xlbench.errors import SubmissionError
from xlbench.leaderboard.board import columns_of
from xlbench.leaderboard.bounds import Agreement, Claims, agreement
from xlbench.leaderboard.deep_sample import DeepSample
from xlbench.leaderboard.leaning import leans
from xlbench.leaderboard.rounding import STORED_SHARE, Rounding
from xlbench.leaderboard.sampled_counts import sampled_agreement
from xlbench.leaderboard.submission import Submission
from xlbench.models.protocols import Model, Scorer
from xlbench.settings import settings
from xlbench.support.progress import Progress, silent

if TYPE_CHECKING:
    from xlbench.engine.scores import Scores

_CERTAIN = 0.95
_ALIGNMENT_TOLERANCE = 2e-3
_MOST_SLACK = 0.05
"""By how much a count may be off in the mean, as a share of a language's passages, for a check to say anything."""


@dataclass(frozen=True)
class DeepSubject:
    """The model to compare with."""

    model: Model
    tolerance: float | None = None
    """As a share of the spread of a query's scores; None for that of the model's precision."""

    @property
    def rounding(self) -> Rounding:
        """By how much two scores may differ and be the same."""
        return Rounding.of(self.model) if self.tolerance is None else Rounding(self.tolerance)


@dataclass(frozen=True)
class DeepCheck:
    """What a sample of queries says."""

    agreement: Agreement
    problems: tuple[str, ...]
    """Why the ranks are not those of the model, a sentence each; empty if they are."""
    detectable: float
    """If at least this share of the queries had other ranks, the sample would have had one with 95 % certainty."""
    n_passages: int
    """How many passages were compared."""
    of_passages: int
    """How many there are."""


def model_fault(said: Mapping[str, Any], subject: DeepSubject) -> str | None:
    """In what the model of a result is not the one at hand; None if it is. Its name may differ, as of a folder's."""
    ours = subject.model.identity()
    for key in sorted((said.keys() | ours.keys()) - {"name"}):
        if said.get(key) != ours.get(key):
            return f"its {key} is {said.get(key)!r:.200}, and that of the model at hand {ours.get(key)!r:.200}"
    return None


def deep_check(
    submission: Submission,
    subject: DeepSubject,
    *,
    sample: DeepSample,
    data_dir: Path | None,
    cache_dir: Path,
    progress: Progress = silent,
) -> DeepCheck:
    """Whether the model gives the ranks of a sample of queries, by all passages or by a sample of them.

    The submission must be sound.

    Raises:
        SubmissionError: if the evidence is of another model, or of one whose scores depend on all passages and there is
            a sample of them.
        EncoderError: if the model gives unusable vectors.
        DataError: if the data cannot be read.

    """
    if fault := model_fault(submission.result.model, subject):
        raise SubmissionError(f"{submission.folder} is of another model: {fault}.")
    judged = submission.ranking.judged
    rows = sample.rows(len(judged.query_ids))
    if not sample.is_whole:
        _refuse_sample(submission, subject)
    whole = catalogue.read_collection(
        submission.task, languages=judged.languages, data_dir=data_dir, cache_dir=cache_dir
    )
    chosen = rows_of(whole, {judged.query_ids[row] for row in rows.tolist()})
    compare = _with_all_passages if sample.is_whole else _with_a_sample
    agreed, problems, n_passages = compare(_Work(submission, subject, whole, chosen, sample, cache_dir, progress))
    n_in_each = len(whole.passages) / max(1, len(whole.pooled))
    return DeepCheck(
        agreement=agreed,
        problems=(*_ranks_faults(agreed), *_slack_faults(agreed, n_in_each), *problems),
        detectable=detectable_share(len(judged.query_ids), len(rows)),
        n_passages=n_passages,
        of_passages=len(whole.passages),
    )


@dataclass(frozen=True)
class _Work:
    """What is compared."""

    submission: Submission
    subject: DeepSubject
    whole: Collection
    chosen: npt.NDArray[np.int64]
    """Rows of the queries that were drawn."""
    sample: DeepSample
    cache_dir: Path
    progress: Progress

    def scores(self, collection: Collection) -> Scores:
        """The model's scores of a collection."""
        from xlbench.engine.model_scores import score_collection

        return score_collection(collection, self.subject.model, cache_dir=self.cache_dir, progress=self.progress)


def _with_all_passages(work: _Work) -> tuple[Agreement, list[str], int]:
    """The agreement with the scores of all passages, what else is wrong, and how many passages that were."""
    from xlbench.engine.alignment import align
    from xlbench.engine.scores import VectorScores

    submission, subject = work.submission, work.subject
    some = sampled(work.whole, work.chosen)
    transductive = _is_transductive(subject.model)
    scores = work.scores(work.whole if transductive else some)
    if transductive and isinstance(scores, VectorScores):
        scores = replace(scores, queries=replace(scores.queries, row=scores.queries.row[work.chosen]))
    agreed = agreement(submission.ranking, some, scores, rounding=subject.rounding)
    aligned = align(work.whole, scores.passages) if isinstance(scores, VectorScores) else {}
    problems = [
        *(_lean_faults(submission, some, scores) if not agreed.n_outside else ()),
        *_alignment_faults(submission.result.alignment, aligned),
    ]
    return agreed, problems, len(work.whole.passages)


def _with_a_sample(work: _Work) -> tuple[Agreement, list[str], int]:
    """The same with the scores of the judged passages and a sample of the others."""
    part = work.sample.of_passages(sampled(work.whole, work.chosen))
    agreed = sampled_agreement(
        work.submission.ranking, part, work.scores(part.collection), rounding=work.subject.rounding
    )
    problems = [f"{excess}." for excess in agreed.excesses if excess.is_too_large]
    return agreed.agreement, problems, len(part.collection.passages)


def _is_transductive(model: Model) -> bool:
    """Whether a transform is fitted on the evaluated texts, and needs all of them."""
    return model.debiasing is not None and model.debiasing.fit_on is None


def _refuse_sample(submission: Submission, subject: DeepSubject) -> None:
    """A sample of the passages must have the scores that they have among all, and tell them apart."""
    model = subject.model
    if _is_transductive(model):
        why = "its transform is fitted on the evaluated texts"
    elif isinstance(model.encoder, Scorer):
        why = "its scores depend on what is in the pool, and it encodes nothing"
    elif subject.rounding.share > STORED_SHARE:
        why = "in half precision many passages nearly tie, and who favours some of them shows among all only"
    else:
        return
    raise SubmissionError(
        f"{submission.folder} cannot be checked by a sample of the passages, since {why}: leave --passages out."
    )


def rows_of(collection: Collection, ids: Set[str]) -> npt.NDArray[np.int64]:
    """The rows of the queries that have these ids, ascending."""
    return np.array([row for row, id_ in enumerate(collection.queries.ids) if id_ in ids], np.int64)


def sampled(collection: Collection, rows: npt.NDArray[np.int64]) -> Collection:
    """The collection with some of its queries, given as ascending rows, and all its passages."""
    queries, pairs = collection.queries, collection.pairs
    chosen = np.isin(pairs.query, rows)
    return replace(
        collection,
        queries=Texts(
            ids=[queries.ids[row] for row in rows.tolist()],
            text=[queries.text[row] for row in rows.tolist()],
            language=queries.language[rows],
        ),
        clusters=replace(
            collection.clusters, of_query=tuple(collection.clusters.of_query[row] for row in rows.tolist())
        ),
        pairs=Pairs(
            query=np.searchsorted(rows, pairs.query[chosen]).astype(np.int32),
            passage=pairs.passage[chosen],
            gain=pairs.gain[chosen],
        ),
    )


def detectable_share(n_queries: int, sample: int) -> float:
    """The least share of wrong queries of which a sample has one with 95 % certainty.

    Without replacement the chance to miss all k of N wrong ones is C(N - k, n) / C(N, n) (hypergeometric).
    """
    missed, k = 1.0, 0
    while missed > 1 - _CERTAIN and k < n_queries:
        missed *= max(n_queries - k - sample, 0) / (n_queries - k)
        k += 1
    return k / n_queries


def _ranks_faults(agreed: Agreement) -> Iterator[str]:
    for outside in agreed.outside:
        yield f"{outside[0].upper()}{outside[1:]}."
    if agreed.n_outside:
        yield (
            f"{agreed.n_outside:,} of {agreed.n_counts:,} counts, of {agreed.queries_outside:,} of "
            f"{agreed.n_queries:,} queries, are not those of the model."
        )


def _slack_faults(agreed: Agreement, n_passages: float) -> Iterator[str]:
    """A model that squeezes its scores together would have any ranks within the tolerance."""
    if agreed.slack > _MOST_SLACK * n_passages:
        yield (
            f"Its scores lie so close together that within rounding a count could be off by {agreed.slack:,.2f} of "
            f"{n_passages:,.0f} passages in the mean; expected at most {_MOST_SLACK:.0%}. The check says nothing then, "
            "and nothing is recorded."
        )


def _lean_faults(submission: Submission, some: Collection, scores: Scores) -> Iterator[str]:
    """Ranks that are within rounding one by one, and better than the model's all the same."""
    from xlbench.engine.search import rank

    task, claimed = submission.task, Claims.of(submission.ranking, some).ranking
    asked = [some.languages[code] for code in np.unique(some.queries.language).tolist()]
    wanted = settings(task.settings, asked, pooled=some.pooled)
    computed = rank(some, scores, depth=claimed.top.shape[1])
    for lean in leans(claimed, computed, wanted, columns_of(task.headline)):
        if lean.is_too_large:
            yield f"{lean}."


def _alignment_faults(claimed: Mapping[str, Any], recomputed: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted((claimed.keys() | recomputed.keys()) - {"bitext"}):
        theirs, ours = claimed.get(name), recomputed.get(name)
        near = theirs is ours if theirs is None or ours is None else abs(theirs - ours) <= _ALIGNMENT_TOLERANCE
        if not near:
            yield f"{name} of the alignment is said to be {theirs}; the model gives {ours}."
