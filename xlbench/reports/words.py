"""Words that all reports share: names of kinds of setting, directions of measures, and what a partial result is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlbench import measures
from xlbench.collection import Sample
from xlbench.results import Result
from xlbench.results.shown import number
from xlbench.settings import Kind

KIND_TITLES: Mapping[Kind, str] = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}
ALIGNMENT = ("parallel_cosine", "random_cosine", "bitext_accuracy", "language_variance")
"""The measures of the alignment of vectors."""
_MOST_NAMED = 6  # Of the 17 that a result of Yoruba alone lacks of MIRACL, some are enough.
QUESTION = "question"
"""What is counted, once in however many languages it is asked."""
REDRAWN = f"whole clusters of {QUESTION}s are drawn anew, with all their translations"
COUNTS_ONCE = f"A {QUESTION} counts once, in however many languages it is asked: its translations are not independent."
TEST = f"paired randomisation test over clusters of {QUESTION}s"
SMOKE_TEST = "demo"
"""The task that is no benchmark, and comes after all others."""
LITTLE = "A model that finds little has little bias."
NO_FAVOURITE = (
    f"{' and '.join(measures.OWN_LANGUAGE)} set the query's own language against the others: a fixed favourite, one "
    "language that queries of all languages prefer, does not show in them, but in the preference and the one-target "
    "matrix of a report."
)

OWN_SHARE = (
    f"{measures.PREFERENCE} is neither good nor bad: those who read their own language alone want it near 1, beside a "
    "high AP; an index that treats its languages alike has what random rankings have."
)


def flatters_little(measure: str) -> bool:
    """Whether a model that finds little looks unbiased by a measure."""
    known = measures.find(measure)
    return known is not None and known.flatters_little


def direction(measure: str, perfect: float | None) -> str:
    """Which values of a measure are better, in words."""
    better = measures.better(measure)
    if better == "neither":
        return "part of the loss" if measure in measures.LOSSES else "up to the reader"
    if better == "nearer":
        return "nearer to perfect" if perfect is None else f"nearer to {number(perfect, measure)}"
    return better


def partial(missing: Sequence[str], sample: Sample | None = None) -> str:
    """What is said wherever a result has not all languages or questions of its task; nothing of a whole one."""
    said = []
    if missing:
        named = missing if len(missing) <= _MOST_NAMED else [*missing[:3], f"{len(missing) - 3} more languages"]
        said.append(f"without {', '.join(named)}")
    if sample is not None and sample.is_partial:
        said.append(str(sample))
    return f"partial: {'; '.join(said)}" if said else ""


def captioned(text: str, missing: Sequence[str], sample: Sample | None = None) -> str:
    """A title that says so if the result is partial."""
    said = partial(missing, sample)
    return f"{text} ({said})" if said else text


def partial_of(result: Result) -> str:
    """``partial`` of a result."""
    return partial(result.missing_languages, result.sample)


def captioned_of(text: str, result: Result) -> str:
    """``captioned`` for a result."""
    return captioned(text, result.missing_languages, result.sample)


def counted(result: Result, kind: Kind) -> str:
    """How many queries a result has in a kind of setting; in cross, where a query has many pools, how many rankings."""
    n = sum(n for name, n in result.queries.items() if name.kind == kind)
    return f"{n:,} {'rankings' if kind == 'cross' else 'queries'}"
