"""With the model it shows whether the ranks of a submission are its ranks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import embeddings, integer_vector, random_collection, vector_scores
from tests.leaderboard.made_submissions import made
from xlbench import models
from xlbench.collection import Collection
from xlbench.engine.scores import VectorScores
from xlbench.engine.search import rank
from xlbench.errors import SubmissionError
from xlbench.leaderboard.bounds import agreement
from xlbench.leaderboard.checks import Checker
from xlbench.leaderboard.deep import DeepSubject, deep_check, detectable_share, model_fault, rows_of, sampled
from xlbench.leaderboard.deep_sample import DeepSample
from xlbench.leaderboard.rounding import Rounding
from xlbench.leaderboard.submission import Submission
from xlbench.measures.ranks import Ranking
from xlbench.models.hash import HashEncoder
from xlbench.models.protocols import Model
from xlbench.models.transform import Debiasing, parse


def collection(seed: int = 0) -> Collection:
    """A small collection with repeated texts and ragged relevance."""
    return random_collection(np.random.default_rng(seed), n_queries=12, n_passages=30)


def noisy(text: str, noise: float) -> np.ndarray:
    """A text's vector as another machine might compute it."""
    exact = np.random.default_rng([*text.encode()]).normal(size=16)
    exact /= np.linalg.norm(exact)
    return (exact + noise * np.random.default_rng([7, *text.encode()]).normal(size=16)).astype(np.float32)


def scores(of: Collection, noise: float = 0.0) -> VectorScores:
    """The scores of such vectors."""
    return VectorScores(*(embeddings(texts, lambda text: noisy(text, noise)) for texts in (of.queries, of.passages)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 1e-6), (1e-7, 1e-5), (1e-4, 1e-2)])
def test_the_ranks_of_the_model_agree(seed, noise, tolerance):
    """Whatever rounding does within the tolerance, the ranks of a model agree with it, with little slack."""
    of = collection(seed)
    found = agreement(rank(of, scores(of), depth=10), of, scores(of, noise), rounding=Rounding(tolerance))
    assert (found.outside, found.n_outside) == ((), 0)
    assert found.slack <= 100 * tolerance


@pytest.mark.parametrize("seed", range(5))
def test_exact_ties_of_integers_agree(seed):
    """With small integers most scores tie; those that are 0 have the order of their ids, and no slack."""
    of = collection(seed)
    exact = vector_scores(of, integer_vector)
    assert agreement(rank(of, exact, depth=10), of, exact, rounding=Rounding(1e-6)).n_outside == 0
    orthogonal = VectorScores(
        embeddings(of.queries, lambda text: np.array([1.0, 0.0], np.float32)),
        embeddings(of.passages, lambda text: np.array([float("1" in text), 0.0], np.float32)),
    )
    found = agreement(rank(of, orthogonal, depth=10), of, orthogonal, rounding=Rounding(1e-6))
    assert found.n_outside == 0
    zero = VectorScores(orthogonal.queries, embeddings(of.passages, lambda text: np.zeros(2, np.float32)))
    found = agreement(rank(of, zero, depth=10), of, zero, rounding=Rounding(1e-6))
    assert (found.n_outside, found.slack) == (0, 0.0)


def test_ranks_of_another_model_do_not_agree():
    """Vectors that differ by more than the tolerance give counts outside of the bounds, which are said."""
    of = collection()
    found = agreement(rank(of, scores(of), depth=10), of, scores(of, 0.1), rounding=Rounding(1e-5))
    assert found.n_outside > 100
    assert len(found.outside) == 5
    assert " are said to be above passage " in found.outside[0]


@pytest.mark.parametrize("change", [-1, 1])
def test_one_count_that_is_off_by_one_is_found(change):
    """Where no passage is near, a single count that is one too high or too low does not agree."""
    of = collection()
    ranking = rank(of, scores(of), depth=10)
    above = ranking.above.copy()
    row = int(np.argmax((above[:, 1] > 2) & (above[:, 1] < 20)))
    above[row, 1] += change
    found = agreement(replace(ranking, above=above), of, scores(of), rounding=Rounding(1e-6))
    assert (found.n_outside, found.queries_outside) == (1, 1)
    assert f": {above[row, 1]} passages in aa are said to be above passage" in found.outside[0]


def test_wrong_best_passages_are_found():
    """The languages of the best passages are compared as well, rank by rank."""
    of = collection()
    ranking = rank(of, scores(of), depth=10)
    top = ranking.top.copy()
    top[2, 0] = (top[2, 0] + 1) % 3
    found = agreement(replace(ranking, top=top), of, scores(of), rounding=Rounding(1e-6))
    assert found.queries_outside == 1
    assert " among the 1 best; the model gives " in found.outside[0]


