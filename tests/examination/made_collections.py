"""Parallel collections in which comparing letters finds what is relevant within a language, but not across two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xlbench.collection import Collection, Judgement, Text
from xlbench.models.protocols import Model

# Languages that share no letter, and so no trigram.
LETTERS = {"aa": "abcdefgh", "bb": "ijklmnop", "cc": "абвгдежз", "dd": "ικλμνξοπ"}
Order = Mapping[tuple[str, str], Sequence[int]]


def word(number: int, language: str) -> str:
    """The word for a number in a language: ten letters, the same in any number's query and passage."""
    drawn = np.random.default_rng(number).integers(0, 8, size=10)
    return "".join(LETTERS[language][i] for i in drawn)


def collection(
    n: int = 80, *, languages: Sequence[str] = ("aa", "bb", "cc"), shuffled: Order | None = None, cross: bool = True
) -> Collection:
    """``n`` questions, each asked and answered in all languages.

    ``shuffled`` says for a pair of languages which question's passage is judged relevant to each question. Without
    ``cross`` passages are relevant in the language of the query only.
    """
    orders = shuffled or {}
    queries = [Text(f"{a}:{i}", a, f"{word(i, a)} {word(i + 1000, a)}") for a in languages for i in range(n)]
    passages = [Text(f"{a}:p{i}", a, f"{word(i, a)} {word(i + 2000, a)}") for a in languages for i in range(n)]
    judgements = [
        Judgement(f"{a}:{i}", f"{b}:p{orders.get((a, b), range(n))[i]}", 1)
        for a in languages
        for b in languages
        for i in range(n)
        if cross or a == b
    ]
    return Collection.build(tuple(languages), queries, passages, judgements)


class Translator:
    """A model that knows the words of some languages, and none of the others."""

    revision = "1"

    def __init__(self, languages: Sequence[str], n: int = 200) -> None:
        self.name = f"translator of {', '.join(languages)}"
        self._number = {word(i, language): i for language in languages for i in range(n)}

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """A vector for the number that a text's first word stands for, and one of its own for an unknown word."""
        numbers = [self._number.get(text.split()[0], -1) for text in texts]
        seeds = [[1, i] if i >= 0 else [2, *text.encode()] for i, text in zip(numbers, texts, strict=True)]
        return np.stack([np.random.default_rng(seed).normal(size=32) for seed in seeds]).astype(np.float32)

    encode_passages = encode_queries


def model(*languages: str) -> Model:
    """The model that knows these languages."""
    return Model(Translator(languages), "class", {"languages": languages})
