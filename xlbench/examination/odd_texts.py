"""Facts about each text: how long it is, whether it says anything, and a checksum by which copies are found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray
from xlbench.collection import Collection, Texts
from xlbench.collection.same_text import same_key
from xlbench.examination.findings import Count, Finding, Rule, counted
from xlbench.support.progress import Advance

_AT_ONCE = 10_000
_ENORMOUS = 10_000
_TIMES = 20
_EXAMPLES = 3

_UNJUDGED = Rule(
    "queries without a relevant passage",
    "They are in no setting and in no mean. If they should be, look at the ids that judgements name.",
)
_WORDLESS_QUERIES = Rule(
    "queries without a letter",
    "Nothing can be found by them: see where their text went, or take them out.",
    doubtful=0.01,
)
_WORDLESS_ANSWERS = Rule(
    "queries with a relevant passage that has no letter",
    "Such a passage is hardly found by what it says: look at how sentences were split.",
    doubtful=0.01,
)
_WORDLESS_PASSAGES = Rule(
    "passages without a letter",
    "Numbers, signs or remains of splitting, which a model ranks anywhere. A few do no harm.",
)
_ENORMOUS_TEXTS = Rule(
    "enormous texts",
    f"They have more than {_ENORMOUS:,} characters and more than {_TIMES} times the median of their language. Models "
    "cut them, and what stands past a model's limit is not found: split them, or state the limit with results.",
)


@dataclass(frozen=True)
class TextFacts:
    """What is known of each query, or of each passage."""

    texts: Texts
    languages: tuple[str, ...]
    length: npt.NDArray[np.int32]
    """``[N]``, characters."""
    checksum: npt.NDArray[np.uint64]
    """``[N]``, the same for texts that differ in nothing but case, white space and Unicode form."""
    has_letter: BoolArray
    """``[N]``."""

    def rows(self) -> Iterator[tuple[str, slice]]:
        """Each language and its rows."""
        for code, language in enumerate(self.languages):
            yield language, self.texts.rows(code)

    def examples(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[str, ...]:
        """The ids of the first of these rows."""
        return tuple(self.texts.ids[int(row)] for row in rows[:_EXAMPLES])

    def counts(self, marked: BoolArray) -> list[Count]:
        """How many texts of each language are marked."""
        return [
            Count(language, int(mine.sum()), len(mine), self.examples(rows.start + np.flatnonzero(mine)))
            for language, rows in self.rows()
            if len(mine := marked[rows])
        ]


def facts(texts: Texts, languages: tuple[str, ...], advance: Advance) -> TextFacts:
    """The facts about these texts, which are read once, one after the other.

    Checksums have 64 bits: two of 100 million different texts have the same with a chance of 3 in 10,000.
    """
    length = np.empty(len(texts), np.int32)
    checksum = np.empty(len(texts), np.uint64)
    has_letter = np.empty(len(texts), bool)
    for i, text in enumerate(texts.text):
        length[i] = len(text)
        digest = hashlib.blake2b(same_key(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        checksum[i] = int.from_bytes(digest)
        has_letter[i] = any(map(str.isalpha, text))
        if (i + 1) % _AT_ONCE == 0 or i + 1 == len(texts):
            done = i % _AT_ONCE + 1
            advance(texts=done, characters=done, stored=False)
    return TextFacts(texts, languages, length, checksum, has_letter)


def odd_texts(collection: Collection, queries: TextFacts, passages: TextFacts) -> list[Finding]:
    """Queries that nothing is relevant to, texts that say nothing, and texts that are enormous."""
    pairs = collection.pairs
    unjudged = np.ones(len(collection.queries), bool)
    unjudged[pairs.query] = False
    in_vain = np.zeros(len(collection.queries), bool)
    in_vain[pairs.query[~passages.has_letter[pairs.passage]]] = True
    return [
        *counted(_UNJUDGED, queries.counts(unjudged)),
        *counted(_WORDLESS_QUERIES, queries.counts(~queries.has_letter)),
        *counted(_WORDLESS_ANSWERS, queries.counts(in_vain)),
        *counted(_WORDLESS_PASSAGES, passages.counts(~passages.has_letter)),
        *counted(_ENORMOUS_TEXTS, [*queries.counts(_enormous(queries)), *passages.counts(_enormous(passages))]),
    ]


def _enormous(texts: TextFacts) -> BoolArray:
    limit = np.full(len(texts.length), float(_ENORMOUS))
    for _, rows in texts.rows():
        if len(texts.length[rows]):
            limit[rows] = max(_ENORMOUS, _TIMES * float(np.median(texts.length[rows])))
    return texts.length > limit
