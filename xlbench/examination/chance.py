"""The chance-level test: whether a model ranks relevant passages better than random judgements would let it.

A few hundred queries of each language are drawn such that no two share a relevant passage, and the passages that are
relevant to any of them are the pool. If judgements are random, each of these passages is as likely as the other ones to
be the query's: whatever the model, its ties and its favourites, which a pool of all passages would not make up for,
because passages that are judged are longer and better than the rest.

Passages are compared within one language. In the pool of all languages, a model with language bias ranks the passages
of the query's own language better than at random whether they are relevant or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xlbench.arrays import FloatArray
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.collection.clusters import question_of
from xlbench.measures.ranks import Ranking, Ranks
from xlbench.settings import Kind, Setting, settings
from xlbench.statistics import holm

ALPHA = 0.001
"""The chance that any random setting is passed as better than chance, by one model."""
FOUND = 1 / 3
POWER = 0.95
_QUERIES = 200
_RELEVANT = 5


@dataclass(frozen=True)
class ChanceStanding:
    """How a model ranks the relevant passages of one setting, against chance."""

    setting: Setting
    model: str
    n_queries: int
    n_passages: int
    standing: float
    """Share of random rankings in which the first relevant passage comes later: 1 is perfect, .5 is chance."""
    p: float
    """That random judgements give so good ranks, corrected for the number of settings."""
    power: float
    """The chance that a model is found to be better than chance that ranks a relevant passage first for every third
    query, and at random for the others."""

    @property
    def is_better(self) -> bool:
        """Whether it is better than chance."""
        return self.p <= ALPHA

    @property
    def can_tell(self) -> bool:
        """Whether there are enough queries to tell."""
        return self.power >= POWER


def pairs_of_languages(kinds: Iterable[Kind], languages: Sequence[str]) -> list[Setting]:
    """The settings that are tested; a pool of all languages consists of all pairs of languages."""
    wanted: set[Kind] = set(kinds)
    return settings({"mono", "cross"} if "multi" in wanted else wanted, languages)


def sample(collection: Collection) -> Collection:
    """The drawn queries of each language, the passages relevant to them, and nothing else.

    The order of drawing is by a checksum of the question, so that languages that share questions share those drawn.
    """
    drawn = [pair for code in range(len(collection.languages)) for pair in _drawn(collection, code)]
    queries, passages = collection.queries, collection.passages
    return Collection.build(
        collection.languages,
        [_text(queries, row, collection.languages) for row in sorted({query for query, _ in drawn})],
        [_text(passages, row, collection.languages) for row in sorted({passage for _, passage in drawn})],
        [Judgement(_name(queries.ids[query]), _name(passages.ids[passage]), 1) for query, passage in drawn],
    )


def _drawn(collection: Collection, code: int) -> list[tuple[int, int]]:
    """The pairs of queries and passages that are drawn of one language of the queries."""
    rows = collection.queries.rows(code)
    ids = collection.queries.ids[rows]
    order = sorted(range(len(ids)), key=lambda i: _checksum(question_of(ids[i])))
    starts = np.searchsorted(collection.pairs.query, np.arange(rows.start, rows.stop + 1))
    taken: set[int] = set()
    drawn: list[tuple[int, int]] = []
    n = 0
    for i in order:
        relevant = collection.pairs.passage[starts[i] : starts[i + 1]].tolist()
        if relevant and taken.isdisjoint(relevant):
            taken.update(relevant)
            drawn += [(rows.start + i, passage) for passage in _few(collection.passages, relevant)]
            n += 1
            if n == _QUERIES:
                break
    return drawn


def _few(passages: Texts, relevant: Sequence[int]) -> list[int]:
    """At most a few of a query's relevant passages in each language."""
    left: dict[int, int] = {}
    kept = []
    for row in sorted(relevant, key=lambda row: _checksum(passages.ids[row])):
        language = int(passages.language[row])
        left[language] = left.get(language, _RELEVANT) - 1
        if left[language] >= 0:
            kept.append(row)
    return kept


def _text(texts: Texts, row: int, languages: Sequence[str]) -> Text:
    return Text(_name(texts.ids[row]), languages[texts.language[row]], texts.text[row])


