"""Whether a model may have given the counts of a submission, by a part of the passages.

Of the passages that are said to beat a pair's, those that are judged for a query of the sample are all counted. The
claim leaves K among the M others of a language, of which n were drawn; then the number of drawn ones that beat the
pair's passage is hypergeometric, of n draws from M with K. More of them than K is impossible, and far more or fewer
than K n / M implausible. Near ties are counted in the submission's favour (see ``bounds``).

A count looked at alone says little. So the drawn passages also estimate, over all pairs of the sample, by how much more
passages rank before a pair's than is claimed, as a share of its claimed rank. The error of that mean is that of drawing
passages and not pairs: one passage may beat many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xlbench.arrays import BoolArray, FloatArray, IntArray
from xlbench.engine.scores import Scores
from xlbench.leaderboard.bounds import Agreement, Claims, Thresholds, bounds, chunks
from xlbench.leaderboard.rounding import Rounding
from xlbench.measures.ranks import Ranking
from xlbench.settings import KINDS, Kind

if TYPE_CHECKING:
    from xlbench.leaderboard.deep_sample import PassageSample

_LEVEL = 0.005
"""How likely any of the counts of an honest submission is found implausible, at most (Bonferroni)."""
_ERRORS = 4.0
"""A mean that is off by more standard errors is no chance; the estimate's error grows with it."""
_MATERIAL = 0.002
"""What rounding may do to the mean besides."""
_SHOWN = 5


@dataclass(frozen=True)
class Excess:
    """How many more passages than claimed rank before the pairs' of one kind of setting, by those that were drawn."""

    kind: Kind
    mean: float
    """As a share of the claimed rank, in the mean over pairs."""
    error: float
    """Its standard error; infinite where a single passage stands for others."""

    @property
    def is_too_large(self) -> bool:
        """Whether chance does not explain it."""
        return self.mean > self.limit

    @property
    def limit(self) -> float:
        """What chance explains."""
        return _ERRORS * self.error + _MATERIAL

    def __str__(self) -> str:
        return (
            f"By the passages that were drawn, ranks in {self.kind} settings are worse than claimed by {self.mean:.1%} "
            f"in the mean; chance explains at most {self.limit:.1%}"
        )


@dataclass(frozen=True)
class SampledAgreement:
    """How the counts of a ranking agree with the scores of a part of the passages."""

    agreement: Agreement
    excesses: tuple[Excess, ...]


def sampled_agreement(
    ranking: Ranking, sample: PassageSample, scores: Scores, *, rounding: Rounding
) -> SampledAgreement:
    """How the counts agree with the scores of the sample's collection; best passages are not compared."""
    collection = sample.collection
    claimed = Claims.of(ranking, collection).above
    pairs = Thresholds.of_pairs(collection, scores)
    allowed = rounding.allowed(tile for _, tile in chunks(collection, scores))
    n_languages = len(collection.languages)
    column = sample.language + n_languages * sample.drawn
    ends = [
        np.pad(end, ((0, 0), (0, 2 * n_languages - end.shape[1])))
        for end in bounds(collection, scores, pairs, allowed, column=column)
    ]
    counted = _Counted(*(end[:, part] for end in ends for part in (slice(n_languages), slice(n_languages, None))))
    # A passage is not above itself.
    own = np.arange(len(pairs.query)), sample.language[pairs.passage]
    counted.judged_least[own] -= 1
    counted.judged_most[own] -= 1
    wrong = _implausible(claimed, counted, sample)
    rows = np.flatnonzero(wrong.any(axis=1))
    slack = counted.judged_most - counted.judged_least + sample.weight * (counted.drawn_most - counted.drawn_least)
    return SampledAgreement(
        Agreement(
            n_queries=len(collection.queries),
            n_counts=int(wrong.size),
            tolerance=rounding.share,
            slack=float(slack.mean()) if slack.size else 0.0,
            outside=tuple(
                _in_words(sample, (row, int(wrong[row].argmax())), claimed, counted) for row in rows[:_SHOWN]
            ),
            n_outside=int(wrong.sum()),
            queries_outside=len(np.unique(pairs.query[rows])),
        ),
        tuple(_excesses(claimed, sample, scores, pairs)),
    )


@dataclass(frozen=True)
class _Counted:
    """How many passages of each language beat each pair's, ``int64[Nr, L]`` each, with near ties counted or not."""

    judged_least: IntArray
    drawn_least: IntArray
    judged_most: IntArray
    drawn_most: IntArray