def test_a_part_of_the_queries_is_compared_with_all_passages():
    """A collection with some of the queries has their pairs and every passage; their ranks are those in the whole."""
    of = collection()
    ranking = rank(of, scores(of), depth=5)
    rows = np.array([1, 4, len(of.queries) - 1])
    part = sampled(of, rows)
    assert list(part.queries.ids) == [of.queries.ids[row] for row in rows]
    assert len(part.passages) == len(of.passages)
    assert rows_of(of, set(part.queries.ids)).tolist() == rows.tolist()
    found = agreement(ranking, part, scores(part), rounding=Rounding(1e-6))
    assert (found.n_queries, found.n_outside) == (3, 0)
    whole = rank(part, scores(part))
    keep = np.isin(of.pairs.query, rows)
    assert whole.above.tolist() == ranking.above[keep].tolist()


@pytest.mark.parametrize(("n", "sample"), [(704, 200), (13_090, 200), (100, 100), (50, 1), (10, 9)])
def test_what_is_detectable_is_stated(n, sample):
    """The least number of wrong queries of which a sample has one with 95 %: one fewer is missed more often."""
    k = round(detectable_share(n, sample) * n)
    missed = [math.comb(n - wrong, sample) / math.comb(n, sample) for wrong in (k - 1, k)]
    assert missed[0] > 0.05 >= missed[1]


def sound(folder) -> Submission:
    """A submission as the check gives it."""
    return Checker().check(folder, lambda submission: submission).extracted


def deep(submission: Submission, subject: DeepSubject, tmp_path, *, sample: int = 60, passages: float = 1.0):
    """The deep check of a sample."""
    drawn = DeepSample(sample, seed=3, passages=passages)
    return deep_check(submission, subject, sample=drawn, data_dir=None, cache_dir=tmp_path)


@pytest.mark.parametrize(
    ("model", "options"),
    [("hash", {}), ("hash", {"transform": "lir:1", "dimensions": 16}), ("bm25", {})],
    ids=["vectors", "transductive transform", "no vectors"],
)
def test_a_model_gives_the_ranks_of_its_submission(tmp_path, model, options):
    """A sample of queries, encoded again with all passages, agrees: of vectors, transformed or not, and of scores."""
    submission = sound(made(tmp_path, model, **options))
    transform = options.pop("transform", None)
    debiasing = Debiasing(parse(transform)) if transform else None
    subject = DeepSubject(replace(models.load(model, arguments=options), debiasing=debiasing))
    found = deep(submission, subject, tmp_path / "again")
    assert (found.problems, found.agreement.n_queries) == ((), 60)
    assert found.agreement.slack < 1


def cheating(submission: Submission, wrong: int) -> Submission:
    """A submission that has the relevant passages of some queries first."""
    judged, above = submission.ranking.judged, submission.ranking.above.copy()
    above[judged.query < wrong] = 0
    return replace(submission, ranking=Ranking(judged, above, submission.ranking.top))


def test_a_tuned_ranking_is_found_out(made_once, tmp_path):
    """Ranks that are better than the model's, for a part of the queries, are found in the sample and said."""
    submission = cheating(sound(made_once), wrong=100)
    found = deep(submission, DeepSubject(models.load("hash")), tmp_path)
    assert 0 < found.agreement.queries_outside < 60
    assert found.problems[-1].endswith("of 60 queries, are not those of the model.")


class Squeezed(HashEncoder):
    """Trigrams plus one large common component: all scores lie within the tolerance of the largest."""

    common = 1e3

    def encode_queries(self, texts):
        """One long vector for all, and a little of the texts' own."""
        vectors = super().encode_queries(texts)
        return np.hstack([vectors, np.full((len(vectors), 1), self.common, np.float32)])

    encode_passages = encode_queries


def test_a_model_that_squeezes_its_scores_cannot_have_invented_ranks(made_once, tmp_path):
    """Within a share of its largest score any ranks would be its own: the slack is refused, and nothing recorded."""
    submission = cheating(sound(made_once), wrong=2000)
    said = dict(submission.result.model)
    squeezed = Model(Squeezed(), "hash", said["arguments"])
    found = deep(submission, DeepSubject(squeezed), tmp_path)
    assert any("a count could be off by" in problem and "nothing is recorded" in problem for problem in found.problems)


