"""Simulated models that round, honest and other submissions of them, and what a check of a sample says of these.

Vectors are as those of multilingual encoders: one large component that all texts share, a language, a topic, and the
rest. Rounding turns each text's vector a little, by as much as was measured (docs/leaderboard.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from xlbench.collection import Clusters, Collection, Judgement, Text
from xlbench.engine.scores import VectorScores
from xlbench.engine.search import rank
from xlbench.engine.vectors import Embeddings
from xlbench.leaderboard.bounds import Agreement, Claims, agreement
from xlbench.leaderboard.deep import sampled
from xlbench.leaderboard.deep_sample import DeepSample, PassageSample
from xlbench.leaderboard.leaning import Lean, leans
from xlbench.leaderboard.rounding import Rounding
from xlbench.leaderboard.sampled_counts import SampledAgreement, sampled_agreement
from xlbench.measures.ranks import Ranking
from xlbench.settings import KINDS, settings

LANGUAGES = ("ar", "de", "en", "zh")
N_QUESTIONS, N_PASSAGES, N_ARTICLES = 50, 300, 25
DIMENSIONS = 64
TURNS = {"float32": 5e-7, "float16": 8e-4, "bfloat16": 6.5e-3}
"""Length of the difference of two runs' vectors of a text, as a share of the vector's, by precision."""
COLUMNS = (("mono", "AP"), ("cross", "AP"), ("multi", "AP"), ("multi", "RankDistance"), ("multi", "LPR"))


@cache
def collection() -> Collection:
    """50 questions and 300 passages in each of four languages; some passages are copies of another in any language."""
    queries = [Text(f"{name}:{i}", name, f"{name} question {i}?") for name in LANGUAGES for i in range(N_QUESTIONS)]
    passages = [
        Text(f"{name}:p{i}", name, f"copy {i}" if i >= N_QUESTIONS and i % 20 == 0 else f"{name} passage {i}")
        for name in LANGUAGES
        for i in range(N_PASSAGES)
    ]
    judgements = [
        Judgement(query.id, f"{name}:p{query.id.split(':')[1]}", 1) for query in queries for name in LANGUAGES
    ]
    made = Collection.build(LANGUAGES, queries, passages, judgements)
    of_query = tuple(f"article {int(id_.split(':')[1]) % N_ARTICLES}" for id_ in made.queries.ids)
    return replace(made, clusters=Clusters("article", of_query))


@dataclass(frozen=True)
class Simulated:
    """A model: what its vectors are before they are rounded."""

    seed: int = 0
    common: float = 2.0
    """Length of the component that all texts share; a topic has about 1."""

    def scores(self, turn: float, run: int) -> VectorScores:
        """The scores of one run, whose vectors are turned by a share of their length."""
        of = collection()
        rng = np.random.default_rng([self.seed, run])
        topic = np.random.default_rng(self.seed).normal(size=(N_PASSAGES + 1, DIMENSIONS))
        found = []
        for texts in (of.queries, of.passages):
            exact = np.stack([self._vector(texts.text[row], topic) for row in texts.distinct.first])
            exact[:, 0] += self.common * np.sqrt(DIMENSIONS)
            exact /= np.linalg.norm(exact, axis=1, keepdims=True)
            turned = exact + turn / np.sqrt(2 * DIMENSIONS) * rng.normal(size=exact.shape)
            found.append(Embeddings(vectors=turned.astype(np.float32), row=texts.distinct.row))
        return VectorScores(*found)

    def _vector(self, text: str, topic: np.ndarray) -> np.ndarray:
        number = int("".join(filter(str.isdigit, text)))
        own = np.random.default_rng([self.seed, *text.encode()]).normal(size=DIMENSIONS)
        language = np.random.default_rng([self.seed, *text[:2].encode()]).normal(size=DIMENSIONS)
        return topic[number] + 1.1 * own + 0.5 * language


@dataclass(frozen=True)
class Verdict:
    """What a check of a submission says."""

    agreement: Agreement
    leans: tuple[Lean, ...]

    @property
    def refused(self) -> bool:
        """Whether a count or a mean is not the model's."""
        return bool(self.agreement.n_outside or any(lean.is_too_large for lean in self.leans))


def submitted(
    model: Simulated, precision: str, *, run: int, forge: Callable[[Ranking, VectorScores], Ranking] | None = None
) -> Verdict:
    """The verdict on ranks of one run, honest or forged, by the scores of another."""
    of, turn = collection(), TURNS[precision]
    theirs, ours = (model.scores(turn, 2 * run + i) for i in range(2))
    ranking = rank(of, theirs, depth=20)
    if forge:
        ranking = forge(ranking, theirs)
    return verdict(ranking, ours, precision)


def verdict(ranking: Ranking, scores: VectorScores, precision: str) -> Verdict:
    """The verdict on a ranking by scores in a precision."""
    of = collection()
    agreed = agreement(ranking, of, scores, rounding=Rounding.of_precision(precision))
    computed = rank(of, scores, depth=20)
    wanted = settings(KINDS, LANGUAGES)
    return Verdict(agreed, tuple(leans(Claims.of(ranking, of).ranking, computed, wanted, COLUMNS)))


def favoured(share: float) -> Callable[[Ranking, VectorScores], Ranking]:
    """A forgery: each relevant passage before all that score higher by no more than a share of the spread."""

    def forge(ranking: Ranking, scores: VectorScores) -> Ranking:
        of = collection()
        vectors = (np.asarray(each.vectors)[each.row] for each in (scores.queries, scores.passages))
        table = np.matmul(*(next(vectors), next(vectors).T))
        own = table[of.pairs.query, of.pairs.passage]
        margin = share * table.std(axis=1)[of.pairs.query]
        above = np.stack(
            [
                (table[of.pairs.query][:, of.passages.language == code] > (own + margin)[:, None]).sum(axis=1)
                for code in range(len(LANGUAGES))
            ],
            axis=1,
        )
        return replace(ranking, above=np.minimum(above, ranking.above).astype(np.int32))

    return forge


def part_of(scores: VectorScores, sample: DeepSample) -> tuple[PassageSample, VectorScores]:
    """A part of the simulated collection, and its scores."""
    of = collection()
    rows = sample.rows(len(of.queries))
    part = sample.of_passages(sampled(of, rows))
    place = {id_: row for row, id_ in enumerate(of.passages.ids)}
    kept = [place[id_] for id_ in part.collection.passages.ids]
    queries, passages = scores.queries, scores.passages
    return part, replace(
        scores, queries=replace(queries, row=queries.row[rows]), passages=replace(passages, row=passages.row[kept])
    )


def compared(
    forge: Callable[[np.ndarray], np.ndarray] | None = None, *, seed: int = 0, passages: float = 0.1
) -> SampledAgreement:
    """What another run's scores say of 60 queries, with counts that were forged."""
    theirs, ours = (Simulated(seed).scores(TURNS["float32"], 2 * seed + run) for run in range(2))
    ranking = rank(collection(), theirs)
    if forge:
        ranking = replace(ranking, above=forge(ranking.above.copy()).astype(np.int32))
    part, scores = part_of(ours, DeepSample(60, seed, passages))
    return sampled_agreement(ranking, part, scores, rounding=Rounding.of_precision("float32"))


def refused(agreed: SampledAgreement) -> bool:
    """Whether a count or a mean is not the model's."""
    return bool(agreed.agreement.n_outside or any(excess.is_too_large for excess in agreed.excesses))