def _implausible(claimed: IntArray, counted: _Counted, sample: PassageSample) -> BoolArray:
    """Which counts no ranking of the model has, or so few that no honest submission is likely to have one."""
    from scipy.stats import hypergeom

    n_others, n_drawn = sample.n_others, sample.n_drawn
    # What the claim leaves among the passages that are not judged, if near ties are as it needs them.
    most_left, least_left = claimed - counted.judged_least, np.maximum(claimed - counted.judged_most, 0)
    impossible = (
        (most_left < counted.drawn_least)
        | (least_left > n_others - (n_drawn - counted.drawn_most))
        | (claimed < counted.judged_least)
    )
    level = _LEVEL / (2 * max(claimed.size, 1))
    good = np.clip(most_left, 0, n_others), np.clip(least_left, 0, n_others)
    more = hypergeom.sf(counted.drawn_least - 1, n_others, good[0], n_drawn)
    fewer = hypergeom.cdf(counted.drawn_most, n_others, good[1], n_drawn)
    wrong: BoolArray = impossible | (more < level) | (fewer < level)
    return wrong


def _excesses(claimed: IntArray, sample: PassageSample, scores: Scores, pairs: Thresholds) -> Iterator[Excess]:
    """The excess in each kind of setting that has pairs."""
    collection, language = sample.collection, sample.language
    own, asked = language[pairs.passage], collection.queries.language[pairs.query]
    alone = np.zeros(claimed.shape, bool)
    alone[np.arange(len(own)), own] = True
    is_mono = (own == asked)[:, None]
    pools = {"mono": alone & is_mono, "cross": alone & ~is_mono, "multi": np.ones(claimed.shape, bool)}
    weights = []
    kinds = [kind for kind in KINDS if pools[kind].any()]
    for kind in kinds:
        rank = 1 + (claimed * pools[kind]).sum(axis=1, keepdims=True)
        weights.append(pools[kind] / rank / pools[kind].any(axis=1).sum())
    # Of each kind and passage, what it adds to the mean.
    share = _shares(weights, sample, scores, pairs)
    for kind, weight, of_passage in zip(kinds, weights, share, strict=True):
        judged = of_passage[~sample.drawn].sum()
        estimate, variance = judged, 0.0
        for code, (n_others, n_drawn) in enumerate(zip(sample.n_others.tolist(), sample.n_drawn.tolist(), strict=True)):
            drawn = of_passage[sample.drawn & (language == code)]
            if n_drawn:
                estimate += n_others * drawn.mean()
            if n_drawn < min(n_others, 2):
                variance = np.inf
            elif n_drawn < n_others:
                variance += n_others * (n_others - n_drawn) * drawn.var(ddof=1) / n_drawn
        yield Excess(kind, float(estimate - (weight * claimed).sum()), float(np.sqrt(variance)))


def _shares(weights: Sequence[FloatArray], sample: PassageSample, scores: Scores, pairs: Thresholds) -> FloatArray:
    """``[K, Np]``: the weights of all pairs that a passage beats, of the passage's language."""
    collection = sample.collection
    order, column = collection.passages.tie_order, np.zeros(len(collection.passages), np.int64)
    of_query = [np.flatnonzero(pairs.query == row) for row in range(len(collection.queries))]
    share = np.zeros((len(weights), len(column)))
    for rows, tile in chunks(collection, scores):
        for line, mine in zip(tile, of_query, strict=True):
            value, place = pairs.score[mine, None], order[pairs.passage[mine], None]
            beats = (line > value) | ((line == value) & (order[rows] > place))
            for k, weight in enumerate(weights):
                share[k, rows] += (weight[mine][:, sample.language[rows]] * beats).sum(axis=0)
    return share


def _in_words(sample: PassageSample, cell: tuple[int, int], claimed: IntArray, counted: _Counted) -> str:
    row, code = cell
    collection = sample.collection
    query, passage = collection.pairs.query[row], collection.pairs.passage[row]
    judged, drawn = (
        f"{least[cell]:,}" if least[cell] == most[cell] else f"{least[cell]:,} to {most[cell]:,}"
        for least, most in (
            (counted.judged_least, counted.judged_most),
            (counted.drawn_least, counted.drawn_most),
        )
    )
    return (
        f"query {collection.queries.ids[query]!r:.60}: {claimed[cell]:,} passages in {collection.languages[code]} are "
        f"said to be above passage {collection.passages.ids[passage]!r:.60}; the model puts {judged} judged ones above "
        f"it, and {drawn} of the {sample.n_drawn[code]:,} that were drawn of {sample.n_others[code]:,} others"
    )
