"""Which texts are alike: the n-grams of texts as hashes, and how many of a text's n-grams another one has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.arrays import IntArray

U64Array = npt.NDArray[np.uint64]

BYTES = 16
"""Length of an n-gram in UTF-8: 16 Latin, 8 Cyrillic or 5 Chinese letters, which say about as much."""
COMMON = 100
"""An n-gram that more texts have is a phrase of many, and says nothing."""
AT_ONCE = 2048
"""Texts whose n-grams are made at once; it bounds the memory."""
_SLOTS = 1 << 24
# Odd numbers without a pattern: multiplication by them spreads bits.
_LOW, _HIGH, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class Grams:
    """The n-grams of some texts; one begins at each letter that has enough letters behind it."""

    gram: U64Array
    """``[G]``, hashes."""
    text: IntArray
    """``[G]``, the text that each is of; ascending."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Grams:
        """The n-grams of texts that ``plain`` has made."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
        content = np.frombuffer(b"".join(encoded), np.uint8)
        if len(content) < BYTES:
            return cls(np.zeros(0, np.uint64), np.zeros(0, np.int64))
        words = content.astype(np.uint64)
        for width in (1, 2, 4):  # Eight bytes in a word, doubling.
            words = words[:-width] | words[width:] << np.uint64(8 * width)
        mixed = words[: -(BYTES - 8)] * _LOW + words[BYTES - 8 :] * _HIGH
        mixed = (mixed ^ mixed >> np.uint64(32)) * _MIX
        start = np.arange(len(mixed))
        text = np.searchsorted(ends, start, side="right")
        is_letter = (content[: len(mixed)] & 0xC0) != 0x80  # Not inside of a letter.
        whole = np.flatnonzero(is_letter & (start + BYTES <= ends[text]))
        return cls(mixed[whole], text[whole])


@dataclass(frozen=True)
class Index:
    """The n-grams of some texts, to be found by hash."""

    gram: U64Array
    """``[U]``, ascending."""
    starts: IntArray
    """``[U + 1]``: the texts that have gram ``g`` are ``text[starts[g]:starts[g + 1]]``."""
    text: npt.NDArray[np.int32]
    n_grams: IntArray
    """``[N]``, different n-grams of each text."""
    slots: npt.NDArray[np.bool_]
    """Whether any gram has these last bits: most of those looked up are not there, and are known by it."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Index:
        """The index of texts that ``plain`` has made."""
        parts = [Grams.of(texts[first : first + AT_ONCE]) for first in range(0, len(texts), AT_ONCE)] or [Grams.of([])]
        gram = np.concatenate([part.gram for part in parts])
        text = np.concatenate([(part.text + i * AT_ONCE).astype(np.int32) for i, part in enumerate(parts)])
        del parts
        order = np.argsort(gram, kind="stable")  # Texts stay in their order.
        gram, text = gram[order], text[order]
        new = np.ones(len(gram), bool)
        new[1:] = (gram[1:] != gram[:-1]) | (text[1:] != text[:-1])
        gram, text = gram[new], text[new]
        first = np.flatnonzero(np.append(True, gram[1:] != gram[:-1])[: len(gram)])
        slots = np.zeros(_SLOTS, bool)
        slots[gram & np.uint64(_SLOTS - 1)] = True
        return cls(
            gram=gram[first],
            starts=np.append(first, len(gram)),
            text=text,
            n_grams=np.bincount(text, minlength=len(texts)),
            slots=slots,
        )

    def lookup(self, grams: Grams) -> tuple[IntArray, IntArray]:
        """The place of each n-gram that is in the index, and the text that has it; each once a text."""
        near = np.flatnonzero(self.slots[grams.gram & np.uint64(_SLOTS - 1)])
        place = np.searchsorted(self.gram, grams.gram[near])
        place[place == len(self.gram)] = 0
        there = self.gram[place] == grams.gram[near] if len(self.gram) else np.zeros(0, bool)
        pairs = np.unique(np.stack([grams.text[near][there], place[there]]), axis=1)
        return pairs[1], pairs[0]

    def shared(self, place: IntArray, other: IntArray) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
        """For each pair of a text here and another one: the two, and the share of the former's n-grams that both have.

        ``place`` and ``other`` are what ``lookup`` found, of all other texts. Common n-grams do not count.
        """
        n_here = np.diff(self.starts)
        n_there = np.bincount(place, minlength=len(self.gram))
        kept = (n_here[place] <= COMMON) & (n_there[place] <= COMMON)
        place, other = place[kept], other[kept]
        counts = n_here[place]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        here = self.text[np.repeat(self.starts[place], counts) + within].astype(np.int64)
        n_texts = max(len(self.n_grams), 1)
        pair, n_shared = np.unique(np.repeat(other, counts) * n_texts + here, return_counts=True)
        here, other = pair % n_texts, pair // n_texts
        return here, other, n_shared / self.n_grams[here]