def _name(id_: str) -> str:
    """The id after its checksum: ties rank by id, which must say nothing about what is relevant."""
    return f"{_checksum(id_)}:{id_}"


def _checksum(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def standings(ranking: Ranking, wanted: Sequence[Setting], model: str) -> list[ChanceStanding]:
    """How a model stands in each of these settings that has queries, from its ranking of a sample."""
    answerable = [(setting, ranks) for setting in wanted if len(ranks := ranking.ranks(setting))]
    judged = ranking.judged
    sizes = [int(judged.n_passages[list(judged.pool(setting))].sum()) for setting, _ in answerable]
    values = [chances(ranks, n_passages) for (_, ranks), n_passages in zip(answerable, sizes, strict=True)]
    p = holm(np.array([p_value(value.at_least) for value in values]))
    return [
        ChanceStanding(
            setting=setting,
            model=model,
            n_queries=len(ranks),
            n_passages=sizes[i],
            standing=float(np.mean(1 - (value.at_least + value.better) / 2)),
            p=float(p[i]),
            power=power(value, alpha=ALPHA / len(answerable)),
        )
        for i, ((setting, ranks), value) in enumerate(zip(answerable, values, strict=True))
    ]


@dataclass(frozen=True)
class Chances:
    """How likely a random ranking is to do well, for each of ``m`` queries."""

    at_least: FloatArray
    """``[m]``, that its first relevant passage has at most the rank found."""
    better: FloatArray
    """``[m]``, that it has a lower rank."""
    best: FloatArray
    """``[m]``, that it has rank 1."""
    mean: float
    """Of -log ``at_least`` over random rankings, and over the queries."""
    variance: float
    """The same."""


def chances(ranks: Ranks, n_passages: int) -> Chances:
    """How likely random rankings are to have the first relevant passage where it is, or before.

    P(first <= r) = 1 - C(N - r, R) / C(N, R) for R relevant among N passages (hypergeometric).
    """
    from scipy.stats import hypergeom

    first, n_relevant = ranks.rank[ranks.starts[:-1]], ranks.n_relevant
    at_least, better, best = (hypergeom.sf(0, n_passages, n_relevant, r) for r in (first, first - 1, 1))
    moments = []
    sizes, n_queries = np.unique(n_relevant, return_counts=True)
    for size in sizes:
        by_rank = hypergeom.sf(0, n_passages, size, np.arange(1, n_passages - size + 2))
        weight, log = np.diff(by_rank, prepend=0.0), -np.log(by_rank)
        moments.append([weight @ log, weight @ log**2 - (weight @ log) ** 2])
    mean, variance = np.average(moments, axis=0, weights=n_queries) if len(sizes) else (0.0, 0.0)
    return Chances(at_least, better, best, float(mean), float(variance))


def p_value(chance: FloatArray) -> float:
    """That so small chances come about at random: Fisher's method, -2 sum log p is chi-squared with 2m degrees.

    The queries of a sample share no relevant passage. Random judgements give them passages without replacement, which
    varies less than independent draws do, and ranks are whole numbers: both make the test strict.
    """
    from scipy.stats import combine_pvalues

    return float(combine_pvalues(chance, method="fisher").pvalue)


def power(chance: Chances, *, alpha: float, share: float = FOUND) -> float:
    """The chance that a model is told from chance at the level ``alpha`` which answers a share of queries only.

    It ranks a relevant passage first for each of m queries with the chance ``share``, else it ranks at random. If k
    queries are answered, -sum log p is -k mean(log best) plus what m - k random ranks add. That is taken for a gamma
    variable of their mean and variance, which are a little less than 1, since ranks are whole numbers; the test asks
    for the quantile of a gamma variable of shape m.
    """
    from scipy.stats import binom, gamma

    m = len(chance.best)
    if not chance.variance:
        return 0.0  # The pool is relevant as a whole, and every ranking has the same ranks.
    k = np.arange(m + 1)
    rest = gamma.isf(alpha, m) + k * np.log(chance.best).mean()
    mean, variance = np.maximum(m - k, 1) * chance.mean, np.maximum(m - k, 1) * chance.variance
    reached = np.where(k == m, rest <= 0, gamma.sf(rest, mean**2 / variance, scale=variance / mean))
    return float(binom.pmf(k, m, share) @ reached)
