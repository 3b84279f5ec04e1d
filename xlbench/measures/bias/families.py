"""The measures of language bias, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from xlbench.arrays import FloatArray
from xlbench.measures.bias import attribution, exposure, parallel_passages, peer, target_languages, translations
from xlbench.measures.bias.first_place import FirstPlace
from xlbench.measures.measure import Family, Measure
from xlbench.measures.ranks import PooledRanks
from xlbench.settings import Kind

MULTI: tuple[Kind, ...] = ("multi",)
_LARGEST_CUTOFF = 9999


def _fixed(measure: Measure) -> Family:
    return Family(measure.name, lambda _name, _cutoff: measure, takes_cutoff=False)


def _of_best(
    about: str,
    brief: str,
    value: Callable[[PooledRanks, int], FloatArray],
    weights: Callable[[int], FloatArray],
    name: str,
    k: int,
) -> Measure:
    """A measure of the languages of the k best passages."""
    return Measure(
        name,
        about,
        lambda pooled: value(pooled, k),
        brief=brief,
        kinds=MULTI,
        perfect=exposure.perfect(weights, k),
        random=exposure.random(weights, k),
        depth=k,
        cutoff=k,
        needs_all_ranks=False,
        flatters_little=True,
    )


def _peer(name: str, k: int) -> Measure:
    return Measure(
        name,
        "Probability of equal expected ranks in all languages (arXiv 2405.00978).",
        partial(peer.peer, k=k),
        brief="whether languages have equal expected ranks",
        kinds=MULTI,
        perfect=peer.perfect,
        random=partial(peer.random, k=k),
        cutoff=k,
        needs_all_ranks=False,
        is_constant=peer.is_constant,
        flatters_little=True,
    )


DISTANCE = Measure(
    "RankDistance",
    "Ranks between the first and the last parallel passage (arXiv 2408.10536).",
    parallel_passages.rank_distance,
    brief="ranks between a query's first and last answer in the pool",
    better="lower",
    decimals=0,
    kinds=MULTI,
    perfect=parallel_passages.perfect_distance,
    random=parallel_passages.random_distance,
)
MAX_RANK_NORM = Measure(
    "MaxRankNorm",
    "Rank of the last parallel passage on a scale of logarithms, 100 for the best (arXiv 2604.05684).",
    parallel_passages.max_rank_norm,
    brief="how early all answers are found, in per cent on a logarithmic scale",
    decimals=1,
    kinds=MULTI,
    perfect=parallel_passages.perfect_norm,
    random=parallel_passages.random_norm,
)
PREFERENCE = Measure(
    "LPR",
    "Share of queries whose first relevant passage is in their language (after arXiv 2605.07249).",
    parallel_passages.own_first,
    brief="share of queries whose first answer is in their own language",
    better="neither",  # Wanted by those who read their own language, and not where languages are to be alike.
    kinds=MULTI,
    perfect=None,
    random=parallel_passages.fair_share,
    needs_all_ranks=False,
    flatters_little=True,
)
ONE_TARGET = Measure(
    "OneTargetBias",
    "AP with the answers in the query's language only, less that with those in another (after arXiv 2004.05484).",
    parallel_passages.one_target_bias,
    brief="AP for answers in the query's language, less that for the others",
    better="nearer",
    kinds=MULTI,
    perfect=parallel_passages.unbiased,
    random=parallel_passages.random_one_target_bias,
    flatters_little=True,
)
RANK_SHIFT = Measure(
    "RankShift",
    "Ranks that an answer gains in the query's language, against one in another (after arXiv 2502.11175).",
    parallel_passages.rank_shift,
    brief="ranks that an answer gains if it is in the query's language",
    better="nearer",
    decimals=0,
    kinds=MULTI,
    perfect=parallel_passages.unbiased,
    random=parallel_passages.random_rank_shift,
    flatters_little=True,
)
TARGETS = (
    Measure(
        "OwnTargetAP",
        "AP where the answers in the query's own language are the only ones (after arXiv 2004.05484).",
        parallel_passages.own_target,
        brief="AP if only an answer in the query's language is to be found",
        kinds=MULTI,
        perfect=parallel_passages.found_first,
        random=parallel_passages.random_own_target,
    ),
    Measure(
        "OtherTargetAP",
        "AP where the answers in one other language are the only ones, mean over languages (after arXiv 2004.05484).",
        parallel_passages.other_target,
        brief="AP if only an answer in another language is to be found",
        kinds=MULTI,
        perfect=parallel_passages.others_found_first,
        random=parallel_passages.random_other_target,
    ),
)
LOSSES = (
    Measure(
        "IrrelevantLoss",
        "AP that the pool costs by irrelevant passages of other languages; see attribution.",
        attribution.irrelevant_loss,
        brief="AP lost to other languages' irrelevant passages",
        better="neither",
        kinds=MULTI,
        perfect=attribution.no_loss,
        random=attribution.random_irrelevant,
        flatters_little=True,
    ),
    Measure(
        "ParallelLoss",
        "AP that the pool costs by the order of parallel passages; see attribution.",
        attribution.parallel_loss,
        brief="AP lost to the order of the parallel answers; may be below 0",
        better="neither",
        kinds=MULTI,
        perfect=attribution.no_loss,
        random=attribution.random_parallel,
        flatters_little=True,
    ),
)
FIRST_PLACES = tuple(
    Measure(
        f"First{'Own' if own else 'Other'}{'Relevant' if relevant else 'Irrelevant'}",
        f"Share of queries whose first passage is {'' if relevant else 'ir'}relevant and in "
        f"{'the query' + chr(39) + 's' if own else 'another'} language (after arXiv 2605.07249).",
        FirstPlace(own, relevant).share,
        brief=f"share of queries whose first passage is {'right' if relevant else 'wrong'}, in "
        f"{'their own' if own else 'another'} language",
        better="neither",  # Less of one kind of irrelevant passage may be more of the other.
        kinds=MULTI,
        perfect=None if relevant else FirstPlace(own, relevant).perfect,
        random=FirstPlace(own, relevant).random,
        depth=1,
        needs_all_ranks=False,
    )
    for own, relevant in ((True, True), (False, True), (True, False), (False, False))
)


def _target_languages(name: str, k: int) -> Measure:
    return Measure(
        name,
        "Share of the relevant passages in other languages that are found (Target-Languages Recall, arXiv 2606.18801).",
        partial(target_languages.recall, k=k),
        brief=f"share of the answers in other languages that are among the first {k}",
        kinds=MULTI,
        perfect=partial(target_languages.perfect, k=k),
        random=partial(target_languages.random, k=k),
        cutoff=k,
        needs_all_ranks=False,
    )


@dataclass(frozen=True)
class _Consistency:
    """Measures of how much the lists of a question's translations have in common."""

    name: str
    about: str
    brief: str
    value: Callable[..., FloatArray]
    by_language: Callable[..., FloatArray]
    random: Callable[..., FloatArray]

    def make(self, name: str, k: int) -> Measure:
        """The measure of the first k."""
        return Measure(
            name,
            self.about,
            partial(self.value, k=k),
            brief=self.brief,
            kinds=MULTI,
            perfect=partial(translations.same, k=k),
            random=partial(self.random, k=k),
            depth=k,
            cutoff=k,
            needs_all_ranks=False,
            needs_lists=True,
            by_language=partial(self.by_language, k=k),
            flatters_little=True,
        )


