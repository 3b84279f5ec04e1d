"""Which passages contain an answer as a string: how open retrieval is evaluated where nobody has judged passages.

Texts are compared as DPR does it (Karpukhin et al. 2020, arXiv 2004.04906): in canonical decomposition and lower case,
as tokens, each of them letters, marks and digits, or one other sign; a passage contains an answer if it has its tokens
one after the other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.support.extras import require


class _Spaced(dict[int, str]):
    """What stands for each character: itself in words, between spaces if it is a sign, and a space for the rest."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        self[code] = character if kind in "LMN" else " " if kind in "ZC" else f" {character} "
        return self[code]


_SPACED = _Spaced()


def tokens(text: str) -> list[str]:
    """The tokens of a text."""
    return unicodedata.normalize("NFD", text).lower().translate(_SPACED).split()


def n_tokens(texts: Sequence[str], rows: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """How many tokens the texts in these rows have, in the shape of ``rows``; row -1 is none and has none."""
    distinct, at = np.unique(rows, return_inverse=True)
    counts = [len(tokens(texts[row])) if row >= 0 else 0 for row in distinct.tolist()]
    return np.array(counts, np.int32)[at].reshape(rows.shape)


def containing(passages: Iterable[tuple[str, str]], answers: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The ids of each query and passage of which the passage contains an answer to the query, each pair once.

    ``passages`` are ids and texts, read once and not kept; ``answers`` are those of each query by its id. An answer
    without a letter, a digit or a sign is in no passage.

    Raises:
        MissingLibraryError: if the search of many strings at once is not installed.

    """
    asked: dict[str, list[str]] = {}
    for query, strings in answers.items():
        for string in dict.fromkeys(_padded(each) for each in strings):
            asked.setdefault(string, []).append(query)
    asked.pop(_padded(""), None)
    if not asked:
        return
    search = _automaton(asked)
    for id_, text in passages:
        matched = dict.fromkeys(string for _, string in search.iter(_padded(text)))
        for query in dict.fromkeys(query for string in matched for query in asked[string]):
            yield query, id_


def _padded(text: str) -> str:
    """The tokens with a space around each, so that a string of them begins and ends with whole tokens."""
    return f" {' '.join(tokens(text))} "


def _automaton(strings: Iterable[str]) -> Any:
    require("answers", "Finding answers in passages")
    import ahocorasick

    search = ahocorasick.Automaton()
    for string in strings:
        search.add_word(string, string)
    search.make_automaton()
    return search
