"""Scores a run that anyone made: trec_eval's measures, and those of language bias where the languages are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xlbench import bias, trec_eval
from xlbench.bias import BiasMeasure, peer
from xlbench.errors import DataError, shown
from xlbench.readers.trec_files import Judgements, Run
from xlbench.scoring.pools import Languages, Pool, pools
from xlbench.trec_eval import TrecMeasure

__all__ = ["BIAS", "RETRIEVAL", "Languages", "Scores", "Wanted", "choose", "score"]

FloatArray = npt.NDArray[np.float64]
_ByLanguage = dict[str, dict[str, float]]

RETRIEVAL = ("nDCG@10", "AP", "R@100", "RR@10")
"""The measures of retrieval if none is named."""
BIAS = (*bias.BIAS_MEASURES, "Share@10", "AWRF@10", "PEER@10")
"""The measures of bias if none is named."""
_TOPICS_AT_ONCE = 64  # A ranking as a dict takes some 150 bytes a passage.
_OF_THE_FIRST = "LPR"  # The one measure without a cut-off for which the first relevant passage is enough.


class Wanted(NamedTuple):
    """The measures to compute, each once."""

    retrieval: tuple[TrecMeasure, ...]
    bias: tuple[BiasMeasure, ...]


@dataclass(frozen=True)
class Scores:
    """The values of a run."""

    topics: tuple[str, ...]
    """All topics that are judged, ``T`` of them."""
    asked: tuple[str, ...]
    """Language of each topic; empty if no languages are known."""
    values: dict[str, FloatArray]
    """By measure, ``float64[T]``; NaN where a measure of bias is not defined."""
    totals: dict[str, float]
    """By measure of retrieval: the mean over all topics, or the sum for counts such as NumRel, as in trec_eval."""
    languages: _ByLanguage
    """By language of the topics and measure: the mean over the topics for which it is defined."""
    summary: dict[str, float]
    """By measure: the mean over the languages, as in the multilingual setting of a result."""
    references: dict[str, dict[str, float]]
    """By measure of bias: its ``perfect`` and its ``random`` value, means over the languages."""
    notes: tuple[str, ...]
    """What was passed over, and which measures are left out, and why."""


def choose(names: Sequence[str], *, with_bias: bool) -> Wanted:
    """The measures of these names; the usual ones if none is named, and those of bias if none of them is named.

    Raises:
        UnknownNameError: if no measure has one of the names; those of bias are unknown without ``with_bias``.

    """
    of_bias = [name for name in names if with_bias and bias.find(name)]
    retrieval = [name for name in names if name not in of_bias] or ([] if of_bias else RETRIEVAL)
    found = {measure.name: measure for measure in map(trec_eval.find, retrieval)}
    wanted = dict.fromkeys(of_bias or (BIAS if with_bias else ()))
    return Wanted(tuple(found.values()), tuple(measure for name in wanted if (measure := bias.find(name))))


def score(run: Run, judgements: Judgements, wanted: Wanted, *, languages: Languages | None = None) -> Scores:
    """The scores of a run, by trec_eval's rules.

    All topics that are judged count, as with ``trec_eval -c``: one that the run does not have has the value 0, and so
    has one without a relevant passage. Topics that are not judged are passed over. A gain of 0 or less is not
    relevant.

    Measures of bias need ``languages``. One that a cut-off run cannot give for all topics is left out, with a note;
    LPR is over the topics for which the run has a relevant passage.

    Raises:
        DataError: if no topic of the run is judged, the language of a topic or passage is not known, or the run can
            give none of the measures.

    """
    notes = _check_topics(run, judgements)
    topics = tuple(judgements)
    values = _retrieval(run, judgements, wanted.retrieval)
    totals = {m.name: float(values[m.name].sum() if m.is_count else values[m.name].mean()) for m in wanted.retrieval}
    if languages is None:
        return Scores(topics, (), values, totals, {}, {}, {}, tuple(notes))
    asked = languages.of_topics(topics)
    depth = max((measure.depth for measure in wanted.bias), default=0)
    parts = list(pools(run, judgements, languages, depth=depth))
    references = {}
    for measure in wanted.bias:
        if reason := _reason_against(measure, parts):
            notes.append(f"{measure.name} is left out: {reason}.")
        else:
            values[measure.name] = _bias(measure, parts, topics)
            references[measure.name] = _references(measure, parts)
            notes += _partly_defined(measure, values[measure.name], sum(len(part.topics) for part in parts))
    if not values:
        raise DataError(f"The run can give none of the measures. {' '.join(notes)}")
    by_language = {
        language: {name: _mean(column[[a == language for a in asked]]) for name, column in values.items()}
        for language in dict.fromkeys(asked)
    }
    summary = {name: _mean([means[name] for means in by_language.values()]) for name in values}
    return Scores(topics, tuple(asked), values, totals, by_language, summary, references, tuple(notes))


def _check_topics(run: Run, judgements: Judgements) -> list[str]:
    """What to say of topics that are in one file only; an error if all are."""
    missing = sum(topic not in run.rows for topic in judgements)
    if missing == len(judgements):
        first, judged = shown(next(iter(run.rows))), shown(next(iter(judgements)))
        raise DataError(
            f"None of the {len(run.rows):,} topics of the run is judged: the run begins with {first}, "
            f"the judgements with {judged}. Expected the same ids in both."
        )
    ignored = sum(topic not in judgements for topic in run.rows)
    fruitless = sum(max(gains.values()) < 1 for gains in judgements.values())
    counted = {
        "Judged topics that the run does not have, which count 0": missing,
        "Judged topics without a relevant passage, which count 0": fruitless,
        "Topics of the run that are not judged, which are passed over": ignored,
    }
    return [f"{what}: {n:,}." for what, n in counted.items() if n]


def _retrieval(run: Run, judgements: Judgements, wanted: Sequence[TrecMeasure]) -> dict[str, FloatArray]:
    topics = list(judgements)
    found: dict[str, list[float]] = {measure.name: [] for measure in wanted}
    for start in range(0, len(topics), _TOPICS_AT_ONCE):
        some = {topic: judgements[topic] for topic in topics[start : start + _TOPICS_AT_ONCE]}
        by_topic = trec_eval.values(some, {topic: run.ranking(topic) for topic in some}, wanted)
        for topic in some:
            for name, value in by_topic[topic].items():
                found[name].append(value)
    return {name: np.array(column) for name, column in found.items()}


def _reason_against(measure: BiasMeasure, parts: Sequence[Pool]) -> str | None:
    """Why the run cannot give a measure of bias, or None if it can."""
    lacking = sum(int((part.n_retrieved < part.ranked.ranks.n_relevant).sum()) for part in parts)
    if measure.name in bias.BIAS_MEASURES and measure.name != _OF_THE_FIRST and lacking:
        return (
            f"it needs the rank of every relevant passage, and of {lacking:,} topics the run does not have them all; "
            "keep more passages of each topic"
        )
    k = int(measure.name.partition("@")[2] or 0)
    depth = max((part.depth for part in parts), default=0)
    if parts and depth < min(k, parts[0].ranked.n_passages.sum()):
        return f"the run has {depth} passages of a topic at most"
    if measure.name.startswith("PEER") and all(
        peer.is_constant(ranks.owner, ranks.language, ranks.gain) for ranks in (part.ranked.ranks for part in parts)
    ):
        return "no topic has two relevant passages in a language, and all rankings have the same value then"
    for part in parts:
        if not np.isfinite(_defined(measure, part)).any():
            return f"it is defined for no topic in the language of {shown(part.topics[0])}"
    return None if parts else "no topic has a relevant passage"


def _defined(measure: BiasMeasure, part: Pool) -> FloatArray:
    """The value of each topic, NaN where it is not defined or the run does not tell."""
    with np.errstate(invalid="ignore"):  # No passages have no shares: 0 / 0.
        values = measure.value(part.ranked)
    known = part.n_retrieved > 0 if measure.name == _OF_THE_FIRST else True
    return np.where(known, values, np.nan)


def _bias(measure: BiasMeasure, parts: Sequence[Pool], topics: Sequence[str]) -> FloatArray:
    found = {topic: value for part in parts for topic, value in zip(part.topics, _defined(measure, part), strict=True)}
    return np.array([found.get(topic, np.nan) for topic in topics])


def _references(measure: BiasMeasure, parts: Sequence[Pool]) -> dict[str, float]:
    return {
        "perfect": _mean([_mean(measure.perfect(part.ranked)) for part in parts]),
        "random": _mean([_mean(measure.random(part.ranked)) for part in parts]),
    }


def _partly_defined(measure: BiasMeasure, values: FloatArray, n_topics: int) -> list[str]:
    n = int(np.isfinite(values).sum())
    of = f"{n:,} of the {n_topics:,} topics with relevant passages"
    return [f"{measure.name} is over {of}: for the others it is not defined."] if n < n_topics else []


def _mean(values: npt.ArrayLike) -> float:
    """The mean of those that are defined; NaN if none is."""
    found = np.asarray(values, np.float64)
    found = found[np.isfinite(found)]
    return float(found.mean()) if len(found) else float("nan")
