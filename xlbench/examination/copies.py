"""Copies: equal texts within a language and across languages, relevant passages with copies, queries that are passages.

Texts are equal if they differ in nothing but case, white space and Unicode form.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbench.collection import Collection
from xlbench.examination.findings import Count, Finding, Rule, counted
from xlbench.examination.odd_texts import TextFacts

_REPEATED_QUERIES = Rule(
    "queries that their language has before",
    "The same question counts more than once. If its copies have other relevant passages, each lacks the others'.",
)
_REPEATED_PASSAGES = Rule(
    "passages that their language has before",
    "Copies get the same score and rank by their ids. They matter where one is relevant and another is not judged.",
)
_UNJUDGED_COPIES = Rule(
    "queries with an unjudged copy of a relevant passage",
    "The copy answers as well, but counts as irrelevant, and no model can tell the two apart: no AP of 1 can be "
    "reached. Judge the copies, or take them out.",
    doubtful=0.01,
)
_MEANING_ACROSS = (
    "What is the same in two languages is found without knowing either. A few names and formulas are like this; many "
    "say that a part was not translated, or that a file is there twice, and numbers across languages are too high."
)
_QUERIES_ACROSS = Rule("queries that another language has too", _MEANING_ACROSS, doubtful=0.05, wrong=0.5)
_PASSAGES_ACROSS = Rule("passages that another language has too", _MEANING_ACROSS, doubtful=0.05, wrong=0.5)
_ASKS_AN_ANSWER = Rule(
    "queries equal to a relevant passage",
    "Any model finds it by comparing letters. Take these queries out, or state how many there are with results.",
    doubtful=0.01,
)
_ASKS_A_PASSAGE = Rule(
    "queries equal to a passage that is not relevant to them",
    "The passage comes first for any model, and counts as irrelevant. If queries were drawn from the passages, take "
    "each query's own passage out of the pool.",
    doubtful=0.01,
)


def copies(collection: Collection, queries: TextFacts, passages: TextFacts) -> list[Finding]:
    """Texts that are there more than once, and what it does to judgements."""
    return [
        *counted(_UNJUDGED_COPIES, queries.counts(_with_unjudged_copy(collection, passages))),
        *_asked_passages(collection, queries, passages),
        *counted(_QUERIES_ACROSS, _across(queries)),
        *counted(_PASSAGES_ACROSS, _across(passages)),
        *counted(_REPEATED_QUERIES, _within(queries)),
        *counted(_REPEATED_PASSAGES, _within(passages)),
    ]


def _within(texts: TextFacts) -> list[Count]:
    """How many texts of each language are copies of one before them."""
    counts = []
    for language, rows in texts.rows():
        checksum = texts.checksum[rows]
        _, first, group = np.unique(checksum, return_index=True, return_inverse=True)
        copy = np.flatnonzero(first[group] != np.arange(len(checksum)))
        pairs = zip(texts.examples(rows.start + first[group[copy]]), texts.examples(rows.start + copy), strict=True)
        if len(checksum):
            counts.append(Count(language, len(copy), len(checksum), tuple(f"{a} = {b}" for a, b in pairs)))
    return counts


def _across(texts: TextFacts) -> list[Count]:
    """How many texts of each language, of those with a letter, another language has too."""
    lettered = np.flatnonzero(texts.has_letter)
    _, group = np.unique(texts.checksum[lettered], return_inverse=True)
    language = texts.texts.language[lettered].astype(np.int64)
    n_groups = int(group.max(initial=-1)) + 1
    # The first text of each group by row, in the first and in the last language that has it.
    low, high = np.full(n_groups, len(lettered)), np.full(n_groups, -1)
    np.minimum.at(low, group, np.arange(len(lettered)))
    np.maximum.at(high, group, np.arange(len(lettered)))
    shared = language[low[group]] != language[high[group]]
    counts = []
    for code, (name, rows) in enumerate(texts.rows()):
        mine = np.flatnonzero(shared & (language == code))
        other = np.where(language[low[group[mine]]] == code, high[group[mine]], low[group[mine]])
        pairs = zip(texts.examples(lettered[mine]), texts.examples(lettered[other]), strict=True)
        if n := rows.stop - rows.start:
            counts.append(Count(name, len(mine), n, tuple(f"{a} = {b}" for a, b in pairs)))
    return counts


def _with_unjudged_copy(collection: Collection, passages: TextFacts) -> npt.NDArray[np.bool_]:
    """Whether each query has a relevant passage of which its language has a copy that is not relevant to it."""
    pairs = collection.pairs
    group = _groups(passages.texts.language, passages.checksum)
    size = np.bincount(group)
    asked = np.stack([pairs.query, group[pairs.passage]], axis=1)
    judged, n_relevant = np.unique(asked, axis=0, return_counts=True)
    has_copy = np.zeros(len(collection.queries), bool)
    has_copy[judged[n_relevant < size[judged[:, 1]], 0]] = True
    return has_copy


def _groups(language: npt.NDArray[np.int16], checksum: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Which texts of one language are equal, ``[N]``: the same number for those that are."""
    order = np.lexsort((checksum, language))
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(language[order]) != 0) | (checksum[order[1:]] != checksum[order[:-1]])
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(is_new) - 1
    return group


def _asked_passages(collection: Collection, queries: TextFacts, passages: TextFacts) -> list[Finding]:
    """Queries that are, word by word, a passage of any language."""
    pairs = collection.pairs
    answered = np.zeros(len(collection.queries), bool)
    equal = queries.checksum[pairs.query] == passages.checksum[pairs.passage]
    answered[pairs.query[equal]] = True
    elsewhere = np.isin(queries.checksum, passages.checksum) & ~answered
    return [
        *counted(_ASKS_AN_ANSWER, queries.counts(answered)),
        *counted(_ASKS_A_PASSAGE, queries.counts(elsewhere)),
    ]
