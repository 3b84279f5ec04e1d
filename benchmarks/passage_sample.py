"""How often a deep check with a part of the passages refuses forged ranks of a model, and how often honest ones.

The forgeries are worth little, since large ones are found by any check. The model's vectors are computed once; each
trial draws other queries and passages. With --synthetic the model is one whose vectors are drawn at random, with some
skill.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import common
import numpy as np

from xlbench import catalogue, models
from xlbench.collection import Collection
from xlbench.engine.model_scores import score_collection
from xlbench.engine.scores import VectorScores
from xlbench.engine.search import rank
from xlbench.engine.vectors import Embeddings
from xlbench.leaderboard.deep import sampled
from xlbench.leaderboard.deep_sample import DeepSample
from xlbench.leaderboard.rounding import Rounding
from xlbench.leaderboard.sampled_counts import SampledAgreement, sampled_agreement
from xlbench.measures.ranks import Ranking
from xlbench.results.from_ranking import score
from xlbench.settings import settings

_DIMENSIONS = 128
Forgery = Callable[[Ranking, np.random.Generator], np.ndarray]
"""Gives other counts, ``[Nr, L]``."""


def first(ranking: Ranking, rng: np.random.Generator, *, share: float) -> np.ndarray:
    """All relevant passages of a share of the queries before all others."""
    above, before = ranking.above.copy(), relevant_before(ranking)
    asked = _asked(ranking, rng, share)
    above[asked] = before[asked]
    return above


def best_first(ranking: Ranking, rng: np.random.Generator, *, share: float) -> np.ndarray:
    """The best relevant passage of a share of the queries before all others."""
    above, total = ranking.above.copy(), ranking.above.sum(axis=1)
    order = np.lexsort((total, ranking.judged.query))
    best = order[np.flatnonzero(np.diff(ranking.judged.query[order], prepend=-1))]
    above[best[_asked(ranking, rng, share)[best]]] = 0
    return above


def fewer(ranking: Ranking, _: np.random.Generator, *, factor: float) -> np.ndarray:
    """So many of the passages before each, rounded up: what had one before it still has."""
    return np.ceil(ranking.above * factor - 1e-9).astype(np.int32)


def one_fewer(ranking: Ranking, rng: np.random.Generator, *, share: float) -> np.ndarray:
    """One passage fewer before each relevant one of a share of the queries, of the language with the most."""
    above = ranking.above.copy()
    rows = np.flatnonzero(_asked(ranking, rng, share) & (above.max(axis=1) > 0))
    above[rows, above[rows].argmax(axis=1)] -= 1
    return above


def relevant_before(ranking: Ranking) -> np.ndarray:
    """How many relevant passages of each language rank before each pair's, ``[Nr, L]``."""
    judged, total = ranking.judged, ranking.above.sum(axis=1)
    order = np.lexsort((total, judged.query))
    one = np.eye(len(judged.languages), dtype=np.int32)[judged.passage_language[order]]
    counted = np.cumsum(one, axis=0) - one
    starts = np.searchsorted(judged.query[order], judged.query[order])
    before = np.empty_like(counted)
    before[order] = counted - counted[starts]
    return before


def claimed(ranking: Ranking, forgery: Forgery) -> Ranking:
    """A ranking with other counts, but where they would be those of no ranking."""
    above = forgery(ranking, np.random.default_rng(1)).astype(np.int32)
    possible = above.sum(axis=1) >= relevant_before(ranking).sum(axis=1)
    return replace(ranking, above=np.where(possible[:, None], above, ranking.above))


def _asked(ranking: Ranking, rng: np.random.Generator, share: float) -> np.ndarray:
    """The pairs of a share of the queries."""
    return (rng.random(len(ranking.judged.query_ids)) < share)[ranking.judged.query]


FORGERIES: dict[str, Forgery] = {
    "none": lambda ranking, _: ranking.above,
    "all relevant first, 1 % of queries": partial(first, share=0.01),
    "best relevant first, 2 % of queries": partial(best_first, share=0.02),
    "best relevant first, 5 % of queries": partial(best_first, share=0.05),
    "best relevant first, 10 % of queries": partial(best_first, share=0.1),
    "a passage fewer before each, 10 % of queries": partial(one_fewer, share=0.1),
    "a passage fewer before each, 50 % of queries": partial(one_fewer, share=0.5),
    "9 of 10 passages before each": partial(fewer, factor=0.9),
    "three of four passages before each": partial(fewer, factor=0.75),
    "half of the passages before each": partial(fewer, factor=0.5),
    "twice the passages before each": partial(fewer, factor=2.0),
}