@pytest.mark.parametrize("passages", [0.1, 0.5])
def test_a_part_of_the_passages_does_for_an_honest_submission(made_once, tmp_path, passages):
    """The judged passages and a share of the others are encoded, and no others; the submission agrees."""
    checked = deep(sound(made_once), DeepSubject(models.load("hash")), tmp_path, passages=passages)
    assert checked.problems == ()
    assert checked.n_passages < checked.of_passages
    assert checked.agreement.slack < 1


def test_a_part_of_the_passages_shows_a_tuned_ranking(made_once, tmp_path):
    """Relevant passages are said to be first, and passages that beat them are among those that were drawn."""
    submission = cheating(sound(made_once), wrong=2000)
    checked = deep(submission, DeepSubject(models.load("hash")), tmp_path, passages=0.1)
    assert checked.agreement.n_outside > 0
    assert any(
        "passages that were drawn" in problem and "worse than claimed" in problem for problem in checked.problems
    )


@pytest.mark.parametrize(
    ("model", "options", "tolerance", "why"),
    [
        ("bm25", {}, None, "its scores depend on what is in the pool"),
        ("hash", {"transform": "lir:1"}, None, "its transform is fitted"),
        ("hash", {}, 0.02, "in half precision many passages nearly tie"),
    ],
)
def test_what_needs_all_passages_is_not_checked_by_a_part(tmp_path, model, options, tolerance, why):
    """BM25 weighs words by the whole pool, some transforms are fitted on it, and many near ties hide favours."""
    submission = sound(made(tmp_path, model, **options))
    debiasing = Debiasing(parse(options["transform"])) if options else None
    subject = DeepSubject(replace(models.load(model), debiasing=debiasing), tolerance)
    with pytest.raises(SubmissionError, match=f"since {why}.*: leave --passages out"):
        deep(submission, subject, tmp_path / "again", passages=0.1)


def test_alignment_is_that_of_the_model(made_once, tmp_path):
    """What does not follow from ranks is computed again from the vectors: a figure that is not the model's is named."""
    submission = sound(made_once)
    alignment = {**submission.result.alignment, "bitext_accuracy": 0.9}
    submission = replace(submission, result=replace(submission.result, alignment=alignment))
    (problem,) = deep(submission, DeepSubject(models.load("hash")), tmp_path, sample=5).problems
    assert problem.startswith("bitext_accuracy of the alignment is said to be 0.9; the model gives 0.")


def test_another_model_is_refused(made_once, tmp_path):
    """Other arguments, another revision or kind of model is no model to compare with; its name may differ."""
    submission = sound(made_once)
    other = DeepSubject(models.load("hash", arguments={"dimensions": 8}))
    with pytest.raises(
        SubmissionError, match=r"is of another model: its arguments is \{\}, and that of the model at hand"
    ):
        deep(submission, other, tmp_path)
    renamed = HashEncoder()
    renamed.name = "a folder's name"
    said = submission.result.model
    assert model_fault(said, DeepSubject(Model(renamed, "hash", {}))) is None
    assert "its adapter is 'hash'" in model_fault(said, DeepSubject(Model(renamed, "class", {})))
    assert "its transform is None" in model_fault(
        said, DeepSubject(Model(renamed, "hash", {}, debiasing=Debiasing(parse("center"))))
    )


def test_the_tolerance_follows_from_the_precision():
    """Half precision allows more, more so with fewer digits, and the user may say how much."""
    model = models.load("hash")
    assert DeepSubject(model).rounding == Rounding(3e-4)
    assert DeepSubject(replace(model, stored_as="float16")).rounding == Rounding(2e-3)
    halves = [replace(model, arguments={"dtype": name}) for name in ("float16", "bfloat16", "unheard of")]
    assert [DeepSubject(half).rounding.share for half in halves] == [40 / 2**11, 40 / 2**8, 40 / 2**8]
    assert DeepSubject(model, tolerance=0.5).rounding == Rounding(0.5)


def test_ranks_that_lean_are_refused_though_each_is_within_rounding(made_once, tmp_path):
    """With a tolerance that allows any rank, relevant passages that all come first are no rounding."""
    submission = cheating(sound(made_once), wrong=2000)
    shifted = Squeezed()
    shifted.common = 1.0  # No score is 0, which is compared exactly.
    subject = DeepSubject(Model(shifted, "hash", dict(submission.result.model["arguments"])), tolerance=100.0)
    found = deep(
        replace(submission, ranking=replace(submission.ranking, top=submission.ranking.top[:, :0])), subject, tmp_path
    )
    assert found.agreement.n_outside == 0
    assert any(problem.startswith("Over these queries the mean multi AP") for problem in found.problems)