_CONSISTENCY = (
    _Consistency(
        "RBO",
        "Rank-biased overlap of the lists of a question's translations, p = .9 (Webber, Moffat and Zobel 2010).",
        "whether translations of a question get the same list, counting more near the top",
        translations.rank_biased_overlap,
        translations.rank_biased_overlap_by_language,
        translations.random_rank_biased_overlap,
    ),
    _Consistency(
        "Overlap",
        "Share of the best passages that the lists of a question's translations have in common.",
        "whether translations of a question get the same passages",
        translations.overlap,
        translations.overlap_by_language,
        translations.random_overlap,
    ),
    _Consistency(
        "MRC",
        "Spearman's correlation of the lists of a question's translations (arXiv 2509.06195).",
        "whether translations of a question get the passages in the same order",
        translations.rank_correlation,
        translations.rank_correlation_by_language,
        translations.random_rank_correlation,
    ),
)
WITHOUT_CUTOFF = (DISTANCE, MAX_RANK_NORM, PREFERENCE, ONE_TARGET, *LOSSES)
_SHARE = (
    "Languages of the best passages against those of the relevant ones, 1 - Jensen-Shannon divergence.",
    "how evenly the languages share the best ranks",
)
_AWRF = (
    "The same with attention weights, falling with the rank (TREC Fair Ranking 2021); with many "
    "languages its perfect value is a lower bound.",
    "the same, weighted by the attention that a rank gets",
)
FAMILIES = (
    *map(_fixed, (*WITHOUT_CUTOFF, RANK_SHIFT, *TARGETS, *FIRST_PLACES)),
    Family("TLR", _target_languages, needs_cutoff=True, largest_cutoff=_LARGEST_CUTOFF),
    *(Family(of.name, of.make, needs_cutoff=True, largest_cutoff=_LARGEST_CUTOFF) for of in _CONSISTENCY),
    Family(
        "Share",
        partial(_of_best, *_SHARE, exposure.share, exposure.equal),
        needs_cutoff=True,
        largest_cutoff=_LARGEST_CUTOFF,
    ),
    Family(
        "AWRF",
        partial(
            _of_best,
            *_AWRF,
            exposure.attention_weighted_fairness,
            exposure.attention,
        ),
        needs_cutoff=True,
        largest_cutoff=_LARGEST_CUTOFF,
    ),
    Family("PEER", _peer, needs_cutoff=True, largest_cutoff=_LARGEST_CUTOFF),
)