@dataclass(frozen=True)
class Trials:
    """A model on a task, and what submissions of it claim."""

    collection: Collection
    scores: VectorScores
    claims: dict[str, Ranking]

    def verdicts(self, sample: DeepSample, rounding: Rounding) -> Iterator[tuple[str, SampledAgreement, int]]:
        """What one sample says of each claim, and how many passages it has."""
        of = self.collection
        rows = sample.rows(len(of.queries))
        part = sample.of_passages(sampled(of, rows))
        place = {id_: row for row, id_ in enumerate(of.passages.ids)}
        passages = self.scores.passages
        scores = replace(
            self.scores,
            queries=replace(self.scores.queries, row=self.scores.queries.row[rows]),
            passages=replace(passages, row=passages.row[[place[id_] for id_ in part.collection.passages.ids]]),
        )
        for name, claim in self.claims.items():
            agreed = sampled_agreement(claim, part, scores, rounding=rounding)
            yield name, agreed, len(part.collection.passages)


def synthetic(collection: Collection, *, skill: float) -> VectorScores:
    """Vectors of texts that share a component of their question, their language and all texts, and hubs among them."""
    rng = np.random.default_rng(0)
    names = sorted({id_.rpartition(":")[2] for id_ in collection.queries.ids})
    topic = dict(zip(names, rng.normal(size=(len(names), _DIMENSIONS)), strict=True))
    language = rng.normal(size=(len(collection.languages), _DIMENSIONS))
    of_passage = rng.normal(size=(len(collection.passages), _DIMENSIONS))
    asked = np.stack([topic[id_.rpartition(":")[2]] for id_ in collection.queries.ids])
    of_passage[collection.pairs.passage] = 0
    np.add.at(of_passage, collection.pairs.passage, asked[collection.pairs.query])
    embedded = []
    for texts, known in ((collection.queries, asked), (collection.passages, of_passage)):
        known = known / np.linalg.norm(known, axis=1, keepdims=True)
        vectors = known + rng.normal(size=known.shape) / skill / np.sqrt(_DIMENSIONS)
        vectors += 0.04 * language[texts.language] + 0.5 / np.sqrt(_DIMENSIONS)
        vectors = vectors[texts.distinct.first]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        embedded.append(Embeddings(vectors.astype(np.float32), row=texts.distinct.row))
    return VectorScores(*embedded)


def multi_ap(ranking: Ranking) -> float:
    """The mean AP in the pool of all languages."""
    of_settings = score(ranking, settings(("multi",), ranking.judged.languages), ["AP"])
    return float(np.mean([each.values["AP"].mean() for each in of_settings]))


def main() -> None:
    """Prints the table."""
    parser = common.parser(__doc__)
    parser.add_argument("--task", default="xquad-r")
    parser.add_argument("--model", default="hash")
    parser.add_argument("--synthetic", type=float, metavar="SKILL", help="a model of random vectors instead")
    parser.add_argument("--cache-dir", type=Path, default=Path(".cache"))
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--passages", type=float, nargs="+", default=[0.02, 0.1, 0.25])
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--honest", action="store_true", help="no forgeries")
    options = parser.parse_args()
    task = catalogue.load(options.task)
    of = catalogue.read_collection(
        task, languages=task.languages, data_dir=Path(options.data_dir), cache_dir=options.cache_dir
    )
    if options.synthetic:
        scores = synthetic(of, skill=options.synthetic)
    else:
        scores = score_collection(of, models.load(options.model), cache_dir=options.cache_dir)
        if not isinstance(scores, VectorScores):
            sys.exit(f"{options.model} has no vectors: a part of the passages would give other scores.")
    honest = rank(of, scores)
    wanted = {"none": FORGERIES["none"]} if options.honest else FORGERIES
    claims = {name: claimed(honest, forgery) for name, forgery in wanted.items()}
    trials = Trials(of, scores, claims)
    refused = {name: np.zeros(len(options.passages)) for name in claims}
    n_passages = np.zeros(len(options.passages))
    for trial in range(options.trials):
        for i, passages in enumerate(options.passages):
            sample = DeepSample(options.sample, seed=trial, passages=passages)
            for name, agreed, size in trials.verdicts(sample, Rounding.of_precision("float32")):
                wrong = agreed.agreement.n_outside or any(each.is_too_large for each in agreed.excesses)
                refused[name][i] += bool(wrong)
                n_passages[i] = size
    before = multi_ap(honest)
    rows = [
        [name, f"{multi_ap(claim) - before:+.4f}", *(f"{share:.1%}" for share in refused[name] / options.trials)]
        for name, claim in claims.items()
    ]
    rows.append(["passages encoded", "", *(f"{size:,.0f}" for size in n_passages)])
    title = f"{(options.synthetic and 'synthetic') or options.model} on {options.task}: multilingual AP {before:.3f}; "
    common.show(
        f"{title}{options.sample} queries, {options.trials} trials: refused",
        ["forgery", "AP", *(f"{share:g} of the passages" for share in options.passages)],
        rows,
        libraries=["xlbench", "numpy", "scipy"],
    )


if __name__ == "__main__":
    main()
